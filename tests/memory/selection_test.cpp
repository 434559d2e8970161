// Which memories are selected, worked out by hand.
#include "memory/selection.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace vostrack::memory {
namespace {

using Frames = std::vector<FrameIndex>;

/// (frame, row of the temporal encoding)
using Memories = std::vector<std::pair<FrameIndex, int>>;
/// (frame, distance)
using Pointers = std::vector<std::pair<FrameIndex, double>>;

constexpr int kLastRow = 6;  ///< of conditioning frames, with 7 memories

MemoryBank bank(const Frames& conditioning, const Frames& tracked) {
  MemoryBank bank;
  for (FrameIndex t : conditioning) bank.conditioning.put(t, std::make_shared<const FrameOutput>());
  for (FrameIndex t : tracked) bank.tracked.put(t, std::make_shared<const FrameOutput>());
  return bank;
}

Frames range(FrameIndex first, FrameIndex last) {
  Frames frames;
  for (FrameIndex t = first; t <= last; ++t) frames.push_back(t);
  return frames;
}

nn::BaseConfig config() {
  nn::BaseConfig config;
  config.num_maskmem = 7;
  config.use_obj_ptrs_in_encoder = true;
  return config;
}

Selection select(const nn::BaseConfig& config, const MemoryBank& bank,
                 const SelectionContext& context) {
  return make_recent_policy(config)->select(bank, context);
}

Memories memories(const Selection& selection) {
  Memories result;
  for (const auto& memory : selection.memories)
    result.emplace_back(memory.frame, memory.temporal_row);
  return result;
}

Pointers pointers(const Selection& selection) {
  Pointers result;
  for (const auto& pointer : selection.pointers)
    result.emplace_back(pointer.frame, pointer.distance);
  return result;
}

TEST(RecentPolicy, TakesTheFramesJustBefore) {
  const auto got = select(config(), bank({0}, range(1, 19)), {12, false, 20});
  EXPECT_EQ(memories(got),
            (Memories{{0, kLastRow}, {6, 5}, {7, 4}, {8, 3}, {9, 2}, {10, 1}, {11, 0}}));
}

TEST(RecentPolicy, HandsOverTheOutputsOfThoseFrames) {
  const auto b = bank({0}, range(1, 19));
  for (const auto& memory : select(config(), b, {12, false, 20}).memories)
    EXPECT_EQ(memory.output,
              memory.frame == 0 ? b.conditioning.get(0) : b.tracked.get(memory.frame));
}

TEST(RecentPolicy, LeavesPlacesEmptyNearTheStart) {
  EXPECT_EQ(memories(select(config(), bank({0}, {1, 2}), {3, false, 20})),
            (Memories{{0, kLastRow}, {1, 1}, {2, 0}}));
  EXPECT_EQ(memories(select(config(), bank({0}, {}), {1, false, 20})), (Memories{{0, kLastRow}}));
  // Fixed places, not the latest frames: far from them nothing is found.
  EXPECT_EQ(memories(select(config(), bank({0}, {1, 2}), {15, false, 20})),
            (Memories{{0, kLastRow}}));
}

TEST(RecentPolicy, StridesOverMultiplesOfTheStride) {
  auto strided = config();
  strided.memory_temporal_stride_for_eval = 3;
  // 19, then 18 = ⌊18/3⌋·3, 15, 12, 9, 6.
  EXPECT_EQ(memories(select(strided, bank({0}, range(1, 29)), {20, false, 30})),
            (Memories{{0, kLastRow}, {6, 5}, {9, 4}, {12, 3}, {15, 2}, {18, 1}, {19, 0}}));
  // 20, then 18 = ⌊19/3⌋·3.
  EXPECT_EQ(memories(select(strided, bank({0}, range(1, 29)), {21, false, 30})),
            (Memories{{0, kLastRow}, {6, 5}, {9, 4}, {12, 3}, {15, 2}, {18, 1}, {20, 0}}));
  // ⌊−1/3⌋·3 is −3, not 0: the conditioning frame 0 is not found there twice.
  EXPECT_EQ(memories(select(strided, bank({2}, {0}), {1, false, 30})),
            (Memories{{2, kLastRow}, {0, 0}}));
  EXPECT_EQ(memories(select(strided, bank({9}, {0}), {1, true, 30})), (Memories{{9, kLastRow}}));
}

TEST(RecentPolicy, LooksAheadInReverse) {
  EXPECT_EQ(memories(select(config(), bank({19}, range(1, 18)), {8, true, 20})),
            (Memories{{19, kLastRow}, {14, 5}, {13, 4}, {12, 3}, {11, 2}, {10, 1}, {9, 0}}));
  auto strided = config();
  strided.memory_temporal_stride_for_eval = 3;
  // 9, then 12 = ⌈10/3⌉·3, 15, 18, 21, 24.
  EXPECT_EQ(memories(select(strided, bank({29}, range(1, 28)), {8, true, 30})),
            (Memories{{29, kLastRow}, {24, 5}, {21, 4}, {18, 3}, {15, 2}, {12, 1}, {9, 0}}));
  // ⌈12/3⌉·3 is 12 itself.
  EXPECT_EQ(memories(select(strided, bank({29}, {11, 12}), {10, true, 30})),
            (Memories{{29, kLastRow}, {12, 1}, {11, 0}}));
}

TEST(RecentPolicy, AttendsToConditioningFramesOnBothSidesInOrderOfStoring) {
  EXPECT_EQ(memories(select(config(), bank({15, 3, 8}, {}), {8, false, 20})),
            (Memories{{15, kLastRow}, {3, kLastRow}, {8, kLastRow}}));
}

TEST(RecentPolicy, KeepsTheNearestConditioningFrameOfEachSide) {
  auto limited = config();
  limited.max_cond_frames_in_attn = 2;
  // 11 is nearer than 20, but each side has its own place.
  EXPECT_EQ(memories(select(limited, bank({0, 11, 20, 30}, {}), {12, false, 40})),
            (Memories{{11, kLastRow}, {20, kLastRow}}));
  // The frame itself counts as after.
  EXPECT_EQ(memories(select(limited, bank({0, 12, 30}, {}), {12, false, 40})),
            (Memories{{0, kLastRow}, {12, kLastRow}}));
  // One side alone: the second place goes to the next nearest; frame 2 is out of reach.
  EXPECT_EQ(memories(select(limited, bank({2, 4, 6}, {}), {20, false, 40})),
            (Memories{{6, kLastRow}, {4, kLastRow}}));
}

TEST(RecentPolicy, BreaksTiesByTheOrderOfStoring) {
  auto limited = config();
  limited.max_cond_frames_in_attn = 3;
  // 19 and 21 are the nearest of each side; 15 and 25 are equally far.
  EXPECT_EQ(memories(select(limited, bank({25, 21, 15, 19}, {}), {20, false, 40})),
            (Memories{{19, kLastRow}, {21, kLastRow}, {25, kLastRow}, {15, 4}}));
  EXPECT_EQ(memories(select(limited, bank({15, 21, 25, 19}, {}), {20, true, 40})),
            (Memories{{19, kLastRow}, {21, kLastRow}, {15, kLastRow}, {25, 4}}));
}

TEST(RecentPolicy, FillsPlacesWithUnselectedConditioningFrames) {
  auto limited = config();
  limited.max_cond_frames_in_attn = 2;
  // 9 and 11 are selected; 8 is not, and stands at its place among the frames before. A tracked
  // output of the same frame goes first.
  auto b = bank({7, 8, 9, 11}, {6});
  b.tracked.put(7, std::make_shared<const FrameOutput>());
  const auto got = select(limited, b, {10, false, 20});
  EXPECT_EQ(memories(got), (Memories{{9, kLastRow}, {11, kLastRow}, {6, 3}, {7, 2}, {8, 1}}));
  EXPECT_EQ(got.memories[3].output, b.tracked.get(7));
  EXPECT_EQ(got.memories[4].output, b.conditioning.get(8));
  EXPECT_EQ(pointers(got), (Pointers{{9, 1}, {11, 1}, {8, 2}, {7, 3}, {6, 4}}));
}

TEST(RecentPolicy, PointsToConditioningFramesAndTheMostRecent) {
  auto few = config();
  few.max_obj_ptrs_in_encoder = 4;
  const auto got = select(few, bank({0, 30}, range(1, 29)), {10, false, 40});
  EXPECT_EQ(pointers(got), (Pointers{{0, 10}, {30, 20}, {9, 1}, {8, 2}, {7, 3}}));
  EXPECT_EQ(got.pointer_span, 3);
}

TEST(RecentPolicy, SignsDistancesWhenAsked) {
  auto few = config();
  few.max_obj_ptrs_in_encoder = 2;
  few.use_signed_tpos_enc_to_obj_ptrs = true;
  EXPECT_EQ(pointers(select(few, bank({0, 30}, range(1, 29)), {10, false, 40})),
            (Pointers{{0, 10}, {30, -20}, {9, 1}}));
  EXPECT_EQ(pointers(select(few, bank({0, 30}, range(1, 29)), {10, true, 40})),
            (Pointers{{0, -10}, {30, 20}, {11, 1}}));
}

TEST(RecentPolicy, PointsOnlyToThePastWhenAsked) {
  auto past = config();
  past.max_obj_ptrs_in_encoder = 2;
  past.only_obj_ptrs_in_the_past_for_eval = true;
  const auto b = bank({0, 10, 30}, range(1, 29));
  EXPECT_EQ(pointers(select(past, b, {10, false, 40})), (Pointers{{0, 10}, {10, 0}, {9, 1}}));
  EXPECT_EQ(pointers(select(past, b, {10, true, 40})), (Pointers{{10, 0}, {30, 20}, {11, 1}}));
  // Their memories are attended to all the same.
  EXPECT_EQ(memories(select(past, b, {10, false, 40})).size(), 3U + 6U);
}

TEST(RecentPolicy, CountsPointersByAShortVideosLength) {
  const auto got = select(config(), bank({0}, {1, 2}), {3, false, 4});
  EXPECT_EQ(got.pointer_span, 3);
  EXPECT_EQ(pointers(got), (Pointers{{0, 3}, {2, 1}, {1, 2}}));
  EXPECT_EQ(select(config(), bank({0}, {}), {0, false, 1}).pointer_span, 0);
}

TEST(RecentPolicy, CountsPointersOfAStreamByTheConfiguration) {
  const auto got = select(config(), bank({0}, {1, 2}), {3, false, std::nullopt});
  EXPECT_EQ(got.pointer_span, 15);
  EXPECT_EQ(pointers(got), (Pointers{{0, 3}, {2, 1}, {1, 2}}));
}

TEST(RecentPolicy, GivesNoPointersWhenTheyAreOff) {
  auto off = config();
  off.use_obj_ptrs_in_encoder = false;
  EXPECT_TRUE(select(off, bank({0}, {1, 2}), {3, false, 10}).pointers.empty());
}

TEST(RecentPolicy, PassesOverHeldFrames) {
  // Every second frame: the same places and distances as if only even frames existed.
  auto memory = bank({0}, {});
  for (FrameIndex t = 2; t < 20; t += 2) memory.tracked.put(t, std::make_shared<FrameOutput>());
  for (FrameIndex t = 1; t < 20; t += 2) memory.held[t] = {t - 1, {}};
  const auto forward = select(config(), memory, {20, false, 40});
  EXPECT_EQ(memories(forward),
            (Memories{{0, kLastRow}, {8, 5}, {10, 4}, {12, 3}, {14, 2}, {16, 1}, {18, 0}}));
  EXPECT_EQ(
      pointers(forward),
      (Pointers{
          {0, 10}, {18, 1}, {16, 2}, {14, 3}, {12, 4}, {10, 5}, {8, 6}, {6, 7}, {4, 8}, {2, 9}}));
  const auto policy = make_recent_policy(config());
  EXPECT_TRUE(policy->out_of_reach(memory, 20).empty());
  EXPECT_EQ(policy->out_of_reach(memory, 28), (Frames{2, 4}));
  memory.forget_held(6);
  EXPECT_EQ(memory.held.size(), 7U);
  EXPECT_EQ(pointers(select(config(), memory, {20, false, 40})).front(), pointers(forward).front());
}

TEST(KeepNearest, LeavesOutTheFarthestTrackedFrames) {
  const auto memory = bank({0, 15}, range(1, 14));
  auto selection = select(config(), memory, {15, true, 40});
  const auto all = memories(selection);
  keep_nearest(selection, memory, 15, {}, {});
  EXPECT_EQ(memories(selection), all);

  selection = select(config(), memory, {13, false, 40});
  keep_nearest(selection, memory, 13, 2, 3);
  EXPECT_EQ(memories(selection), (Memories{{0, kLastRow}, {15, kLastRow}, {11, 1}, {12, 0}}));
  EXPECT_EQ(pointers(selection).size(),
            pointers(select(config(), memory, {13, false, 40})).size() - 9);
  keep_nearest(selection, memory, 13, 0, 0);
  EXPECT_EQ(memories(selection), (Memories{{0, kLastRow}, {15, kLastRow}}));
}

}  // namespace
}  // namespace vostrack::memory
