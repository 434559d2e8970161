#include "nn/efficientnet_lite.hpp"

#include <torch/autograd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "nn/layers.hpp"
#include "nn/packed_convolution.hpp"

namespace vostrack::nn {
namespace {

struct Stage {
  int expansion, kernel, stride, channels, repeats;
};

constexpr std::array<Stage, 7> kLite0{{{1, 3, 1, 16, 1},
                                       {6, 3, 2, 24, 2},
                                       {6, 5, 2, 40, 2},
                                       {6, 3, 2, 80, 3},
                                       {6, 5, 1, 112, 3},
                                       {6, 5, 2, 192, 4},
                                       {6, 3, 1, 320, 1}}};
constexpr int kStemChannels = 32;
constexpr double kBound = 6;  ///< of ReLU6

/// Bounds in place, which LibTorch's ReLU6 does not: it keeps a copy of what was there.
class Bounded : public torch::autograd::Function<Bounded> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, torch::Tensor x) {
    x.clamp_(0, kBound);
    context->mark_dirty({x});
    context->save_for_backward({x});
    return x;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    return {at::hardtanh_backward(gradients[0], context->get_saved_variables()[0], 0, kBound)};
  }
};

/// A convolution without bias, named "0", and its batch norm, named "1".
class ConvNormImpl : public torch::nn::Module {
 public:
  ConvNormImpl(int in, int out, int kernel, int stride, int groups, double eps, bool clamped)
      : kernel_(kernel),
        stride_(stride),
        groups_(groups),
        eps_(eps),
        clamped_(clamped),
        conv_(register_indexed(*this, 0, conv2d(in, out, kernel, stride, 0, groups, false))),
        norm_(register_indexed(*this, 1, Norm(out))) {}

  torch::Tensor forward(const torch::Tensor& x) {
    if (folded_.defined()) return folded_(x);
    const auto [weight, bias] = with_norm(torch::kFloat32);
    const auto out = convolution(x, weight, bias, stride_, before(), after(), groups_);
    return clamped_ ? Bounded::apply(out) : out;
  }

  /// Turns batch norm into the convolution's weight and bias, computed in float64.
  ///
  /// @param side  of the input
  /// @return that of the output
  std::int64_t fold(const torch::TensorOptions& options, std::int64_t side) {
    auto [weight, bias] = with_norm(torch::kFloat64);
    // Zeros in front of the kernel shift it as unequal padding would, without a copy of the input.
    const int more = after() - before();
    weight = torch::constant_pad_nd(weight, {more, 0, more, 0}).to(options);
    using Then = PackedConvolution::Then;
    folded_ = PackedConvolution(weight, bias.to(options), stride_, after(), groups_,
                                clamped_ ? Then::kRelu6 : Then::kNothing, side);
    return (side + stride_ - 1) / stride_;
  }

 private:
  /// Weight and bias with batch norm in them: its statistics never change. Gradients reach all.
  std::pair<torch::Tensor, torch::Tensor> with_norm(torch::ScalarType dtype) const {
    const auto scale = norm_->weight.to(dtype) / torch::sqrt(norm_->running_var.to(dtype) + eps_);
    return {conv_->weight.to(dtype) * scale.view({-1, 1, 1, 1}),
            norm_->bias.to(dtype) - norm_->running_mean.to(dtype) * scale};
  }

  // TensorFlow's "same" for even inputs: with stride 2 the smaller half is at the top left.
  int before() const { return (kernel_ - stride_) / 2; }
  int after() const { return kernel_ - stride_ - before(); }

  /// Batch norm's tensors, without the counter that PyTorch's own module keeps.
  struct NormImpl : torch::nn::Module {
    explicit NormImpl(int channels)
        : weight(register_parameter("weight", torch::ones(channels))),
          bias(register_parameter("bias", torch::zeros(channels))),
          running_mean(register_buffer("running_mean", torch::zeros(channels))),
          running_var(register_buffer("running_var", torch::ones(channels))) {}
    torch::Tensor weight, bias, running_mean, running_var;
  };
  TORCH_MODULE(Norm);

  int kernel_, stride_, groups_;
  double eps_;
  bool clamped_;  ///< to 0 to 6
  Conv2d conv_;
  Norm norm_;
  PackedConvolution folded_;
};
TORCH_MODULE(ConvNorm);

class InvertedBottleneckImpl : public torch::nn::Module {
 public:
  InvertedBottleneckImpl(int in, const Stage& stage, int stride, double eps)
      : skip_(stride == 1 && in == stage.channels) {
    const int wide = in * stage.expansion;
    if (stage.expansion != 1)
      expand_ = register_module("expand", ConvNorm(in, wide, 1, 1, 1, eps, true));
    depthwise_ =
        register_module("depthwise", ConvNorm(wide, wide, stage.kernel, stride, wide, eps, true));
    project_ = register_module("project", ConvNorm(wide, stage.channels, 1, 1, 1, eps, false));
  }

  torch::Tensor forward(const torch::Tensor& x) {
    auto y = project_->forward(depthwise_->forward(expand_ ? expand_->forward(x) : x));
    return skip_ ? x + y : y;
  }

  /// As ConvNorm's.
  std::int64_t fold(const torch::TensorOptions& options, std::int64_t side) {
    if (expand_) side = expand_->fold(options, side);
    side = depthwise_->fold(options, side);
    return project_->fold(options, side);
  }

 private:
  bool skip_;
  ConvNorm expand_{nullptr}, depthwise_{nullptr}, project_{nullptr};
};
TORCH_MODULE(InvertedBottleneck);

class EfficientNetLite0 : public Trunk {
 public:
  explicit EfficientNetLite0(const TrunkConfig& config)
      : output_blocks_(config.output_blocks),
        output_scale_(config.output_scale),
        stem_(register_module("stem",
                              ConvNorm(3, kStemChannels, 3, 2, 1, config.batch_norm_eps, true))) {
    torch::nn::ModuleList list;
    int channels = kStemChannels;
    for (const Stage& stage : kLite0)
      for (int i = 0; i < stage.repeats; ++i) {
        blocks_.emplace_back(channels, stage, i == 0 ? stage.stride : 1, config.batch_norm_eps);
        list->push_back(blocks_.back());
        channels = stage.channels;
        if (std::ranges::count(output_blocks_, static_cast<int>(blocks_.size()) - 1) > 0)
          channels_.push_back(channels);
      }
    register_module("blocks", list);
  }

  std::vector<torch::Tensor> forward(const torch::Tensor& picture) override {
    auto x = stem_->forward(picture.contiguous(torch::MemoryFormat::ChannelsLast));
    std::vector<torch::Tensor> outputs;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      x = blocks_[i]->forward(x);
      if (static_cast<int>(i) == output_blocks_[outputs.size()])
        outputs.push_back(x * output_scale_[outputs.size()]);
      if (outputs.size() == output_blocks_.size()) break;
    }
    return outputs;
  }

  std::vector<int> channels() const override { return channels_; }

  /// Always float32: bfloat16 costs masks two per cent of IoU here, and depthwise convolutions are
  /// no faster in it.
  torch::ScalarType inference_dtype(torch::ScalarType) const override { return torch::kFloat32; }

  void prepare_for_inference(int image_size, const torch::TensorOptions& options) override {
    auto side = stem_->fold(options, image_size);
    for (auto& block : blocks_) side = block->fold(options, side);
  }

 private:
  std::vector<int> output_blocks_;
  std::vector<double> output_scale_;
  ConvNorm stem_;
  std::vector<InvertedBottleneck> blocks_;
  std::vector<int> channels_;
};

}  // namespace

std::shared_ptr<Trunk> make_efficientnet_lite0(const TrunkConfig& config) {
  return std::make_shared<EfficientNetLite0>(config);
}

}  // namespace vostrack::nn
