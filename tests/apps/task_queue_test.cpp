#include "apps/vostrack/task_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <vector>

namespace vostrack::cli {
namespace {

TEST(TaskQueue, DoesTasksInOrderBesideTheCaller) {
  std::vector<int> done;
  std::thread::id thread;
  TaskQueue tasks(2);
  for (int i = 0; i < 100; ++i)
    tasks.post([&, i] {
      done.push_back(i);
      thread = std::this_thread::get_id();
    });
  tasks.finish();
  ASSERT_EQ(done.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
  EXPECT_NE(thread, std::this_thread::get_id());
  tasks.post([&] { done.clear(); });
  tasks.finish();
  EXPECT_TRUE(done.empty());
}

TEST(TaskQueue, WaitsWhileItIsFull) {
  std::promise<void> gate;
  std::atomic<int> posted = 0;
  TaskQueue tasks(2);
  const auto opened = gate.get_future().share();
  auto caller = std::async(std::launch::async, [&] {
    for (int i = 0; i < 5; ++i) {
      tasks.post([opened] { opened.wait(); });
      ++posted;
    }
  });
  EXPECT_EQ(caller.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  EXPECT_EQ(posted, 3);  // one at hand, two that wait
  gate.set_value();
  caller.get();
  tasks.finish();
  EXPECT_EQ(posted, 5);
}

TEST(TaskQueue, PassesOnWhatATaskThrewAndDoesNoMore) {
  bool later = false;
  TaskQueue tasks(2);
  tasks.post([] { throw std::runtime_error("full"); });
  EXPECT_THROW(
      for (int i = 0; i < 5; ++i) tasks.post([&] { later = true; }), std::runtime_error);
  EXPECT_TRUE(tasks.failed());
  EXPECT_NO_THROW(tasks.finish());  // post() has said so
  EXPECT_FALSE(later);
}

TEST(TaskQueue, PassesOnWhatTheLastTaskThrew) {
  TaskQueue tasks(2);
  tasks.post([] { throw std::runtime_error("full"); });
  EXPECT_THROW(tasks.finish(), std::runtime_error);
  EXPECT_NO_THROW(tasks.finish());
}

TEST(TaskQueue, LeavesTheRestWhenItIsDropped) {
  std::promise<void> started, gate;
  bool later = false;
  auto opener = [&] {
    TaskQueue tasks(2);
    tasks.post([&] {
      started.set_value();
      gate.get_future().wait();
    });
    tasks.post([&] { later = true; });
    started.get_future().wait();
    return std::async(std::launch::async, [&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      gate.set_value();
    });
  }();
  EXPECT_FALSE(later);
}

}  // namespace
}  // namespace vostrack::cli
