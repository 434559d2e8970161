#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "base/check.hpp"
#include "train/communicator.hpp"
#include "train/flat_sum.hpp"

namespace vostrack::train {
namespace {

// The store refuses values above 8 MiB.
constexpr std::int64_t kPieceBytes = 4 << 20;
constexpr std::chrono::seconds kFarewell{30};
constexpr std::chrono::seconds kBeat{1};
constexpr std::chrono::milliseconds kLongestPause{20};  ///< between looks for what another sends

using Bytes = std::vector<std::uint8_t>;

std::string alive_key(int rank) {
  return "vostrack/alive/" + std::to_string(rank);
}

/// Says again and again that this process lives.
class Heartbeat {
 public:
  Heartbeat(c10::intrusive_ptr<c10d::Store> store, int rank)
      : thread_([this, store = std::move(store), rank] {
          std::unique_lock lock(mutex_);
          for (std::int64_t beat = 0; !over_; ++beat) {
            try {
              store->set(alive_key(rank), std::to_string(beat));
            } catch (const std::exception&) {
              return;  // The store is gone, as the next sum will say.
            }
            end_.wait_for(lock, kBeat, [this] { return over_; });
          }
        }) {}
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;
  ~Heartbeat() {
    {
      const std::scoped_lock lock(mutex_);
      over_ = true;
    }
    end_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable end_;
  bool over_ = false;
  std::thread thread_;
};

class StoreCommunicator : public Communicator {
 public:
  StoreCommunicator(const Place& place, std::chrono::seconds silence)
      : rank_(place.rank),
        size_(place.size),
        silence_(silence),
        store_(meeting_store(place)),
        heartbeat_(store_, rank_) {}

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
    sum_flat(tensors, torch::kCPU, [&](torch::Tensor& numbers) { sum_numbers(numbers); });
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

  std::string last_beat(int rank) {
    const auto key = alive_key(rank);
    return store_->check({key}) ? store_->get_to_str(key) : std::string();
  }

  /// Waits until `name` is there, as long as the process that sends it lives. The store's own wait
  /// would keep the heart from beating meanwhile.
  void wait_for(const std::string& name, int sender) {
    using Clock = std::chrono::steady_clock;
    std::chrono::milliseconds pause{1};
    std::string beat;
    auto looked = Clock::now(), heard = looked;
    while (!store_->check({name})) {
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, kLongestPause);
      const auto now = Clock::now();
      if (now - looked < kBeat) continue;
      looked = now;
      if (auto next = last_beat(sender); next != beat) {
        beat = std::move(next);
        heard = now;
      }
      check(now - heard < silence_, ErrorCode::kIo,
            "another process is gone: nothing was heard of process {} for {} s", sender,
            silence_.count());
    }
  }

  void receive(const std::string& name, int sender, torch::Tensor part) {
    auto* bytes = static_cast<std::uint8_t*>(part.data_ptr());
    const auto size = static_cast<std::int64_t>(part.nbytes());
    for (std::int64_t first = 0; first < size; first += kPieceBytes) {
      wait_for(name + std::to_string(first), sender);
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
      if (from != rank_) receive(key("part", rank_, from), from, other);
      total += from == rank_ ? own : other;
    }
    own.copy_(total);
    send(key("sum", rank_, rank_), own);
    for (int owner = 0; owner < size_; ++owner)
      if (owner != rank_) receive(key("sum", owner, owner), owner, share(numbers, owner));
    // Whoever sent something for this call had read all of the one before.
    for (const auto& name : before) store_->deleteKey(name);
    ++call_;
  }

  int rank_, size_;
  std::chrono::seconds silence_;
  std::int64_t call_ = 0;
  std::vector<std::string> sent_;  ///< keys of the latest call
  c10::intrusive_ptr<c10d::Store> store_;
  Heartbeat heartbeat_;
};

}  // namespace

std::shared_ptr<Communicator> meet_by_store(const Place& place, std::chrono::seconds silence) {
  return std::make_shared<StoreCommunicator>(place, silence);
}

}  // namespace vostrack::train
