#include "nn/position_encoding.hpp"

#include <numbers>

namespace vostrack::nn {
namespace {

constexpr double kTwoPi = 2 * std::numbers::pi;

/// Wavelengths: each is used twice, for a sine and a cosine.
torch::Tensor wavelengths(int count, double temperature = 10000) {
  auto index = torch::arange(count, torch::kFloat32);
  return torch::pow(temperature, 2 * torch::floor(index / 2) / count);
}

}  // namespace

torch::Tensor sine_encoding_2d(const SineEncodingConfig& config, int channels, int height,
                               int width) {
  const int half = channels / 2;
  auto y = torch::arange(1, height + 1, torch::kFloat32);
  auto x = torch::arange(1, width + 1, torch::kFloat32);
  if (config.normalize) {
    const double scale = config.scale.value_or(kTwoPi);
    y = y / (y[height - 1] + 1e-6) * scale;
    x = x / (x[width - 1] + 1e-6) * scale;
  }
  const auto encode = [&](const torch::Tensor& position) {
    auto phase = position.unsqueeze(1) / wavelengths(half, config.temperature);  // (N, half)
    using torch::indexing::None;
    using torch::indexing::Slice;
    return torch::stack({phase.index({Slice(), Slice(0, None, 2)}).sin(),
                         phase.index({Slice(), Slice(1, None, 2)}).cos()},
                        2)
        .flatten(1)
        .transpose(0, 1);  // (half, N)
  };
  return torch::cat({encode(y).unsqueeze(2).expand({half, height, width}),
                     encode(x).unsqueeze(1).expand({half, height, width})});
}

torch::Tensor sine_encoding_1d(const torch::Tensor& positions, int channels) {
  auto phase = positions.unsqueeze(-1) / wavelengths(channels / 2).to(positions.device());
  return torch::cat({phase.sin(), phase.cos()}, -1);
}

RotaryTable rotary_table(int channels, int width, int height, double theta) {
  auto cell = torch::arange(width * height, torch::kFloat32);
  return rotary_table(channels, torch::remainder(cell, width), torch::floor(cell / width), theta);
}

RotaryTable rotary_table(int channels, const torch::Tensor& x, const torch::Tensor& y,
                         double theta) {
  auto frequencies =
      1.0 / torch::pow(theta, torch::arange(0, channels, 4, torch::kFloat32) / channels);
  frequencies = frequencies.to(x.device());
  auto angle = torch::cat({torch::outer(x, frequencies), torch::outer(y, frequencies)}, 1);
  return {angle.cos(), angle.sin()};
}

torch::Tensor apply_rotary(const torch::Tensor& x, const RotaryTable& table) {
  const auto grid = table.cos.size(-2);
  const auto pairs = table.cos.size(-1);
  const auto split =
      x.to(torch::kFloat32).reshape({x.size(0), x.size(1), x.size(2) / grid, grid, pairs, 2});
  // Products of complex numbers are one pass; halves of pairs apart are seven.
  const auto turned = torch::view_as_complex(split) * torch::complex(table.cos, table.sin);
  return torch::view_as_real(turned).reshape(x.sizes()).to(x.scalar_type());
}

RandomPositionEncodingImpl::RandomPositionEncodingImpl(int features)
    : positional_encoding_gaussian_matrix(
          register_buffer("positional_encoding_gaussian_matrix", torch::randn({2, features}))) {}

torch::Tensor RandomPositionEncodingImpl::encode(const torch::Tensor& points) {
  // Eight bits are too few for a place: training in mixed precision must not round it.
  c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  auto phase = kTwoPi * torch::matmul(2 * points - 1, positional_encoding_gaussian_matrix);
  return torch::cat({phase.sin(), phase.cos()}, -1);
}

torch::Tensor RandomPositionEncodingImpl::encode_grid(int size) {
  const auto options =
      torch::TensorOptions(torch::kFloat32).device(positional_encoding_gaussian_matrix.device());
  auto centre = (torch::arange(1, size + 1, options) - 0.5) / size;
  auto x = centre.unsqueeze(0).expand({size, size});
  auto y = centre.unsqueeze(1).expand({size, size});
  return encode(torch::stack({x, y}, -1)).permute({2, 0, 1}).unsqueeze(0);
}

}  // namespace vostrack::nn
