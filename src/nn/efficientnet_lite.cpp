#include "nn/efficientnet_lite.hpp"

#include <algorithm>
#include <array>

#include "nn/layers.hpp"

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

/// A convolution without bias, named "0", and its batch norm, named "1".
class ConvNormImpl : public torch::nn::Module {
 public:
  ConvNormImpl(int in, int out, int kernel, int stride, int groups, double eps)
      : kernel_(kernel),
        stride_(stride),
        groups_(groups),
        eps_(eps),
        conv_(register_indexed(*this, 0, conv2d(in, out, kernel, stride, 0, groups, false))),
        norm_(register_indexed(*this, 1, Norm(out))) {}

  torch::Tensor forward(torch::Tensor x) {
    // TensorFlow's "same" for even inputs: with stride 2 the smaller half is at the top left.
    const int total = stride_ == 2 ? kernel_ - 2 : kernel_ - 1;
    const int before = total / 2;
    const int after = total - before;
    int padding = before;
    if (before != after) {
      x = torch::constant_pad_nd(x, {before, after, before, after});
      padding = 0;
    }
    if (folded_weight_.defined())
      return torch::conv2d(x, folded_weight_, folded_bias_, stride_, padding, 1, groups_);
    x = torch::conv2d(x, conv_->weight, {}, stride_, padding, 1, groups_);
    return torch::batch_norm(x, norm_->weight, norm_->bias, norm_->running_mean, norm_->running_var,
                             /*training=*/false, /*momentum=*/0.0, eps_,
                             /*cudnn_enabled=*/true);
  }

  /// Turns batch norm into the convolution's weight and bias, computed in float64.
  void fold(const torch::TensorOptions& options) {
    auto scale = norm_->weight.to(torch::kFloat64) /
                 torch::sqrt(norm_->running_var.to(torch::kFloat64) + eps_);
    folded_weight_ = (conv_->weight.to(torch::kFloat64) * scale.view({-1, 1, 1, 1}))
                         .to(options)
                         .contiguous(torch::MemoryFormat::ChannelsLast);
    folded_bias_ =
        (norm_->bias.to(torch::kFloat64) - norm_->running_mean.to(torch::kFloat64) * scale)
            .to(options);
  }

 private:
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
  torch::nn::Conv2d conv_;
  Norm norm_;
  torch::Tensor folded_weight_, folded_bias_;
};
TORCH_MODULE(ConvNorm);

class InvertedBottleneckImpl : public torch::nn::Module {
 public:
  InvertedBottleneckImpl(int in, const Stage& stage, int stride, double eps)
      : skip_(stride == 1 && in == stage.channels) {
    const int wide = in * stage.expansion;
    if (stage.expansion != 1) expand_ = register_module("expand", ConvNorm(in, wide, 1, 1, 1, eps));
    depthwise_ =
        register_module("depthwise", ConvNorm(wide, wide, stage.kernel, stride, wide, eps));
    project_ = register_module("project", ConvNorm(wide, stage.channels, 1, 1, 1, eps));
  }

  torch::Tensor forward(const torch::Tensor& x) {
    auto y = expand_ ? torch::relu6(expand_->forward(x)) : x;
    y = torch::relu6(depthwise_->forward(y));
    y = project_->forward(y);
    return skip_ ? x + y : y;
  }

  void fold(const torch::TensorOptions& options) {
    if (expand_) expand_->fold(options);
    depthwise_->fold(options);
    project_->fold(options);
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
        stem_(register_module("stem", ConvNorm(3, kStemChannels, 3, 2, 1, config.batch_norm_eps))) {
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
    auto x = torch::relu6(stem_->forward(picture.contiguous(torch::MemoryFormat::ChannelsLast)));
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

  void prepare_for_inference(int, const torch::TensorOptions& options) override {
    stem_->fold(options);
    for (auto& block : blocks_) block->fold(options);
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
