#include "nn/hugging_face_names.hpp"

#include <fmt/ranges.h>

#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.hpp"

// Source: the parameter names of transformers 4.57 (models/sam2, models/sam2_video).

namespace vostrack::nn {
namespace {

using Names = std::pair<std::string_view, std::string_view>;

/// Beginnings of names, in whole segments; the first that matches counts.
constexpr Names kBeginnings[] = {
    {"no_memory_embedding", "no_mem_embed"},
    {"no_memory_positional_encoding", "no_mem_pos_enc"},
    {"no_object_pointer", "no_obj_ptr"},
    {"memory_temporal_positional_encoding", "maskmem_tpos_enc"},
    {"occlusion_spatial_embedding_parameter", "no_obj_embed_spatial"},
    {"temporal_positional_encoding_projection_layer", "obj_ptr_tpos_proj"},
    {"object_pointer_proj", "obj_ptr_proj"},
    {"vision_encoder.backbone.patch_embed.projection", "image_encoder.trunk.patch_embed.proj"},
    {"vision_encoder.backbone", "image_encoder.trunk"},
    {"vision_encoder.neck", "image_encoder.neck"},
    {"prompt_encoder.shared_embedding.positional_embedding",
     "sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"},
    {"prompt_encoder.mask_embed.conv1", "sam_prompt_encoder.mask_downscaling.0"},
    {"prompt_encoder.mask_embed.layer_norm1", "sam_prompt_encoder.mask_downscaling.1"},
    {"prompt_encoder.mask_embed.conv2", "sam_prompt_encoder.mask_downscaling.3"},
    {"prompt_encoder.mask_embed.layer_norm2", "sam_prompt_encoder.mask_downscaling.4"},
    {"prompt_encoder.mask_embed.conv3", "sam_prompt_encoder.mask_downscaling.6"},
    {"prompt_encoder", "sam_prompt_encoder"},
    {"mask_decoder.upscale_conv1", "sam_mask_decoder.output_upscaling.0"},
    {"mask_decoder.upscale_layer_norm", "sam_mask_decoder.output_upscaling.1"},
    {"mask_decoder.upscale_conv2", "sam_mask_decoder.output_upscaling.3"},
    {"mask_decoder", "sam_mask_decoder"},
    {"memory_encoder.feature_projection", "memory_encoder.pix_feat_proj"},
    {"memory_encoder.projection", "memory_encoder.out_proj"},
    {"memory_encoder.memory_fuser", "memory_encoder.fuser"},
};

/// Segments anywhere else in a name.
constexpr Names kSegments[] = {
    {"layer_norm", "norm"},
    {"layer_norm1", "norm1"},
    {"layer_norm2", "norm2"},
    {"layer_norm3", "norm3"},
    {"layer_norm4", "norm4"},
    {"layer_norm_final_attn", "norm_final_attn"},
    {"o_proj", "out_proj"},
    {"depthwise_conv", "dwconv"},
    {"pointwise_conv1", "pwconv1"},
    {"pointwise_conv2", "pwconv2"},
    {"scale", "gamma"},
};

constexpr std::string_view kPointEmbeddings = "prompt_encoder.point_embed.weight";
constexpr std::string_view kPositions = "prompt_encoder.shared_embedding.positional_embedding";
/// A second reference to kPositions; files may have either or both.
constexpr std::string_view kPositionsAgain = "shared_image_embedding.positional_embedding";
constexpr std::string_view kDownsampler = "memory_encoder.mask_downsampler.";
constexpr std::string_view kNeck = "vision_encoder.neck.convs.";

bool starts_with_segments(std::string_view name, std::string_view beginning) {
  return name.starts_with(beginning) &&
         (name.size() == beginning.size() || name[beginning.size()] == '.');
}

std::vector<std::string> split(std::string_view name) {
  std::vector<std::string> segments;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    segments.emplace_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  return segments;
}

std::string join(const std::vector<std::string>& segments, std::size_t count) {
  return fmt::format("{}", fmt::join(segments.begin(),
                                     segments.begin() + static_cast<std::ptrdiff_t>(count), "."));
}

/// A layer's number, or -1.
int number_of(const std::string& segment) {
  int number = -1;
  const auto [end, error] =
      std::from_chars(segment.data(), segment.data() + segment.size(), number);
  const bool whole = error == std::errc() && end == segment.data() + segment.size();
  return whole && number >= 0 && number < 1000 ? number : -1;
}

class Renamer {
 public:
  explicit Renamer(const StateDict& state) : state_(state) {}

  std::string official_name(const std::string& name) const {
    std::string with_layers = name;
    if (name.starts_with(kDownsampler))
      with_layers = number_downsampler(name);
    else if (name.starts_with(kNeck))
      with_layers = add_conv(name);
    else
      with_layers = number_perceptron(name);
    return translate(with_layers);
  }

 private:
  /// How many layers `parent`.layers has.
  int count_layers(const std::string& parent, const char* leaf) const {
    int count = 0;
    while (state_.tensors.contains(fmt::format("{}.layers.{}.{}", parent, count, leaf))) ++count;
    return count;
  }

  /// Perceptrons are numbered throughout; here the first and last layer have names:
  /// proj_in, layers.0 ..., proj_out are layers.0, layers.1 ..., layers.n.
  std::string number_perceptron(const std::string& name) const {
    std::vector<std::string> segments = split(name);
    for (std::size_t i = 1; i + 1 < segments.size(); ++i) {
      const std::string parent = join(segments, i);
      int layer = -1;
      std::size_t used = 1;
      if (segments[i] == "proj_in") {
        layer = 0;
      } else if (segments[i] == "proj_out") {
        layer = count_layers(parent, "weight") + 1;
      } else if (segments[i] == "layers" && state_.tensors.contains(parent + ".proj_in.weight")) {
        const int middle = number_of(segments[i + 1]);
        layer = middle < 0 ? -1 : middle + 1;
        used = 2;
      }
      if (layer < 0 || i + used >= segments.size()) continue;
      return fmt::format(
          "{}.layers.{}.{}", parent, layer,
          fmt::join(segments.begin() + static_cast<std::ptrdiff_t>(i + used), segments.end(), "."));
    }
    return name;
  }

  /// The official sequence is convolution, normalisation, activation for each layer, then a
  /// convolution.
  std::string number_downsampler(const std::string& name) const {
    const std::vector<std::string> rest = split(name.substr(kDownsampler.size()));
    const std::string parent(kDownsampler.substr(0, kDownsampler.size() - 1));
    if (rest.size() == 2 && rest[0] == "final_conv")
      return fmt::format("{}.encoder.{}.{}", parent, 3 * count_layers(parent, "conv.weight"),
                         rest[1]);
    if (rest.size() != 4 || rest[0] != "layers" || number_of(rest[1]) < 0) return name;
    const bool norm = rest[2] == "layer_norm";
    if (!norm && rest[2] != "conv") return name;
    return fmt::format("{}.encoder.{}.{}", parent, 3 * number_of(rest[1]) + (norm ? 1 : 0),
                       rest[3]);
  }

  /// convs.0.weight is convs.0.conv.weight.
  static std::string add_conv(const std::string& name) {
    const std::vector<std::string> rest = split(name.substr(kNeck.size()));
    if (rest.size() != 2) return name;
    return fmt::format("{}{}.conv.{}", kNeck, rest[0], rest[1]);
  }

  static std::string translate(std::string_view name) {
    std::string beginning;
    for (const auto& [theirs, official] : kBeginnings) {
      if (!starts_with_segments(name, theirs)) continue;
      beginning = official;
      name.remove_prefix(theirs.size());
      if (name.empty()) return beginning;
      beginning += '.';
      name.remove_prefix(1);
      break;
    }
    std::vector<std::string> segments = split(name);
    for (auto& segment : segments)
      for (const auto& [theirs, official] : kSegments)
        if (segment == theirs) {
          segment = official;
          break;
        }
    return beginning + join(segments, segments.size());
  }

  const StateDict& state_;
};

}  // namespace

bool has_hugging_face_names(const StateDict& state) {
  bool found = false;
  for (const auto& [name, tensor] : state.tensors) {
    if (name.starts_with("image_encoder.")) return false;
    found = found || name.starts_with("vision_encoder.");
  }
  return found;
}

StateDict from_hugging_face(StateDict state) {
  if (const auto again = state.tensors.find(std::string(kPositionsAgain));
      again != state.tensors.end()) {
    state.tensors.emplace(kPositions, again->second);  // unless it is there
    state.tensors.erase(again);
  }
  const Renamer renamer(state);
  StateDict official;
  const auto add = [&](const std::string& name, const torch::Tensor& tensor) {
    check(official.tensors.emplace(name, tensor).second, ErrorCode::kModelMismatch,
          "two tensors are called {} after renaming from the Hugging Face names", name);
  };
  for (const auto& [name, tensor] : state.tensors) {
    if (name == kPointEmbeddings && tensor.dim() == 2) {
      // Positive, negative, and the two corners of a box: one embedding each.
      for (std::int64_t i = 0; i < tensor.size(0); ++i)
        add(fmt::format("sam_prompt_encoder.point_embeddings.{}.weight", i),
            tensor.narrow(0, i, 1));
      continue;
    }
    add(renamer.official_name(name), tensor);
  }
  official.metadata = std::move(state.metadata);
  return official;
}

}  // namespace vostrack::nn
