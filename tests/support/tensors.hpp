/// Comparing tensors: a failure prints shapes, the worst place and both values.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

namespace vostrack::test {

/// Every element of `got` within `tolerance` of `want`'s.
inline ::testing::AssertionResult near(torch::Tensor got, torch::Tensor want, double tolerance) {
  torch::InferenceMode guard;
  if (got.sizes() != want.sizes())
    return ::testing::AssertionFailure()
           << fmt::format("is ({}), want ({})", fmt::join(got.sizes().vec(), ", "),
                          fmt::join(want.sizes().vec(), ", "));
  got = got.to(torch::kCPU, torch::kFloat64);
  want = want.to(torch::kCPU, torch::kFloat64);
  const auto off = (got - want).abs();
  if (off.numel() == 0 || (off <= tolerance).all().item<bool>())
    return ::testing::AssertionSuccess();
  const auto worst = off.nan_to_num(1e300).argmax().item<std::int64_t>();
  return ::testing::AssertionFailure() << fmt::format(
             "({}): element {} is {}, want {} within {}", fmt::join(got.sizes().vec(), ", "), worst,
             got.flatten()[worst].item<double>(), want.flatten()[worst].item<double>(), tolerance);
}

inline ::testing::AssertionResult same(const torch::Tensor& got, const torch::Tensor& want) {
  return near(got, want, 0);
}

inline double largest(const torch::Tensor& tensor) {
  return tensor.abs().max().item<double>();
}

}  // namespace vostrack::test
