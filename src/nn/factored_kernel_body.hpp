/// The one text of all variants of attend_block. A variant's file defines VOSTRACK_LANES (floats in
/// a vector) and, as many as the registers hold, VOSTRACK_VECTORS (vectors of queries) and
/// VOSTRACK_SLOTS (keys of a place) that are multiplied together; it includes this once and is
/// compiled for its processor.
///
/// As in vectors.hpp, everything is in an unnamed namespace.
#pragma once

#include "nn/factored_kernel.hpp"
#include "nn/vectors.hpp"

namespace vostrack::nn {
namespace {

constexpr int kVectors = VOSTRACK_VECTORS;
constexpr int kSlotsAtOnce = VOSTRACK_SLOTS;
constexpr int kStep = kLanes * kVectors;
/// Places whose scores are held before they are used: they should stay in the nearest cache.
constexpr int kChunk = 12;
static_assert(kQueryBlock % kStep == 0);

/// Dot products of `slots` keys with queries, the queries being a, or a + b.
///
/// @param a, b  (terms, kQueryBlock); with b there is one row more, where the products start
/// @param keys  (terms, slots)
/// @param more  with b: where they start besides
/// @param out  (slots, kQueryBlock)
template <int kSlots, bool kSum, int kFirst = 0>
void dot(const float* a, const float* b, const float* keys, int terms, float more, float* out) {
  constexpr int kLeft = kSlots - kFirst;
  constexpr int kCount = kLeft < kSlotsAtOnce ? kLeft : kSlotsAtOnce;
  for (int q = 0; q < kQueryBlock; q += kStep) {
    Vec sum[kVectors][kCount];
    for (int v = 0; v < kVectors; ++v) {
      Vec start = {};
      if constexpr (kSum) {
        const int at = terms * kQueryBlock + q + v * kLanes;
        start = load(a + at) + load(b + at) + splat(more);
      }
      for (int s = 0; s < kCount; ++s) sum[v][s] = start;
    }
    for (int t = 0; t < terms; ++t) {
      Vec query[kVectors];
      for (int v = 0; v < kVectors; ++v) {
        const int at = t * kQueryBlock + q + v * kLanes;
        query[v] = load(a + at);
        if constexpr (kSum) query[v] += load(b + at);
      }
      for (int s = 0; s < kCount; ++s) {
        const Vec key = splat(keys[t * kSlots + kFirst + s]);
        for (int v = 0; v < kVectors; ++v) sum[v][s] += query[v] * key;
      }
    }
    for (int v = 0; v < kVectors; ++v)
      for (int s = 0; s < kCount; ++s)
        store(out + (kFirst + s) * kQueryBlock + q + v * kLanes, sum[v][s]);
  }
  if constexpr (kCount < kLeft) dot<kSlots, kSum, kFirst + kCount>(a, b, keys, terms, more, out);
}

/// Adds `slots` rows of `averaged`, each times its weight.
///
/// @param weights  (slots, kQueryBlock)
/// @param averaged  (terms, slots)
/// @param sum  (terms, kQueryBlock)
template <int kSlots, int kFirst = 0>
void accumulate(const float* weights, const float* averaged, int terms, float* sum) {
  constexpr int kLeft = kSlots - kFirst;
  constexpr int kCount = kLeft < kSlotsAtOnce ? kLeft : kSlotsAtOnce;
  for (int q = 0; q < kQueryBlock; q += kStep) {
    Vec weight[kVectors][kCount];
    for (int v = 0; v < kVectors; ++v)
      for (int s = 0; s < kCount; ++s)
        weight[v][s] = load(weights + (kFirst + s) * kQueryBlock + q + v * kLanes);
    for (int t = 0; t < terms; ++t) {
      float* row = sum + t * kQueryBlock + q;
      Vec total[kVectors];
      for (int v = 0; v < kVectors; ++v) total[v] = load(row + v * kLanes);
      for (int s = 0; s < kCount; ++s) {
        const Vec value = splat(averaged[t * kSlots + kFirst + s]);
        for (int v = 0; v < kVectors; ++v) total[v] += weight[v][s] * value;
      }
      for (int v = 0; v < kVectors; ++v) store(row + v * kLanes, total[v]);
    }
  }
  if constexpr (kCount < kLeft)
    accumulate<kSlots, kFirst + kCount>(weights, averaged, terms, sum);
}

/// Calls `body` with the number of slots as a constant.
template <class Body>
inline void with_slots(int slots, const Body& body) {
  switch (slots) {
    case 1:
      return body.template run<1>();
    case 2:
      return body.template run<2>();
    case 3:
      return body.template run<3>();
    case 4:
      return body.template run<4>();
    case 5:
      return body.template run<5>();
    case 6:
      return body.template run<6>();
    case 7:
      return body.template run<7>();
    default:
      return body.template run<8>();
  }
}

struct Tables {
  float *x, *y;  ///< (coordinates, c + 1, kQueryBlock)
};

/// Softmax so far: the largest score and the sum of powers for each query, and the weighted sum.
struct Softmax {
  float* largest;  ///< (kQueryBlock)
  float* powers;   ///< (kQueryBlock)
  float* sum;      ///< (c, kQueryBlock)
  float* scores;   ///< (kChunk · kMaxSlots, kQueryBlock), of the chunk at hand
};

/// Turns a chunk's scores into weights against the largest score so far.
inline void weigh(int keys, int width, const Softmax& state) {
  for (int q = 0; q < kQueryBlock; q += kLanes) {
    const Vec before = load(state.largest + q);
    Vec largest = before;
    for (int k = 0; k < keys; ++k) {
      const Vec score = load(state.scores + k * kQueryBlock + q);
      largest = largest > score ? largest : score;
    }
    Vec powers = load(state.powers + q);
    bool grew = false;
    const IntVec more = largest != before;
    for (int lane = 0; lane < kLanes; ++lane) grew |= more[lane] != 0;
    if (grew) {
      const Vec shrink = exp2(before - largest);
      powers *= shrink;
      for (int t = 0; t < width; ++t) {
        float* row = state.sum + t * kQueryBlock + q;
        store(row, load(row) * shrink);
      }
      store(state.largest + q, largest);
    }
    for (int k = 0; k < keys; ++k) {
      float* score = state.scores + k * kQueryBlock + q;
      const Vec power = exp2(load(score) - largest);
      powers += power;
      store(score, power);
    }
    store(state.powers + q, powers);
  }
}

/// Attention to all keys of one run.
struct Attend {
  const FactoredLayer& layer;
  const KeyRun& keys;
  const Tables& tables;
  const Softmax& state;

  template <int kSlots>
  void run() const {
    const int width = layer.memory_width;
    const std::size_t table_row = static_cast<std::size_t>(width + 1) * kQueryBlock;
    const std::size_t place_size = static_cast<std::size_t>(width) * kSlots;
    for (std::int64_t first = 0; first < keys.places; first += kChunk) {
      const int places =
          static_cast<int>(keys.places - first < kChunk ? keys.places - first : kChunk);
      for (int i = 0; i < places; ++i) {
        const std::int64_t place = first + i;
        // The first coordinates are 0, which does not turn.
        const KeyPlace at = keys.at ? keys.at[place] : KeyPlace{0, 0, 0};
        dot<kSlots, true>(tables.x + static_cast<std::size_t>(at.x) * table_row,
                          tables.y + static_cast<std::size_t>(at.y) * table_row,
                          keys.keys + static_cast<std::size_t>(place) * place_size, width,
                          at.log2_count,
                          state.scores + static_cast<std::size_t>(i) * kSlots * kQueryBlock);
      }
      weigh(places * kSlots, width, state);
      for (int i = 0; i < places; ++i)
        accumulate<kSlots>(state.scores + static_cast<std::size_t>(i) * kSlots * kQueryBlock,
                           keys.averaged + static_cast<std::size_t>(first + i) * place_size, width,
                           state.sum);
    }
  }
};

/// One group of columns of a table.
struct Project {
  const float *turned, *weight;
  int terms;
  float* out;

  template <int kSlots>
  void run() const {
    dot<kSlots, false>(turned, nullptr, weight, terms, 0, out);
  }
};

/// The queries of a block as columns, turned by their own place, scaled for powers of two.
///
/// @param out  (d, kQueryBlock); zeros beyond the last query
void turn_queries(const FactoredJob& job, std::int64_t first, float* out) {
  const int channels = job.layer.channels;
  const float scale = 1.44269504F / __builtin_sqrtf(static_cast<float>(channels));
  std::memset(out, 0, sizeof(float) * static_cast<std::size_t>(channels) * kQueryBlock);
  for (int lane = 0; lane < kQueryBlock && first + lane < job.count; ++lane) {
    const float* query = job.queries + (first + lane) * channels;
    const float* cos = job.layer.cos + (first + lane) * (channels / 2);
    const float* sin = job.layer.sin + (first + lane) * (channels / 2);
    for (int pair = 0; pair < channels / 2; ++pair) {
      const float even = query[2 * pair] * scale;
      const float odd = query[2 * pair + 1] * scale;
      out[(2 * pair) * kQueryBlock + lane] = even * cos[pair] - odd * sin[pair];
      out[(2 * pair + 1) * kQueryBlock + lane] = even * sin[pair] + odd * cos[pair];
    }
  }
}

/// A table of one axis: for each of some coordinates the queries, turned back by it, times the key
/// projection.
///
/// @param half  (d/2, kQueryBlock): the channels that turn with this axis
/// @param cos, sin  of coordinate 0; the next ones are d/2 further
/// @param turned  scratch of the size of `half`
void fill_table(const FactoredLayer& layer, const float* half, const float* weight,
                const float* half_cos, const float* half_sin, const int* coordinates, int count,
                float* turned, float* table) {
  const int terms = layer.channels / 2;
  const int columns = layer.memory_width + 1;
  for (int i = 0; i < count; ++i) {
    const float* cos = half_cos + static_cast<std::ptrdiff_t>(coordinates[i]) * terms;
    const float* sin = half_sin + static_cast<std::ptrdiff_t>(coordinates[i]) * terms;
    for (int pair = 0; pair < terms / 2; ++pair) {
      const Vec c = splat(cos[pair]), s = splat(sin[pair]);
      for (int q = 0; q < kQueryBlock; q += kLanes) {
        const int at = 2 * pair * kQueryBlock + q;
        const Vec even = load(half + at), odd = load(half + at + kQueryBlock);
        store(turned + at, even * c + odd * s);
        store(turned + at + kQueryBlock, odd * c - even * s);
      }
    }
    for (int column = 0; column < columns; column += kMaxSlots, table += kMaxSlots * kQueryBlock) {
      const int group = columns - column < kMaxSlots ? columns - column : kMaxSlots;
      with_slots(group,
                 Project{turned, weight + static_cast<std::size_t>(column) * terms, terms, table});
      if (group < kMaxSlots) table -= (kMaxSlots - group) * kQueryBlock;
    }
  }
}

/// Scratch of attend_block, in rows of kQueryBlock floats.
struct Scratch {
  float* queries;  ///< (d, kQueryBlock)
  float* turned;   ///< (d/2, kQueryBlock)
  Softmax softmax;
  Tables tables;
};

inline std::size_t scratch_rows(const FactoredLayer& layer, const KeyCoordinates& coordinates) {
  const auto channels = static_cast<std::size_t>(layer.channels);
  const auto width = static_cast<std::size_t>(layer.memory_width);
  const auto table_rows = static_cast<std::size_t>(coordinates.x_count + coordinates.y_count);
  return channels + channels / 2 + 2 + width + kChunk * kMaxSlots + (width + 1) * table_rows;
}

Scratch lay_out(const FactoredLayer& layer, const KeyCoordinates& coordinates, float* memory) {
  const auto width = static_cast<std::size_t>(layer.memory_width);
  const auto take = [&memory](std::size_t rows) {
    float* taken = memory;
    memory += rows * kQueryBlock;
    return taken;
  };
  Scratch scratch;
  scratch.queries = take(static_cast<std::size_t>(layer.channels));
  scratch.turned = take(static_cast<std::size_t>(layer.channels) / 2);
  scratch.softmax = {take(1), take(1), take(width), take(kChunk * kMaxSlots)};
  scratch.tables = {take((width + 1) * static_cast<std::size_t>(coordinates.x_count)),
                    take((width + 1) * static_cast<std::size_t>(coordinates.y_count))};
  return scratch;
}

void attend(const FactoredJob& job, std::int64_t first, float* memory) {
  const FactoredLayer& layer = job.layer;
  const int width = layer.memory_width;
  const auto half = static_cast<std::size_t>(layer.channels) / 2;
  const KeyCoordinates& coordinates = job.coordinates;
  const auto [queries, turned, softmax, tables] = lay_out(layer, coordinates, memory);

  turn_queries(job, first, queries);
  // Half of the pairs turn with x, half with y.
  fill_table(layer, queries, layer.weight_x, layer.half_cos, layer.half_sin, coordinates.x,
             coordinates.x_count, turned, tables.x);
  fill_table(layer, queries + half * kQueryBlock, layer.weight_y, layer.half_cos + half / 2,
             layer.half_sin + half / 2, coordinates.y, coordinates.y_count, turned, tables.y);

  for (int q = 0; q < kQueryBlock; ++q) {
    softmax.largest[q] = -1e30F;
    softmax.powers[q] = 0;
  }
  std::memset(softmax.sum, 0, sizeof(float) * static_cast<std::size_t>(width) * kQueryBlock);
  for (int i = 0; i < job.run_count; ++i)
    with_slots(job.runs[i].slots, Attend{layer, job.runs[i], tables, softmax});

  for (int lane = 0; lane < kQueryBlock && first + lane < job.count; ++lane)
    for (int t = 0; t < width; ++t)
      job.out[(first + lane) * width + t] =
          softmax.sum[t * kQueryBlock + lane] / softmax.powers[lane];
}

}  // namespace
}  // namespace vostrack::nn
