/// What attention looks at of one object.
#pragma once

#include <torch/types.h>

#include <optional>
#include <vector>

namespace vostrack::nn {

/// Where keys of memories stand when there are fewer of them than cells in the grid: some of the
/// cells, or means of several. The same for all memories of an object, so that they can be worked
/// on place by place.
struct MemoryPlaces {
  torch::Tensor x, y;    ///< (P) int32, in half cells: the mean of two cells stands between them
  torch::Tensor counts;  ///< (P) float32, above 0: how many keys each of them counts for
  torch::Tensor pos;     ///< (1, P, c) float32: the grid's position encoding, there
};

/// One object's memories.
struct MemoryTokens {
  /// (1, c, h, w) each, or (1, c, P) with `places`; in training (B, c, h, w).
  std::vector<torch::Tensor> grids;
  std::vector<torch::Tensor> times;    ///< as many: (1, 1, c) float32, their encoding in time
  torch::Tensor pointers;              ///< (1, N, c) float32, or undefined
  torch::Tensor pointer_times;         ///< (1, N, c) float32, with `pointers`
  std::optional<MemoryPlaces> places;  ///< nothing: every cell of the grid
};

}  // namespace vostrack::nn
