#include "train/losses.hpp"

#include <optional>

#include "base/check.hpp"
#include "nn/layers.hpp"

namespace vostrack::train {
namespace {

constexpr int kIgnored = 255;

void check_weight(const char* name, double value) {
  check(value >= 0, ErrorCode::kInvalidArgument, "loss.{} is {}, want at least 0", name, value);
}

/// Element-wise focal loss (arXiv 1708.02002, equation 5).
torch::Tensor focal_loss(const torch::Tensor& logits, const torch::Tensor& target, double alpha,
                         double gamma) {
  // Cross-entropy of a logit z that ought to be large: softplus(-z), and 1 - p = sigmoid(-z).
  const auto wrong = logits * (1 - 2 * target);
  auto loss = torch::softplus(wrong);
  if (gamma != 0) {
    const auto miss = torch::sigmoid(wrong);
    loss = loss * (gamma == 2 ? miss * miss : torch::pow(miss, gamma));
  }
  if (alpha >= 0) loss = loss * (alpha * target + (1 - alpha) * (1 - target));
  return loss;
}

struct StepLosses {
  torch::Tensor focal, dice, iou, object;
};

/// (B, S, S) bool → (B, S / by, S / by) float32: shares of squares of `by` pixels a side.
torch::Tensor shares(const torch::Tensor& pixels, int by) {
  const auto values = pixels.to(torch::kFloat32);
  return by == 1 ? values : torch::avg_pool2d(values, by);
}

/// What a step's masks are compared with.
struct Target {
  Target(const torch::Tensor& truth, int reduction)
      : size(truth.size(-1) / reduction),
        known((shares(truth != kIgnored, reduction) >= 0.5).flatten(1).unsqueeze(1)),
        on((shares(truth == 1, reduction) >= 0.5).flatten(1).unsqueeze(1).logical_and(known)),
        value(on.to(torch::kFloat32)),
        valid(known.to(torch::kFloat32)),
        pixels(valid.sum(-1).clamp_min(1)),
        area(value.sum(-1)) {}

  /// (B, M, s, s) → (B, M, P)
  torch::Tensor resized(const torch::Tensor& masks) const {
    const auto logits = masks.to(torch::kFloat32);
    return (logits.size(-1) == size ? logits : nn::resize_bilinear(logits, size, size)).flatten(2);
  }

  std::int64_t size;
  torch::Tensor known, on;     ///< (B, 1, P) bool
  torch::Tensor value, valid;  ///< (B, 1, P) float32
  torch::Tensor pixels, area;  ///< (B, 1) float32
};

struct MaskLosses {
  torch::Tensor focal, dice;  ///< (B, M)
};

MaskLosses mask_losses(const torch::Tensor& logits, const Target& target, double alpha,
                       double gamma) {
  const auto focal = focal_loss(logits, target.value, alpha, gamma);
  const auto probability = torch::sigmoid(logits) * target.valid;
  return {
      (focal * target.valid).sum(-1) / target.pixels,
      1 - (2 * (probability * target.value).sum(-1) + 1) / (probability.sum(-1) + target.area + 1)};
}

/// IoU of masks with the truth: (B, M).
torch::Tensor actual_iou(const torch::Tensor& logits, const Target& target) {
  // Counted in float32, exact for fewer than 2^24 pixels: sums of bools are copied as int64 first.
  const auto predicted = (logits > 0).to(torch::kFloat32) * target.valid;
  const auto both = (predicted * target.value).sum(-1);
  return both / (predicted.sum(-1) + target.area - both).clamp_min(1);
}

StepLosses losses_of(const LossConfig& config, const Step& step, const Target& target,
                     bool predicts_objects) {
  // What is compared at a part of the size need not be enlarged to all of it.
  const bool whole = config.reduction == 1 && step.enlarged.defined();
  auto masks = !config.blank_absent ? step.decoded : whole ? step.enlarged : step.masks;
  const double alpha = masks.size(1) == 1 ? config.single_focal_alpha : config.focal_alpha;
  torch::Tensor actual, best;
  {
    // Only the best proposal gets gradients, so the others are looked at without.
    torch::NoGradGuard no_grad;
    const auto logits = target.resized(masks.detach());
    actual = actual_iou(logits, target);
    if (masks.size(1) > 1) {
      const auto all = mask_losses(logits, target, alpha, config.focal_gamma);
      best = (config.focal_weight * all.focal + config.dice_weight * all.dice)
                 .argmin(1, /*keepdim=*/true);
    }
  }
  const auto error = step.ious.to(torch::kFloat32) - actual;
  auto iou = config.iou_l1 ? error.abs() : error.square();
  if (best.defined()) {
    masks = masks.take_along_dim(best.view({-1, 1, 1, 1}), 1);
    iou = config.iou_of_all ? iou.mean(1, /*keepdim=*/true) : iou.gather(1, best);
  }
  const auto [focal, dice] =
      mask_losses(target.resized(masks), target, alpha, config.focal_gamma);
  if (!predicts_objects)
    return {focal.sum(), dice.sum(), iou.sum(), torch::zeros({}, focal.options())};

  const auto present = target.on.any(-1).to(torch::kFloat32);  // (B, 1)
  // Where everything is to be ignored, nothing is known of the object's presence either.
  const auto judged = target.known.any(-1).to(torch::kFloat32);
  const auto object = focal_loss(step.object_score.to(torch::kFloat32), present,
                                 config.object_alpha, config.object_gamma);
  return {(focal * present).sum(), (dice * present).sum(), (iou * present).sum(),
          (object * judged).sum()};
}

}  // namespace

void LossConfig::validate() const {
  check_weight("focal_weight", focal_weight);
  check_weight("dice_weight", dice_weight);
  check_weight("iou_weight", iou_weight);
  check_weight("object_weight", object_weight);
  check_weight("focal_gamma", focal_gamma);
  check_weight("object_gamma", object_gamma);
  check(reduction == 1 || reduction == 2 || reduction == 4, ErrorCode::kInvalidArgument,
        "loss.reduction is {}, want 1, 2 or 4", reduction);
}

Losses compute_losses(const LossConfig& config, const std::vector<Step>& steps, double objects,
                      bool predicts_objects) {
  VOSTRACK_ASSERT(!steps.empty() && objects > 0);
  Losses sum;
  std::optional<Target> target;
  const Step* last = nullptr;
  for (const Step& step : steps) {
    // Corrections are compared with what the answer before them was.
    if (last == nullptr || !step.truth.is_same(last->truth))
      target.emplace(step.truth, config.reduction);
    last = &step;
    const auto one = losses_of(config, step, *target, predicts_objects);
    const auto add = [](torch::Tensor& total, const torch::Tensor& value) {
      total = total.defined() ? total + value : value;
    };
    add(sum.focal, one.focal);
    add(sum.dice, one.dice);
    add(sum.iou, one.iou);
    add(sum.object, one.object);
  }
  for (auto* loss : {&sum.focal, &sum.dice, &sum.iou, &sum.object}) *loss = *loss / objects;
  sum.total = config.focal_weight * sum.focal + config.dice_weight * sum.dice +
              config.iou_weight * sum.iou + config.object_weight * sum.object;
  return sum;
}

}  // namespace vostrack::train
