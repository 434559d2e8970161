/// What a checkpoint holds: tensors by name, and text about them.
#pragma once

#include <torch/types.h>

#include <map>
#include <string>

namespace vostrack::nn {

struct StateDict {
  std::map<std::string, torch::Tensor> tensors;
  /// The header's text entries (safetensors `__metadata__`); `config` is the model's
  /// configuration as JSON.
  std::map<std::string, std::string> metadata;
};

}  // namespace vostrack::nn
