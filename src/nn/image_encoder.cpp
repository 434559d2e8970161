#include "nn/image_encoder.hpp"

#include <algorithm>
#include <optional>

#include "nn/layers.hpp"

namespace vostrack::nn {
namespace {

/// The convolution's place in checkpoints is `convs.N.conv`.
struct LateralImpl : torch::nn::Module {
  LateralImpl(int in, int out) : conv(register_module("conv", conv2d(in, out, 1))) {}
  Conv2d conv;
};
TORCH_MODULE(Lateral);

}  // namespace

FpnNeckImpl::FpnNeckImpl(const NeckConfig& config, const std::vector<int>& channels)
    : config_(config) {
  torch::nn::ModuleList list;
  for (auto it = channels.rbegin(); it != channels.rend(); ++it) {
    Lateral lateral(*it, config.d_model);
    convs_.push_back(lateral->conv);
    list->push_back(lateral);
  }
  register_module("convs", list);
}

std::vector<torch::Tensor> FpnNeckImpl::forward(const std::vector<torch::Tensor>& levels) {
  const int coarsest = static_cast<int>(levels.size()) - 1;
  std::vector<torch::Tensor> out(levels.size());
  torch::Tensor above;
  for (int level = coarsest; level >= 0; --level) {
    auto& conv = convs_[coarsest - level];
    auto lateral = conv->forward(levels[level].to(conv->weight.scalar_type()));
    const auto& wanted = config_.fpn_top_down_levels;
    const bool top_down = !wanted || std::ranges::count(*wanted, level) > 0;
    if (top_down && above.defined()) {
      const std::vector<double> twice{2.0, 2.0};
      auto coarse = above.to(torch::kFloat32);
      auto down = config_.fpn_interp_model == "nearest"
                      ? at::upsample_nearest2d(coarse, std::nullopt, twice)
                      : at::upsample_bilinear2d(coarse, std::nullopt, false, twice);
      above = (lateral + down).to(lateral.scalar_type());
      if (config_.fuse_type == "avg") above = above / 2;
    } else {
      above = lateral;
    }
    out[level] = above;
  }
  return out;
}

ImageEncoderImpl::ImageEncoderImpl(const ModelConfig& config)
    : scalp_(config.neck.scalp), trunk_(make_trunk(config.trunk)) {
  register_module("trunk", trunk_);
  neck_ = register_module("neck", FpnNeck(config.neck, trunk_->channels()));
}

std::vector<torch::Tensor> ImageEncoderImpl::forward(const torch::Tensor& picture) {
  auto levels = neck_->forward(trunk_->forward(picture));
  levels.resize(levels.size() - scalp_);
  return levels;
}

}  // namespace vostrack::nn
