/// Between memories and networks: looking back, and remembering.
#pragma once

#include <torch/types.h>

#include <span>

#include "memory/selection.hpp"
#include "nn/model.hpp"

namespace vostrack::memory {

/// The picture's features without any memory, as for an object's first frame.
///
/// @return (1, C, h, w) float32
torch::Tensor features_without_memory(const nn::Model& model, const nn::ImageFeatures& image);

/// The picture's features, conditioned on the selected memories of one object or of several.
///
/// @param selections  one for each object, of the same shape (see same_shape), each with at least
///   one memory, all encoded; or a single one whose outputs hold B objects
/// @return (objects, C, h, w) float32
///
/// Source: sam2/modeling/sam2_base.py, _prepare_memory_conditioned_features
torch::Tensor features_with_memory(const nn::Model& model, const nn::ImageFeatures& image,
                                   std::span<const Selection> selections);

/// Whether two objects' memories can go through the networks as one batch.
bool same_shape(const Selection& a, const Selection& b);

/// Encodes a picture and an object's mask on it into a memory.
///
/// @param mask_logits  (B, 1, S, S) float32
/// @param object_score  (B, 1) float32
/// @param prompted  the mask comes from a prompt: binarised if the configuration says so
/// @return (B, Cm, h, w) in the model's memory dtype
///
/// Source: sam2/modeling/sam2_base.py, _encode_new_memory
torch::Tensor encode_memory(const nn::Model& model, const nn::ImageFeatures& image,
                            const torch::Tensor& mask_logits, const torch::Tensor& object_score,
                            bool prompted);

}  // namespace vostrack::memory
