#include "nn/model.hpp"

#include <fmt/ranges.h>
#include <torch/cuda.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/check.hpp"
#include "nn/checkpoint.hpp"
#include "nn/int8_linear.hpp"
#include "nn/layers.hpp"
#include "nn/picture_resize.hpp"
#include "nn/processor.hpp"

namespace vostrack::nn {
namespace {

constexpr std::uintmax_t kMaxConfigBytes = 1 << 20;

std::string read_text(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  check(!error, ErrorCode::kNotFound, "{}: {}", path, error.message());
  check(size <= kMaxConfigBytes, ErrorCode::kInvalidArgument,
        "{}: {} bytes, want a configuration of at most {}", path, size, kMaxConfigBytes);
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  check(file.good(), ErrorCode::kIo, "{}: cannot be read", path);
  return text.str();
}

torch::Tensor channel_values(const std::array<double, 3>& values) {
  return torch::tensor({static_cast<float>(values[0]), static_cast<float>(values[1]),
                        static_cast<float>(values[2])})
      .view({1, 3, 1, 1});
}

torch::Tensor as_tokens(const torch::Tensor& grid) {
  return grid.flatten(1).transpose(0, 1).unsqueeze(0).contiguous();
}

std::string fingerprint_of(ModelConfig config, const torch::nn::Module& network) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  const auto add = [&hash](const void* data, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      hash = (hash ^ static_cast<const std::uint8_t*>(data)[i]) * 0x100000001b3;
  };
  config.name.clear();
  const std::string text = config_to_json(config);
  add(text.data(), text.size());
  constexpr std::int64_t kSamples = 64;
  for (const auto& [name, tensor] : weights_of(network).tensors) {
    const auto flat = tensor.flatten();
    const auto step = std::max<std::int64_t>(flat.numel() / kSamples, 1);
    const auto samples = flat.slice(0, 0, c10::nullopt, step).to(torch::kFloat32).contiguous();
    add(name.data(), name.size());
    add(samples.const_data_ptr(), samples.nbytes());
  }
  return fmt::format("{:016x}", hash);
}

/// Two levels of names tell the trunk from the neck; other networks are one part each.
std::map<std::string, std::int64_t> part_sizes_of(const torch::nn::Module& network) {
  std::map<std::string, std::int64_t> sizes;
  for (const auto& [name, tensor] : weights_of(network).tensors) {
    auto end = name.find('.');
    if (name.rfind("image_encoder.", 0) == 0) end = name.find('.', end + 1);
    sizes[name.substr(0, end)] += tensor.numel();
  }
  return sizes;
}

}  // namespace

ModelConfig resolve_config(const StateDict& state, const std::string& named,
                           const std::string& origin) {
  if (!named.empty()) {
    if (auto config = preset(named)) return *config;
    check(std::filesystem::exists(named), ErrorCode::kNotFound,
          "{}: neither a file nor a preset; presets are {}", named,
          fmt::join(preset_names(), ", "));
    return config_from_json(read_text(named));
  }
  if (auto it = state.metadata.find("config"); it != state.metadata.end())
    return config_from_json(it->second);
  if (auto config = guess_config(state)) return *config;
  fail(ErrorCode::kModelMismatch,
       "{}: holds no configuration and looks like none of the presets ({}); name one, or a JSON "
       "file",
       origin, fmt::join(preset_names(), ", "));
}

torch::Device parse_device(const std::string& text) {
  if (text == "cpu") return torch::kCPU;
  const bool cuda = text == "cuda" || text.rfind("cuda:", 0) == 0;
  int index = 0;
  bool good = cuda;
  if (cuda && text.size() > 5) {
    good = text.size() <= 8 && text.find_first_not_of("0123456789", 5) == std::string::npos;
    if (good) index = std::stoi(text.substr(5));
  } else if (text == "cuda:") {
    good = false;
  }
  check(good, ErrorCode::kInvalidArgument, "device is {}, want cpu, cuda or cuda:N", text);
  const auto count = static_cast<int>(torch::cuda::device_count());
  check(index < count, ErrorCode::kUnsupported,
        "device is {}, but LibTorch sees {} CUDA devices here; use cpu", text, count);
  return {torch::kCUDA, static_cast<torch::DeviceIndex>(index)};
}

RuntimeOptions int8_options(torch::Device device) {
  check(device.is_cpu(), ErrorCode::kUnsupported,
        "precision is int8, but device is {}; int8 is for cpu, use bfloat16", device.str());
  check(Int8Linear::available(), ErrorCode::kUnsupported,
        "precision is int8, but this processor has no AVX-512 VNNI; use float32 or bfloat16");
  RuntimeOptions runtime;
  runtime.int8 = true;
  runtime.dtype = torch::kBFloat16;  // where the processor has it, see Model
  return runtime;
}

std::shared_ptr<const Model> Model::load(const std::string& path, const RuntimeOptions& runtime,
                                         const std::string& config, int image_size) {
  const StateDict state = read_checkpoint(path);
  ModelConfig resolved = resolve_config(state, config, path);
  if (image_size != 0) resolved.image_size = image_size;
  return std::make_shared<const Model>(std::move(resolved), state, runtime, path);
}

Model::Model(ModelConfig config, const StateDict& state, const RuntimeOptions& runtime,
             std::string origin)
    : config_(std::move(config)), runtime_(runtime) {
  torch::NoGradGuard no_grad;
  // Without instructions for it bfloat16 takes several times as long as float32.
  if (runtime_.device.is_cpu() && !has_avx512_bf16()) runtime_.dtype = torch::kFloat32;
  network_ = build_network(config_, state, origin).ptr();
  fingerprint_ = fingerprint_of(config_, *network_);
  part_sizes_ = part_sizes_of(*network_);
  network_->eval();
  for (auto& parameter : network_->parameters()) parameter.requires_grad_(false);
  auto& trunk = *network_->image_encoder->trunk();
  if (runtime_.int8) {
    quantise_linear_layers(trunk);
    quantise_linear_layers(*network_->memory_attention);
    quantise_linear_layers(*network_->memory_encoder);
  }
  trunk_dtype_ = trunk.inference_dtype(runtime_.dtype);
  trunk.prepare_for_inference(config_.image_size,
                              torch::TensorOptions(trunk_dtype_).device(runtime_.device));
  network_->to(runtime_.device);
  trunk.to(trunk_dtype_);
  network_->image_encoder->neck()->to(runtime_.dtype);
  network_->memory_attention->to(runtime_.dtype);
  network_->memory_encoder->to(runtime_.dtype);
  prepare_linear_layers(*network_);
  drop_plain_weights(trunk);  // by far the most of all; many rows of tokens always
  compute_constants();
  network_->memory_attention->prepare_for_inference(rotary_, config_.feature_size(),
                                                    config_.feature_size());
  network_->memory_encoder->prepare_for_inference(config_.image_size);
}

Model::Model(ModelConfig config, const Network& network, torch::Device device)
    : config_(std::move(config)), network_(network.ptr()) {
  torch::NoGradGuard no_grad;
  config_.validate();
  runtime_ = {device, torch::kFloat32, torch::kFloat32};
  compute_constants();
}

void Model::compute_constants() {
  const int side = config_.feature_size();
  const auto device = runtime_.device;
  mean_ = channel_values(config_.pixel_mean).to(device);
  std_ = channel_values(config_.pixel_std).to(device);
  current_pos_ =
      as_tokens(sine_encoding_2d(config_.neck.position_encoding, config_.neck.d_model, side, side))
          .to(device)
          .to(runtime_.dtype);
  memory_pos_ = as_tokens(sine_encoding_2d(config_.memory_encoder.position_encoding,
                                           config_.memory_encoder.out_dim, side, side))
                    .to(device);
  dense_pe_ = network_->prompt_encoder->dense_position_encoding();
  rotary_ = rotary_table(network_->memory_attention->inner_channels(), side, side,
                         config_.memory_attention.rope_theta)
                .to(device);
}

torch::Tensor Model::normalise(const torch::Tensor& pictures) const {
  return (pictures.to(runtime_.device).to(torch::kFloat32) / 255 - mean_) / std_;
}

std::int64_t bytes_of(const ImageFeatures& features) {
  auto bytes = features.coarse.nbytes();
  for (const auto& level : features.high_res) bytes += level.nbytes();
  return static_cast<std::int64_t>(bytes);
}

void Model::check_picture(const torch::Tensor& picture) {
  check(picture.dim() == 3 && picture.size(2) == 3 && picture.scalar_type() == torch::kUInt8 &&
            picture.size(0) > 0 && picture.size(1) > 0,
        ErrorCode::kInvalidArgument, "picture is {} of {}, want (height, width, 3) of uint8",
        fmt::format("({})", fmt::join(picture.sizes().vec(), ", ")),
        c10::toString(picture.scalar_type()));
}

torch::Tensor Model::network_input(const torch::Tensor& picture) const {
  check_picture(picture);
  const int side = config_.image_size;
  torch::Tensor input;
  if (config_.resize == ResizeFilter::kPilBicubicU8) {
    input = pil_bicubic_resize(picture, side, side).to(runtime_.device);
    input = input.permute({2, 0, 1}).unsqueeze(0).to(torch::kFloat32) / 255;
  } else {
    input = picture.to(runtime_.device).permute({2, 0, 1}).unsqueeze(0).to(torch::kFloat32) / 255;
    input = resize_bilinear_antialias(input.contiguous(), side, side);
  }
  return (input - mean_) / std_;
}

ImageFeatures Model::encode(const torch::Tensor& input) const {
  auto levels = network_->image_encoder->forward(input.to(trunk_dtype_));
  ImageFeatures features;
  features.coarse = levels.back().contiguous();
  if (config_.model.use_high_res_features_in_sam) {
    auto& decoder = *network_->mask_decoder;
    features.high_res = {decoder.project_level0(levels[levels.size() - 3].to(torch::kFloat32)),
                         decoder.project_level1(levels[levels.size() - 2].to(torch::kFloat32))};
  }
  return features;
}

}  // namespace vostrack::nn
