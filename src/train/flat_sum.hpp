/// What ways of adding up over processes share.
#pragma once

#include <torch/torch.h>

#include <chrono>
#include <string_view>
#include <vector>

#include "base/check.hpp"

namespace vostrack::train {

/// As long as the first process may take for a validation, while the others wait.
inline constexpr std::chrono::minutes kPatience{60};

/// Calls `work`; what LibTorch throws becomes an error of kIo.
template <class Work>
auto or_io_error(const char* what, const Work& work) {
  try {
    return work();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    const std::string_view text = error.what();
    fail(ErrorCode::kIo, "{}: {}", what, text.substr(0, text.find('\n')));
  }
}

/// Has all tensors' numbers added up at once, as one row.
///
/// @param device  of the row
/// @param sum  takes the row and puts the sums into it
template <class Sum>
void sum_flat(std::vector<torch::Tensor>& tensors, torch::Device device, const Sum& sum) {
  if (tensors.empty()) return;
  torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> flat;
  for (const auto& tensor : tensors) {
    VOSTRACK_ASSERT(tensor.scalar_type() == tensors[0].scalar_type());
    flat.push_back(tensor.detach().reshape({-1}).to(device));
  }
  auto numbers = torch::cat(flat);
  or_io_error("another process is gone", [&] { sum(numbers); });
  std::int64_t offset = 0;
  for (auto& tensor : tensors) {
    tensor.copy_(numbers.slice(0, offset, offset + tensor.numel()).view(tensor.sizes()));
    offset += tensor.numel();
  }
}

}  // namespace vostrack::train
