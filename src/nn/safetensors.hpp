/// The .safetensors format: eight bytes of length, a JSON header, then the tensors' bytes.
#pragma once

#include <memory>
#include <string>

#include "base/mapped_file.hpp"
#include "nn/state_dict.hpp"

namespace vostrack::nn {

/// Reads a .safetensors file; see read_checkpoint for what is accepted.
StateDict read_safetensors(std::shared_ptr<const MappedFile> file);

// write_safetensors is in nn/checkpoint.hpp.

}  // namespace vostrack::nn
