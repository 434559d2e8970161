/// Files that torch.save wrote.
#pragma once

#include <memory>

#include "base/mapped_file.hpp"
#include "nn/state_dict.hpp"

namespace vostrack::nn {

/// Reads the state dict of a zip-format .pt file; see read_checkpoint for what is accepted.
StateDict read_pt(std::shared_ptr<const MappedFile> file);

}  // namespace vostrack::nn
