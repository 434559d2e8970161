#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/check.hpp"
#include "train/communicator.hpp"
#include "train/flat_sum.hpp"

namespace vostrack::train {
namespace {

// The store refuses values above 8 MiB.
constexpr std::int64_t kPieceBytes = 4 << 20;
constexpr std::chrono::seconds kFarewell{30};

using Bytes = std::vector<std::uint8_t>;

class StoreCommunicator : public Communicator {
 public:
  explicit StoreCommunicator(const Place& place)
      : rank_(place.rank), size_(place.size), store_(meeting_store(place)) {}

  ~StoreCommunicator() override {
    // The first process keeps the store, so it leaves last.
    try {
      store_->set("vostrack/gone/" + std::to_string(rank_), Bytes{1});
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
    sum_flat(tensors, [&](torch::Tensor& numbers) { sum_numbers(numbers); });
  }

 private:
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
  c10::intrusive_ptr<c10d::Store> store_;
};

}  // namespace

std::shared_ptr<Communicator> meet_by_store(const Place& place) {
  return std::make_shared<StoreCommunicator>(place);
}

}  // namespace vostrack::train
