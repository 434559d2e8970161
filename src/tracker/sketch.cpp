#include "tracker/sketch.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.hpp"

namespace vostrack::tracker {
namespace {

constexpr int kBlock = 4;          ///< cells of a sketch on each side of a block
constexpr int kSamples = 3;        ///< pixels of a cell that are looked at, on each side
constexpr int kLevels = 3;         ///< from coarse to fine, each twice as fine
constexpr int kSteps = 8;          ///< on each level
constexpr double kDamping = 1e-3;  ///< where the brightness does not tell how it moved
constexpr double kMostGrowth = 1.5;

/// A square picture of floats.
struct Grid {
  int side;
  std::vector<float> values;

  float at(int y, int x) const { return values[static_cast<std::size_t>(y * side + x)]; }
  /// Between cells, the edges going on.
  double between(double y, double x) const {
    y = std::clamp(y, 0.0, side - 1.0);
    x = std::clamp(x, 0.0, side - 1.0);
    const int y0 = std::min(static_cast<int>(y), side - 2),
              x0 = std::min(static_cast<int>(x), side - 2);
    const double v = y - y0, u = x - x0;
    return (1 - v) * ((1 - u) * at(y0, x0) + u * at(y0, x0 + 1)) +
           v * ((1 - u) * at(y0 + 1, x0) + u * at(y0 + 1, x0 + 1));
  }
};

Grid grid_of(const torch::Tensor& tensor, int side) {
  const auto resized = tensor.size(0) == side
                           ? tensor
                           : torch::adaptive_avg_pool2d(
                                 tensor.view({1, 1, tensor.size(0), tensor.size(1)}), {side, side});
  const auto values = resized.contiguous();
  const float* first = values.const_data_ptr<float>();
  return {side, {first, first + values.numel()}};
}

/// Where a point was: scale · p + (x, y), in cells from the mask's centre.
struct Step {
  double x = 0, y = 0, scale = 1;
};

/// One level's pictures, and the cells under the mask.
class Level {
 public:
  Level(const Grid& before, const Grid& now, const Grid& mask, double centre_x, double centre_y)
      : before_(before), now_(now), centre_x_(centre_x), centre_y_(centre_y) {
    const int side = before.side;
    for (int y = 1; y + 1 < side; ++y)
      for (int x = 1; x + 1 < side; ++x) {
        if (mask.at(y * mask.side / side, x * mask.side / side) <= 0) continue;
        const double gx = (before.at(y, x + 1) - before.at(y, x - 1)) / 2.0;
        const double gy = (before.at(y + 1, x) - before.at(y - 1, x)) / 2.0;
        const std::array<double, 3> slope = {gx, gy, gx * (x - centre_x) + gy * (y - centre_y)};
        cells_.push_back({y, x, slope});
        for (int i = 0; i < 3; ++i)
          for (int j = 0; j < 3; ++j) curvature_[i][j] += slope[i] * slope[j];
      }
  }

  /// Mean square of what is different under the mask; 0 without a cell.
  double difference(const Step& step) const {
    double sum = 0;
    for (const Cell& cell : cells_) sum += std::pow(residual(cell, step), 2);
    return cells_.empty() ? 0 : sum / static_cast<double>(cells_.size());
  }

  /// @return false where the pictures do not say more
  bool improve(Step& step) const {
    std::array<double, 3> slope{};
    for (const Cell& cell : cells_) {
      const double left = residual(cell, step);
      for (int i = 0; i < 3; ++i) slope[i] -= left * cell.slope[i];
    }
    auto matrix = curvature_;
    for (int i = 0; i < 3; ++i) matrix[i][i] = matrix[i][i] * (1 + kDamping) + 1e-6;
    const auto change = solve(matrix, slope);
    step.x += change[0];
    step.y += change[1];
    step.scale = std::clamp(step.scale + change[2], 1 / kMostGrowth, kMostGrowth);
    return std::abs(change[0]) + std::abs(change[1]) > 1e-2 || std::abs(change[2]) > 1e-3;
  }

 private:
  struct Cell {
    int y, x;
    std::array<double, 3> slope;  ///< of the brightness, by Step's x, y and scale
  };
  using Matrix = std::array<std::array<double, 3>, 3>;

  double residual(const Cell& cell, const Step& step) const {
    const double y = centre_y_ + step.scale * (cell.y - centre_y_) + step.y;
    const double x = centre_x_ + step.scale * (cell.x - centre_x_) + step.x;
    return now_.between(y, x) - before_.at(cell.y, cell.x);
  }

  /// By Cramer's rule.
  static std::array<double, 3> solve(const Matrix& m, const std::array<double, 3>& right) {
    const auto determinant = [](const Matrix& a) {
      return a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]) -
             a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0]) +
             a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
    };
    std::array<double, 3> solution{};
    const double whole = determinant(m);
    if (whole <= 0) return solution;
    for (std::size_t column = 0; column < 3; ++column) {
      Matrix replaced = m;
      for (std::size_t row = 0; row < 3; ++row) replaced[row][column] = right[row];
      solution[column] = determinant(replaced) / whole;
    }
    return solution;
  }

  const Grid &before_, &now_;
  double centre_x_, centre_y_;
  std::vector<Cell> cells_;
  Matrix curvature_{};
};

/// Centre of the mask's pixels as fractions of the sides; nothing for an empty mask.
std::optional<std::pair<double, double>> centre_of(const Grid& mask) {
  double count = 0, sum_x = 0, sum_y = 0;
  for (int y = 0; y < mask.side; ++y)
    for (int x = 0; x < mask.side; ++x)
      if (mask.at(y, x) > 0) {
        ++count;
        sum_x += x + 0.5;
        sum_y += y + 0.5;
      }
  if (count == 0) return std::nullopt;
  return std::pair{sum_x / count / mask.side, sum_y / count / mask.side};
}

}  // namespace

torch::Tensor sketch_of(const torch::Tensor& picture) {
  const auto pixels = picture.contiguous();
  const std::int64_t height = pixels.size(0), width = pixels.size(1);
  const std::uint8_t* rgb = pixels.const_data_ptr<std::uint8_t>();
  // The pixel nearest to each sample, along one side.
  const auto places = [](std::int64_t length) {
    std::vector<std::int64_t> places;
    for (std::int64_t i = 0; i < kSketchSide * kSamples; ++i)
      places.push_back((2 * i + 1) * length / (2 * kSketchSide * kSamples));
    return places;
  };
  const auto rows = places(height), columns = places(width);
  auto sketch = torch::empty({kSketchSide, kSketchSide});
  float* out = sketch.data_ptr<float>();
  std::array<int, kSketchSide> sums{};
  for (int y = 0; y < kSketchSide; ++y) {
    sums.fill(0);
    for (int sample = 0; sample < kSamples; ++sample) {
      const std::uint8_t* row =
          rgb + rows[static_cast<std::size_t>(y * kSamples + sample)] * width * 3;
      for (std::size_t i = 0; i < columns.size(); ++i) {
        const std::uint8_t* pixel = row + columns[i] * 3;
        sums[i / kSamples] += pixel[0] + 2 * pixel[1] + pixel[2];
      }
    }
    for (int x = 0; x < kSketchSide; ++x)
      out[y * kSketchSide + x] =
          static_cast<float>(sums[static_cast<std::size_t>(x)]) / (4.0F * kSamples * kSamples);
  }
  return sketch;
}

double largest_change(const torch::Tensor& a, const torch::Tensor& b) {
  constexpr int kBlocks = kSketchSide / kBlock;
  const auto change = (a - b).view({kBlocks, kBlock, kBlocks, kBlock}).mean({1, 3});
  return change.abs().max().item<double>();
}

memory::Motion motion_between(const torch::Tensor& before, const torch::Tensor& now,
                              const torch::Tensor& mask_logits) {
  const int mask_side = static_cast<int>(mask_logits.size(3));
  VOSTRACK_ASSERT(mask_logits.size(0) == 1 && mask_logits.size(2) == mask_side);
  const Grid mask = grid_of(mask_logits.to(torch::kCPU)[0][0], mask_side);
  const auto centre = centre_of(mask);
  if (!centre) return {};

  Step step;
  for (int level = kLevels - 1; level >= 0; --level) {
    const int side = kSketchSide >> level;
    const Grid coarse = grid_of(before, side), current = grid_of(now, side);
    const double centre_x = centre->first * side - 0.5, centre_y = centre->second * side - 0.5;
    const Level pictures(coarse, current, mask, centre_x, centre_y);
    for (int i = 0; i < kSteps && pictures.improve(step); ++i) continue;
    if (level > 0) {
      step.x *= 2;
      step.y *= 2;
    } else if (pictures.difference(step) >= pictures.difference({})) {
      return {};
    }
  }
  // The way back: where on the frame before is what is here?
  const double scale = 1 / step.scale;
  const auto offset = [&](double at, double shift) {
    return at - scale * (at + shift / kSketchSide);
  };
  return {scale, offset(centre->first, step.x), offset(centre->second, step.y)};
}

torch::Tensor moved(const torch::Tensor& logits, const memory::Motion& motion) {
  if (motion == memory::Motion{}) return logits;
  // The grid's coordinates go from −1 to 1 across the picture.
  const auto offset = [&](double by) { return motion.scale - 1 + 2 * by; };
  const auto affine =
      torch::tensor({{motion.scale, 0.0, offset(motion.x)}, {0.0, motion.scale, offset(motion.y)}})
          .to(logits.options())
          .unsqueeze(0);
  const auto grid = at::affine_grid_generator(affine, logits.sizes(), /*align_corners=*/false);
  return at::grid_sampler(logits, grid, /*interpolation_mode=*/0, /*padding_mode=*/1,
                          /*align_corners=*/false);
}

}  // namespace vostrack::tracker
