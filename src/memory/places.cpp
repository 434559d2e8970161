#include "memory/places.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace vostrack::memory {
namespace {

/// Sides of what one key stands for: in pooled memories, and away from the object in sparse ones.
constexpr std::int64_t kPooled = 2;
constexpr std::int64_t kSampled = 4;

torch::Tensor pooled(const torch::Tensor& grid) {
  return torch::avg_pool2d(grid.to(torch::kFloat32), kPooled);
}

/// Where any memory shows the object, with a margin.
///
/// @return (height, width) float32 on the CPU, above 0 there
torch::Tensor near_object(const Selection& selection, std::int64_t height, std::int64_t margin) {
  std::vector<torch::Tensor> masks;
  for (const auto& selected : selection.memories) {
    VOSTRACK_ASSERT(selected.output->mask_logits.defined());
    masks.push_back(selected.output->mask_logits);
  }
  VOSTRACK_ASSERT(masks[0].size(2) % height == 0);
  auto shown = torch::max_pool2d(torch::cat(masks).amax(0), masks[0].size(2) / height);
  if (margin > 0) shown = torch::max_pool2d(shown, 2 * margin + 1, 1, margin);
  return shown[0].to(torch::kCPU).contiguous();
}

/// Cells of an h × w grid and how many each stands for.
struct Chosen {
  std::vector<std::int64_t> cells;
  std::vector<float> counts;
};

Chosen all_cells(std::int64_t count) {
  Chosen chosen;
  for (std::int64_t cell = 0; cell < count; ++cell) chosen.cells.push_back(cell);
  chosen.counts.assign(chosen.cells.size(), 1);
  return chosen;
}

/// The object's cells, and of the others the one nearest to the middle of each block.
Chosen sparse_cells(const torch::Tensor& near_object) {
  const auto height = near_object.size(0), width = near_object.size(1);
  const auto object = near_object.accessor<float, 2>();
  Chosen chosen;
  for (std::int64_t top = 0; top < height; top += kSampled)
    for (std::int64_t left = 0; left < width; left += kSampled) {
      std::int64_t others = 0, middle = 0, nearest = 2 * kSampled * kSampled;
      for (auto y = top; y < std::min(top + kSampled, height); ++y)
        for (auto x = left; x < std::min(left + kSampled, width); ++x) {
          if (object[y][x] > 0) {
            chosen.cells.push_back(y * width + x);
            chosen.counts.push_back(1);
            continue;
          }
          ++others;
          const auto down = y - top - kSampled / 2, right = x - left - kSampled / 2;
          const auto distance = down * down + right * right;
          if (distance >= nearest) continue;
          nearest = distance;
          middle = y * width + x;
        }
      if (others == 0) continue;
      chosen.cells.push_back(middle);
      chosen.counts.push_back(static_cast<float>(others));
    }
  return chosen;
}

}  // namespace

void reduce(nn::MemoryTokens& tokens, const Selection& selection, const nn::Model& model) {
  const MemoryDetail& detail = selection.detail;
  if (!detail.pooled && !detail.margin) return;
  // All memories in one tensor: one call of each kind is enough.
  auto grids = torch::cat(tokens.grids);
  auto pos = model.memory_pos().transpose(1, 2).unflatten(2, {grids.size(2), grids.size(3)});
  if (detail.pooled) {
    grids = pooled(grids);
    pos = pooled(pos);
  }
  const auto height = grids.size(2), width = grids.size(3);
  auto chosen = detail.margin ? sparse_cells(near_object(selection, height, *detail.margin))
                              : all_cells(height * width);

  const auto device = grids.device();
  const auto cells = torch::tensor(chosen.cells, torch::kInt64).to(device);
  // The middle of a cell, in half cells of the grid as it was.
  const auto side = detail.pooled ? kPooled : 1;
  const auto middle = [side](const torch::Tensor& cell) {
    return (2 * side * cell + (side - 1)).to(torch::kInt32);
  };
  tokens.places = {middle(cells % width), middle(cells.floor_divide(width)),
                   torch::tensor(chosen.counts).to(device) * side * side,
                   pos.flatten(2).index_select(2, cells).transpose(1, 2)};
  tokens.grids = grids.flatten(2).index_select(2, cells).split(1);
}

}  // namespace vostrack::memory
