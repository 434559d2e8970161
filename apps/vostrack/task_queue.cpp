#include "apps/vostrack/task_queue.hpp"

#include <utility>

namespace vostrack::cli {

TaskQueue::TaskQueue(std::size_t capacity) : capacity_(capacity), thread_([this] { run(); }) {}

TaskQueue::~TaskQueue() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void TaskQueue::post(std::function<void()> task) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.size() < capacity_ || failure_; });
  if (failure_) {
    told_ = true;
    std::rethrow_exception(failure_);
  }
  waiting_.push_back(std::move(task));
  changed_.notify_all();
}

void TaskQueue::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return (waiting_.empty() && !busy_) || failure_; });
  if (failure_ && !std::exchange(told_, true)) std::rethrow_exception(failure_);
}

bool TaskQueue::failed() const {
  const std::lock_guard lock(mutex_);
  return failure_ != nullptr;
}

void TaskQueue::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    std::function<void()> task = std::move(waiting_.front());
    waiting_.pop_front();
    busy_ = true;
    changed_.notify_all();
    lock.unlock();
    std::exception_ptr failure;
    try {
      task();
    } catch (...) {
      failure = std::current_exception();
    }
    task = nullptr;  // what it holds is freed outside the lock
    lock.lock();
    busy_ = false;
    if (failure) {
      failure_ = failure;
      waiting_.clear();
    }
    changed_.notify_all();
  }
}

}  // namespace vostrack::cli
