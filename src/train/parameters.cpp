#include "train/parameters.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/check.hpp"

namespace vostrack::train {
namespace {

constexpr std::string_view kTrunk = "image_encoder.trunk.";
constexpr std::string_view kBlocks = "image_encoder.trunk.blocks.";

bool holds(std::string_view name, std::string_view part) {
  return name.find(part) != std::string_view::npos;
}

/// Norms, biases, layer scales, and embeddings that are looked up rather than multiplied with.
bool decays(std::string_view name, const torch::Tensor& value) {
  if (value.dim() <= 1) return false;
  constexpr std::array kEmbeddings{"pos_embed",  "point_embeddings", "not_a_point", "no_mask",
                                   "_token.",    "_tokens.",         "tpos_enc",    "no_mem_",
                                   "no_obj_ptr", "no_obj_embed"};
  return std::ranges::none_of(kEmbeddings, [&](auto part) { return holds(name, part); });
}

/// A trunk block's number.
std::optional<int> block_of(std::string_view name) {
  if (!name.starts_with(kBlocks)) return std::nullopt;
  return std::stoi(std::string(name.substr(kBlocks.size())));
}

}  // namespace

void ParameterOptions::validate() const {
  check(trunk_rate >= 0, ErrorCode::kInvalidArgument, "trunk_rate is {}, want at least 0",
        trunk_rate);
  check(layer_decay > 0 && layer_decay <= 1, ErrorCode::kInvalidArgument,
        "layer_decay is {}, want above 0 and at most 1", layer_decay);
  check(weight_decay >= 0, ErrorCode::kInvalidArgument, "weight_decay is {}, want at least 0",
        weight_decay);
}

bool matches(const std::string& name, const std::string& pattern) {
  return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

std::vector<TrainedParameter> choose_parameters(torch::nn::Module& network,
                                                const ParameterOptions& options) {
  options.validate();
  const auto named = network.named_parameters();
  for (const std::string& pattern : options.frozen)
    check(std::ranges::any_of(named, [&](const auto& p) { return matches(p.key(), pattern); }),
          ErrorCode::kInvalidArgument, "frozen: no parameter is called {}", pattern);
  int blocks = 0;
  for (const auto& item : named)
    if (const auto block = block_of(item.key())) blocks = std::max(blocks, *block + 1);

  std::vector<TrainedParameter> chosen;
  for (const auto& item : named) {
    const std::string& name = item.key();
    const bool frozen =
        (options.decoder_only && !name.starts_with("sam_mask_decoder.")) ||
        std::ranges::any_of(options.frozen, [&](const auto& p) { return matches(name, p); });
    item.value().set_requires_grad(!frozen);
    if (frozen) continue;
    double rate = 1;
    if (name.starts_with(kTrunk)) {
      // Block i of n is layer i + 1; what stands before the blocks is layer 0.
      const int layer = block_of(name) ? *block_of(name) + 1 : 0;
      rate = options.trunk_rate;
      if (!holds(name, "pos_embed")) rate *= std::pow(options.layer_decay, blocks + 1 - layer);
    }
    chosen.push_back(
        {name, item.value(), rate, decays(name, item.value()) ? options.weight_decay : 0.0});
  }
  check(!chosen.empty(), ErrorCode::kInvalidArgument, "all parameters are frozen");
  std::ranges::sort(chosen, {}, &TrainedParameter::name);
  return chosen;
}

}  // namespace vostrack::train
