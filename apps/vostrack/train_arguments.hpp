/// What `vostrack train` is told.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/vostrack/train_validation.hpp"
#include "train/training_run.hpp"

namespace vostrack::cli {

struct TrainArguments {
  std::string config;
  std::string model, weights, out, device;
  std::vector<std::string> packs;
  std::vector<std::string> set;
  std::optional<int> frames;
  std::optional<double> pictures_share;
  std::optional<std::int64_t> steps;
  std::optional<int> size, batch;
  bool trial = false;
  bool resume = false;
  bool plan = false;
  bool quiet = false;
  int threads = 0;
  int log_every = 10;  ///< steps
  ValidationArguments validation;

  void add_to(CLI::App& command);

  /// The file's run with what the command line says in its place.
  ///
  /// @throws UsageError, Error as TrainingRun::from_json
  train::TrainingRun run() const;
};

}  // namespace vostrack::cli
