/// What training is fed with.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace vostrack::train {

/// A training example: a short clip with the masks of its objects.
struct Clip {
  torch::Tensor frames;  ///< (T, 3, S, S) uint8 RGB, square, already augmented and resized
  torch::Tensor masks;   ///< (T, N, S, S) uint8: 0 off, 1 on, 255 ignored in the loss
  bool single_picture = false;  ///< T == 1, many objects: prompts of one encoding
};

/// Thread-safe. The same (seed, index) gives the same clip, bit for bit.
class ClipSource {
 public:
  virtual ~ClipSource() = default;
  virtual Clip sample(std::uint64_t seed, std::int64_t index) const = 0;
};

}  // namespace vostrack::train
