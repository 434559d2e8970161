#include "memory/conditioning.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "memory/places.hpp"
#include "nn/position_encoding.hpp"

namespace vostrack::memory {
namespace {

torch::Tensor as_tokens(const torch::Tensor& grid) {
  return grid.flatten(2).transpose(1, 2);
}

torch::Tensor as_grid(const torch::Tensor& tokens, const torch::Tensor& like) {
  return tokens.transpose(1, 2)
      .reshape({tokens.size(0), like.size(1), like.size(2), like.size(3)})
      .to(torch::kFloat32);
}

/// Pointers as tokens of the memory's width, with their distance in time. All objects' are worked
/// on together: each operation would cost a GPU more to start than to run.
///
/// @param selections  with the same number of pointers
void add_pointers(const nn::Model& model, std::span<const Selection> selections,
                  std::span<nn::MemoryTokens> objects) {
  const auto count = static_cast<std::int64_t>(selections.front().pointers.size());
  if (count == 0) return;
  const nn::ModelConfig& config = model.config();
  const auto channels = config.neck.d_model;
  const auto width = config.memory_encoder.out_dim;
  const auto device = model.runtime().device;

  std::vector<torch::Tensor> pointers;
  std::vector<float> distances;
  for (const Selection& selection : selections)
    for (const auto& selected : selection.pointers) {
      pointers.push_back(selected.output->pointer.to(device));
      const auto span = static_cast<float>(selection.pointer_span);
      distances.push_back(span > 0 ? static_cast<float>(selected.distance) / span : 0.0F);
    }
  const auto total = static_cast<std::int64_t>(distances.size());
  torch::Tensor position = torch::zeros({total, width}, pointers[0].options());
  if (config.model.add_tpos_enc_to_obj_ptrs)
    position = model.network().project_pointer_time(
        nn::sine_encoding_1d(torch::tensor(distances).to(device),
                             config.model.proj_tpos_enc_in_obj_ptrs ? channels : width));
  const auto pieces = channels / width;
  const auto tokens = count * pieces;
  const auto number = static_cast<std::int64_t>(objects.size());
  // In training a single object's are a batch of them.
  const auto all = torch::stack(pointers, 1).reshape({-1, tokens, width}).chunk(number);
  const auto times = position.repeat_interleave(pieces, 0).view({number, tokens, width}).split(1);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    objects[i].pointers = all[i];
    objects[i].pointer_times = times[i];
  }
}

}  // namespace

torch::Tensor features_without_memory(const nn::Model& model, const nn::ImageFeatures& image) {
  const nn::BaseConfig& base = model.config().model;
  auto coarse = image.coarse.to(torch::kFloat32);
  if (base.num_maskmem == 0) return coarse;
  auto& network = model.network();
  if (base.directly_add_no_mem_embed) return coarse + network.no_mem_embed.view({1, -1, 1, 1});

  // Attention to a single token that stands for "nothing remembered".
  const auto width = model.config().memory_encoder.out_dim;
  check(width == model.config().neck.d_model, ErrorCode::kInvalidArgument,
        "configuration: without model.directly_add_no_mem_embed, memory_encoder.out_dim is {}, "
        "want neck.d_model, {}",
        width, model.config().neck.d_model);
  const auto dtype = model.runtime().dtype;
  auto nothing = network.no_mem_embed.to(dtype).expand({image.coarse.size(0), -1, -1});
  auto out = network.memory_attention->forward(
      as_tokens(image.coarse), model.current_pos(), nothing, network.no_mem_pos_enc.to(dtype),
      model.rotary(), /*pointer_tokens=*/1);
  return as_grid(out, image.coarse);
}

bool same_shape(const Selection& a, const Selection& b) {
  return a.memories.size() == b.memories.size() && a.pointers.size() == b.pointers.size();
}

torch::Tensor features_with_memory(const nn::Model& model, const nn::ImageFeatures& image,
                                   std::span<const Selection> selections) {
  const auto objects = static_cast<std::int64_t>(selections.size());
  if (model.config().model.num_maskmem == 0)
    return image.coarse.to(torch::kFloat32)
        .expand({std::max(objects, image.coarse.size(0)), -1, -1, -1});
  auto& network = model.network();
  std::vector<nn::MemoryTokens> remembered;
  for (const Selection& selection : selections) {
    VOSTRACK_ASSERT(same_shape(selection, selections.front()));
    nn::MemoryTokens& tokens = remembered.emplace_back();
    for (const auto& selected : selection.memories) {
      VOSTRACK_ASSERT(selected.output->memory.defined());
      tokens.grids.push_back(selected.output->memory.to(model.runtime().device));
      tokens.times.push_back(network.maskmem_tpos_enc[selected.temporal_row]);
    }
    reduce(tokens, selection, model);
  }
  add_pointers(model, selections, remembered);
  auto out = network.memory_attention->forward(as_tokens(image.coarse), model.current_pos(),
                                               remembered, model.memory_pos(), model.rotary());
  return as_grid(out, image.coarse);
}

torch::Tensor encode_memory(const nn::Model& model, const nn::ImageFeatures& image,
                            const torch::Tensor& mask_logits, const torch::Tensor& object_score,
                            bool prompted) {
  const nn::BaseConfig& base = model.config().model;
  auto& network = model.network();
  auto mask = prompted && base.binarize_mask_from_pts_for_mem_enc
                  ? (mask_logits > 0).to(torch::kFloat32)
                  : torch::sigmoid(mask_logits);
  mask = mask * base.sigmoid_scale_for_mem_enc + base.sigmoid_bias_for_mem_enc;
  auto memory = network.memory_encoder->forward(image.coarse, mask.to(model.runtime().dtype))
                    .to(torch::kFloat32);
  if (network.no_obj_embed_spatial.defined()) {
    auto absent = (object_score <= 0).to(torch::kFloat32).view({-1, 1, 1, 1});
    memory = memory + absent * network.no_obj_embed_spatial.view({1, -1, 1, 1});
  }
  return memory.to(model.runtime().memory_dtype).contiguous();
}

}  // namespace vostrack::memory
