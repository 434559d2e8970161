/// Between who makes frames and who takes them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "vostrack/live.hpp"

namespace vostrack::video {

/// Why no more frames come. Not an exception, which two threads would share.
struct QueueFailure {
  ErrorCode code = ErrorCode::kInternal;
  std::string text;
};

/// A queue of at most `capacity` items.
///
/// Thread safety: every call from any thread.
template <class T>
class FrameQueue {
 public:
  /// @throws Error kInvalidArgument for a capacity below 1 and for what is no policy
  FrameQueue(int capacity, LivePolicy policy)
      : capacity_(static_cast<std::size_t>(capacity)), policy_(policy) {
    check(capacity >= 1 && capacity <= 4096, ErrorCode::kInvalidArgument,
          "queue of {} frames, want 1 to 4096", capacity);
    check(policy >= LivePolicy::kBlock && policy <= LivePolicy::kLatestOnly,
          ErrorCode::kInvalidArgument, "policy: {} is none of the known ones",
          static_cast<int>(policy));
  }

  /// False when the queue is closed; the item is gone then. What is dropped is destroyed on the
  /// thread that pushes.
  bool push(T item) {
    std::deque<T> passed_over;  // destroyed without the lock: who knows what that runs
    std::unique_lock lock(mutex_);
    if (policy_ == LivePolicy::kBlock)
      changed_.wait(lock, [&] { return closed_ || items_.size() < capacity_; });
    if (closed_) return false;
    while (!items_.empty() && (policy_ == LivePolicy::kLatestOnly || items_.size() >= capacity_)) {
      passed_over.push_back(std::move(items_.front()));
      items_.pop_front();
      ++dropped_;
    }
    items_.push_back(std::move(item));
    changed_.notify_all();
    return true;
  }

  /// Waits for an item; nothing once the queue is closed and empty.
  ///
  /// @throws Error that the queue was closed with, after its last item
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || !items_.empty(); });
    if (items_.empty()) {
      if (failure_) throw Error(failure_->code, failure_->text);
      return std::nullopt;
    }
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    changed_.notify_all();
    return item;
  }

  /// Nothing can be pushed any more; what waits can still be taken. The first call counts.
  void close(std::optional<QueueFailure> failure = std::nullopt) {
    std::lock_guard lock(mutex_);
    if (!closed_) failure_ = std::move(failure);
    closed_ = true;
    changed_.notify_all();
  }

  /// Closes, and throws away what waits.
  void cancel() {
    std::deque<T> passed_over;
    std::lock_guard lock(mutex_);
    closed_ = true;
    failure_.reset();
    passed_over.swap(items_);
    changed_.notify_all();
  }

  std::int64_t dropped() const {
    std::lock_guard lock(mutex_);
    return dropped_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> items_;
  std::size_t capacity_;
  LivePolicy policy_;
  bool closed_ = false;
  std::optional<QueueFailure> failure_;
  std::int64_t dropped_ = 0;
};

}  // namespace vostrack::video
