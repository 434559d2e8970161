// The controller, given times by hand.
#include "tracker/budget.hpp"

#include <gtest/gtest.h>

namespace vostrack::tracker::test {
namespace {

SpeedOptions target(double ms) {
  SpeedOptions speed;
  speed.budget_ms = ms;
  return speed;
}

/// What a frame takes on a machine where all cells of memories take `full_ms`.
double frame_ms(const SpeedOptions& speed, double full_ms) {
  return full_ms * (speed.sparse_memories ? 0.75 : 1) / speed.keyframe_interval;
}

void run(Budget& budget, int frames, double full_ms) {
  for (int i = 0; i < frames; ++i) budget.add(frame_ms(budget.speed(), full_ms));
}

TEST(Budget, LeavesNothingOutWhileThereIsTime) {
  Budget budget(target(40));
  run(budget, 200, 39);
  EXPECT_FALSE(budget.speed().sparse_memories);
  EXPECT_EQ(budget.speed().keyframe_interval, 1);
  EXPECT_EQ(budget.report().at(0).frames, 200);
  EXPECT_NEAR(budget.report().at(0).mean_ms, 39, 1e-9);
}

TEST(Budget, FindsTheFirstStepThatIsFastEnough) {
  Budget budget(target(40));
  run(budget, 400, 50);
  // Sparse memories: 37.5 ms.
  EXPECT_EQ(budget.speed().sparse_memories, 1);
  EXPECT_EQ(budget.speed().keyframe_interval, 1);
  EXPECT_GT(budget.report().at(1).frames, 300);
}

TEST(Budget, TracksFewerFramesWhereMemoriesAreNotEnough) {
  Budget budget(target(24));
  run(budget, 1000, 60);
  EXPECT_EQ(budget.speed().sparse_memories, 1);
  EXPECT_EQ(budget.speed().keyframe_interval, 2);
  EXPECT_GT(budget.report().at(2).frames, 900);
  EXPECT_EQ(budget.report().at(3).frames, 0);
}

TEST(Budget, GoesBackWhenThereIsTimeAgain) {
  Budget budget(target(20));
  run(budget, 200, 200);
  EXPECT_EQ(budget.speed().keyframe_interval, 4);
  run(budget, 8000, 15);
  EXPECT_EQ(budget.speed().keyframe_interval, 1);
  EXPECT_FALSE(budget.speed().sparse_memories);
}

TEST(Budget, TriesAStepThatIsTooSlowMoreAndMoreRarely) {
  // The step in force leaves room, the one before does not fit.
  Budget budget(target(30));
  run(budget, 6000, 33);
  const auto report = budget.report();
  EXPECT_GT(report.at(1).frames, 5700);
  EXPECT_LT(report.at(0).frames, 300);
}

TEST(Budget, LeavesOutWhatTheCallerDoes) {
  auto speed = target(40);
  speed.recent_memories = 2;
  speed.sparse_memories = 3;
  speed.keyframe_interval = 3;
  Budget budget(speed);
  EXPECT_EQ(budget.speed().sparse_memories, 3);
  run(budget, 100, 1000);
  EXPECT_EQ(budget.speed().recent_memories, 2);
  EXPECT_EQ(budget.speed().sparse_memories, 1);
  EXPECT_EQ(budget.speed().keyframe_interval, 4);
}

}  // namespace
}  // namespace vostrack::tracker::test
