// Where a tracked frame's time goes: a preset with random weights and a full memory bank.
//
//   frame_benchmark [--preset NAME] [--precision float32|bfloat16] [--objects N] [--threads N]
//                   [--rounds N] [--cpu-time 1]
//
// Prints the median time of each part.
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/torch.h>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "memory/conditioning.hpp"
#include "nn/model.hpp"
#include "timing.hpp"
#include "tracker/mask_heads.hpp"

namespace {

using namespace vostrack;
using benchmarks::median;
using benchmarks::milliseconds;

std::shared_ptr<const nn::Model> random_model(const std::string& preset,
                                              const nn::RuntimeOptions& runtime) {
  torch::manual_seed(1);
  auto config = *nn::preset(preset);
  nn::Network network(config);
  nn::StateDict state;
  for (const auto& [name, tensor] : nn::weights_of(*network).tensors) state.tensors[name] = tensor;
  // Objects are present, so that no mask is blanked.
  state.tensors.at("sam_mask_decoder.pred_obj_score_head.layers.2.bias").data().fill_(5.0);
  return std::make_shared<const nn::Model>(std::move(config), state, runtime, preset);
}

/// As many memories and pointers as a frame can see.
memory::Selection full_bank(const nn::Model& model) {
  const auto& config = model.config();
  const int side = config.feature_size();
  memory::Selection selection;
  selection.pointer_span = 15;
  for (int i = 0; i < 16; ++i) {
    auto output = std::make_shared<memory::FrameOutput>();
    output->pointer = torch::randn({1, config.neck.d_model});
    output->memory = torch::randn({1, config.memory_encoder.out_dim, side, side})
                         .to(model.runtime().memory_dtype);
    if (i < config.model.num_maskmem) selection.memories.push_back({i, i, output});
    selection.pointers.push_back({i, static_cast<double>(i), output});
  }
  return selection;
}

void measure(const nn::Model& model, int objects, int rounds, bool cpu_time) {
  torch::InferenceMode guard;
  const int size = model.config().image_size;
  const auto picture = torch::randint(256, {480, 854, 3}, torch::kUInt8);
  std::vector<memory::Selection> selections;
  for (int i = 0; i < objects; ++i) selections.push_back(full_bank(model));

  torch::Tensor input, conditioned;
  nn::ImageFeatures image;
  tracker::HeadOutput head;
  const std::vector<std::pair<std::string, std::function<void()>>> parts = {
      {"resize", [&] { input = model.network_input(picture); }},
      {"encode", [&] { image = model.encode(input); }},
      {"memory attention",
       [&] { conditioned = memory::features_with_memory(model, image, selections); }},
      {"mask decoder",
       [&] {
         head = tracker::decode(
             model, conditioned, image.high_res, std::nullopt, {},
             tracker::proposes_three(model.config().model, /*initial_frame=*/false, 0));
       }},
      {"memory encoder",
       [&] { memory::encode_memory(model, image, head.high_res, head.object_score, false); }}};
  std::map<std::string, std::vector<double>> times;
  for (int round = 0; round <= rounds; ++round)
    for (const auto& [name, work] : parts) {
      const double taken = milliseconds(work, cpu_time);
      if (round > 0) times[name].push_back(taken);  // the first round warms up
    }
  double sum = 0;
  for (const auto& [name, work] : parts) {
    sum += median(times[name]);
    std::cout << fmt::format("{:17} {:8.1f} ms\n", name, median(times[name]));
  }
  std::cout << fmt::format("{:17} {:8.1f} ms, {} objects, {} px\n", "frame", sum, objects, size);
}

}  // namespace

int main(int argc, char** argv) {
  constexpr const char* kUsage =
      "usage: frame_benchmark [--preset NAME] [--precision float32|bfloat16] [--objects N] "
      "[--threads N] [--rounds N] [--cpu-time 1]\n";
  std::map<std::string, std::string> options = {{"--preset", "sam2.1_hiera_t"},
                                                {"--precision", "float32"},
                                                {"--objects", "1"},
                                                {"--threads", "0"},
                                                {"--rounds", "5"},
                                                {"--cpu-time", "0"}};
  for (int i = 1; i < argc; i += 2) {
    if (options.count(argv[i]) == 0 || i + 1 == argc) {
      std::cerr << kUsage;
      return 2;
    }
    options[argv[i]] = argv[i + 1];
  }
  const auto number = [&](const char* name) { return std::atoi(options[name].c_str()); };
  if (!nn::preset(options["--preset"]) || number("--objects") < 1 || number("--rounds") < 1) {
    std::cerr << kUsage;
    return 2;
  }
  if (number("--threads") > 0) at::set_num_threads(number("--threads"));
  nn::RuntimeOptions runtime;
  if (options["--precision"] == "bfloat16") runtime.dtype = torch::kBFloat16;
  measure(*random_model(options["--preset"], runtime), number("--objects"), number("--rounds"),
          number("--cpu-time") != 0);
  return 0;
}
