/// Random numbers that are the same everywhere, for a seed and the number of an example.
#pragma once

#include <cmath>
#include <cstdint>

namespace vostrack::train {

/// Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014
/// (SplitMix64). The standard library's distributions differ from one library to the next.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  Random(std::uint64_t seed, std::int64_t index, std::uint64_t attempt) : state_(seed) {
    state_ = next() ^ static_cast<std::uint64_t>(index);
    state_ = next() ^ attempt;
  }

  std::uint64_t next() { return mix(state_ += kStep); }
  /// In [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Between 1/factor and factor, both sides alike.
  double ratio(double factor) { return std::pow(factor, uniform(-1, 1)); }
  bool chance(double probability) { return uniform() < probability; }
  /// 0 to count - 1; count is at least 1.
  std::int64_t below(std::int64_t count) {
    return static_cast<std::int64_t>(uniform() * static_cast<double>(count));
  }

 protected:
  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15;
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

}  // namespace vostrack::train
