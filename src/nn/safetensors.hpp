/// The .safetensors format: eight bytes of length, a JSON header, then the tensors' bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mapped_file.hpp"
#include "nn/state_dict.hpp"

namespace vostrack::nn {

/// Reads a .safetensors file; see read_checkpoint for what is accepted.
StateDict read_safetensors(std::shared_ptr<const MappedFile> file);

/// A tensor that is written part by part, so that it never lies in memory as a whole.
struct TensorParts {
  std::string name;
  torch::ScalarType dtype = torch::kFloat32;
  std::vector<std::int64_t> shape;
  std::int64_t parts = 1;
  /// The elements of a part: of `dtype`, contiguous, on the CPU; all parts together fill `shape`.
  std::function<torch::Tensor(std::int64_t part)> part;
};

/// Writes the tensors in an order of its own; see write_safetensors in nn/checkpoint.hpp.
void write_safetensors(const std::string& path, const std::map<std::string, std::string>& metadata,
                       std::vector<TensorParts> tensors);

}  // namespace vostrack::nn
