// Which cells of memories take part, on grids where they can be counted by hand.
#include "memory/places.hpp"

#include <gtest/gtest.h>

#include "memory/conditioning.hpp"
#include "support/small_model.hpp"
#include "support/tensors.hpp"

namespace vostrack::memory {
namespace {

using test::near;
using test::same;

constexpr int kSide = 8;  ///< cells of the grid

/// A model whose grid has 8 × 8 cells and memories of an object that was in some of them.
struct Scene {
  Scene() {
    auto config = test::small_config();
    config.image_size = 16 * kSide;
    nn::RuntimeOptions exact;
    exact.memory_dtype = torch::kFloat32;
    model = test::small_model(config, exact);
    torch::manual_seed(8);
    image = model->encode(torch::randn({1, 3, 16 * kSide, 16 * kSide}));
  }

  /// One more memory, with the object in the cells `top` ≤ y < `bottom`, `left` ≤ x < `right`.
  void remember(int top, int left, int bottom, int right) {
    auto output = std::make_shared<FrameOutput>();
    output->memory = torch::randn({1, 8, kSide, kSide});
    output->pointer = torch::randn({1, 32});
    output->mask_logits = torch::full({1, 1, 4 * kSide, 4 * kSide}, -3.0);
    if (top < bottom)  // not all of a cell has to show it
      output->mask_logits.slice(2, 4 * top + 1, 4 * bottom - 1)
          .slice(3, 4 * left + 1, 4 * right - 1)
          .fill_(0.5);
    const auto at = static_cast<FrameIndex>(selection.memories.size());
    selection.memories.push_back({at, static_cast<int>(at), output});
    selection.pointers.push_back({at, 1.0, output});
    selection.pointer_span = 15;
  }

  nn::MemoryTokens reduced() const {
    nn::MemoryTokens tokens;
    for (const auto& selected : selection.memories) {
      tokens.grids.push_back(selected.output->memory);
      tokens.times.push_back(torch::zeros({1, 1, 8}));
    }
    reduce(tokens, selection, *model);
    return tokens;
  }

  torch::Tensor look_back() const { return features_with_memory(*model, image, {&selection, 1}); }

  torch::InferenceMode guard;
  std::shared_ptr<const nn::Model> model;
  nn::ImageFeatures image;
  Selection selection;
};

torch::Tensor ints(std::vector<int> values) {
  return torch::tensor(values, torch::kInt32);
}

TEST(Places, AreLeftAloneByDefault) {
  Scene scene;
  scene.remember(0, 0, 8, 8);
  const auto tokens = scene.reduced();
  EXPECT_FALSE(tokens.places);
  EXPECT_TRUE(same(tokens.grids[0], scene.selection.memories[0].output->memory));
}

TEST(Places, ArePooledTwoByTwo) {
  Scene scene;
  scene.remember(0, 0, 8, 8);
  scene.remember(2, 2, 3, 3);
  scene.selection.detail.pooled = true;
  const auto tokens = scene.reduced();
  ASSERT_TRUE(tokens.places);
  ASSERT_EQ(tokens.grids[1].sizes(), torch::IntArrayRef({1, 8, 16}));
  // The sixth mean is that of the cells (2, 2) to (3, 3), and stands at (2.5, 2.5).
  const auto& memory = scene.selection.memories[1].output->memory;
  EXPECT_TRUE(
      near(tokens.grids[1].select(2, 5), memory.slice(2, 2, 4).slice(3, 2, 4).mean({2, 3}), 1e-6));
  EXPECT_EQ(tokens.places->x[5].item<int>(), 5);
  EXPECT_EQ(tokens.places->y[6].item<int>(), 5);
  EXPECT_EQ(tokens.places->x[6].item<int>(), 9);
  EXPECT_TRUE(same(tokens.places->counts, torch::full({16}, 4.0F)));
  const auto pos = scene.model->memory_pos()[0].view({kSide, kSide, 8});
  EXPECT_TRUE(near(tokens.places->pos[0][5], pos.slice(0, 2, 4).slice(1, 2, 4).mean({0, 1}), 1e-6));
}

TEST(Places, AreThoseOfTheObjectInAnyMemoryAndOneInSixteenOfTheOthers) {
  Scene scene;
  scene.remember(1, 1, 2, 3);
  scene.remember(1, 2, 3, 3);
  scene.selection.detail.margin = 0;
  const auto tokens = scene.reduced();
  ASSERT_TRUE(tokens.places);
  // Three cells of the object and one beside the middle of its block, for the rest of it; the other
  // three blocks stand in their middle, which is (2, 2) seen from the corner.
  const auto& places = *tokens.places;
  EXPECT_TRUE(same(places.x, ints({2, 4, 4, 2, 12, 4, 12})));
  EXPECT_TRUE(same(places.y, ints({2, 2, 4, 4, 4, 12, 12})));
  EXPECT_TRUE(same(places.counts, torch::tensor({1.F, 1.F, 1.F, 13.F, 16.F, 16.F, 16.F})));
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& memory = scene.selection.memories[i].output->memory;
    EXPECT_TRUE(same(tokens.grids[i][0].select(1, 2), memory[0].select(1, 2).select(1, 2)));
  }
  EXPECT_TRUE(same(places.pos[0][0], scene.model->memory_pos()[0][kSide + 1]));
}

TEST(Places, KeepAMarginAroundTheObject) {
  Scene scene;
  scene.remember(0, 7, 1, 8);
  scene.selection.detail.margin = 1;
  EXPECT_EQ(scene.reduced().places->counts.eq(1).sum().item<int>(), 4);
  scene.selection.detail.margin = 2;
  EXPECT_EQ(scene.reduced().places->counts.eq(1).sum().item<int>(), 9);
  scene.selection.detail.margin = 60;
  EXPECT_TRUE(same(scene.reduced().places->counts, torch::ones({64})));
}

TEST(Places, AreASampleOfThePictureWhereTheObjectWasNeverSeen) {
  Scene scene;
  scene.remember(0, 0, 0, 0);
  scene.selection.detail.margin = 1;
  EXPECT_TRUE(same(scene.reduced().places->counts, torch::full({4}, 16.0F)));
}

TEST(Places, ArePooledFirstAndThenSparse) {
  Scene scene;
  scene.remember(2, 2, 3, 3);
  scene.selection.detail = {/*pooled=*/true, /*margin=*/0};
  const auto places = *scene.reduced().places;
  EXPECT_TRUE(same(places.counts, torch::tensor({4.F, 60.F})));
  EXPECT_TRUE(same(places.x, ints({5, 9})));
}

TEST(Places, OfAllCellsGiveWhatTheGridGives) {
  Scene scene;
  scene.remember(1, 1, 2, 3);
  scene.remember(4, 2, 6, 5);
  const auto all = scene.look_back();
  scene.selection.detail.margin = 60;
  EXPECT_TRUE(near(scene.look_back(), all, 1e-5));
  // What is left out shows.
  scene.selection.detail.margin = 0;
  EXPECT_FALSE(near(scene.look_back(), all, 1e-4));
  scene.selection.detail = {/*pooled=*/true, std::nullopt};
  EXPECT_FALSE(near(scene.look_back(), all, 1e-4));
}

TEST(Places, MayDifferBetweenObjectsOfABatch) {
  Scene small, large;
  small.remember(1, 1, 2, 3);
  large.remember(0, 0, 6, 7);
  for (Scene* scene : {&small, &large}) scene->selection.detail.margin = 0;
  const Selection both[] = {small.selection, large.selection};
  const auto together = features_with_memory(*small.model, small.image, both);
  EXPECT_TRUE(near(together.slice(0, 0, 1), small.look_back(), 1e-5));
  EXPECT_TRUE(near(together.slice(0, 1, 2), large.look_back(), 1e-5));
}

}  // namespace
}  // namespace vostrack::memory
