#include "nn/network.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "base/check.hpp"

namespace vostrack::nn {
namespace {

std::map<std::string, torch::Tensor> named_tensors(const torch::nn::Module& module) {
  std::map<std::string, torch::Tensor> tensors;
  for (const auto& item : module.named_parameters()) tensors.emplace(item.key(), item.value());
  for (const auto& item : module.named_buffers()) tensors.emplace(item.key(), item.value());
  return tensors;
}

std::string shape_text(at::IntArrayRef sizes) {
  return fmt::format("({})", fmt::join(sizes.begin(), sizes.end(), ", "));
}

bool all_finite(const torch::Tensor& tensor) {
  return !tensor.is_floating_point() || torch::isfinite(tensor).all().item<bool>();
}

}  // namespace

NetworkImpl::NetworkImpl(const ModelConfig& config) {
  config.validate();
  const BaseConfig& base = config.model;
  const int dim = config.neck.d_model;
  const int memory_dim = config.memory_encoder.out_dim;
  image_encoder = register_module("image_encoder", ImageEncoder(config));
  if (base.use_obj_ptrs_in_encoder)
    mask_downsample_ = register_module("mask_downsample", conv2d(1, 1, 4, 4));
  memory_attention = register_module("memory_attention", MemoryAttention(config));
  memory_encoder = register_module("memory_encoder", MemoryEncoder(config));
  const auto random = [&](const char* name, at::IntArrayRef shape) {
    return register_parameter(name, torch::nn::init::normal_(torch::empty(shape), 0.0, 0.02));
  };
  maskmem_tpos_enc = random("maskmem_tpos_enc", {base.num_maskmem, 1, 1, memory_dim});
  no_mem_embed = random("no_mem_embed", {1, 1, dim});
  no_mem_pos_enc = random("no_mem_pos_enc", {1, 1, dim});
  if (base.pred_obj_scores && base.use_obj_ptrs_in_encoder)
    no_obj_ptr = random("no_obj_ptr", {1, dim});
  if (base.no_obj_embed_spatial)
    no_obj_embed_spatial = random("no_obj_embed_spatial", {1, memory_dim});
  prompt_encoder = register_module("sam_prompt_encoder",
                                   PromptEncoder(dim, config.image_size, config.feature_size()));
  mask_decoder = register_module("sam_mask_decoder", MaskDecoder(config));
  if (base.use_obj_ptrs_in_encoder) {
    if (base.use_mlp_for_obj_ptr_proj)
      pointer_mlp_ = register_module("obj_ptr_proj", Mlp(dim, dim, dim, 3));
    else
      pointer_linear_ = register_module("obj_ptr_proj", Linear(dim, dim));
  }
  if (base.proj_tpos_enc_in_obj_ptrs)
    pointer_time_ = register_module("obj_ptr_tpos_proj", Linear(dim, memory_dim));
}

torch::Tensor NetworkImpl::project_pointer(const torch::Tensor& token) {
  if (pointer_mlp_) return pointer_mlp_->forward(token);
  return pointer_linear_ ? pointer_linear_->forward(token) : token;
}

torch::Tensor NetworkImpl::project_pointer_time(const torch::Tensor& encoding) {
  return pointer_time_ ? pointer_time_->forward(encoding) : encoding;
}

torch::Tensor NetworkImpl::downsample_mask(const torch::Tensor& mask) {
  return mask_downsample_->forward(mask);
}

void load_weights(torch::nn::Module& network, const StateDict& state, const std::string& origin) {
  auto wanted = named_tensors(network);
  std::vector<std::string> problems;
  for (const auto& [name, tensor] : wanted) {
    const auto it = state.tensors.find(name);
    if (it == state.tensors.end())
      problems.push_back(fmt::format("missing {} {}", name, shape_text(tensor.sizes())));
    else if (it->second.sizes() != tensor.sizes())
      problems.push_back(fmt::format("{} is {}, want {}", name, shape_text(it->second.sizes()),
                                     shape_text(tensor.sizes())));
    else if (!all_finite(it->second))
      problems.push_back(fmt::format("{} holds NaN or infinity", name));
  }
  for (const auto& [name, tensor] : state.tensors)
    if (wanted.count(name) == 0)
      problems.push_back(fmt::format("unexpected {} {}", name, shape_text(tensor.sizes())));
  const auto count = problems.size();
  constexpr std::size_t kNamed = 20;
  if (count > kNamed) {
    problems.resize(kNamed);
    problems.push_back(fmt::format("and {} more", count - kNamed));
  }
  check(problems.empty(), ErrorCode::kModelMismatch, "{}: {} keys do not fit the configuration: {}",
        origin, count, fmt::join(problems, "; "));
  torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : wanted) tensor.copy_(state.tensors.at(name));
}

Network build_network(const ModelConfig& config, const StateDict& state,
                      const std::string& origin) {
  config.validate();
  // Small ones are built whatever they hold, so that the error can list what does not fit.
  constexpr double kAlwaysBuilt = 64e6;
  double held = 0;
  for (const auto& [name, tensor] : state.tensors) held += static_cast<double>(tensor.numel());
  const double wanted = config.approximate_parameters();
  check(wanted <= std::max(kAlwaysBuilt, 4 * held), ErrorCode::kModelMismatch,
        "{}: holds {:.0f} numbers, but its configuration asks for about {:.0f}", origin, held,
        wanted);
  Network network(config);
  load_weights(*network, state, origin);
  return network;
}

StateDict weights_of(const torch::nn::Module& network) {
  StateDict state;
  for (auto& [name, tensor] : named_tensors(network)) state.tensors[name] = tensor.detach();
  return state;
}

std::optional<ModelConfig> guess_config(const StateDict& state) {
  // The trunk's width and depth tell the sizes apart, the parameters of SAM 2.1 the versions;
  // everything else is checked when the weights are loaded.
  const auto embed = state.tensors.find("image_encoder.trunk.pos_embed");
  if (embed == state.tensors.end() || embed->second.dim() != 4) return std::nullopt;
  for (const std::string& name : preset_names()) {
    const ModelConfig config = *preset(name);
    const auto& background = config.trunk.window_pos_embed_bkg_spatial_size;
    const int depth = std::accumulate(config.trunk.stages.begin(), config.trunk.stages.end(), 0);
    const auto block = [](int index) {
      return fmt::format("image_encoder.trunk.blocks.{}.norm1.weight", index);
    };
    if (embed->second.size(1) == config.trunk.embed_dim && embed->second.size(2) == background[0] &&
        state.tensors.count(block(depth - 1)) > 0 && state.tensors.count(block(depth)) == 0 &&
        (state.tensors.count("no_obj_embed_spatial") > 0) == config.model.no_obj_embed_spatial)
      return config;
  }
  return std::nullopt;
}

}  // namespace vostrack::nn
