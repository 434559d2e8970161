// A model as a whole: its input, other image sizes, precision and devices.
#include "nn/model.hpp"

#include <gtest/gtest.h>

#include "memory/conditioning.hpp"
#include "nn/int8_linear.hpp"
#include "nn/layers.hpp"
#include "support/errors.hpp"
#include "support/small_model.hpp"
#include "support/tensors.hpp"
#include "tracker/mask_heads.hpp"

namespace vostrack::nn {
namespace {

using test::near;
using test::small_config;
using test::small_model;

torch::Tensor random_picture(int height, int width) {
  torch::manual_seed(5);
  return torch::randint(0, 256, {height, width, 3}, torch::kUInt8);
}

tracker::HeadOutput click(const Model& model, const torch::Tensor& picture) {
  torch::InferenceMode guard;
  const auto features = model.encode(model.network_input(picture));
  const float middle = static_cast<float>(model.config().image_size) / 2;
  const tracker::PointInputs points{torch::tensor({middle, middle}).view({1, 1, 2}),
                                    torch::ones({1, 1}, torch::kInt32)};
  return tracker::decode(model, memory::features_without_memory(model, features), features.high_res,
                         points, {}, /*multimask=*/true);
}

TEST(Model, OnlyNormalisesAPictureOfItsOwnSize) {
  const auto model = small_model();
  const auto picture = random_picture(64, 64);
  const auto mean = torch::tensor({0.485F, 0.456F, 0.406F}).view({1, 3, 1, 1});
  const auto deviation = torch::tensor({0.229F, 0.224F, 0.225F}).view({1, 3, 1, 1});
  const auto want =
      (picture.permute({2, 0, 1}).unsqueeze(0).to(torch::kFloat32) / 255 - mean) / deviation;
  EXPECT_TRUE(test::same(model->network_input(picture), want));

  auto config = small_config();
  config.resize = ResizeFilter::kPilBicubicU8;
  EXPECT_TRUE(test::same(small_model(config)->network_input(picture), want));
}

TEST(Model, KeepsAPlainColourWhateverTheFilter) {
  auto config = small_config();
  config.pixel_mean = {0, 0, 0};
  config.pixel_std = {1, 1, 1};
  for (const auto filter : {ResizeFilter::kBilinearAntialias, ResizeFilter::kPilBicubicU8}) {
    config.resize = filter;
    const auto input =
        small_model(config)->network_input(torch::full({31, 150, 3}, 51, torch::kUInt8));
    EXPECT_TRUE(near(input, torch::full({1, 3, 64, 64}, 0.2), 1e-6));
  }
}

TEST(Model, RefusesWhatIsNoPicture) {
  const auto model = small_model();
  for (const auto& picture :
       {torch::zeros({3, 8, 8}, torch::kUInt8), torch::zeros({8, 8, 3}),
        torch::zeros({0, 8, 3}, torch::kUInt8), torch::zeros({1, 8, 8, 3}, torch::kUInt8)})
    test::expect_error(ErrorCode::kInvalidArgument, "want (height, width, 3) of uint8",
                       [&] { model->network_input(picture); });
}

TEST(Model, RunsAtAnotherImageSizeThanItsOwn) {
  auto config = small_config();
  const auto weights = test::small_weights(config);
  config.image_size = 96;
  const Model model(config, weights, {}, "small model");
  EXPECT_EQ(model.current_pos().sizes(), (std::vector<std::int64_t>{1, 36, 32}));
  EXPECT_EQ(model.memory_pos().sizes(), (std::vector<std::int64_t>{1, 36, 8}));
  EXPECT_EQ(model.dense_pe().sizes(), (std::vector<std::int64_t>{1, 32, 6, 6}));
  EXPECT_EQ(model.rotary().cos.size(0), 36);

  const auto head = click(model, random_picture(50, 70));
  EXPECT_EQ(head.low_res.sizes(), (std::vector<std::int64_t>{1, 1, 24, 24}));
  EXPECT_EQ(head.high_res.sizes(), (std::vector<std::int64_t>{1, 1, 96, 96}));
  EXPECT_TRUE(torch::isfinite(head.low_res).all().item<bool>());

  // With memory too.
  torch::InferenceMode guard;
  const auto features = model.encode(model.network_input(random_picture(50, 70)));
  auto output = std::make_shared<memory::FrameOutput>();
  output->pointer = head.pointer;
  output->memory =
      memory::encode_memory(model, features, head.high_res, head.object_score, /*prompted=*/true);
  const memory::Selection selection{{{0, 6, output}}, {{0, 1.0, output}}, 15};
  EXPECT_EQ(memory::features_with_memory(model, features, {&selection, 1}).sizes(),
            (std::vector<std::int64_t>{1, 32, 6, 6}));
}

TEST(Model, RefusesAnImageSizeThatDoesNotFit) {
  auto config = small_config();
  const auto weights = test::small_weights(config);
  config.image_size = 80;
  test::expect_error(ErrorCode::kInvalidArgument, "image_size is 80, want a multiple of 32",
                     [&] { Model(config, weights, {}, "small model"); });
}

TEST(Model, StaysNearFloat32InBfloat16) {
  RuntimeOptions fast;
  fast.dtype = torch::kBFloat16;
  const auto picture = random_picture(64, 64);
  const auto exact = click(*small_model(), picture);
  const auto fast_model = small_model(small_config(), fast);
  const auto rounded = click(*fast_model, picture);
  if (fast_model->runtime().dtype == torch::kFloat32) {
    EXPECT_TRUE(test::same(rounded.low_res, exact.low_res));
    GTEST_SKIP() << "this processor has no bfloat16, so it computes in float32";
  }
  EXPECT_EQ(rounded.low_res.scalar_type(), torch::kFloat32);
  // bfloat16 keeps 8 bits: each of some twenty layers is off by up to 2^-8 of its largest value.
  EXPECT_TRUE(near(rounded.low_res, exact.low_res, 0.1 * test::largest(exact.low_res)));
  EXPECT_TRUE(near(rounded.pointer, exact.pointer, 0.1 * test::largest(exact.pointer)));
  EXPECT_FALSE(test::same(rounded.low_res, exact.low_res)) << "nothing was rounded";
}

TEST(Model, StaysNearFloat32InInt8) {
  if (!Int8Linear::available()) {
    test::expect_error(ErrorCode::kUnsupported, "this processor has no AVX-512 VNNI",
                       [] { int8_options(torch::kCPU); });
    GTEST_SKIP() << "this processor has no AVX-512 VNNI";
  }
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
    auto fast = int8_options(torch::kCPU);
    fast.dtype = dtype;
    RuntimeOptions same_dtype;
    same_dtype.dtype = dtype;
    const auto picture = random_picture(64, 64);
    const auto exact_model = small_model(), quantised_model = small_model(small_config(), fast);
    const auto exact = click(*exact_model, picture);
    const auto quantised = click(*quantised_model, picture);
    // 8 bits of each input and weight: as in bfloat16.
    EXPECT_TRUE(near(quantised.low_res, exact.low_res, 0.1 * test::largest(exact.low_res)));
    EXPECT_TRUE(near(quantised.pointer, exact.pointer, 0.1 * test::largest(exact.pointer)));
    const auto rounded = click(*small_model(small_config(), same_dtype), picture);
    EXPECT_FALSE(test::same(quantised.low_res, rounded.low_res)) << "nothing was quantised";
    EXPECT_EQ(quantised_model->fingerprint(), exact_model->fingerprint());
  }
}

TEST(Model, KeepsTheMaskDecoderExactInInt8) {
  if (!Int8Linear::available()) GTEST_SKIP() << "this processor has no AVX-512 VNNI";
  const auto exact = small_model();
  const auto quantised = small_model(small_config(), int8_options(torch::kCPU));
  torch::InferenceMode guard;
  const auto features = exact->encode(exact->network_input(random_picture(64, 64)));
  const auto conditioned = memory::features_without_memory(*exact, features);
  const tracker::PointInputs points{torch::full({1, 40, 2}, 32.0F),
                                    torch::ones({1, 40}, torch::kInt32)};
  const auto decode = [&](const Model& model) {
    return tracker::decode(model, conditioned, features.high_res, points, {}, /*multimask=*/true);
  };
  EXPECT_TRUE(test::same(decode(*quantised).high_res, decode(*exact).high_res));
  EXPECT_TRUE(test::same(decode(*quantised).pointer, decode(*exact).pointer));
}

TEST(Model, RefusesInt8OnAGpu) {
  test::expect_error(ErrorCode::kUnsupported, "device is cuda:0; int8 is for cpu, use bfloat16",
                     [] { int8_options(torch::Device(torch::kCUDA, 0)); });
}

TEST(Model, StoresMemoriesInTheTypeAskedFor) {
  for (const auto dtype : {torch::kBFloat16, torch::kFloat32}) {
    RuntimeOptions runtime;
    runtime.memory_dtype = dtype;
    const auto model = small_model(small_config(), runtime);
    torch::InferenceMode guard;
    const auto features = model->encode(model->network_input(random_picture(64, 64)));
    EXPECT_EQ(memory::encode_memory(*model, features, torch::zeros({1, 1, 64, 64}),
                                    torch::ones({1, 1}), false)
                  .scalar_type(),
              dtype);
  }
}

TEST(ParseDevice, KnowsTheProcessor) {
  EXPECT_TRUE(parse_device("cpu").is_cpu());
}

TEST(ParseDevice, RefusesOtherWords) {
  for (const char* text : {"", "gpu", "CPU", "cuda:", "cuda:x", "cuda:1x", "cuda:-1", "cuda: 1",
                           "cuda0", "cuda:99999999999"})
    test::expect_error(ErrorCode::kInvalidArgument, "want cpu, cuda or cuda:N",
                       [&] { parse_device(text); });
}

TEST(ParseDevice, SaysWhenThereIsNoSuchDevice) {
  test::expect_error(ErrorCode::kUnsupported, "device is cuda:99, but LibTorch sees",
                     [&] { parse_device("cuda:99"); });
}

TEST(ResolveConfig, PrefersTheNameThenTheHeaderThenTheGuess) {
  StateDict state;
  state.metadata["config"] = R"({"name": "from the header", "image_size": 64})";
  EXPECT_EQ(resolve_config(state, "", "file").name, "from the header");
  EXPECT_EQ(resolve_config(state, "sam2_hiera_l", "file").name, "sam2_hiera_l");
  test::expect_error(ErrorCode::kNotFound, "nonesuch: neither a file nor a preset",
                     [&] { resolve_config(state, "nonesuch", "file"); });
  test::expect_error(ErrorCode::kModelMismatch, "file: holds no configuration",
                     [&] { resolve_config({}, "", "file"); });
}

}  // namespace
}  // namespace vostrack::nn
