/// Random draws that depend on nothing but a key.
///
///   Draws draws({seed, step, clip});
///   if (draws.chance(0.6)) …
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "train/data/random.hpp"

namespace vostrack::train {

/// Objects have a stream each, so what is drawn for one does not depend on how a batch is divided
/// between processes or micro-batches, and a run that is resumed draws what it would have drawn.
class Draws : public Random {
 public:
  explicit Draws(std::initializer_list<std::uint64_t> key) : Random(hash(key)) {}

  /// first ≤ x ≤ last
  std::int64_t between(std::int64_t first, std::int64_t last) {
    return first + below(last - first + 1);
  }
  /// `count` different ones of `from`, in random order; all when there are fewer.
  template <class T>
  std::vector<T> choose(std::vector<T> from, std::int64_t count) {
    std::vector<T> chosen;
    for (; count > 0 && !from.empty(); --count) {
      const auto at = from.begin() + below(static_cast<std::int64_t>(from.size()));
      chosen.push_back(*at);
      from.erase(at);
    }
    return chosen;
  }

 private:
  static std::uint64_t hash(std::initializer_list<std::uint64_t> key) {
    std::uint64_t state = 0;
    for (std::uint64_t part : key) state = mix(state ^ mix(part + kStep));
    return state;
  }
};

}  // namespace vostrack::train
