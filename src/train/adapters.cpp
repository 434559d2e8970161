#include "train/adapters.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace vostrack::train {

void AdapterOptions::validate() const {
  check(rank >= 0, ErrorCode::kInvalidArgument, "adapters.rank is {}, want at least 0", rank);
  check(alpha > 0, ErrorCode::kInvalidArgument, "adapters.alpha is {}, want above 0", alpha);
}

Adapters::Adapters(torch::nn::Module& network, const AdapterOptions& options) {
  options.validate();
  if (options.rank == 0) return;
  scale_ = options.alpha / options.rank;
  std::vector<int> found(options.layers.size());
  for (const auto& item : network.named_modules("", /*include_self=*/false)) {
    auto linear = std::dynamic_pointer_cast<torch::nn::LinearImpl>(item.value());
    if (!linear) continue;
    bool wanted = false;
    for (std::size_t i = 0; i < options.layers.size(); ++i)
      if (matches(item.key(), options.layers[i])) wanted = ++found[i];
    if (!wanted) continue;
    const auto plain = linear->weight;
    // `up` starts at zero, so that training starts from the network as it is.
    auto down = torch::randn({options.rank, plain.size(1)}, plain.options().requires_grad(false)) /
                std::sqrt(static_cast<double>(plain.size(1)));
    auto up = torch::zeros({plain.size(0), options.rank}, plain.options().requires_grad(false));
    layers_.push_back(
        {item.key(), linear, plain, down.set_requires_grad(true), up.set_requires_grad(true)});
  }
  for (std::size_t i = 0; i < found.size(); ++i)
    check(found[i] > 0, ErrorCode::kInvalidArgument,
          "adapters.layers: no linear layer is called {}", options.layers[i]);
  for (auto& parameter : network.parameters()) parameter.set_requires_grad(false);
}

Adapters::~Adapters() {
  for (auto& layer : layers_) layer.linear->weight = layer.plain;
}

std::vector<TrainedParameter> Adapters::parameters(double weight_decay) const {
  std::vector<TrainedParameter> parameters;
  for (const Layer& layer : layers_) {
    parameters.push_back({"adapter." + layer.name + ".down", layer.down, 1.0, weight_decay});
    parameters.push_back({"adapter." + layer.name + ".up", layer.up, 1.0, weight_decay});
  }
  return parameters;
}

void Adapters::apply() {
  // The registered parameter stays `plain`; forward functions read this member.
  for (auto& layer : layers_)
    layer.linear->weight = layer.plain + scale_ * torch::mm(layer.up, layer.down);
}

void Adapters::merge(nn::StateDict& state, const std::vector<torch::Tensor>& values) const {
  torch::NoGradGuard no_grad;
  VOSTRACK_ASSERT(values.size() == 2 * layers_.size());
  for (std::size_t i = 0; i < layers_.size(); ++i)
    state.tensors.at(layers_[i].name + ".weight") =
        layers_[i].plain + scale_ * torch::mm(values[2 * i + 1], values[2 * i]);
}

}  // namespace vostrack::train
