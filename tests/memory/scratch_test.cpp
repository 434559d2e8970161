#include "memory/scratch.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "memory/bank.hpp"
#include "support/errors.hpp"
#include "support/tensors.hpp"

namespace vostrack::memory {
namespace {

using test::same;

OutputPtr output(std::uint64_t seed, bool with_memory = true) {
  torch::manual_seed(seed);
  auto output = std::make_shared<FrameOutput>();
  output->mask_logits = torch::randn({1, 1, 16, 16});
  output->pointer = torch::randn({1, 32});
  output->object_score = torch::randn({1, 1});
  output->predicted_iou = torch::rand({1, 1});
  if (with_memory) output->memory = torch::randn({1, 8, 4, 4}).to(torch::kBFloat16);
  for (std::uint64_t i = 0; i < seed % 4; ++i)
    output->attended.push_back(static_cast<FrameIndex>(i) - 1);
  return output;
}

void expect_equal(const FrameOutput& got, const FrameOutput& want) {
  for (const OutputField& field : kOutputFields) {
    const auto &a = got.*field.tensor, &b = want.*field.tensor;
    ASSERT_EQ(a.defined(), b.defined()) << field.name;
    if (b.defined()) {
      EXPECT_EQ(a.scalar_type(), b.scalar_type()) << field.name;
      EXPECT_TRUE(same(a.to(torch::kFloat32), b.to(torch::kFloat32))) << field.name;
    }
  }
  EXPECT_EQ(got.attended, want.attended);
}

TEST(Scratch, GivesBackWhatWasWritten) {
  const auto scratch = std::make_shared<Scratch>("");
  std::vector<OutputPtr> outputs;
  std::vector<std::shared_ptr<const SpilledOutput>> spilled;
  for (std::uint64_t seed = 0; seed < 9; ++seed) {
    outputs.push_back(output(seed, seed % 2 == 0));
    spilled.push_back(Scratch::write(scratch, *outputs.back()));
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    expect_equal(*spilled[i]->read(), *outputs[i]);
    EXPECT_EQ(spilled[i]->attended(), outputs[i]->attended);
    EXPECT_EQ(spilled[i]->has_memory(), outputs[i]->memory.defined());
  }
}

TEST(Scratch, UsesFreedSpaceAgain) {
  const auto scratch = std::make_shared<Scratch>("");
  auto first = Scratch::write(scratch, *output(2));
  const auto kept = output(6);
  const auto second = Scratch::write(scratch, *kept);
  const auto bytes = scratch->bytes();
  for (std::uint64_t round = 0; round < 20; ++round) {
    first.reset();
    EXPECT_LT(scratch->bytes(), bytes);
    const auto next = output(2 + 4 * round);
    first = Scratch::write(scratch, *next);
    EXPECT_EQ(scratch->bytes(), bytes);
    expect_equal(*first->read(), *next);
  }
  expect_equal(*second->read(), *kept);
}

TEST(Scratch, SaysWhereNoFileCanBeMade) {
  test::expect_error(ErrorCode::kIo, "/nowhere/at/all", [] { Scratch scratch("/nowhere/at/all"); });
}

TEST(OutputStore, ReadsFromTheScratchFileWhatIsNotInMemory) {
  const auto scratch = std::make_shared<Scratch>("");
  OutputStore store;
  for (FrameIndex frame : {5, 3, 9, 7}) store.put(frame, output(static_cast<std::uint64_t>(frame)));
  const auto bytes = store.bytes();
  EXPECT_EQ(bytes, bytes_of(*output(3)) + bytes_of(*output(5)) + bytes_of(*output(7)) +
                       bytes_of(*output(9)));
  EXPECT_EQ(store.farthest_in_memory(4), 9);
  EXPECT_EQ(store.farthest_in_memory(8), 3);
  store.spill(9, scratch);
  EXPECT_LT(store.bytes(), bytes);
  EXPECT_EQ(store.scratch_bytes(), scratch->bytes());
  EXPECT_EQ(store.farthest_in_memory(4), 7);
  EXPECT_EQ(store.frames_in_order_of_storing(), (std::vector<FrameIndex>{5, 3, 9, 7}));
  expect_equal(*store.get(9), *output(9));
  EXPECT_TRUE(same(store.get(9, kOutputFields[1]), output(9)->pointer));
  EXPECT_EQ(store.attended(9), output(9)->attended);

  // A copy shares it; what is replaced or dropped in one stays in the other.
  const OutputStore copy = store;
  store.put(9, output(1));
  EXPECT_EQ(store.scratch_bytes(), 0);
  expect_equal(*copy.get(9), *output(9));
  store.spill(3, scratch);
  store.drop(3);
  EXPECT_FALSE(store.contains(3));
  EXPECT_EQ(store.scratch_bytes(), 0);
  for (FrameIndex frame : {5, 7, 9}) store.drop(frame);
  EXPECT_EQ(store.bytes(), 0);
  EXPECT_EQ(store.farthest_in_memory(0), std::nullopt);
}

}  // namespace
}  // namespace vostrack::memory
