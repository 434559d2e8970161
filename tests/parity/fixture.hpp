/// A folder of numbers that the reference computed.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "nn/model.hpp"
#include "parity/report.hpp"

namespace vostrack::parity {

struct Fixture {
  std::filesystem::path folder;
  nn::ModelConfig config;
  /// Raw weights in float32 with float32 memories.
  std::shared_ptr<const nn::Model> model;
  torch::Device device = torch::kCPU;
  nlohmann::json noise;

  /// @throws Error, nlohmann::json::exception when something is missing or does not fit
  static Fixture open(const std::filesystem::path& folder, torch::Device device);

  /// The same weights with another dtype for stored memories.
  std::shared_ptr<const nn::Model> model_with_memory(torch::ScalarType dtype) const;

  /// Limits from a section of noise.json.
  Limits limits(const std::string& section) const;

  nn::StateDict tensors(const std::string& file) const;
  bool has(const std::string& file) const { return std::filesystem::exists(folder / file); }
};

void check_stages(const Fixture& fixture, Report& report);
void check_image(const Fixture& fixture, Report& report);
/// Replays the script, also with bfloat16 memories where the folder has their numbers.
///
/// @param objects_per_batch  as in tracker::TrackerConfig
void check_video(const Fixture& fixture, int objects_per_batch, Report& report);

/// Everything that the folder has.
void check_folder(const std::filesystem::path& folder, int objects_per_batch, Report& report,
                  torch::Device device = torch::kCPU);

}  // namespace vostrack::parity
