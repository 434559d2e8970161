/// Random draws that depend on nothing but a key.
///
///   Draws draws({seed, step, clip});
///   if (draws.chance(0.6)) …
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace vostrack::train {

/// SplitMix64 on a hash of the key. Objects have a stream each, so what is drawn for one does not
/// depend on how a batch is divided between processes or micro-batches, and a run that is resumed
/// draws what it would have drawn.
class Draws {
 public:
  explicit Draws(std::initializer_list<std::uint64_t> key) {
    for (std::uint64_t part : key) state_ = mix(state_ ^ mix(part + kStep));
  }

  std::uint64_t bits() { return mix(state_ += kStep); }
  /// 0 ≤ x < 1
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  bool chance(double probability) { return uniform() < probability; }
  /// 0 ≤ x < count
  std::int64_t below(std::int64_t count) {
    return static_cast<std::int64_t>(uniform() * static_cast<double>(count));
  }
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
  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15;
  static std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  std::uint64_t state_ = 0;
};

}  // namespace vostrack::train
