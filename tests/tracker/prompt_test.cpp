// Prompts as the networks want them.
#include "tracker/prompt.hpp"

#include "tracker/mask_heads.hpp"
#include "tracker/tracker_support.hpp"

namespace vostrack::tracker::test {
namespace {

TEST(PointInputs, ScalesPixelsToTheNetworkAndPutsTheBoxFirst) {
  Prompt prompt;
  prompt.clicks = {{36, 12}, {72, 48, false}};
  prompt.box = Box{18, 0, 54, 24};
  const auto inputs = point_inputs(prompt, 48, 72, 64);
  EXPECT_TRUE(
      same(inputs.coords, torch::tensor({16., 0., 48., 32., 32., 16., 64., 64.}).view({1, 4, 2})));
  EXPECT_TRUE(same(inputs.labels, torch::tensor({2, 3, 1, 0}).view({1, 4})));
  const auto both = append(inputs, inputs);
  EXPECT_EQ(both.count(), 8);
}

TEST(MaskInput, IsBinaryAtTheNetworksSize) {
  Mask mask{2, 4, {1, 1, 0, 0, 1, 1, 0, 0}};
  const auto input = mask_input(mask, 64);
  auto want = torch::zeros({1, 1, 64, 64});
  want.slice(3, 0, 32).fill_(1);
  EXPECT_TRUE(same(input, want));
  Mask exact{64, 64, std::vector<std::uint8_t>(64 * 64, 0)};
  exact.data[70] = 255;
  want.zero_();
  want[0][0][1][6] = 1;
  EXPECT_TRUE(same(mask_input(exact, 64), want));
}

TEST(ProposesThree, WithinTheRangeOfPoints) {
  nn::BaseConfig config;
  config.multimask_output_in_sam = true;
  config.multimask_min_pt_num = 1;
  config.multimask_max_pt_num = 2;
  EXPECT_FALSE(proposes_three(config, true, 0));
  EXPECT_TRUE(proposes_three(config, true, 1));
  EXPECT_TRUE(proposes_three(config, true, 2));
  EXPECT_FALSE(proposes_three(config, true, 3));
  EXPECT_FALSE(proposes_three(config, false, 1));
  config.multimask_output_for_tracking = true;
  EXPECT_TRUE(proposes_three(config, false, 1));
  config.multimask_output_in_sam = false;
  EXPECT_FALSE(proposes_three(config, true, 1));
}

TEST(Decode, BlanksAnAbsentObjectAndExchangesItsPointer) {
  auto weights = vostrack::test::small_weights(small_config());
  const nn::Model present(small_config(), weights, {}, "small model");
  weights.tensors.at("sam_mask_decoder.pred_obj_score_head.layers.2.bias").fill_(-5.0);
  const nn::Model absent(small_config(), weights, {}, "small model");
  torch::InferenceMode guard;
  const auto image = absent.encode(torch::ones({1, 3, 64, 64}));
  const auto features = image.coarse;
  const auto seen = decode(present, features, image.high_res, std::nullopt, {}, true);
  const auto gone = decode(absent, features, image.high_res, std::nullopt, {}, true);
  EXPECT_GT(seen.object_score.item<float>(), 0);
  EXPECT_LT(gone.object_score.item<float>(), 0);
  EXPECT_TRUE((gone.low_res == kAbsent).all().item<bool>());
  EXPECT_FALSE((seen.low_res == kAbsent).any().item<bool>());
  EXPECT_TRUE(same(gone.pointer, absent.network().no_obj_ptr));
}

}  // namespace
}  // namespace vostrack::tracker::test
