// Gradients of depthwise convolutions: LibTorch's against ours.
//
//   depthwise_benchmark [--threads N] [--rounds N] [--pictures N] [--cpu-time 1]
//
// Prints a line for each shape of nano that has gradients of its own, at 448 px in bfloat16: the
// median times of all gradients, in turns, their ratio and their speed. An allocator that keeps
// freed memory is worth preloading, as the vostrack command has one.
#include <fmt/format.h>
#include <torch/torch.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "bench/timing.hpp"
#include "nn/depthwise.hpp"
#include "nn/padded_convolution.hpp"

namespace {

using vostrack::bench::median;
using vostrack::bench::milliseconds;

struct Shape {
  int channels, side, kernel, stride;
};
constexpr Shape kShapes[] = {{96, 224, 3, 2}, {144, 112, 5, 2}, {240, 56, 5, 1},
                             {240, 56, 3, 2}, {480, 28, 5, 1},  {672, 28, 5, 1},
                             {672, 28, 5, 2}, {1152, 14, 5, 1}, {128, 28, 7, 1}};

void measure(const Shape& shape, int pictures, int rounds, bool cpu_time) {
  torch::manual_seed(1);
  const int more = shape.kernel - shape.stride;
  const int before = more / 2, after = more - before;
  const std::vector<torch::Tensor> inputs = {
      torch::randn({pictures, shape.channels, shape.side, shape.side})
          .to(torch::kBFloat16)
          .contiguous(torch::MemoryFormat::ChannelsLast)
          .requires_grad_(true),
      torch::randn({shape.channels, 1, shape.kernel, shape.kernel}).requires_grad_(true),
      torch::randn({shape.channels}).requires_grad_(true)};
  const auto ours = vostrack::nn::depthwise_convolution(inputs[0], inputs[1], inputs[2],
                                                        shape.stride, before, after);
  const auto plain = vostrack::nn::padded_convolution(
      inputs[0], inputs[1].to(torch::kBFloat16), inputs[2].to(torch::kBFloat16), shape.stride,
      before, after, shape.channels);
  const auto toward = torch::randn_like(ours);
  const auto gradients = [&](const torch::Tensor& out) {
    return milliseconds(
        [&] { torch::autograd::grad({out}, inputs, {toward}, /*retain_graph=*/true); }, cpu_time);
  };
  std::vector<double> theirs, own;
  for (int round = 0; round <= rounds; ++round) {
    theirs.push_back(gradients(plain));
    own.push_back(gradients(ours));
  }
  const auto typical = [](const std::vector<double>& times) {
    return median({times.begin() + 1, times.end()});
  };
  const double macs = 2 * static_cast<double>(inputs[0].numel()) * shape.kernel * shape.kernel /
                      (shape.stride * shape.stride);
  std::cout << fmt::format(
                   "{:4} channels, {:3} px, {}x{}, stride {}:  {:6.1f} and {:6.1f} ms, {:5.2f}; "
                   "{:4.1f} and {:4.1f} GMAC/s",
                   shape.channels, shape.side, shape.kernel, shape.kernel, shape.stride,
                   typical(theirs), typical(own), typical(theirs) / typical(own),
                   macs / typical(theirs) / 1e6, macs / typical(own) / 1e6)
            << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  int threads = 0, rounds = 5, pictures = 4, cpu_time = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string word = argv[i];
    int* value = word == "--threads"    ? &threads
                 : word == "--rounds"   ? &rounds
                 : word == "--pictures" ? &pictures
                 : word == "--cpu-time" ? &cpu_time
                                        : nullptr;
    if (value) *value = std::atoi(argv[i + 1]);
    if (!value || *value < 1) {
      std::cerr << "usage: depthwise_benchmark [--threads N] [--rounds N] [--pictures N] "
                   "[--cpu-time 1]\n";
      return 2;
    }
  }
  if (threads > 0) at::set_num_threads(threads);
  for (const Shape& shape : kShapes) measure(shape, pictures, rounds, cpu_time != 0);
  return 0;
}
