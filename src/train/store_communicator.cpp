#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "base/check.hpp"
#include "train/communicator.hpp"

namespace vostrack::train {
namespace {

// The store refuses values above 8 MiB.
constexpr std::int64_t kPieceBytes = 4 << 20;
// As long as the first process may take for a validation, while the others wait.
constexpr std::chrono::minutes kPatience{60};
constexpr std::chrono::minutes kMeeting{5};
constexpr std::chrono::seconds kFarewell{30};

using Bytes = std::vector<std::uint8_t>;

class StoreCommunicator : public Communicator {
 public:
  explicit StoreCommunicator(const Place& place) : rank_(place.rank), size_(place.size) {
    guarded("the processes did not meet", [&] {
      c10d::TCPStoreOptions options;
      options.port = static_cast<std::uint16_t>(place.port);
      options.isServer = rank_ == 0 && !place.launcher_serves;
      options.waitWorkers = false;
      options.timeout = kMeeting;
      store_ = c10::make_intrusive<c10d::TCPStore>(place.host, options);
      store_->set("vostrack/here/" + std::to_string(rank_), {1});
      std::vector<std::string> all;
      for (int rank = 0; rank < size_; ++rank)
        all.push_back("vostrack/here/" + std::to_string(rank));
      store_->wait(all, kMeeting);
      store_->setTimeout(kPatience);
    });
  }

  ~StoreCommunicator() override {
    // The first process keeps the store, so it leaves last.
    try {
      store_->set("vostrack/gone/" + std::to_string(rank_), {1});
      if (rank_ != 0) return;
      std::vector<std::string> all;
      for (int rank = 0; rank < size_; ++rank)
        all.push_back("vostrack/gone/" + std::to_string(rank));
      store_->wait(all, kFarewell);
    } catch (const std::exception&) {
      // Somebody has gone without a word; nothing is left to do together.
    }
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  void sum(std::vector<torch::Tensor>& tensors) override {
    if (tensors.empty()) return;
    torch::NoGradGuard no_grad;
    std::vector<torch::Tensor> flat;
    for (const auto& tensor : tensors) {
      VOSTRACK_ASSERT(tensor.scalar_type() == tensors[0].scalar_type());
      flat.push_back(tensor.detach().reshape({-1}).to(torch::kCPU));
    }
    auto numbers = torch::cat(flat);
    guarded("another process is gone", [&] { sum_numbers(numbers); });
    std::int64_t offset = 0;
    for (auto& tensor : tensors) {
      tensor.copy_(numbers.slice(0, offset, offset + tensor.numel()).view(tensor.sizes()));
      offset += tensor.numel();
    }
  }

 private:
  template <class Work>
  static void guarded(const char* what, const Work& work) {
    try {
      work();
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      const std::string_view text = error.what();
      fail(ErrorCode::kIo, "{}: {}", what, text.substr(0, text.find('\n')));
    }
  }

  /// The part of the numbers that a process adds up.
  torch::Tensor share(const torch::Tensor& numbers, int owner) const {
    const auto count = numbers.size(0);
    return numbers.slice(0, count * owner / size_, count * (owner + 1) / size_);
  }

  std::string key(const char* what, int owner, int from) const {
    return "vostrack/" + std::to_string(call_) + "/" + what + "/" + std::to_string(owner) + "/" +
           std::to_string(from) + "/";
  }

  void send(const std::string& name, const torch::Tensor& part) {
    const auto* bytes = static_cast<const std::uint8_t*>(part.data_ptr());
    const auto size = static_cast<std::int64_t>(part.nbytes());
    for (std::int64_t first = 0; first < size; first += kPieceBytes) {
      const auto last = std::min(size, first + kPieceBytes);
      sent_.push_back(name + std::to_string(first));
      store_->set(sent_.back(), Bytes(bytes + first, bytes + last));
    }
  }

  void receive(const std::string& name, torch::Tensor part) {
    auto* bytes = static_cast<std::uint8_t*>(part.data_ptr());
    const auto size = static_cast<std::int64_t>(part.nbytes());
    for (std::int64_t first = 0; first < size; first += kPieceBytes) {
      const Bytes piece = store_->get(name + std::to_string(first));
      check(static_cast<std::int64_t>(piece.size()) == std::min(kPieceBytes, size - first),
            ErrorCode::kIo, "process {} got a piece of another size; do all train alike?", rank_);
      std::memcpy(bytes + first, piece.data(), piece.size());
    }
  }

  void sum_numbers(torch::Tensor& numbers) {
    const auto before = std::move(sent_);
    sent_.clear();
    for (int owner = 0; owner < size_; ++owner)
      if (owner != rank_) send(key("part", owner, rank_), share(numbers, owner));
    auto own = share(numbers, rank_);
    auto total = torch::zeros_like(own);
    auto other = torch::empty_like(own);
    for (int from = 0; from < size_; ++from) {
      if (from != rank_) receive(key("part", rank_, from), other);
      total += from == rank_ ? own : other;
    }
    own.copy_(total);
    send(key("sum", rank_, rank_), own);
    for (int owner = 0; owner < size_; ++owner)
      if (owner != rank_) receive(key("sum", owner, owner), share(numbers, owner));
    // Whoever sent something for this call had read all of the one before.
    for (const auto& name : before) store_->deleteKey(name);
    ++call_;
  }

  int rank_, size_;
  std::int64_t call_ = 0;
  std::vector<std::string> sent_;  ///< keys of the latest call
  c10::intrusive_ptr<c10d::TCPStore> store_;
};

const char* variable(const char* name) {
  const char* value = std::getenv(name);
  check(value != nullptr && *value != '\0', ErrorCode::kInvalidArgument,
        "WORLD_SIZE is set, but {} is not; start the processes with a launcher such as torchrun",
        name);
  return value;
}

int whole_number(const char* name, int least, int most) {
  const std::string_view text = variable(name);
  int value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  check(result.ec == std::errc() && result.ptr == text.data() + text.size() && value >= least &&
            value <= most,
        ErrorCode::kInvalidArgument, "{} is {}, want {} to {}", name, text, least, most);
  return value;
}

}  // namespace

std::optional<Place> place_from_environment() {
  if (std::getenv("WORLD_SIZE") == nullptr) return std::nullopt;
  Place place;
  place.size = whole_number("WORLD_SIZE", 1, 65536);
  if (place.size == 1) return std::nullopt;
  place.rank = whole_number("RANK", 0, place.size - 1);
  place.port = whole_number("MASTER_PORT", 1, 65535);
  place.host = variable("MASTER_ADDR");
  const char* agent = std::getenv("TORCHELASTIC_USE_AGENT_STORE");
  place.launcher_serves = agent != nullptr && std::string_view(agent) == "True";
  return place;
}

std::shared_ptr<Communicator> meet(const Place& place) {
  return std::make_shared<StoreCommunicator>(place);
}

}  // namespace vostrack::train
