/// A model of the family small enough to be made anew in each test: random weights, every option
/// of SAM 2.1.
#pragma once

#include <torch/torch.h>

#include <memory>

#include "nn/model.hpp"
#include "nn/network.hpp"

namespace vostrack::test {

inline nn::ModelConfig small_config() {
  nn::ModelConfig config = *nn::preset("sam2.1_hiera_t");
  config.name = "small";
  config.image_size = 64;
  config.trunk.embed_dim = 8;
  config.trunk.stages = {1, 1, 2, 1};
  config.trunk.global_att_blocks = {3};
  config.trunk.window_spec = {4, 2, 4, 2};
  config.neck.d_model = 32;
  config.memory_attention.num_layers = 2;
  config.memory_attention.dim_feedforward = 64;
  config.memory_encoder.out_dim = 8;
  config.predictor.fill_hole_area = 0;
  return config;
}

/// Random weights that believe in every object, so that masks are not blanked.
inline nn::StateDict small_weights(const nn::ModelConfig& config, std::uint64_t seed = 1) {
  torch::manual_seed(seed);
  nn::Network network(config);
  nn::StateDict state;
  for (const auto& [name, tensor] : nn::weights_of(*network).tensors)
    state.tensors[name] = tensor.clone();
  if (config.model.pred_obj_scores_mlp)
    state.tensors.at("sam_mask_decoder.pred_obj_score_head.layers.2.bias").fill_(5.0);
  return state;
}

inline std::shared_ptr<const nn::Model> small_model(nn::ModelConfig config = small_config(),
                                                    const nn::RuntimeOptions& runtime = {}) {
  const auto state = small_weights(config);
  return std::make_shared<const nn::Model>(std::move(config), state, runtime, "small model");
}

}  // namespace vostrack::test
