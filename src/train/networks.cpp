#include "train/networks.hpp"

#include "base/check.hpp"

namespace vostrack::train {
namespace {

constexpr const char* kObjectScoreBiases[] = {
    "sam_mask_decoder.pred_obj_score_head.layers.2.bias",
    "sam_mask_decoder.pred_obj_score_head.bias",
};

}  // namespace

StartedNetwork start_network(const nn::ModelConfig& config, const nn::StateDict& given,
                             const StartOptions& options, const std::string& origin) {
  torch::manual_seed(options.seed);
  StartedNetwork started;
  started.network = nn::Network(config);
  torch::NoGradGuard no_grad;
  nn::StateDict weights = nn::weights_of(*started.network);
  for (const char* name : kObjectScoreBiases)
    if (auto it = weights.tensors.find(name); it != weights.tensors.end())
      it->second.fill_(options.object_score_bias);
  // What is given takes the place of what was made up; load_weights names whatever does not fit.
  nn::StateDict all = given;
  for (const auto& [name, tensor] : weights.tensors)
    if (all.tensors.emplace(name, tensor).second) started.fresh.push_back(name);
  nn::load_weights(*started.network, all, origin);
  started.network->train();
  return started;
}

void use_channels_last(nn::NetworkImpl& network) {
  torch::NoGradGuard no_grad;
  for (auto& parameter : network.image_encoder->trunk()->parameters())
    if (parameter.dim() == 4)
      parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
}

}  // namespace vostrack::train
