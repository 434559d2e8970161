/// LibTorch's operators that take weights in oneDNN's own order. They are known by name only.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/types.h>

#include <optional>

namespace vostrack::nn {

/// Parameters of an activation.
using OneDnnScalars = c10::List<std::optional<at::Scalar>>;

/// Whether LibTorch has oneDNN and uses it for such tensors.
inline bool has_onednn(const torch::Tensor& tensor) {
  return at::globalContext().hasMKLDNN() && at::globalContext().userEnabledMkldnn() &&
         tensor.is_cpu();
}

template <class Signature>
std::optional<c10::TypedOperatorHandle<Signature>> find_operator(const char* name) {
  const auto found = c10::Dispatcher::singleton().findSchema({name, ""});
  if (!found) return std::nullopt;
  return found->typed<Signature>();
}

}  // namespace vostrack::nn
