#include "train/losses.hpp"

#include "base/check.hpp"

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

StepLosses losses_of(const LossConfig& config, const Step& step, bool predicts_objects) {
  const auto logits = step.masks.to(torch::kFloat32).flatten(2);        // (B, M, P)
  const auto known = (step.truth != kIgnored).flatten(1).unsqueeze(1);  // (B, 1, P)
  const auto on = (step.truth == 1).flatten(1).unsqueeze(1);
  const auto target = on.to(torch::kFloat32);
  const auto valid = known.to(torch::kFloat32);
  const auto pixels = valid.sum(-1).clamp_min(1);

  auto focal =
      (focal_loss(logits, target, config.focal_alpha, config.focal_gamma) * valid).sum(-1) /
      pixels;  // (B, M)
  const auto probability = torch::sigmoid(logits) * valid;
  auto dice =
      1 - (2 * (probability * target).sum(-1) + 1) / (probability.sum(-1) + target.sum(-1) + 1);

  torch::Tensor actual;
  {
    torch::NoGradGuard no_grad;
    const auto predicted = (logits > 0).logical_and(known);
    actual = predicted.logical_and(on).sum(-1).to(torch::kFloat32) /
             predicted.logical_or(on).sum(-1).to(torch::kFloat32).clamp_min(1);
  }
  const auto error = step.ious.to(torch::kFloat32) - actual;
  auto iou = config.iou_l1 ? error.abs() : error.square();

  if (focal.size(1) > 1) {
    const auto best = (config.focal_weight * focal + config.dice_weight * dice)
                          .detach()
                          .argmin(1, /*keepdim=*/true);
    focal = focal.gather(1, best);
    dice = dice.gather(1, best);
    iou = config.iou_of_all ? iou.mean(1, /*keepdim=*/true) : iou.gather(1, best);
  }
  const auto present = on.any(-1).to(torch::kFloat32);  // (B, 1)
  if (!predicts_objects)
    return {focal.sum(), dice.sum(), iou.sum(), torch::zeros({}, logits.options())};
  // Where everything is to be ignored, nothing is known of the object's presence either.
  const auto judged = known.any(-1).to(torch::kFloat32);
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
}

Losses compute_losses(const LossConfig& config, const std::vector<Step>& steps, double objects,
                      bool predicts_objects) {
  VOSTRACK_ASSERT(!steps.empty() && objects > 0);
  Losses sum;
  for (const Step& step : steps) {
    const auto one = losses_of(config, step, predicts_objects);
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
