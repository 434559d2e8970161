/// Models: weights and configuration, immutable and shared.
///
///   vostrack::ModelOptions options;
///   options.device = "cuda:0";
///   options.precision = vostrack::Precision::kBFloat16;
///   auto model = vostrack::Model::load("sam2.1_hiera_tiny.pt", options);
///
/// Thread safety: a Model may be used by any number of threads and sessions at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "vostrack/error.hpp"
#include "vostrack/export.hpp"

namespace vostrack {

enum class Precision {
  kFloat32,   ///< reproduces the reference's numbers
  kBFloat16,  ///< faster, masks within a hair; kFloat32 on CPUs without instructions for it
  /// 8-bit numbers in the linear layers, bfloat16 where the processor has it and float32 elsewhere
  /// in between. Fastest for the published networks, on CPUs with AVX-512 VNNI only; what it costs
  /// is in docs/performance.md.
  kInt8,
};

struct ModelOptions {
  /// "cpu", "cuda" or "cuda:N".
  std::string device = "cpu";
  Precision precision = Precision::kFloat32;
  /// How spatial memories are stored. bfloat16 is what the published numbers were made with, and
  /// takes half the room; not kInt8.
  Precision memory_precision = Precision::kBFloat16;
  /// Side of the network's square input in pixels, a multiple of 32; 0 for the model's own.
  int image_size = 0;
  /// JSON file with the configuration, or the name of a preset such as "sam2.1_hiera_t"; empty to
  /// take it from the file, or guess it from the weights.
  std::string config;
};

/// One part of the network and what it weighs.
struct ModelPart {
  std::string name;
  std::int64_t parameters = 0;
};

class VOSTRACK_API Model {
 public:
  /// Reads a checkpoint (.pt or .safetensors, official or Hugging Face names).
  ///
  /// @throws Error kNotFound, kCorruptFile, kModelMismatch (naming every missing, unexpected and
  ///   mis-shaped key), kUnsupported for a device that is not there, kInvalidArgument
  static Model load(const std::string& path, const ModelOptions& options = {});

  /// The small model that ships with the library. Looked for in the environment variable
  /// VOSTRACK_MODEL, beside the installed library, then in the source tree it was built from.
  static Model load_default(const ModelOptions& options = {});

  /// Where load_default finds its file.
  static std::string default_path();

  /// Names of the published configurations.
  static std::vector<std::string> presets();

  const std::string& path() const noexcept;
  const std::string& name() const noexcept;
  const ModelOptions& options() const noexcept;  ///< with the precision that is in force
  int image_size() const noexcept;
  /// The configuration as JSON, with the reference's option names.
  std::string config_json() const;
  std::vector<ModelPart> parts() const;

  /// The implementation; for the library itself.
  struct Impl;
  const std::shared_ptr<const Impl>& impl() const noexcept { return impl_; }

 private:
  explicit Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

/// Reads a checkpoint and writes it as safetensors with its configuration in the header.
///
/// @param half  stores floating-point weights as float16
/// @param config  as ModelOptions::config
/// @throws Error as Model::load; kIo when the file cannot be written
VOSTRACK_API void convert_checkpoint(const std::string& from, const std::string& to, bool half,
                                     const std::string& config = {});

/// Threads used inside one operation of the networks; 0 leaves the default. Process-wide.
VOSTRACK_API void set_num_threads(int threads);

/// Versions of the libraries in use, one "name version" a line.
VOSTRACK_API std::string library_versions();

}  // namespace vostrack
