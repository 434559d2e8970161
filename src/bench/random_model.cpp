#include "bench/random_model.hpp"

#include <algorithm>

namespace vostrack::bench {
namespace {
constexpr double kPresent = 5.0;  ///< bias of the object score
}

std::shared_ptr<const nn::Model> random_model(nn::ModelConfig config,
                                              const nn::RuntimeOptions& runtime) {
  torch::manual_seed(1);
  nn::Network network(config);
  nn::StateDict state = nn::weights_of(*network);
  for (const char* name : {"sam_mask_decoder.pred_obj_score_head.layers.2.bias",
                           "sam_mask_decoder.pred_obj_score_head.bias"})
    if (const auto it = state.tensors.find(name); it != state.tensors.end())
      it->second.fill_(kPresent);
  return std::make_shared<const nn::Model>(std::move(config), state, runtime, "random weights");
}

}  // namespace vostrack::bench
