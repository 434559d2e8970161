// Time per frame and memory of a stream, for one or more numbers of objects.
//
//   stream_benchmark [--model FILE] [--config FILE] [--frames N] [--objects 1,2,4] [--threads N]
//                    [--correct-every N]
//
// Prints a line for each number of objects: the median time of a frame, the resident memory after
// a tenth of the frames and at the end, and how much it grew per thousand frames in between.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "timing.hpp"
#include "vostrack/vostrack.hpp"

namespace {

constexpr int kHeight = 240;
constexpr int kWidth = 320;
constexpr int kSide = 40;

/// Squares that go round, one for each object, in rows.
int left_of(int object, std::int64_t frame) {
  return static_cast<int>((object * 53 + 2 * frame) % (kWidth - kSide));
}
int top_of(int object) {
  return object * 47 % (kHeight - kSide);
}

vostrack::Image picture(int objects, std::int64_t frame) {
  vostrack::Image image{kHeight, kWidth, std::vector<std::uint8_t>(3 * kHeight * kWidth, 60)};
  for (int object = 0; object < objects; ++object)
    for (int y = 0; y < kSide; ++y)
      for (int x = 0; x < kSide; ++x) {
        const auto pixel = static_cast<std::size_t>(3) *
                           ((top_of(object) + y) * kWidth + left_of(object, frame) + x);
        image.rgb[pixel] = static_cast<std::uint8_t>(255 - 9 * object);
        image.rgb[pixel + 1] = static_cast<std::uint8_t>(90 + 10 * object);
      }
  return image;
}

vostrack::Prompt square(int object, std::int64_t frame) {
  vostrack::Prompt prompt;
  prompt.mask = vostrack::Mask{kHeight, kWidth, std::vector<std::uint8_t>(kHeight * kWidth, 0)};
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x)
      prompt.mask->data[static_cast<std::size_t>(top_of(object) + y) * kWidth +
                        left_of(object, frame) + x] = 1;
  return prompt;
}

/// @param correct_every  frames after which an object gets a new mask; 0: never
void measure(const vostrack::Model& model, int objects, std::int64_t frames,
             std::int64_t correct_every) {
  vostrack::StreamTracker tracker(model);
  // Written to at once, so that filling it does not look like growth.
  std::vector<double> milliseconds(static_cast<std::size_t>(frames), 0.0);
  double early_mib = 0;
  for (std::int64_t frame = 0; frame < frames; ++frame) {
    const auto image = picture(objects, frame);
    const auto start = std::chrono::steady_clock::now();
    const auto result = tracker.track(image, static_cast<double>(frame) / 25);
    const std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - start;
    if (frame == 0)
      for (int object = 0; object < objects; ++object)
        tracker.add_prompt(object, square(object, 0));
    if (correct_every > 0 && frame > 0 && frame % correct_every == 0) {
      const int object = static_cast<int>(frame / correct_every % objects);
      tracker.add_prompt(object, square(object, frame));
    }
    milliseconds[static_cast<std::size_t>(frame)] = taken.count();
    if (frame == frames / 10) early_mib = vostrack::benchmarks::resident_mib();
  }
  const double late_mib = vostrack::benchmarks::resident_mib();
  const double slope =
      (late_mib - early_mib) / (static_cast<double>(frames - frames / 10) / 1000.0);
  std::cout << fmt::format(
                   "objects {:2}: {:7.2f} ms a frame, {:.1f} MiB after {} frames, {:.1f} MiB after "
                   "{}, {:+.3f} MiB per 1000 frames",
                   objects, vostrack::benchmarks::median(std::move(milliseconds)), early_mib,
                   frames / 10, late_mib, frames, slope)
            << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr const char* kUsage =
      "usage: stream_benchmark [--model FILE] [--config FILE] [--frames N] [--objects 1,2,4] "
      "[--threads N] [--correct-every N]\n";
  std::string path;
  vostrack::ModelOptions options;
  std::int64_t frames = 100;
  std::string objects = "1,2,4,8,16";
  int threads = 0;
  std::int64_t correct_every = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--help" || i + 1 == argc) {
      (word == "--help" ? std::cout : std::cerr) << kUsage;
      return word == "--help" ? 0 : 2;
    }
    const std::string value = argv[++i];
    if (word == "--model") {
      path = value;
    } else if (word == "--config") {
      options.config = value;
    } else if (word == "--frames") {
      frames = std::strtoll(value.c_str(), nullptr, 10);
    } else if (word == "--objects") {
      objects = value;
    } else if (word == "--correct-every") {
      correct_every = std::strtoll(value.c_str(), nullptr, 10);
    } else if (word == "--threads") {
      threads = std::atoi(value.c_str());
    } else {
      std::cerr << kUsage;
      return 2;
    }
  }
  if (frames < 20) {
    std::cerr << "stream_benchmark: --frames wants at least 20\n";
    return 2;
  }
  try {
    vostrack::set_num_threads(threads);
    const auto model = path.empty() ? vostrack::Model::load_default(options)
                                    : vostrack::Model::load(path, options);
    std::stringstream list(objects);
    for (std::string count; std::getline(list, count, ',');)
      measure(model, std::clamp(std::atoi(count.c_str()), 1, 64), frames, correct_every);
    return 0;
  } catch (const vostrack::Error& error) {
    std::cerr << "stream_benchmark: " << error.what() << '\n';
    return 1;
  }
}
