/// Work that is done beside the caller's, on one thread and in order.
///
///   TaskQueue tasks(4);
///   tasks.post([&] { write(frame); });   // waits while four wait
///   tasks.finish();                      // waits for all; what one threw comes out
///
/// Thread safety: one thread at a time; tasks run on the queue's own.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace vostrack::cli {

class TaskQueue {
 public:
  /// @param capacity  tasks that wait at most
  explicit TaskQueue(std::size_t capacity);
  /// Waits for the task at hand; those behind it are not done.
  ~TaskQueue();
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;

  /// Waits while as many tasks wait as may.
  ///
  /// @throws what an earlier task threw, after which nothing more is done
  void post(std::function<void()> task);
  /// Waits until all tasks are done. More can be posted afterwards.
  ///
  /// @throws what a task threw, unless post() has
  void finish();
  /// A task has thrown.
  bool failed() const;

 private:
  void run();

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool busy_ = false;
  bool stopping_ = false;
  bool told_ = false;  ///< the caller knows of `failure_`
  std::exception_ptr failure_;
  std::thread thread_;  ///< last: it uses everything above
};

}  // namespace vostrack::cli
