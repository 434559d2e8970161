// How fast videos are read, beside FFmpeg's command and OpenCV's VideoCapture, in one run.
//
//   video_benchmark CLIP... [--rounds 5] [--threads 0] [--seeks 60]
//   video_benchmark --memory 20000
//
// Sequential: from opening the file to its last frame as RGB bytes. The command writes to a pipe
// that is read to its end (-f rawvideo -pix_fmt rgb24). OpenCV reads every frame into the same
// picture, and ours come back by recycle(). Random: a list of frames, the same for all;
// OpenCV goes there by CAP_PROP_POS_FRAMES. OpenCV decodes with as many threads as there are
// processors, which is what --threads 0 means for the others. The contestants take turns, the first
// turn does not count, and what is printed are medians: of the frames a second, and of the factor
// by which the first of the list was faster in the same turn.
//
// --memory N: makes a clip of N frames, reads it from start to end, and prints the resident memory
// after a tenth of the frames and at the end, and how much it grew per thousand frames in between.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "bench/timing.hpp"
#include "video/open.hpp"
#include "video/writer.hpp"
#ifdef VOSTRACK_WITH_VIDEOIO
#include <opencv2/videoio.hpp>
#endif

namespace {

using vostrack::bench::median;
using vostrack::bench::resident_mib;
using vostrack::video::open_source;
using vostrack::video::OpenOptions;
using Clock = std::chrono::steady_clock;

struct Settings {
  std::vector<std::string> clips;
  int rounds = 5;
  int threads = 0;
  int seeks = 60;
  int memory = 0;
};

/// Reads a clip and says how many frames that were.
using Work = std::function<std::int64_t()>;

struct Contestant {
  std::string name;
  Work work;
  std::vector<double> fps{};
};

OpenOptions options_of(const Settings& settings, int read_ahead_frames) {
  OpenOptions options;
  options.decode.threads = settings.threads;
  options.read_ahead_frames = read_ahead_frames;
  return options;
}

std::int64_t read_all(const std::string& clip, const OpenOptions& options) {
  auto source = open_source(clip, options);
  for (std::int64_t i = 0; i < source->frame_count(); ++i) source->recycle(source->read(i));
  return source->frame_count();
}

std::int64_t pipe_all(const std::string& clip, const Settings& settings, std::size_t frame_bytes) {
  const std::string threads =
      settings.threads > 0 ? fmt::format("-threads {} ", settings.threads) : std::string();
  const std::string command = fmt::format(
      "ffmpeg -v error -nostdin {}-i '{}' -map 0:v:0 -fps_mode passthrough -f rawvideo "
      "-pix_fmt rgb24 -",
      threads, clip);
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return 0;
  static std::vector<char> buffer(1 << 20);
  std::size_t bytes = 0;
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) bytes += got;
  ::pclose(pipe);
  return static_cast<std::int64_t>(bytes / frame_bytes);
}

std::int64_t seek_all(const std::string& clip, const OpenOptions& options,
                      const std::vector<std::int64_t>& order) {
  auto source = open_source(clip, options);
  for (const std::int64_t frame : order) source->recycle(source->read(frame));
  return static_cast<std::int64_t>(order.size());
}

#ifdef VOSTRACK_WITH_VIDEOIO
std::int64_t capture_all(const std::string& clip) {
  cv::VideoCapture source(clip, cv::CAP_FFMPEG);
  std::int64_t frames = 0;
  for (cv::Mat picture; source.read(picture);) ++frames;
  return frames;
}

std::int64_t capture_seeks(const std::string& clip, const std::vector<std::int64_t>& order) {
  cv::VideoCapture source(clip, cv::CAP_FFMPEG);
  std::int64_t frames = 0;
  cv::Mat picture;
  for (const std::int64_t frame : order) {
    source.set(cv::CAP_PROP_POS_FRAMES, static_cast<double>(frame));
    frames += source.read(picture) ? 1 : 0;
  }
  return frames;
}
#endif

void race(const char* title, std::vector<Contestant> contestants, int rounds) {
  for (int round = 0; round <= rounds; ++round)
    for (Contestant& contestant : contestants) {
      const auto start = Clock::now();
      const std::int64_t frames = contestant.work();
      const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
      if (round > 0) contestant.fps.push_back(static_cast<double>(frames) / seconds);
    }
  for (const Contestant& contestant : contestants) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < contestant.fps.size(); ++i)
      ratios.push_back(contestants[0].fps[i] / contestant.fps[i]);
    fmt::print("{:<12} {:<18} {:>8.1f} frames/s  ({:.1f} to {:.1f})  x {:.2f}\n", title,
               contestant.name, median(contestant.fps),
               *std::min_element(contestant.fps.begin(), contestant.fps.end()),
               *std::max_element(contestant.fps.begin(), contestant.fps.end()), median(ratios));
  }
}

void measure(const std::string& clip, const Settings& settings) {
  auto source = open_source(clip, options_of(settings, 0));
  const std::int64_t count = source->frame_count();
  const std::size_t frame_bytes = std::size_t{3} * source->height() * source->width();
  fmt::print("{}: {} frames of {}x{}\n", clip, count, source->width(), source->height());
  std::mt19937 random(1);
  std::vector<std::int64_t> order;
  for (int i = 0; i < settings.seeks; ++i)
    order.push_back(static_cast<std::int64_t>(random()) % count);
  source.reset();

  std::vector<Contestant> onwards = {
      {"vostrack",
       [&] { return read_all(clip, options_of(settings, OpenOptions{}.read_ahead_frames)); }},
      {"vostrack, no ahead", [&] { return read_all(clip, options_of(settings, 0)); }},
      {"ffmpeg to a pipe", [&] { return pipe_all(clip, settings, frame_bytes); }},
  };
  std::vector<Contestant> anywhere = {
      {"vostrack",
       [&] {
         return seek_all(clip, options_of(settings, OpenOptions{}.read_ahead_frames), order);
       }},
  };
#ifdef VOSTRACK_WITH_VIDEOIO
  onwards.push_back({"OpenCV", [&] { return capture_all(clip); }});
  anywhere.push_back({"OpenCV", [&] { return capture_seeks(clip, order); }});
#endif
  race("sequential", std::move(onwards), settings.rounds);
  race("random", std::move(anywhere), settings.rounds);
}

/// A clip of 320x240 whose every picture is another; gone with this.
class GeneratedClip {
 public:
  explicit GeneratedClip(int frames)
      : path_((std::filesystem::temp_directory_path() /
               fmt::format("vostrack-benchmark-{}.mp4", ::getpid()))
                  .string()) {
    constexpr int kHeight = 240, kWidth = 320;
    vostrack::video::VideoWriter writer(path_, kHeight, kWidth, {.preset = "ultrafast"});
    vostrack::Image image{kHeight, kWidth, std::vector<std::uint8_t>(3 * kHeight * kWidth)};
    for (int frame = 0; frame < frames; ++frame) {
      for (std::size_t i = 0; i < image.rgb.size(); ++i)
        image.rgb[i] = static_cast<std::uint8_t>(i / (3 * kWidth) + i % 3 * 40 +
                                                 static_cast<std::size_t>(frame));
      writer.write(image, frame / 25.0);
    }
    writer.finish();
  }
  ~GeneratedClip() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  GeneratedClip(const GeneratedClip&) = delete;
  GeneratedClip& operator=(const GeneratedClip&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void measure_memory(const Settings& settings) {
  const GeneratedClip clip(settings.memory);
  for (const int ahead : {OpenOptions{}.read_ahead_frames, 0}) {
    const auto source = open_source(clip.path(), options_of(settings, ahead));
    const std::int64_t count = source->frame_count(), early = count / 10;
    double early_mib = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      source->recycle(source->read(i));
      if (i == early) early_mib = resident_mib();
    }
    const double late_mib = resident_mib();
    fmt::print(
        "{} frames, {} read ahead: {:.2f} MiB resident after {} frames, {:.2f} MiB at the end, "
        "{:+.4f} MiB per 1000 frames\n",
        count, ahead, early_mib, early, late_mib,
        (late_mib - early_mib) / (static_cast<double>(count - early) / 1000));
  }
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!word.starts_with("--")) {
      settings.clips.push_back(word);
      continue;
    }
    int* const value = word == "--rounds"    ? &settings.rounds
                       : word == "--threads" ? &settings.threads
                       : word == "--seeks"   ? &settings.seeks
                       : word == "--memory"  ? &settings.memory
                                             : nullptr;
    if (value == nullptr || i + 1 == argc) {
      settings = {.clips = {}, .memory = 0};
      break;
    }
    *value = std::atoi(argv[++i]);
  }
  const bool has_work = !settings.clips.empty() || settings.memory >= 100;
  if (!has_work || settings.rounds < 1 || settings.seeks < 1) {
    fmt::print(stderr,
               "usage: video_benchmark CLIP... [--rounds 5] [--threads 0] [--seeks 60]\n"
               "       video_benchmark --memory 20000\n");
    return 2;
  }
  try {
    if (settings.memory > 0) measure_memory(settings);
    for (const std::string& clip : settings.clips) measure(clip, settings);
  } catch (const vostrack::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
