// One picture and clicks on it: what somebody waits for who marks a thing.
//
//   picture_benchmark [--model FILE] [--config NAME] [--precision float32|bfloat16] [--threads N]
//                     [--rounds N]
//
// Prints the time from the start of the program to the first mask, loading included, and then
// medians of encoding a picture of 854 × 480 and of a click on it, up to its best mask at the
// picture's size.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "bench/timing.hpp"
#include "vostrack/vostrack.hpp"

namespace {

using vostrack::bench::median;
using vostrack::bench::milliseconds;

constexpr int kHeight = 480;
constexpr int kWidth = 854;

/// Milliseconds since the program was started, to the kernel's hundredth of a second.
double since_start_ms() {
  std::ifstream file("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string field;
  constexpr int kStartTime = 20;  // counted from the one behind the name
  for (int i = 0; i < kStartTime; ++i) fields >> field;
  const double started_s = std::strtod(field.c_str(), nullptr) / double(::sysconf(_SC_CLK_TCK));
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return 1e3 * (double(now.tv_sec) + 1e-9 * double(now.tv_nsec) - started_s);
}

/// A bright disc on a dark ground.
vostrack::Image picture() {
  vostrack::Image image{kHeight, kWidth, std::vector<std::uint8_t>(3 * kHeight * kWidth, 60)};
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x)
      if ((y - 240) * (y - 240) + (x - 400) * (x - 400) < 90 * 90)
        image.rgb[static_cast<std::size_t>(3 * (y * kWidth + x))] = 220;
  return image;
}

}  // namespace

int main(int argc, char** argv) {
  std::string model_path;
  vostrack::ModelOptions options;
  int threads = 0, rounds = 20;
  for (int i = 1; i < argc; i += 2) {
    const std::string word = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    if (word == "--model")
      model_path = value;
    else if (word == "--config")
      options.config = value;
    else if (word == "--precision" && (value == "float32" || value == "bfloat16"))
      options.precision = value == "bfloat16" ? vostrack::Precision::kBFloat16
                                              : vostrack::Precision::kFloat32;
    else if (word == "--threads")
      threads = std::atoi(value.c_str());
    else if (word == "--rounds" && std::atoi(value.c_str()) > 0)
      rounds = std::atoi(value.c_str());
    else {
      std::cerr << "usage: picture_benchmark [--model FILE] [--config NAME] "
                   "[--precision float32|bfloat16] [--threads N] [--rounds N]\n";
      return 2;
    }
  }
  try {
    if (threads > 0) vostrack::set_num_threads(threads);
    const auto image = picture();
    vostrack::Prompt prompt;
    prompt.clicks = {{400, 240}};
    vostrack::Mask mask;
    const double before_ms = since_start_ms();
    auto model = model_path.empty() ? vostrack::Model::load_default(options)
                                    : vostrack::Model::load(model_path, options);
    const double loaded_ms = since_start_ms();
    vostrack::ImageSegmenter segmenter(std::move(model));
    const auto click = [&] { mask = segmenter.predict(prompt).front().mask(); };
    segmenter.set_image(image);
    click();
    const double first_ms = since_start_ms();
    std::vector<double> encodes, clicks;
    for (int round = 0; round <= rounds; ++round) {
      encodes.push_back(milliseconds([&] { segmenter.set_image(image); }, /*cpu_time=*/false));
      clicks.push_back(milliseconds(click, /*cpu_time=*/false));
    }
    std::cout << fmt::format(
        "first mask {:.0f} ms after the start: {:.0f} until main, {:.0f} loading, {:.0f} for the "
        "mask\nthen, medians of {}: encode {:.1f} ms, click {:.1f} ms\n",
        first_ms, before_ms, loaded_ms - before_ms, first_ms - loaded_ms, encodes.size(),
        median(encodes), median(clicks));
    return 0;
  } catch (const vostrack::Error& error) {
    std::cerr << "picture_benchmark: " << error.what() << '\n';
    return 1;
  }
}
