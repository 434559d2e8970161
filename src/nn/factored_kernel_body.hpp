/// The one text of all variants of AttendKernel. A variant's file defines VOSTRACK_LANES (floats in
/// a vector), VOSTRACK_QUERIES (of a block) and, as many as the registers hold, VOSTRACK_VECTORS
/// (vectors of queries) and VOSTRACK_SLOTS (keys of a place) that are multiplied together; it
/// includes this once and is compiled for its processor.
///
/// As in vectors.hpp, everything is in an unnamed namespace.
#pragma once

#include "nn/factored_kernel.hpp"
#include "nn/vectors.hpp"

namespace vostrack::nn {
namespace {

constexpr int kQueryBlock = VOSTRACK_QUERIES;
constexpr int kVectors = VOSTRACK_VECTORS;
constexpr int kSlotsAtOnce = VOSTRACK_SLOTS;
constexpr int kStep = kLanes * kVectors;
/// Places whose scores are held before they are used: they should stay in the nearest cache.
constexpr int kChunk = 12;
static_assert(kQueryBlock % kStep == 0);

/// Dot products of `slots` keys with queries, the queries being x + y.
///
/// @param x, y  (terms + 1, kQueryBlock); the last row is where the products start
/// @param keys  (terms, slots)
/// @param more  where they start besides
/// @param out  (slots, kQueryBlock)
template <int kSlots, int kFirst = 0>
void dot(const float* x, const float* y, const float* keys, int terms, float more, float* out) {
  constexpr int kLeft = kSlots - kFirst;
  constexpr int kCount = kLeft < kSlotsAtOnce ? kLeft : kSlotsAtOnce;
  for (int q = 0; q < kQueryBlock; q += kStep) {
    const auto query = [&](int term, int v) {
      const int at = term * kQueryBlock + q + v * kLanes;
      return load(x + at) + load(y + at);
    };
    Vec sum[kVectors][kCount];
    for (int v = 0; v < kVectors; ++v) {
      const Vec start = query(terms, v) + splat(more);
      for (int s = 0; s < kCount; ++s) sum[v][s] = start;
    }
    for (int t = 0; t < terms; ++t) {
      Vec queries[kVectors];
      for (int v = 0; v < kVectors; ++v) queries[v] = query(t, v);
      for (int s = 0; s < kCount; ++s) {
        const Vec key = splat(keys[t * kSlots + kFirst + s]);
        for (int v = 0; v < kVectors; ++v) sum[v][s] += queries[v] * key;
      }
    }
    for (int v = 0; v < kVectors; ++v)
      for (int s = 0; s < kCount; ++s)
        store(out + (kFirst + s) * kQueryBlock + q + v * kLanes, sum[v][s]);
  }
  if constexpr (kCount < kLeft) dot<kSlots, kFirst + kCount>(x, y, keys, terms, more, out);
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
        dot<kSlots>(tables.x + static_cast<std::size_t>(at.x) * table_row,
                    tables.y + static_cast<std::size_t>(at.y) * table_row,
                    keys.keys + static_cast<std::size_t>(place) * place_size, width, at.log2_count,
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

/// Coordinates as far from the middle, on either side.
struct Turn {
  int distance;       ///< in quarters of a cell
  int before, after;  ///< which coordinates; or −1, there is none
};

/// Takes coordinates that ascend from 0 from both ends.
class Turns {
 public:
  Turns(const int* coordinates, int count)
      : coordinates_(coordinates), last_(count - 1), ends_(coordinates[count - 1]) {}

  bool done() const { return first_ > last_; }
  Turn next() {
    const int least = coordinates_[first_], most = coordinates_[last_];
    Turn turn = {2 * most - ends_, -1, -1};
    if (least + most < ends_) {
      turn.distance = ends_ - 2 * least;
      turn.before = first_++;
      return turn;
    }
    if (first_ < last_ && least + most == ends_) turn.before = first_++;
    turn.after = last_--;
    return turn;
  }

 private:
  const int* coordinates_;
  int first_ = 0, last_;
  int ends_;  ///< the first and the last together, twice the middle
};

/// One axis of the grid.
struct Axis {
  const int* coordinates;  ///< ascending from 0
  int count;
  int terms;               ///< channels that turn with it, d/2
  const float* weight;     ///< (columns, terms)
  const float *cos, *sin;  ///< of distance 0 and this axis; those of the next are `terms` further
  float* queries;          ///< (terms, kQueryBlock)
};

/// Turns queries back to the middle of all coordinates.
void turn_to_middle(const Axis& axis) {
  const std::ptrdiff_t row = std::ptrdiff_t{axis.coordinates[axis.count - 1]} * axis.terms;
  for (int pair = 0; pair < axis.terms / 2; ++pair) {
    const Vec c = splat(axis.cos[row + pair]), s = splat(axis.sin[row + pair]);
    float* const rows = axis.queries + std::ptrdiff_t{2} * pair * kQueryBlock;
    for (int q = 0; q < kQueryBlock; q += kLanes) {
      const Vec even = load(rows + q), odd = load(rows + kQueryBlock + q);
      store(rows + q, even * c + odd * s);
      store(rows + kQueryBlock + q, odd * c - even * s);
    }
  }
}

/// Both sides of so many distances at once.
constexpr int kTurns = kSlotsAtOnce;

/// A column's products with queries turned by several distances, one of its two parts.
struct TurnedProducts {
  Vec of[kTurns][kVectors];
};

/// @param part  (pairs, kStep)
/// @param factors  cosines or sines of distance 0
TurnedProducts multiply_turned(const Axis& axis, const Turn (&turns)[kTurns], const float* part,
                               const float* factors) {
  const float* rows[kTurns];
  for (int i = 0; i < kTurns; ++i)
    rows[i] = factors + std::ptrdiff_t{turns[i].distance} * axis.terms;
  TurnedProducts products = {};
  for (int pair = 0; pair < axis.terms / 2; ++pair, part += kStep) {
    Vec queries[kVectors];
    for (int v = 0; v < kVectors; ++v) queries[v] = load(part + v * kLanes);
    for (int i = 0; i < kTurns; ++i) {
      const Vec factor = splat(rows[i][pair]);
      for (int v = 0; v < kVectors; ++v) products.of[i][v] += queries[v] * factor;
    }
  }
  return products;
}

/// A table of one axis: for each coordinate the queries, turned back by it, times the key
/// projection. What is summed with cosines is the same on both sides of the middle, and what is
/// summed with sines has the other sign.
///
/// @param parts  scratch, (axis.terms, kStep)
/// @param table  (coordinates, columns, kQueryBlock)
void fill_table(const Axis& axis, int columns, float* parts, float* table) {
  turn_to_middle(axis);
  float *const with_cos = parts, *const with_sin = parts + axis.terms / 2 * kStep;
  const std::ptrdiff_t table_row = std::ptrdiff_t{columns} * kQueryBlock;
  for (int q = 0; q < kQueryBlock; q += kStep) {
    for (int column = 0; column < columns; ++column) {
      const float* const weight = axis.weight + std::ptrdiff_t{column} * axis.terms;
      for (int pair = 0; pair < axis.terms / 2; ++pair) {
        const Vec w_even = splat(weight[2 * pair]), w_odd = splat(weight[2 * pair + 1]);
        const float* const rows = axis.queries + std::ptrdiff_t{2} * pair * kQueryBlock + q;
        for (int v = 0; v < kStep; v += kLanes) {
          const Vec even = load(rows + v), odd = load(rows + kQueryBlock + v);
          store(with_cos + pair * kStep + v, even * w_even + odd * w_odd);
          store(with_sin + pair * kStep + v, odd * w_even - even * w_odd);
        }
      }
      float* const out = table + std::ptrdiff_t{column} * kQueryBlock + q;
      for (Turns left(axis.coordinates, axis.count); !left.done();) {
        Turn turns[kTurns];
        for (Turn& turn : turns) turn = left.done() ? Turn{0, -1, -1} : left.next();
        const auto same = multiply_turned(axis, turns, with_cos, axis.cos);
        const auto other = multiply_turned(axis, turns, with_sin, axis.sin);
        for (int i = 0; i < kTurns; ++i)
          for (int v = 0; v < kVectors; ++v) {
            const Vec a = same.of[i][v], b = other.of[i][v];
            if (turns[i].after >= 0) store(out + turns[i].after * table_row + v * kLanes, a + b);
            if (turns[i].before >= 0) store(out + turns[i].before * table_row + v * kLanes, a - b);
          }
      }
    }
  }
}

/// Scratch of a block, in rows of kQueryBlock floats.
struct Scratch {
  float* queries;  ///< (d, kQueryBlock)
  float* parts;    ///< (d/2, kQueryBlock)
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
  scratch.parts = take(static_cast<std::size_t>(layer.channels) / 2);
  scratch.softmax = {take(1), take(1), take(width), take(kChunk * kMaxSlots)};
  scratch.tables = {take((width + 1) * static_cast<std::size_t>(coordinates.x_count)),
                    take((width + 1) * static_cast<std::size_t>(coordinates.y_count))};
  return scratch;
}

void attend(const FactoredJob& job, std::int64_t first, float* memory) {
  const FactoredLayer& layer = job.layer;
  const int width = layer.memory_width;
  const KeyCoordinates& coordinates = job.coordinates;
  const auto [queries, parts, softmax, tables] = lay_out(layer, coordinates, memory);

  turn_queries(job, first, queries);
  // Half of the pairs turn with x, half with y.
  const int terms = layer.channels / 2;
  fill_table({coordinates.x, coordinates.x_count, terms, layer.weight_x, layer.quarter_cos,
              layer.quarter_sin, queries},
             width + 1, parts, tables.x);
  fill_table({coordinates.y, coordinates.y_count, terms, layer.weight_y,
              layer.quarter_cos + terms / 2, layer.quarter_sin + terms / 2,
              queries + std::ptrdiff_t{terms} * kQueryBlock},
             width + 1, parts, tables.y);

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
