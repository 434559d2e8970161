#include <ostream>

#include "apps/vostrack/commands.hpp"

namespace vostrack::cli {

void ModelArguments::add_to(CLI::App& app) {
  const char* group = "Model";
  app.add_option("--model", path,
                 "Checkpoint, .pt or .safetensors [default: the small model that ships with it]")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--config", config,
                 "Preset such as sam2.1_hiera_t, or JSON file [default: found in the checkpoint]")
      ->type_name("NAME|FILE")
      ->group(group);
  app.add_option("--device", device, "Where the model runs: cpu, cuda or cuda:N")
      ->type_name("DEVICE")
      ->capture_default_str()
      ->group(group);
  app.add_option(
         "--precision", precision,
         "float32 (exact), bfloat16 (faster) or int8 (faster still on CPUs with AVX-512 VNNI)")
      ->type_name("TYPE")
      ->check(CLI::IsMember({"float32", "bfloat16", "int8"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--threads", threads, "Threads inside the networks [default: one per core]")
      ->type_name("N")
      ->check(CLI::Range(1, 4096))
      ->group(group);
  app.add_option("--size", size,
                 "Side of the network's input in pixels, a multiple of 32; more is finer and "
                 "slower [default: the model's own]")
      ->type_name("PIXELS")
      ->check(CLI::Range(32, 8192))
      ->group(group);
}

const char* precision_name(Precision precision) noexcept {
  switch (precision) {
    case Precision::kFloat32:
      return "float32";
    case Precision::kBFloat16:
      return "bfloat16";
    default:
      return "int8";
  }
}

void say_precision(const Console& console, const std::string& asked, const std::string& used) {
  console.err << "vostrack: this processor has no instructions for " << asked
              << ", so it computes in " << used << ", which is faster\n";
}

Model ModelArguments::load(const Console& console) const {
  ModelOptions options;
  options.device = device;
  options.precision = precision == "int8"       ? Precision::kInt8
                      : precision == "bfloat16" ? Precision::kBFloat16
                                                : Precision::kFloat32;
  options.image_size = size;
  options.config = config;
  if (threads > 0) set_num_threads(threads);
  Model model = path.empty() ? Model::load_default(options) : Model::load(path, options);
  if (const std::string used = precision_name(model.options().precision); used != precision)
    say_precision(console, precision, used);
  return model;
}

}  // namespace vostrack::cli
