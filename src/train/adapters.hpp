/// Low-rank adapters: instead of a linear layer's weight W, two thin matrices are trained, and
/// W + (alpha / rank) · up · down is used.
///
/// Source: arXiv 2106.09685
#pragma once

#include <torch/nn.h>

#include <string>
#include <vector>

#include "nn/state_dict.hpp"
#include "train/parameters.hpp"

namespace vostrack::train {

struct AdapterOptions {
  int rank = 0;  ///< 0: no adapters
  double alpha = 16;
  /// Linear layers that get one: shell patterns on modules' names.
  std::vector<std::string> layers{"memory_attention.*", "sam_mask_decoder.transformer.*"};

  /// @throws Error kInvalidArgument naming field, value and rule
  void validate() const;
};

/// The network's own parameters are frozen and stay as they were; only what layers see changes.
/// Weights that are saved have the adapters in them, so they load as any others. Not thread-safe.
class Adapters {
 public:
  /// Without a rank there are none, and everything here does nothing.
  ///
  /// @throws Error kInvalidArgument when a pattern matches no linear layer
  Adapters(torch::nn::Module& network, const AdapterOptions& options);
  /// Gives the layers their own weights back.
  ~Adapters();
  Adapters(const Adapters&) = delete;
  Adapters& operator=(const Adapters&) = delete;

  bool empty() const { return layers_.empty(); }
  /// `adapter.LAYER.down` and `.up`
  std::vector<TrainedParameter> parameters(double weight_decay) const;
  /// Layers use W + up · down from here on, with gradients; again after each change.
  void apply();
  /// Puts merged weights in place of the plain ones in `state`.
  ///
  /// @param values  of parameters(), in their order: themselves or their average
  void merge(nn::StateDict& state, const std::vector<torch::Tensor>& values) const;

 private:
  struct Layer {
    std::string name;
    std::shared_ptr<torch::nn::LinearImpl> linear;
    torch::Tensor plain, down, up;  ///< (out, in), (rank, in), (out, rank)
  };
  double scale_ = 0;
  std::vector<Layer> layers_;
};

}  // namespace vostrack::train
