/// The inner loops of factored attention (factored_attention.hpp), one variant for each kind of
/// processor. Plain pointers only, so that a variant's file can be compiled for its processor
/// without a line of LibTorch's headers in it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vostrack::nn {

/// Keys that share a place in the grid and are multiplied together.
constexpr int kMaxSlots = 8;

/// Weights of one layer and the grid they are for. All float32.
struct FactoredLayer {
  int channels;      ///< of queries and keys, d
  int memory_width;  ///< of memories, c
  int grid_width, grid_height;
  /// The key projection and, as column c, its bias, (c + 1, d/2): the half of the channels that
  /// turns with x, then that with y.
  const float *weight_x, *weight_y;
  const float *cos, *sin;                  ///< rotary table of the grid: (grid, d/2)
  const float *quarter_cos, *quarter_sin;  ///< (·, d/2): row k is that of the place (k/4, k/4)
};

/// Where keys stand.
struct KeyPlace {
  int x, y;          ///< which of the object's coordinates
  float log2_count;  ///< of how many keys each key there counts for
};

/// Coordinates at which keys of an object stand, in half cells, ascending from 0.
struct KeyCoordinates {
  const int *x, *y;
  int x_count, y_count;
};

/// Keys of the same number of slots at each of several places.
struct KeyRun {
  int slots;  ///< 1 to kMaxSlots
  std::int64_t places;
  const KeyPlace* at;     ///< (places); or null, then keys are not turned
  const float* keys;      ///< (places, c, slots)
  const float* averaged;  ///< (places, c, slots): what the softmax averages
};

/// One object's attention.
struct FactoredJob {
  FactoredLayer layer;
  const float* queries;  ///< (count, d), not yet turned; query i stands at place i of the grid
  std::int64_t count;
  const KeyRun* runs;
  int run_count;
  KeyCoordinates coordinates;
  float* out;  ///< (count, c): averages of `averaged`
};

struct AttendKernel {
  const char* name;
  int block;  ///< queries that are worked on together, side by side in vectors
  /// Attends from the queries first ≤ i < min(first + block, count). What comes out for a query
  /// depends on nothing but its block.
  ///
  /// @param scratch  factored_scratch floats, aligned to 64 bytes
  void (*attend)(const FactoredJob& job, std::int64_t first, float* scratch);
};

extern const AttendKernel kAttendPortable, kAttendAvx2, kAttendAvx512;

/// Floats that AttendKernel::attend wants as scratch.
std::size_t factored_scratch(const AttendKernel& kernel, const FactoredLayer& layer,
                             const KeyCoordinates& coordinates);

}  // namespace vostrack::nn
