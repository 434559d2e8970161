/// Attention to memories with a third of the arithmetic, on CPUs.
///
/// Keys and values come from memories of c channels through projections to d; c is a quarter of d
/// in the published models. Both halves of the attention can be done at width c, equal to the plain
/// form up to rounding:
///
/// - Weights sum to one, so averaging the projected memories is projecting their average.
/// - A key at (x, y) is R(x, y) (W m + b), where the first half of the channels turns with x alone
///   and the second with y alone. So a turned query's score is (A[x] + B[y]) · [m, 1], with
///   A[x] = [W, b]₁ᵀ R(x)ᵀ q₁ and B[y] = [W, b]₂ᵀ R(y)ᵀ q₂: two small tables for each query, then
///   for each place one sum that all memories share there.
/// - Turned by r to either side of the middle of all coordinates, q₁ differs in the sign of sin r
///   alone, so that two coordinates' tables share their products.
/// - Object pointers are not turned: for them the sum is A[0] + B[0].
/// - A key that counts for n of them has log n more of a score. Tables have only the coordinates at
///   which keys stand.
///
/// Everything is computed in float32, whatever the model's dtype. What comes out for an object does
/// not depend on the others of its batch, nor on the number of threads.
#pragma once

#include <torch/nn.h>

#include <span>
#include <vector>

#include "nn/factored_kernel.hpp"
#include "nn/memory_tokens.hpp"
#include "nn/position_encoding.hpp"

namespace vostrack::nn {

/// One object's memories in the order in which the kernel reads them; for all layers.
class PackedMemory {
 public:
  /// @param tokens  on the CPU, with at least one grid or pointer
  /// @param grid_pos  (1, h·w, c) float32, added to all grids' keys
  /// @param encode  whether keys carry positions and times at all
  PackedMemory(const MemoryTokens& tokens, const torch::Tensor& grid_pos, bool encode);
  PackedMemory(PackedMemory&&) = default;
  PackedMemory& operator=(PackedMemory&&) = default;

  std::span<const KeyRun> runs() const { return runs_; }
  KeyCoordinates coordinates() const;

 private:
  void place(const MemoryTokens& tokens);
  /// Square by square instead of row by row.
  void order_places();
  float* add_run(int slots, std::int64_t places, const KeyPlace* at, int width);
  void add_grids(std::span<const torch::Tensor> grids, std::span<const torch::Tensor> times,
                 const torch::Tensor& grid_pos, bool encode);
  void add_pointers(const torch::Tensor& pointers, const torch::Tensor& times, bool encode);

  std::vector<KeyRun> runs_;      ///< pointing into the others
  std::vector<KeyPlace> places_;  ///< of every grid, in the order in which they are visited
  std::vector<std::int32_t> cells_;  ///< which of the grid's cells these are
  std::vector<int> x_, y_;        ///< coordinates
  std::vector<torch::Tensor> storage_;
};

/// One layer's weights, prepared.
class FactoredAttention {
 public:
  /// @param key, value, out  the projections of a layer with one head, on the CPU
  /// @param table, theta  of the grid that queries and memories stand on
  FactoredAttention(torch::nn::LinearImpl& key, torch::nn::LinearImpl& value,
                    torch::nn::LinearImpl& out, const RotaryTable& table, int grid_width,
                    int grid_height, double theta);

  /// @param queries  (1 or B, grid, d), projected but not turned
  /// @param objects  B of them; grids as large as the table's
  /// @param kernel  for tests; the fastest one by default
  /// @return (B, grid, C) in the queries' dtype, after the output projection
  torch::Tensor forward(const torch::Tensor& queries, std::span<const PackedMemory> objects,
                        const AttendKernel* kernel = nullptr) const;

 private:
  FactoredLayer layer_;
  torch::Tensor weight_x_, weight_y_, cos_, sin_;
  RotaryTable quarter_cells_;
  torch::Tensor out_weight_, out_bias_;  ///< values' and output projection in one
};

/// The variants that this processor can run, fastest first.
std::span<const AttendKernel> attend_variants();

}  // namespace vostrack::nn
