#include "eval/interaction.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.hpp"
#include "eval/clicks.hpp"
#include "eval/measures.hpp"

namespace vostrack::eval {
namespace {

void check_sizes(const Mask& predicted, const Mask& other, const Mask& ignored) {
  const auto same = [&](const Mask& mask) {
    return mask.height == predicted.height && mask.width == predicted.width &&
           mask.data.size() == predicted.data.size();
  };
  check(same(other) && (ignored.empty() || same(ignored)), ErrorCode::kInvalidArgument,
        "masks of {}x{} and {}x{} cannot be compared", predicted.width, predicted.height,
        other.width, other.height);
}

bool known(const Mask& ignored, std::size_t pixel) {
  return ignored.empty() || ignored.data[pixel] == 0;
}

std::int64_t area(const Mask& mask) {
  return std::count(mask.data.begin(), mask.data.end(), 1);
}

}  // namespace

Mask largest_part(const Mask& mask) {
  std::vector<std::int32_t> part_of(mask.data.size(), 0);
  std::vector<std::size_t> todo;
  std::int32_t parts = 0, best = 0;
  std::size_t best_area = 0;
  for (std::size_t start = 0; start < mask.data.size(); ++start) {
    if (!mask.data[start] || part_of[start] != 0) continue;
    part_of[start] = ++parts;
    todo = {start};
    std::size_t area = 0;
    while (!todo.empty()) {
      const std::size_t at = todo.back();
      todo.pop_back();
      ++area;
      const auto width = static_cast<std::size_t>(mask.width);
      const int y = static_cast<int>(at / width), x = static_cast<int>(at % width);
      for (int row = std::max(0, y - 1); row <= std::min(mask.height - 1, y + 1); ++row)
        for (int column = std::max(0, x - 1); column <= std::min(mask.width - 1, x + 1); ++column) {
          const std::size_t next =
              static_cast<std::size_t>(row) * width + static_cast<std::size_t>(column);
          if (!mask.data[next] || part_of[next] != 0) continue;
          part_of[next] = parts;
          todo.push_back(next);
        }
    }
    if (area > best_area) {
      best_area = area;
      best = parts;
    }
  }
  Mask largest{mask.height, mask.width, std::vector<std::uint8_t>(mask.data.size())};
  for (std::size_t i = 0; i < part_of.size(); ++i)
    largest.data[i] = best != 0 && part_of[i] == best;
  return largest;
}

std::optional<Click> correcting_click(const Mask& predicted, const Mask& truth,
                                      const Mask& ignored) {
  check_sizes(predicted, truth, ignored);
  Mask missed = truth, taken = truth;
  for (std::size_t i = 0; i < truth.data.size(); ++i) {
    const bool counts = known(ignored, i);
    missed.data[i] = counts && truth.data[i] && !predicted.data[i];
    taken.data[i] = counts && !truth.data[i] && predicted.data[i];
  }
  missed = largest_part(missed);
  taken = largest_part(taken);
  const bool positive = area(missed) >= area(taken);
  const std::vector<Click> clicks = inner_clicks(positive ? missed : taken, 1);
  if (clicks.empty()) return std::nullopt;
  return Click{clicks.front().x, clicks.front().y, positive};
}

double known_similarity(const Mask& predicted, const Mask& truth, const Mask& ignored) {
  check_sizes(predicted, truth, ignored);
  if (ignored.empty()) return region_similarity(predicted, truth);
  Mask a = predicted, b = truth;
  for (std::size_t i = 0; i < a.data.size(); ++i)
    if (ignored.data[i]) a.data[i] = b.data[i] = 0;
  return region_similarity(a, b);
}

double leakage(const Mask& predicted, const Mask& others, const Mask& ignored) {
  check_sizes(predicted, others, ignored);
  std::int64_t all = 0, on_others = 0;
  for (std::size_t i = 0; i < predicted.data.size(); ++i) {
    if (!predicted.data[i] || !known(ignored, i)) continue;
    ++all;
    on_others += others.data[i] != 0;
  }
  return all == 0 ? 0 : static_cast<double>(on_others) / static_cast<double>(all);
}

}  // namespace vostrack::eval
