// Time per frame and memory of a stream, for one or more numbers of objects.
//
//   stream_benchmark [--model FILE] [--config FILE] [--frames N] [--objects 1,2,4] [--threads N]
//                    [--correct-every N] [--most-growth MIB]
//
// Prints for each number of objects the median time of a frame, then the resident memory and what is
// allocated of it after each tenth of the frames, and the slopes of both from the second tenth on.
// What is allocated tells a leak from free memory that the allocator has not given back; where it
// grows by more than --most-growth per 1000 frames, the program fails.
#include <fmt/format.h>

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "bench/timing.hpp"
#include "vostrack/vostrack.hpp"

namespace {

constexpr int kHeight = 240;
constexpr int kWidth = 320;
constexpr int kSide = 40;
constexpr std::int64_t kSamples = 10;  ///< of memory

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

/// Memory in MiB after a number of frames.
struct Sample {
  double frames = 0;
  double resident = 0;
  double allocated = 0;  ///< 0 where the C library does not tell
};

Sample sample(std::int64_t frames) {
  Sample now{static_cast<double>(frames)};
  now.resident = vostrack::bench::resident_mib();
#ifdef __GLIBC__
  const auto heap = ::mallinfo2();
  now.allocated = static_cast<double>(heap.uordblks + heap.hblkhd) / (1 << 20);
#endif
  return now;
}

/// MiB per 1000 frames, by least squares.
double slope(const std::vector<Sample>& samples, double Sample::*memory) {
  double frames = 0, mean = 0;
  for (const Sample& at : samples) {
    frames += at.frames / static_cast<double>(samples.size());
    mean += at.*memory / static_cast<double>(samples.size());
  }
  double above = 0, below = 0;
  for (const Sample& at : samples) {
    above += (at.frames - frames) * (at.*memory - mean);
    below += (at.frames - frames) * (at.frames - frames);
  }
  return below > 0 ? 1000 * above / below : 0;
}

/// @return the slope from the second sample on
double print(const std::vector<Sample>& samples, const char* name, double Sample::*memory) {
  const double growth = slope({samples.begin() + 1, samples.end()}, memory);
  std::cout << fmt::format("  {:9} MiB:", name);
  for (const Sample& at : samples) std::cout << fmt::format(" {:.1f}", at.*memory);
  std::cout << fmt::format("; {:+.4f} per 1000 frames\n", growth);
  return growth;
}

/// @param correct_every  frames after which an object gets a new mask; 0: never
/// @return how much more was allocated per 1000 frames, in MiB
double measure(const vostrack::Model& model, int objects, std::int64_t frames,
             std::int64_t correct_every) {
  vostrack::StreamTracker tracker(model);
  // Written to at once, so that filling it does not look like growth.
  std::vector<double> milliseconds(static_cast<std::size_t>(frames), 0.0);
  std::vector<Sample> samples;
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
    if ((frame + 1) * kSamples / frames > frame * kSamples / frames)
      samples.push_back(sample(frame + 1));
  }
  std::cout << fmt::format("objects {:2}: {:7.2f} ms a frame, {} frames\n", objects,
                           vostrack::bench::median(std::move(milliseconds)), frames);
  print(samples, "resident", &Sample::resident);
  const double growth = print(samples, "allocated", &Sample::allocated);
  std::cout << std::flush;
  return growth;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr const char* kUsage =
      "usage: stream_benchmark [--model FILE] [--config FILE] [--frames N] [--objects 1,2,4] "
      "[--threads N] [--correct-every N] [--most-growth MIB]\n";
  std::string path;
  vostrack::ModelOptions options;
  std::int64_t frames = 100;
  std::string objects = "1,2,4,8,16";
  int threads = 0;
  std::int64_t correct_every = 0;
  double most_growth = std::numeric_limits<double>::infinity();
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
    } else if (word == "--most-growth") {
      most_growth = std::strtod(value.c_str(), nullptr);
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
    int status = 0;
    for (std::string count; std::getline(list, count, ',');) {
      const int number = std::clamp(std::atoi(count.c_str()), 1, 64);
      const double growth = measure(model, number, frames, correct_every);
      if (growth <= most_growth) continue;
      std::cerr << fmt::format("stream_benchmark: {} objects: {:.4f} MiB more per 1000 frames\n",
                               number, growth);
      status = 1;
    }
    return status;
  } catch (const vostrack::Error& error) {
    std::cerr << "stream_benchmark: " << error.what() << '\n';
    return 1;
  }
}
