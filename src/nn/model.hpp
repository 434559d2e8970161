/// A model ready for inference: weights, configuration and everything that follows from them.
///
///   auto model = nn::Model::load("models/nano.safetensors", {});
///   auto features = model->encode(model->network_input(picture));  // picture (H, W, 3) uint8
///
/// Thread safety: immutable once made; any number of threads.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nn/model_config.hpp"
#include "nn/network.hpp"

namespace vostrack::nn {

struct RuntimeOptions {
  torch::Device device = torch::kCPU;
  /// float32, or bfloat16 for the image encoder (where its trunk gains by it), memory attention and
  /// memory encoder, but not on CPUs without its instructions. The rest stays in float32.
  torch::ScalarType dtype = torch::kFloat32;
  /// How spatial memories are stored.
  torch::ScalarType memory_dtype = torch::kBFloat16;
  /// 8-bit numbers in the linear layers of the trunk, memory attention and memory encoder.
  bool int8 = false;
};

/// With 8-bit linear layers, and the dtype that is fastest around them on this processor.
///
/// @throws Error kUnsupported unless `device` is a CPU with AVX-512 VNNI
RuntimeOptions int8_options(torch::Device device);

/// One encoded picture; shared by all objects.
struct ImageFeatures {
  torch::Tensor coarse;  ///< (1, C, h, w), the runtime's dtype; in training one for each object
  std::vector<torch::Tensor> high_res;  ///< levels 0 and 1 at the decoder's width, float32; or none
};

std::int64_t bytes_of(const ImageFeatures& features);

class Model {
 public:
  /// @param config  a JSON file or a preset's name; empty to take it from the checkpoint's header,
  ///   else guess it
  /// @param image_size  0 for the configuration's own
  /// @throws Error kNotFound, kCorruptFile, kModelMismatch, kInvalidArgument, kUnsupported
  static std::shared_ptr<const Model> load(const std::string& path, const RuntimeOptions& runtime,
                                           const std::string& config = {}, int image_size = 0);

  /// @param state  moved into the networks
  /// @param origin  named in errors
  Model(ModelConfig config, const StateDict& state, const RuntimeOptions& runtime,
        std::string origin);

  /// Networks that are being trained, seen as a model: nothing is converted, prepared or frozen, so
  /// gradients flow through everything that takes a model, and the weights may change between
  /// calls. float32 throughout; of one thread at a time.
  ///
  /// @param network  in training mode, on `device`; shared, not copied
  Model(ModelConfig config, const Network& network, torch::Device device);

  const ModelConfig& config() const { return config_; }
  const RuntimeOptions& runtime() const { return runtime_; }
  /// Tells models apart: sixteen hexadecimal digits that follow from configuration and weights,
  /// whatever file and precision they were read from and with. Made from samples of each tensor,
  /// against mix-ups and not against forgery.
  const std::string& fingerprint() const { return fingerprint_; }
  /// How many numbers each part of the networks was loaded with, by its name.
  const std::map<std::string, std::int64_t>& part_sizes() const { return part_sizes_; }
  /// Of networks that were loaded, the weights of the trunk's layers may lie in packed form alone.
  /// Modules' forward functions are not const, but leave an evaluated network as it is.
  NetworkImpl& network() const { return *network_; }

  /// @throws Error kInvalidArgument unless it is (H, W, 3) uint8
  static void check_picture(const torch::Tensor& picture);

  /// A picture as the networks see it.
  ///
  /// @param picture  (H, W, 3) uint8 RGB, on the CPU
  /// @return (1, 3, S, S) float32, resized and normalised, on the model's device
  /// @throws Error kInvalidArgument on another shape or dtype
  torch::Tensor network_input(const torch::Tensor& picture) const;

  /// @param input  (1 or B, 3, S, S) float32, as network_input returns it
  ImageFeatures encode(const torch::Tensor& input) const;
  /// A square picture of the model's size without its resizing: (B, 3, S, S) uint8 → float32.
  torch::Tensor normalise(const torch::Tensor& pictures) const;

  // Constants of the image size, on the model's device.
  const torch::Tensor& current_pos() const { return current_pos_; }  ///< (1, h·w, C)
  const torch::Tensor& memory_pos() const { return memory_pos_; }    ///< (1, h·w, Cm) float32
  const torch::Tensor& dense_pe() const { return dense_pe_; }        ///< (1, C, h, w) float32
  const RotaryTable& rotary() const { return rotary_; }

 private:
  void compute_constants();

  ModelConfig config_;
  RuntimeOptions runtime_;
  std::shared_ptr<NetworkImpl> network_;
  std::string fingerprint_;
  std::map<std::string, std::int64_t> part_sizes_;
  torch::ScalarType trunk_dtype_ = torch::kFloat32;
  torch::Tensor mean_, std_;
  torch::Tensor current_pos_, memory_pos_, dense_pe_;
  RotaryTable rotary_;
};

/// The configuration that a checkpoint is to be read with.
///
/// @param state  metadata and names are looked at
/// @param named  a JSON file, a preset's name, or empty
/// @throws Error kNotFound, kInvalidArgument, kModelMismatch when nothing fits
ModelConfig resolve_config(const StateDict& state, const std::string& named,
                           const std::string& origin);

/// "cpu", "cuda", "cuda:N" as a device that is there.
///
/// @throws Error kInvalidArgument for another word, kUnsupported when there is no such device
torch::Device parse_device(const std::string& text);

}  // namespace vostrack::nn
