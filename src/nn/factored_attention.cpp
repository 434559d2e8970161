#include "nn/factored_attention.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/check.hpp"
#include "nn/parallel.hpp"
#include "nn/processor.hpp"

namespace vostrack::nn {
namespace {

/// Places that are packed together, so that reads and writes both stay in the nearest cache.
constexpr std::int64_t kPackBlock = 16;
/// Side of the squares in which places are visited: what queries have to look up for the rows and
/// columns of one, 8 KiB for each, stays in the second cache.
constexpr int kSquare = 16;

torch::Tensor as_float(const torch::Tensor& tensor) {
  return tensor.to(torch::kFloat32).contiguous();
}

/// Interleaves grids by place.
template <class Element>
struct Interleave {
  std::vector<const Element*> grids;  ///< (c, places) each
  std::vector<const float*> times;    ///< (c) each, or none
  const float* pos;                   ///< (places, c), or null
  const std::int32_t* cells;          ///< (places), in the grids, as they are visited
  std::int64_t places;
  int width;
  float *keys, *averaged;  ///< (places, c, grids), as they are visited

  void operator()(std::int64_t first_block, std::int64_t last_block) const {
    for (std::int64_t block = first_block; block < last_block; ++block) {
      const std::int64_t first = block * kPackBlock;
      const std::int64_t last = std::min(first + kPackBlock, places);
      for (int channel = 0; channel < width; ++channel)
        for (std::int64_t place = first; place < last; ++place) fill(place, channel);
    }
  }

 private:
  void fill(std::int64_t place, int channel) const {
    const std::int64_t cell = cells[place];
    const auto slots = grids.size();
    for (std::size_t slot = 0; slot < slots; ++slot) {
      const auto value = static_cast<float>(grids[slot][channel * places + cell]);
      const auto at = static_cast<std::size_t>(place * width + channel) * slots + slot;
      averaged[at] = value;
      keys[at] = pos ? value + (pos[cell * width + channel] + times[slot][channel]) : value;
    }
  }
};

template <class Element>
void interleave(std::span<const torch::Tensor> grids, std::span<const torch::Tensor> times,
                const torch::Tensor& pos, std::span<const std::int32_t> cells, int width,
                float* keys, float* averaged) {
  const auto places = static_cast<std::int64_t>(cells.size());
  Interleave<Element> job{.grids = {},
                          .times = {},
                          .pos = pos.defined() ? pos.const_data_ptr<float>() : nullptr,
                          .cells = cells.data(),
                          .places = places,
                          .width = width,
                          .keys = keys,
                          .averaged = averaged};
  for (const auto& grid : grids) job.grids.push_back(grid.const_data_ptr<Element>());
  for (const auto& time : times) job.times.push_back(time.const_data_ptr<float>());
  at::parallel_for(0, at::divup(places, kPackBlock), 8, job);
}

/// The distinct ones, in order, 0 among them.
std::vector<int> distinct(std::vector<int> coordinates) {
  coordinates.push_back(0);
  std::ranges::sort(coordinates);
  const auto rest = std::ranges::unique(coordinates);
  coordinates.erase(rest.begin(), rest.end());
  return coordinates;
}

std::vector<int> as_vector(const torch::Tensor& int32) {
  const auto exact = int32.contiguous();
  return {exact.const_data_ptr<int>(), exact.const_data_ptr<int>() + exact.numel()};
}

}  // namespace

PackedMemory::PackedMemory(const MemoryTokens& tokens, const torch::Tensor& grid_pos, bool encode) {
  VOSTRACK_ASSERT(tokens.grids.size() == tokens.times.size());
  VOSTRACK_ASSERT(!tokens.grids.empty() || tokens.pointers.defined());
  place(tokens);
  order_places();
  const auto& pos = tokens.places ? tokens.places->pos : grid_pos;
  // As few groups as can be, of nearly the same size.
  const auto count = tokens.grids.size();
  const auto groups = (count + kMaxSlots - 1) / kMaxSlots;
  for (std::size_t group = 0; group < groups; ++group) {
    const auto first = count * group / groups;
    const auto size = count * (group + 1) / groups - first;
    add_grids(std::span(tokens.grids).subspan(first, size),
              std::span(tokens.times).subspan(first, size), pos, encode);
  }
  if (tokens.pointers.defined()) add_pointers(tokens.pointers, tokens.pointer_times, encode);
}

void PackedMemory::place(const MemoryTokens& tokens) {
  if (!tokens.places) {
    const bool any = !tokens.grids.empty();
    const int rows = any ? static_cast<int>(tokens.grids[0].size(2)) : 1;
    const int columns = any ? static_cast<int>(tokens.grids[0].size(3)) : 1;
    for (int x = 0; x < columns; ++x) x_.push_back(2 * x);
    for (int y = 0; y < rows; ++y) y_.push_back(2 * y);
    if (!any) return;
    for (int y = 0; y < rows; ++y)
      for (int x = 0; x < columns; ++x) places_.push_back({x, y, 0});
    return;
  }
  const auto x = as_vector(tokens.places->x), y = as_vector(tokens.places->y);
  const auto counts = as_float(tokens.places->counts);
  VOSTRACK_ASSERT(x.size() == y.size() && static_cast<std::int64_t>(x.size()) == counts.numel());
  x_ = distinct(x);
  y_ = distinct(y);
  const auto row = [](const std::vector<int>& coordinates, int value) {
    return static_cast<int>(std::ranges::lower_bound(coordinates, value) - coordinates.begin());
  };
  const auto* count = counts.const_data_ptr<float>();
  for (std::size_t i = 0; i < x.size(); ++i)
    places_.push_back({row(x_, x[i]), row(y_, y[i]), std::log2(count[i])});
}

void PackedMemory::order_places() {
  cells_.resize(places_.size());
  std::iota(cells_.begin(), cells_.end(), 0);
  const auto square = [this](std::int32_t cell) {
    const KeyPlace& place = places_[static_cast<std::size_t>(cell)];
    return std::pair(place.y / kSquare, place.x / kSquare);
  };
  std::ranges::stable_sort(cells_, {}, square);
  std::vector<KeyPlace> ordered;
  for (const std::int32_t cell : cells_)
    ordered.push_back(places_[static_cast<std::size_t>(cell)]);
  places_ = std::move(ordered);
}

KeyCoordinates PackedMemory::coordinates() const {
  return {x_.data(), y_.data(), static_cast<int>(x_.size()), static_cast<int>(y_.size())};
}

float* PackedMemory::add_run(int slots, std::int64_t places, const KeyPlace* at, int width) {
  auto run = torch::empty({2, places, width, slots}, torch::kFloat32);
  auto* keys = run.data_ptr<float>();
  runs_.push_back({slots, places, at, keys, keys + run.stride(0)});
  storage_.push_back(std::move(run));
  return keys;
}

void PackedMemory::add_grids(std::span<const torch::Tensor> grids,
                             std::span<const torch::Tensor> times, const torch::Tensor& grid_pos,
                             bool encode) {
  const auto width = static_cast<int>(grids[0].size(1));
  const auto places = grids[0].numel() / width;
  VOSTRACK_ASSERT(places == static_cast<std::int64_t>(places_.size()));
  const bool half = std::ranges::all_of(
      grids, [](const auto& grid) { return grid.scalar_type() == torch::kBFloat16; });
  std::vector<torch::Tensor> sources, encodings;
  for (const auto& grid : grids) {
    VOSTRACK_ASSERT(grid.size(0) == 1 && grid.sizes() == grids[0].sizes());
    sources.push_back(half ? grid.contiguous() : as_float(grid));
  }
  for (const auto& time : times) encodings.push_back(as_float(time));
  torch::Tensor pos;
  if (encode) pos = as_float(grid_pos);
  float* keys = add_run(static_cast<int>(grids.size()), places, places_.data(), width);
  float* averaged = storage_.back()[1].data_ptr<float>();
  if (half)
    interleave<at::BFloat16>(sources, encodings, pos, cells_, width, keys, averaged);
  else
    interleave<float>(sources, encodings, pos, cells_, width, keys, averaged);
}

void PackedMemory::add_pointers(const torch::Tensor& pointers, const torch::Tensor& times,
                                bool encode) {
  const auto count = pointers.size(1);
  const auto width = static_cast<int>(pointers.size(2));
  const auto values = as_float(pointers[0]);
  const auto keys = encode ? values + as_float(times[0]) : values;
  const auto whole = count / kMaxSlots * kMaxSlots;
  const auto add = [&](std::int64_t first, std::int64_t size, int slots) {
    if (size == 0) return;
    add_run(slots, size / slots, /*at=*/nullptr, width);
    const auto columns = [&](const torch::Tensor& rows) {
      return rows.slice(0, first, first + size).view({-1, slots, width}).transpose(1, 2);
    };
    storage_.back()[0].copy_(columns(keys));
    storage_.back()[1].copy_(columns(values));
  };
  add(0, whole, kMaxSlots);
  add(whole, count - whole, static_cast<int>(count - whole));
}

FactoredAttention::FactoredAttention(torch::nn::LinearImpl& key, torch::nn::LinearImpl& value,
                                     torch::nn::LinearImpl& out, const RotaryTable& table,
                                     int grid_width, int grid_height, double theta)
    : cos_(as_float(table.cos)), sin_(as_float(table.sin)) {
  VOSTRACK_ASSERT(cos_.size(0) == grid_width * grid_height &&
                  2 * cos_.size(1) == key.weight.size(0));
  const auto along =
      0.25 * torch::arange(2 * std::max(grid_width, grid_height) - 1, torch::kFloat32);
  quarter_cells_ = rotary_table(static_cast<int>(key.weight.size(0)), along, along, theta);
  const auto columns =
      torch::cat({as_float(key.weight), as_float(key.bias).unsqueeze(1)}, 1);  // (d, c + 1)
  const auto halves = columns.chunk(2);
  weight_x_ = halves[0].t().contiguous();
  weight_y_ = halves[1].t().contiguous();
  // In double, so that the two projections round once.
  const auto exact = [](const torch::Tensor& tensor) { return tensor.to(torch::kFloat64); };
  const auto dtype = out.weight.scalar_type();
  out_weight_ = exact(out.weight).matmul(exact(value.weight)).to(dtype);
  out_bias_ = (exact(out.weight).matmul(exact(value.bias)) + exact(out.bias)).to(dtype);
  layer_ = {static_cast<int>(columns.size(0)),
            static_cast<int>(columns.size(1)) - 1,
            grid_width,
            grid_height,
            weight_x_.const_data_ptr<float>(),
            weight_y_.const_data_ptr<float>(),
            cos_.const_data_ptr<float>(),
            sin_.const_data_ptr<float>(),
            quarter_cells_.cos.const_data_ptr<float>(),
            quarter_cells_.sin.const_data_ptr<float>()};
}

torch::Tensor FactoredAttention::forward(const torch::Tensor& queries,
                                         std::span<const PackedMemory> objects,
                                         const AttendKernel* kernel) const {
  const auto batch = static_cast<std::int64_t>(objects.size());
  const auto count = queries.size(1);
  VOSTRACK_ASSERT(queries.size(0) == batch || queries.size(0) == 1);
  VOSTRACK_ASSERT(queries.size(2) == layer_.channels && count <= cos_.size(0));
  if (!kernel) kernel = &attend_variants().front();

  const auto exact = as_float(queries);
  auto averages = torch::empty({batch, count, layer_.memory_width}, torch::kFloat32);
  std::vector<FactoredJob> jobs;
  std::size_t each = 0;
  for (std::int64_t i = 0; i < batch; ++i) {
    const PackedMemory& object = objects[static_cast<std::size_t>(i)];
    const auto runs = object.runs();
    const auto coordinates = object.coordinates();
    VOSTRACK_ASSERT(coordinates.x[coordinates.x_count - 1] <= 2 * (layer_.grid_width - 1));
    VOSTRACK_ASSERT(coordinates.y[coordinates.y_count - 1] <= 2 * (layer_.grid_height - 1));
    jobs.push_back({layer_, exact[exact.size(0) == 1 ? 0 : i].const_data_ptr<float>(), count,
                    runs.data(), static_cast<int>(runs.size()), coordinates,
                    averages[i].data_ptr<float>()});
    each = std::max(each, factored_scratch(*kernel, layer_, coordinates));
  }

  // Object by object, so that all threads read the same object's memories.
  const std::int64_t block = kernel->block, blocks = at::divup(count, block);
  share_out(
      batch * blocks,
      [&] { return torch::empty(static_cast<std::int64_t>(each), torch::kFloat32); },
      [&](torch::Tensor& scratch, std::int64_t i) {
        kernel->attend(jobs[static_cast<std::size_t>(i / blocks)], i % blocks * block,
                       scratch.data_ptr<float>());
      });
  return torch::linear(averages.to(out_weight_.scalar_type()), out_weight_, out_bias_);
}

std::span<const AttendKernel> attend_variants() {
  static const auto variants = [] {
    std::vector<AttendKernel> found;
#ifdef VOSTRACK_X86_KERNELS
    if (has_avx512()) found.push_back(kAttendAvx512);
    if (has_avx2()) found.push_back(kAttendAvx2);
#endif
    found.push_back(kAttendPortable);
    return found;
  }();
  return variants;
}

}  // namespace vostrack::nn
