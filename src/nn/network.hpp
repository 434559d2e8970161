/// All networks of one model under the official parameter names.
#pragma once

#include <torch/nn.h>

#include "nn/image_encoder.hpp"
#include "nn/layers.hpp"
#include "nn/mask_decoder.hpp"
#include "nn/memory_attention.hpp"
#include "nn/memory_encoder.hpp"
#include "nn/model_config.hpp"
#include "nn/prompt_encoder.hpp"
#include "nn/state_dict.hpp"

namespace vostrack::nn {

/// Source: sam2/modeling/sam2_base.py
class NetworkImpl : public torch::nn::Module {
 public:
  /// @throws Error kInvalidArgument as ModelConfig::validate
  explicit NetworkImpl(const ModelConfig& config);

  /// Output token to object pointer: (B, C) → (B, C).
  torch::Tensor project_pointer(const torch::Tensor& token);
  /// Temporal encoding of pointers to the memory's width: (N, C or Cm) → (N, Cm).
  torch::Tensor project_pointer_time(const torch::Tensor& encoding);
  /// A mask prompt to the decoder's mask input: (B, 1, S, S) → (B, 1, S/4, S/4).
  torch::Tensor downsample_mask(const torch::Tensor& mask);

  ImageEncoder image_encoder{nullptr};
  MemoryAttention memory_attention{nullptr};
  MemoryEncoder memory_encoder{nullptr};
  PromptEncoder prompt_encoder{nullptr};
  MaskDecoder mask_decoder{nullptr};

  torch::Tensor maskmem_tpos_enc;      ///< (num_maskmem, 1, 1, Cm)
  torch::Tensor no_mem_embed;          ///< (1, 1, C)
  torch::Tensor no_mem_pos_enc;        ///< (1, 1, C)
  torch::Tensor no_obj_ptr;            ///< (1, C), or undefined
  torch::Tensor no_obj_embed_spatial;  ///< (1, Cm), or undefined

 private:
  Conv2d mask_downsample_{nullptr};
  Linear pointer_linear_{nullptr};
  Mlp pointer_mlp_{nullptr};
  Linear pointer_time_{nullptr};
};
TORCH_MODULE(Network);

/// Copies weights into a network, strictly by name and shape. Nothing is copied when anything does
/// not fit.
///
/// @param origin  named in the error
/// @throws Error kModelMismatch listing all missing, unexpected and mis-shaped keys
void load_weights(torch::nn::Module& network, const StateDict& state, const std::string& origin);

/// The configuration's networks with these weights.
///
/// @throws Error kModelMismatch as load_weights, and before any memory is taken where the
///   configuration is much larger than the weights
Network build_network(const ModelConfig& config, const StateDict& state, const std::string& origin);

/// Parameters and buffers by name, not copied.
StateDict weights_of(const torch::nn::Module& network);

/// The preset that `state` looks like, by the trunk's width and depth and by what only SAM 2.1 has.
///
/// @return nothing when none does
std::optional<ModelConfig> guess_config(const StateDict& state);

}  // namespace vostrack::nn
