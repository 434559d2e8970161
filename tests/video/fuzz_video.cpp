/// Damages clips at random and reads them, for a bounded processor time.
///
///   scripts/make_fuzz_corpus.sh corpus
///   build/asan/tests/video/fuzz_video corpus 600            ten minutes of one processor
///   build/asan/tests/video/fuzz_video fuzz_failure.bin      reads one file as it is
///
/// Any Error is fine. A crash, another exception, a clip that takes too long or too much memory is
/// not: the input then lies in the working folder as fuzz_failure.bin.
#include <sys/resource.h>
#include <sys/time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"
#include "video/file_source.hpp"
#include "video/probe.hpp"
#include "video/writer.hpp"

namespace {

namespace fs = std::filesystem;
/// Of processor time, with sanitizers, so that a busy machine is no failure.
constexpr double kMaxSecondsPerInput = 30;
/// An endless loop is ended by a signal after this much.
constexpr long kEndlessSeconds = 4 * static_cast<long>(kMaxSecondsPerInput);
/// One picture of the largest size allowed takes as much.
constexpr long kMaxMegabytes = 4096;
constexpr std::int64_t kMaxFrames = 40;

/// Ends the program after so many processor seconds, which leaves the input where it is; 0 calls it
/// off.
void end_after(long seconds) {
  itimerval timer{};
  timer.it_value.tv_sec = seconds;
  ::setitimer(ITIMER_PROF, &timer, nullptr);
}

double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

long peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

void damage(std::string& bytes, std::mt19937& random) {
  const auto place = [&] { return random() % bytes.size(); };
  const int times = 1 + static_cast<int>(random() % 8);
  for (int i = 0; i < times && !bytes.empty(); ++i) switch (random() % 6) {
      case 0:
        bytes[place()] = static_cast<char>(random());
        break;
      case 1:
        bytes[place()] ^= static_cast<char>(1 << random() % 8);
        break;
      case 2: {  // headers are where sizes and counts stand
        bytes[random() % std::min<std::size_t>(bytes.size(), 512)] = static_cast<char>(random());
        break;
      }
      case 3:
        bytes.resize(1 + place());
        break;
      case 4: {
        const std::size_t at = place();
        bytes.erase(at, 1 + random() % 64);
        break;
      }
      default: {
        const std::size_t from = place(), count = std::min<std::size_t>(bytes.size() - from, 128);
        bytes.insert(place(), bytes.substr(from, count));
      }
    }
}

void report(const std::string& path) {
  try {
    vostrack::video::probe(path, {.threads = 1});
  } catch (const vostrack::Error&) {
  }
}

/// Copies the sound beside a black picture.
void copy_sound(const std::string& path) {
  try {
    vostrack::video::VideoWriter writer(
        "fuzz_sound.mov", 16, 16, {.sound = vostrack::SoundSource{.path = path, .start_s = 0.1}});
    const vostrack::Image black{16, 16, std::vector<std::uint8_t>(3 * 16 * 16)};
    for (int i = 0; i < 5; ++i) writer.write(black, i * 0.2);
    writer.finish();
  } catch (const vostrack::Error&) {
  }
}

/// Sequentially, then a few frames out of order, then the report, then the sound.
///
/// @return  processor seconds
double read(const std::string& path, std::mt19937& random) {
  const double began = processor_seconds();
  end_after(kEndlessSeconds);
  try {
    auto source = vostrack::video::open_file(path, {.threads = 1});
    const std::int64_t count = std::min(source->frame_count(), kMaxFrames);
    for (std::int64_t i = 0; i < count + 4; ++i) {
      try {
        source->read(i < count ? i : static_cast<std::int64_t>(random()) % source->frame_count());
      } catch (const vostrack::Error&) {
      }
    }
  } catch (const vostrack::Error&) {
  }
  report(path);
  copy_sound(path);
  end_after(0);
  return processor_seconds() - began;
}

}  // namespace

int main(int argc, char** argv) {
  std::mt19937 random(argc > 3 ? static_cast<unsigned>(std::atol(argv[3])) : 1);
  if (argc == 2 && fs::is_regular_file(argv[1])) {
    const double took = read(argv[1], random);
    std::printf("took %.2f s, peak memory %ld MB\n", took, peak_megabytes());
    return 0;
  }
  if (argc < 3) {
    std::fprintf(stderr, "usage: fuzz_video CORPUS SECONDS [SEED]\n       fuzz_video FILE\n");
    return 2;
  }
  std::vector<std::string> corpus;
  for (const auto& entry : fs::directory_iterator(argv[1]))
    if (entry.is_regular_file())
      corpus.push_back(vostrack::test::read_bytes(entry.path().string()));
  if (corpus.empty()) {
    std::fprintf(stderr, "%s: no clips\n", argv[1]);
    return 2;
  }
  const double limit = std::atof(argv[2]);
  double slowest = 0;
  long inputs = 0;
  for (; processor_seconds() < limit; ++inputs) {
    std::string bytes = corpus[random() % corpus.size()];
    damage(bytes, random);
    // A sanitizer ends the program at once, so the input lies there before it is read.
    vostrack::test::write_bytes("fuzz_failure.bin", bytes);
    try {
      slowest = std::max(slowest, read("fuzz_failure.bin", random));
    } catch (const std::exception& error) {
      std::fprintf(stderr, "input %ld: %s\n", inputs, error.what());
      return 1;
    }
    if (slowest > kMaxSecondsPerInput || peak_megabytes() > kMaxMegabytes) {
      std::fprintf(stderr, "input %ld: took %.1f s, peak memory %ld MB\n", inputs, slowest,
                   peak_megabytes());
      return 1;
    }
  }
  fs::remove("fuzz_failure.bin");
  fs::remove("fuzz_sound.mov");
  std::printf("%ld inputs, the slowest took %.2f s, peak memory %ld MB\n", inputs, slowest,
              peak_megabytes());
  return 0;
}
