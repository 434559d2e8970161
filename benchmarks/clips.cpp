// How fast training examples are made, in one thread.
//
//   clips_benchmark [--size N] [--frames N] [--clips N] [--pictures SHARE] FILE.pack...
//
// Prints examples per second of the processor's time and of the clock; they differ when other
// programs run, or when the disk is waited for.
#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "train/data/pack_source.hpp"

int main(int argc, char** argv) try {
  vostrack::train::DataConfig config;
  std::vector<std::string> paths;
  int clips = 300;
  config.pictures_share = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto value = [&] { return std::stod(++i < argc ? argv[i] : ""); };
    if (name == "--size")
      config.size = static_cast<int>(value());
    else if (name == "--frames")
      config.frames = static_cast<int>(value());
    else if (name == "--clips")
      clips = static_cast<int>(value());
    else if (name == "--pictures")
      config.pictures_share = value();
    else
      paths.push_back(name);
  }
  const auto source = vostrack::train::open_packs(paths, config);
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t busy = std::clock();
  for (int i = 0; i < clips; ++i) source->sample(1, i);
  const double cpu_s = static_cast<double>(std::clock() - busy) / CLOCKS_PER_SEC;
  const double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::cout << fmt::format(
      "{} examples of {} frames at {} px: {:.1f} a second of processor time, "
      "{:.1f} a second\n",
      clips, config.frames, config.size, clips / cpu_s, clips / s);
} catch (const std::exception& error) {
  std::cerr << "clips_benchmark: " << error.what() << '\n';
  return 1;
}
