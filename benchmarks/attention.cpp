// Memory attention's attention to memories: the forms that CPUs use against the plain one.
//
//   attention_benchmark [--threads N] [--rounds N] [--grid 64|32|24] [--objects N] [--cpu-time 1]
//
// Prints a line for each size, number of objects and dtype: the median times of one layer's
// cross-attention in each form, measured in turns, and their ratio. A full bank: seven memories
// and 64 pointer tokens. On a machine that does other things too, one thread and processor time say
// more than the clock.
#include <fmt/format.h>
#include <torch/torch.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "bench/timing.hpp"
#include "nn/memory_attention.hpp"

namespace {

using vostrack::bench::median;
using vostrack::bench::milliseconds;
using vostrack::nn::MemoryTokens;
using vostrack::nn::PackedMemory;
using vostrack::nn::RotaryAttention;

struct Size {
  const char* name;
  int channels, width, grid;
};
constexpr Size kSizes[] = {
    {"tiny 1024 px", 256, 64, 64}, {"nano 512 px", 128, 64, 32}, {"nano 384 px", 128, 64, 24}};
constexpr int kSlots = 7;
constexpr int kPointers = 64;

void measure(const Size& size, int objects, torch::ScalarType dtype, int rounds, bool cpu_time) {
  torch::InferenceMode guard;
  torch::manual_seed(1);
  const std::int64_t places = size.grid * size.grid;
  RotaryAttention attention(size.channels, 1, 1, size.width);
  attention->to(dtype);
  const auto table = vostrack::nn::rotary_table(size.channels, size.grid, size.grid, 10000);
  attention->prepare_factored(table, size.grid, size.grid, /*theta=*/10000);
  const bool tiles = dtype == torch::kBFloat16 &&
                     vostrack::nn::TiledAttention::available(size.channels, size.width);
  if (tiles) attention->prepare_tiled(table);
  const auto query = torch::randn({objects, places, size.channels}).to(dtype);
  const auto pos = torch::randn({1, places, size.width});
  std::vector<MemoryTokens> remembered;
  for (int i = 0; i < objects; ++i) {
    MemoryTokens& tokens = remembered.emplace_back();
    for (int slot = 0; slot < kSlots; ++slot) {
      tokens.grids.push_back(
          torch::randn({1, size.width, size.grid, size.grid}).to(torch::kBFloat16));
      tokens.times.push_back(torch::randn({1, 1, size.width}));
    }
    tokens.pointers = torch::randn({1, kPointers, size.width});
    tokens.pointer_times = torch::randn({1, kPointers, size.width});
  }

  // What the four layers share is prepared outside the measured time in all forms.
  std::vector<torch::Tensor> values, positions;
  std::vector<PackedMemory> packed;
  std::vector<vostrack::nn::TiledMemory> tiled;
  for (const MemoryTokens& tokens : remembered) {
    std::vector<torch::Tensor> parts, encodings;
    for (int slot = 0; slot < kSlots; ++slot) {
      const auto at = static_cast<std::size_t>(slot);
      parts.push_back(tokens.grids[at].to(torch::kFloat32).flatten(2).transpose(1, 2));
      encodings.push_back(pos + tokens.times[at]);
    }
    parts.push_back(tokens.pointers);
    encodings.push_back(tokens.pointer_times);
    values.push_back(torch::cat(parts, 1));
    positions.push_back(torch::cat(encodings, 1));
    packed.emplace_back(tokens, pos, /*encode=*/true);
    if (tiles) tiled.emplace_back(tokens, pos, /*encode=*/true);
  }
  const auto value = torch::cat(values).to(dtype);
  const auto key = value + torch::cat(positions).to(dtype);

  std::vector<double> plain, factored, on_tiles;
  for (int round = 0; round <= rounds; ++round) {
    plain.push_back(
        milliseconds([&] { attention->forward(query, key, value, table, kPointers); }, cpu_time));
    factored.push_back(milliseconds([&] { attention->forward_factored(query, packed); }, cpu_time));
    if (tiles)
      on_tiles.push_back(milliseconds([&] { attention->forward_tiled(query, tiled); }, cpu_time));
  }
  // The first round warms up.
  const auto typical = [](std::vector<double> times) {
    return median({times.begin() + 1, times.end()});
  };
  std::cout << fmt::format(
      "{:12}  {:2} objects  {:8}  plain {:8.1f} ms  factored {:8.1f} ms {:5.2f}", size.name,
      objects, dtype == torch::kFloat32 ? "float32" : "bfloat16", typical(plain), typical(factored),
      typical(plain) / typical(factored));
  if (tiles)
    std::cout << fmt::format("  tiled {:8.1f} ms {:5.2f}", typical(on_tiles),
                             typical(plain) / typical(on_tiles));
  std::cout << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  int threads = 0, rounds = 5, grid = 0, objects = 0, cpu_time = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string word = argv[i];
    int* value = word == "--threads"    ? &threads
                 : word == "--rounds"   ? &rounds
                 : word == "--grid"     ? &grid
                 : word == "--objects"  ? &objects
                 : word == "--cpu-time" ? &cpu_time
                                        : nullptr;
    if (value) *value = std::atoi(argv[i + 1]);
    if (!value || *value < 1) {
      std::cerr << "usage: attention_benchmark [--threads N] [--rounds N] [--grid 64|32|24] "
                   "[--objects N] [--cpu-time 1]\n";
      return 2;
    }
  }
  if (threads > 0) at::set_num_threads(threads);
  for (const Size& size : kSizes)
    for (const int count : {1, 4, 16})
      for (const auto dtype : {torch::kFloat32, torch::kBFloat16})
        if ((grid == 0 || grid == size.grid) && (objects == 0 || objects == count))
          measure(size, count, dtype, rounds, cpu_time != 0);
  return 0;
}
