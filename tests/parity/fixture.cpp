#include "parity/fixture.hpp"

#include <fstream>
#include <sstream>

#include "nn/checkpoint.hpp"
#include "vostrack/error.hpp"

namespace vostrack::parity {
namespace {

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw Error(ErrorCode::kNotFound, path.string() + ": cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::filesystem::path weights(const std::filesystem::path& folder) {
  const auto pickle = folder / "model.pt";
  return std::filesystem::exists(pickle) ? pickle : folder / "model.safetensors";
}

}  // namespace

Fixture Fixture::open(const std::filesystem::path& folder, torch::Device device) {
  Fixture fixture;
  fixture.device = device;
  fixture.folder = folder;
  fixture.config = nn::config_from_json(read_text(folder / "config.json"));
  fixture.model = fixture.model_with_memory(torch::kFloat32);
  if (fixture.has("noise.json"))
    fixture.noise = nlohmann::json::parse(read_text(folder / "noise.json"));
  return fixture;
}

std::shared_ptr<const nn::Model> Fixture::model_with_memory(torch::ScalarType dtype) const {
  nn::RuntimeOptions runtime;
  runtime.device = device;
  runtime.memory_dtype = dtype;
  const auto path = weights(folder).string();
  return std::make_shared<const nn::Model>(config, nn::read_checkpoint(path), runtime, path);
}

Limits Fixture::limits(const std::string& section) const {
  Limits limits;
  if (noise.contains(section))
    for (const auto& [key, value] : noise[section].items()) limits.noise[key] = value;
  // Random weights amplify rounding about a thousandfold; trained ones are far below this.
  constexpr double kWellConditioned = 5e-5;
  if (noise.contains("video") && noise["video"].contains("masks") &&
      noise["video"]["masks"].get<double>() < kWellConditioned) {
    limits.mask_floor = 1e-3;
    limits.other_floor = 1e-4;
  }
  return limits;
}

nn::StateDict Fixture::tensors(const std::string& file) const {
  return nn::read_checkpoint((folder / file).string());
}

void check_folder(const std::filesystem::path& folder, int objects_per_batch, Report& report,
                  torch::Device device) {
  const auto fixture = Fixture::open(folder, device);
  const std::string name = folder.filename().string();
  if (fixture.has("stages.safetensors")) {
    report.section(name + "/stages");
    check_stages(fixture, report);
  }
  if (fixture.has("image.safetensors")) {
    report.section(name + "/image");
    check_image(fixture, report);
  }
  if (fixture.has("script.json")) {
    report.section(name + "/video");
    check_video(fixture, objects_per_batch, report);
  }
}

}  // namespace vostrack::parity
