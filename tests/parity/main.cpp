// vostrack-parity [--quiet] [--unbatched] [--threads N] [--device DEVICE] FOLDER...
//
// Compares the networks, the image segmenter and whole editing sessions with numbers that the
// reference computed; prints a line per quantity, and exits with 1 when one is beyond its limit.
#include <fmt/format.h>
#include <torch/torch.h>

#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "parity/fixture.hpp"

int main(int argc, char** argv) {
  constexpr const char* kUsage =
      "vostrack-parity [--quiet] [--unbatched] [--threads N] [--device DEVICE] FOLDER...\n"
      "\n"
      "  Compares with the reference's numbers in each FOLDER (config.json, model.pt or\n"
      "  model.safetensors, and any of stages.safetensors, image.safetensors, script.json with\n"
      "  video.safetensors). --quiet prints only what fails; --unbatched tracks objects one by\n"
      "  one instead of together. One thread on the CPU unless told otherwise.\n";
  bool quiet = false;
  int objects_per_batch = 16;
  int threads = 1;
  std::string device = "cpu";
  std::vector<std::string> folders;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--help" || word == "-h") {
      std::cout << kUsage;
      return 0;
    }
    if (word == "--quiet") {
      quiet = true;
    } else if (word == "--unbatched") {
      objects_per_batch = 1;
    } else if (word == "--threads" && i + 1 < argc) {
      threads = std::atoi(argv[++i]);
    } else if (word == "--device" && i + 1 < argc) {
      device = argv[++i];
    } else if (word.rfind("--", 0) == 0) {
      std::cerr << "vostrack-parity: unknown option " << word << "\n" << kUsage;
      return 2;
    } else {
      folders.push_back(word);
    }
  }
  if (folders.empty() || threads < 1) {
    std::cerr << kUsage;
    return 2;
  }
  torch::set_num_threads(threads);
  // The folders' numbers are of full float32; cuDNN would round what it multiplies to ten bits.
  at::globalContext().setAllowTF32CuDNN(false);
  int failed = 0;
  for (const auto& folder : folders) {
    vostrack::parity::Report report(std::cout, quiet);
    try {
      vostrack::parity::check_folder(folder, objects_per_batch, report,
                                     vostrack::nn::parse_device(device));
    } catch (const std::exception& error) {
      report.problem(folder, error.what());
    }
    if (report.compared() == 0) report.problem(folder, "there is nothing to compare");
    std::cout << fmt::format("{}: {} quantities, {} beyond their limits\n", folder,
                             report.compared(), report.failed())
              << std::flush;
    failed += report.failed();
  }
  return failed == 0 ? 0 : 1;
}
