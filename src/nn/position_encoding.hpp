/// Position encodings. All are constants of a size: compute once, keep.
#pragma once

#include <torch/nn.h>

#include "nn/model_config.hpp"

namespace vostrack::nn {

/// Sine encoding of a grid, y before x.
///
/// @return (channels, height, width) float32
///
/// Source: sam2/modeling/position_encoding.py, PositionEmbeddingSine
torch::Tensor sine_encoding_2d(const SineEncodingConfig& config, int channels, int height,
                               int width);

/// Sine encoding of positions on a line.
///
/// @param positions  (N,) float32
/// @return (N, channels) float32
///
/// Source: sam2/modeling/sam2_utils.py, get_1d_sine_pe
torch::Tensor sine_encoding_1d(const torch::Tensor& positions, int channels);

/// Rotary tables of a grid, in real arithmetic: half of the pairs of channels turn with x, half
/// with y.
struct RotaryTable {
  torch::Tensor cos;  ///< (height · width, channels / 2) float32
  torch::Tensor sin;  ///< the same

  RotaryTable to(torch::Device device) const { return {cos.to(device), sin.to(device)}; }
};

/// Source: sam2/modeling/position_encoding.py, compute_axial_cis
RotaryTable rotary_table(int channels, int width, int height, double theta);

/// The same for any places.
///
/// @param x, y  (P) float32, in cells of the grid
/// @return (P, channels / 2)
RotaryTable rotary_table(int channels, const torch::Tensor& x, const torch::Tensor& y,
                         double theta);

/// Turns pairs of channels.
///
/// @param x  (B, heads, repeats · grid, channels); the table is used again for each repeat
/// @param table  (grid, channels / 2), or one for each of the batch, (B, 1, 1, grid, channels / 2)
/// @return the same shape and dtype
torch::Tensor apply_rotary(const torch::Tensor& x, const RotaryTable& table);

/// Encoding of points by random frequencies.
///
/// Source: sam2/modeling/position_encoding.py, PositionEmbeddingRandom
class RandomPositionEncodingImpl : public torch::nn::Module {
 public:
  explicit RandomPositionEncodingImpl(int features);
  /// @param points  (…, 2), x then y, 0 to 1
  /// @return (…, 2 · features) float32
  torch::Tensor encode(const torch::Tensor& points);
  /// Encoding of the centres of a grid's cells.
  ///
  /// @return (1, 2 · features, size, size) float32
  torch::Tensor encode_grid(int size);

 private:
  torch::Tensor positional_encoding_gaussian_matrix;
};
TORCH_MODULE(RandomPositionEncoding);

}  // namespace vostrack::nn
