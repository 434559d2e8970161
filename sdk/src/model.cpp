#include "vostrack/model.hpp"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "base/check.hpp"
#include "model_impl.hpp"
#include "nn/checkpoint.hpp"
#include "vostrack/version.hpp"
#ifdef VOSTRACK_WITH_VIDEO
#include "video/versions.hpp"
#endif

namespace vostrack {
namespace {

nn::RuntimeOptions runtime_options(const ModelOptions& options) {
  const auto device = nn::parse_device(options.device);
  nn::RuntimeOptions runtime;
  if (options.precision == Precision::kInt8) runtime = nn::int8_options(device);
  if (options.precision == Precision::kBFloat16) runtime.dtype = torch::kBFloat16;
  runtime.device = device;
  check(options.memory_precision != Precision::kInt8, ErrorCode::kInvalidArgument,
        "memory_precision is int8, want float32 or bfloat16");
  runtime.memory_dtype =
      options.memory_precision == Precision::kBFloat16 ? torch::kBFloat16 : torch::kFloat32;
  return runtime;
}

}  // namespace

Model Model::load(const std::string& path, const ModelOptions& options) {
  return translate_errors([&] {
    const auto runtime = runtime_options(options);
    check(options.image_size >= 0, ErrorCode::kInvalidArgument,
          "image_size is {}, want 0 (the model's own) or a multiple of 32", options.image_size);
    auto impl = std::make_shared<Impl>();
    impl->path = path;
    impl->options = options;
    impl->model = nn::Model::load(path, runtime, options.config, options.image_size);
    if (options.precision == Precision::kBFloat16 &&
        impl->model->runtime().dtype != torch::kBFloat16)
      impl->options.precision = Precision::kFloat32;
    return Model(std::move(impl));
  });
}

Model Model::load_default(const ModelOptions& options) {
  return load(default_path(), options);
}

std::vector<std::string> Model::presets() {
  return nn::preset_names();
}

const std::string& Model::path() const noexcept {
  return impl_->path;
}
const std::string& Model::name() const noexcept {
  return impl_->model->config().name;
}
const ModelOptions& Model::options() const noexcept {
  return impl_->options;
}
int Model::image_size() const noexcept {
  return impl_->model->config().image_size;
}
std::string Model::config_json() const {
  return nn::config_to_json(impl_->model->config());
}

std::vector<ModelPart> Model::parts() const {
  std::vector<ModelPart> parts;
  for (const auto& [name, count] : impl_->model->part_sizes()) parts.push_back({name, count});
  return parts;
}

void convert_checkpoint(const std::string& from, const std::string& to, bool half,
                        const std::string& config) {
  translate_errors([&] {
    auto state = nn::read_checkpoint(from);
    const auto resolved = nn::resolve_config(state, config, from);
    nn::build_network(resolved, state, from);  // written only if it can be read again
    state.metadata["format"] = "pt";
    state.metadata["config"] = nn::config_to_json(resolved);
    nn::write_safetensors(to, state, half);
  });
}

void set_num_threads(int threads) {
  check(threads >= 0, ErrorCode::kInvalidArgument, "threads is {}, want at least 0", threads);
  if (threads > 0) at::set_num_threads(threads);
}

std::string library_versions() {
  std::string text = fmt::format(
      "vostrack {}\nLibTorch {} ({})", VOSTRACK_VERSION, VOSTRACK_TORCH_VERSION,
      at::get_parallel_info().find("OpenMP") != std::string::npos ? "OpenMP" : "native threads");
#ifdef VOSTRACK_WITH_VIDEO
  text += "\n" + video::library_versions();
#endif
  return text;
}

}  // namespace vostrack
