#include "memory/bank.hpp"

#include <gtest/gtest.h>

namespace vostrack::memory {
namespace {

using Frames = std::vector<FrameIndex>;

OutputPtr output() {
  return std::make_shared<FrameOutput>();
}

OutputStore store(const Frames& frames) {
  OutputStore store;
  for (FrameIndex frame : frames) store.put(frame, output());
  return store;
}

TEST(OutputStore, RemembersTheOrderOfStoring) {
  const auto s = store({7, 2, 9, 4});
  EXPECT_EQ(s.frames(), (Frames{2, 4, 7, 9}));
  EXPECT_EQ(s.frames_in_order_of_storing(), (Frames{7, 2, 9, 4}));
  EXPECT_EQ(s.first_frame(), 2);
  EXPECT_EQ(s.size(), 4U);
}

TEST(OutputStore, ReplacesInPlace) {
  auto s = store({7, 2, 9});
  const auto newer = output();
  s.put(7, newer);
  EXPECT_EQ(s.get(7), newer);
  EXPECT_EQ(s.frames_in_order_of_storing(), (Frames{7, 2, 9}));
}

TEST(OutputStore, PutsWhatWasTakenOutAtTheEndAgain) {
  auto s = store({7, 2, 9});
  const auto seven = s.get(7);
  EXPECT_EQ(s.take(7), seven);
  EXPECT_EQ(s.take(7), nullptr);
  EXPECT_EQ(s.get(7), nullptr);
  EXPECT_FALSE(s.contains(7));
  s.put(7, seven);
  EXPECT_EQ(s.frames_in_order_of_storing(), (Frames{2, 9, 7}));
}

TEST(OutputStore, DropsARangeWithBothEnds) {
  auto s = store({1, 2, 3, 4, 5, 6, 7});
  s.drop_range(3, 6, 5);
  EXPECT_EQ(s.frames(), (Frames{1, 2, 5, 7}));
  s.drop_range(-100, 100, 1000);
  EXPECT_TRUE(s.empty());
  s.drop_range(-100, 100, 1000);  // of nothing
}

}  // namespace
}  // namespace vostrack::memory
