#include "train/frame_encoder.hpp"

#include <algorithm>

#include "train/autocast.hpp"

namespace vostrack::train {
namespace {

std::vector<torch::Tensor> tensors_of(const nn::ImageFeatures& features) {
  std::vector<torch::Tensor> all{features.coarse};
  all.insert(all.end(), features.high_res.begin(), features.high_res.end());
  return all;
}

}  // namespace

FrameEncoder::FrameEncoder(const nn::Model& model, const Batch& batch,
                           const EncoderOptions& options)
    : model_(model),
      frames_(batch.frames.flatten(0, 1)),
      length_(batch.length()),
      options_(options) {
  const auto count = frames_.size(0);
  if (!options_.recompute) {
    all_ = encode(0, count);
    return;
  }
  torch::NoGradGuard no_grad;
  std::vector<std::vector<torch::Tensor>> parts;
  for (std::int64_t first = 0; first < count; first += options_.frames_at_once) {
    const auto part = tensors_of(encode(first, std::min(count, first + options_.frames_at_once)));
    parts.resize(part.size());
    for (std::size_t i = 0; i < part.size(); ++i) parts[i].push_back(part[i]);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto joined = torch::cat(parts[i]).requires_grad_(true);
    if (i == 0)
      all_.coarse = joined;
    else
      all_.high_res.push_back(joined);
  }
}

nn::ImageFeatures FrameEncoder::encode(std::int64_t first, std::int64_t last) const {
  Autocast precision(frames_.device(), options_.bfloat16);
  return model_.encode(model_.normalise(frames_.slice(0, first, last)));
}

nn::ImageFeatures FrameEncoder::features(std::int64_t frame, const torch::Tensor& clips) const {
  const auto rows = clips * length_ + frame;
  nn::ImageFeatures chosen;
  chosen.coarse = all_.coarse.index_select(0, rows);
  for (const auto& level : all_.high_res) chosen.high_res.push_back(level.index_select(0, rows));
  return chosen;
}

void FrameEncoder::backward() {
  if (!options_.recompute) return;
  const auto leaves = tensors_of(all_);
  const auto count = frames_.size(0);
  for (std::int64_t first = 0; first < count; first += options_.frames_at_once) {
    const auto last = std::min(count, first + options_.frames_at_once);
    const auto again = tensors_of(encode(first, last));
    std::vector<torch::Tensor> outputs, gradients;
    for (std::size_t i = 0; i < again.size(); ++i) {
      if (!again[i].requires_grad() || !leaves[i].grad().defined()) continue;
      outputs.push_back(again[i]);
      gradients.push_back(leaves[i].grad().slice(0, first, last));
    }
    if (!outputs.empty()) torch::autograd::backward(outputs, gradients);
  }
}

}  // namespace vostrack::train
