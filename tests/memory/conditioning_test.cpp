// Memory attention and memory encoder with a small model.
#include "memory/conditioning.hpp"

#include <gtest/gtest.h>

#include "support/small_model.hpp"
#include "support/tensors.hpp"

namespace vostrack::memory {
namespace {

using test::same;

struct Scene {
  explicit Scene(nn::ModelConfig config = test::small_config()) : model(test::small_model(config)) {
    torch::InferenceMode guard;
    torch::manual_seed(4);
    image = model->encode(torch::randn({1, 3, 64, 64}));
  }

  OutputPtr output(double logit = 3) const {
    torch::InferenceMode guard;
    auto output = std::make_shared<FrameOutput>();
    output->pointer = torch::randn({1, 32});
    output->memory = encode_memory(*model, image, torch::full({1, 1, 64, 64}, logit),
                                   torch::ones({1, 1}), /*prompted=*/false);
    return output;
  }
  torch::Tensor look_back(const Selection& selection) const {
    torch::InferenceMode guard;
    return features_with_memory(*model, image, {&selection, 1});
  }

  std::shared_ptr<const nn::Model> model;
  nn::ImageFeatures image;
};

TEST(Conditioning, StaysFiniteWithASinglePointerPlace) {
  const Scene scene;
  const auto output = scene.output();
  const auto got = scene.look_back({{{0, 6, output}}, {{0, 0.0, output}}, /*pointer_span=*/0});
  EXPECT_TRUE(torch::isfinite(got).all().item<bool>());
  // Distances are then 0, whatever is said.
  EXPECT_TRUE(same(scene.look_back({{{0, 6, output}}, {{0, 5.0, output}}, 0}), got));
}

TEST(Conditioning, DependsOnPlaceAndDistance) {
  const Scene scene;
  const auto output = scene.output();
  const auto got = scene.look_back({{{0, 6, output}}, {{0, 1.0, output}}, 15});
  EXPECT_FALSE(same(scene.look_back({{{0, 5, output}}, {{0, 1.0, output}}, 15}), got));
  EXPECT_FALSE(same(scene.look_back({{{0, 6, output}}, {{0, 2.0, output}}, 15}), got));
  EXPECT_FALSE(same(scene.look_back({{{0, 6, output}}, {}, 15}), got));
  // Only the ratio of distance and span counts.
  EXPECT_TRUE(same(scene.look_back({{{0, 6, output}}, {{0, 2.0, output}}, 30}), got));
}

TEST(Conditioning, AddsTheEmbeddingOfNoMemory) {
  const Scene scene;
  torch::InferenceMode guard;
  const auto want = scene.image.coarse + scene.model->network().no_mem_embed.view({1, 32, 1, 1});
  EXPECT_TRUE(same(features_without_memory(*scene.model, scene.image), want));
}

TEST(EncodeMemory, BinarisesWhatWasPrompted) {
  auto config = test::small_config();
  config.model.binarize_mask_from_pts_for_mem_enc = true;
  const Scene scene(config);
  torch::InferenceMode guard;
  const auto encode = [&](double logit, bool prompted) {
    return encode_memory(*scene.model, scene.image, torch::full({1, 1, 64, 64}, logit),
                         torch::ones({1, 1}), prompted);
  };
  EXPECT_TRUE(same(encode(0.5, true), encode(9, true)));
  EXPECT_FALSE(same(encode(0.5, false), encode(9, false)));
  EXPECT_FALSE(same(encode(-1, true), encode(9, true)));
}

TEST(EncodeMemory, MarksAnAbsentObject) {
  nn::RuntimeOptions exact;
  exact.memory_dtype = torch::kFloat32;
  const auto model = test::small_model(test::small_config(), exact);
  torch::InferenceMode guard;
  const auto image = model->encode(torch::ones({1, 3, 64, 64}));
  const auto encode = [&](float score) {
    return encode_memory(*model, image, torch::zeros({1, 1, 64, 64}), torch::full({1, 1}, score),
                         false);
  };
  const auto added = (encode(0) - encode(1)).mean({0, 2, 3});
  EXPECT_TRUE(test::near(added, model->network().no_obj_embed_spatial[0], 1e-5));
  EXPECT_TRUE(same(encode(0.5), encode(1)));
}

}  // namespace
}  // namespace vostrack::memory
