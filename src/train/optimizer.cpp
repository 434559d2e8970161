#include "train/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "base/check.hpp"

namespace vostrack::train {
namespace {

void check_range(const char* name, double value, double first, double last) {
  check(value >= first && value <= last, ErrorCode::kInvalidArgument,
        "optimizer.{} is {}, want {} to {}", name, value, first, last);
}

struct Tensors {
  std::vector<torch::Tensor> values, gradients, first, second, steps;
};

}  // namespace

void OptimizerConfig::validate() const {
  check_range("learning_rate", learning_rate, 0, 1);
  check_range("final_rate", final_rate, 0, 1);
  check_range("beta1", beta1, 0, 0.99999);
  check_range("beta2", beta2, 0, 0.99999);
  check_range("epsilon", epsilon, 0, 1);
  check_range("average", average, 0, 0.99999999);
  check(warmup_steps >= 0, ErrorCode::kInvalidArgument,
        "optimizer.warmup_steps is {}, want at least 0", warmup_steps);
  check(clip_norm >= 0, ErrorCode::kInvalidArgument, "optimizer.clip_norm is {}, want at least 0",
        clip_norm);
}

double learning_rate(const OptimizerConfig& config, std::int64_t step, std::int64_t steps) {
  if (step < config.warmup_steps)
    return config.learning_rate * static_cast<double>(step + 1) /
           static_cast<double>(config.warmup_steps);
  const double length = static_cast<double>(std::max<std::int64_t>(1, steps - config.warmup_steps));
  const double where = std::min(1.0, static_cast<double>(step - config.warmup_steps) / length);
  const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * where));
  return config.learning_rate * (config.final_rate + (1 - config.final_rate) * cosine);
}

Optimizer::Optimizer(const OptimizerConfig& config, std::vector<TrainedParameter> parameters)
    : config_(config), parameters_(std::move(parameters)) {
  config_.validate();
  for (const auto& parameter : parameters_) {
    const auto value = parameter.value.detach();
    first_.push_back(torch::zeros_like(value));
    second_.push_back(torch::zeros_like(value));
    if (config_.average > 0) average_.push_back(value.clone());
  }
}

void Optimizer::clear_gradients() {
  for (auto& parameter : parameters_) parameter.value.mutable_grad().reset();
}

double Optimizer::clip() {
  torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> gradients;
  for (const auto& parameter : parameters_)
    if (parameter.value.grad().defined()) gradients.push_back(parameter.value.grad());
  if (gradients.empty()) return 0;
  const double norm = torch::stack(at::_foreach_norm(gradients)).norm().item<double>();
  if (config_.clip_norm > 0 && norm > config_.clip_norm)
    at::_foreach_mul_(gradients, config_.clip_norm / (norm + 1e-6));
  return norm;
}

void Optimizer::step(double rate) {
  torch::NoGradGuard no_grad;
  ++taken_;
  // The kernel reads how many steps were taken, this one included.
  const auto taken = torch::full({}, static_cast<double>(taken_),
                                 parameters_.front().value.options().dtype(torch::kFloat32));
  std::map<std::pair<double, double>, Tensors> alike;  // by factor and weight decay
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto& parameter = parameters_[i];
    auto& group = alike[{parameter.rate, parameter.weight_decay}];
    const auto& gradient = parameter.value.grad();
    group.values.push_back(parameter.value);
    group.gradients.push_back(gradient.defined() ? gradient : torch::zeros_like(parameter.value));
    group.first.push_back(first_[i]);
    group.second.push_back(second_[i]);
    group.steps.push_back(taken);
  }
  for (auto& [factors, group] : alike)
    at::_fused_adamw_(group.values, group.gradients, group.first, group.second, {}, group.steps,
                      rate * factors.first, config_.beta1, config_.beta2, factors.second,
                      config_.epsilon, /*amsgrad=*/false, /*maximize=*/false);
  if (average_.empty()) return;
  // Young averages follow faster, or the first weights would stay in them for long.
  const double steps = static_cast<double>(taken_);
  const double decay = std::min(config_.average, (1 + steps) / (10 + steps));
  std::vector<torch::Tensor> values;
  for (const auto& parameter : parameters_) values.push_back(parameter.value);
  at::_foreach_lerp_(average_, values, 1 - decay);
}

std::vector<torch::Tensor> Optimizer::averages() const {
  if (!average_.empty()) return average_;
  std::vector<torch::Tensor> values;
  for (const auto& parameter : parameters_) values.push_back(parameter.value.detach());
  return values;
}

void Optimizer::save(nn::StateDict& state) const {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::string& name = parameters_[i].name;
    state.tensors["exp_avg/" + name] = first_[i];
    state.tensors["exp_avg_sq/" + name] = second_[i];
    if (!average_.empty()) state.tensors["average/" + name] = average_[i];
  }
  state.tensors["taken"] = torch::full({}, taken_, torch::kInt64);
}

void Optimizer::load(const nn::StateDict& state) {
  torch::NoGradGuard no_grad;
  const auto find = [&](const std::string& name, const torch::Tensor& like) {
    const auto it = state.tensors.find(name);
    check(it != state.tensors.end(), ErrorCode::kModelMismatch, "checkpoint: {} is missing", name);
    check(it->second.sizes() == like.sizes(), ErrorCode::kModelMismatch,
          "checkpoint: {} has another shape", name);
    return it->second;
  };
  // All are looked up before any is changed.
  std::vector<std::pair<torch::Tensor, torch::Tensor>> copies;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::string& name = parameters_[i].name;
    copies.emplace_back(first_[i], find("exp_avg/" + name, first_[i]));
    copies.emplace_back(second_[i], find("exp_avg_sq/" + name, second_[i]));
    if (!average_.empty()) copies.emplace_back(average_[i], find("average/" + name, average_[i]));
  }
  const auto taken = find("taken", torch::zeros({}));
  for (auto& [to, from] : copies) to.copy_(from);
  taken_ = taken.item<std::int64_t>();
}

}  // namespace vostrack::train
