/// The small random model as a file, and through the library's front door.
#pragma once

#include "nn/checkpoint.hpp"
#include "support/small_model.hpp"
#include "support/temporary_folder.hpp"
#include "vostrack/model.hpp"

namespace vostrack::test {

/// @return the path of a checkpoint with the configuration in its header
inline std::string write_small_checkpoint(const TemporaryFolder& folder) {
  auto state = small_weights(small_config());
  state.metadata["config"] = nn::config_to_json(small_config());
  nn::write_safetensors(folder / "small.safetensors", state);
  return folder / "small.safetensors";
}

inline Model load_small_model(const ModelOptions& options = {}) {
  const TemporaryFolder folder;
  return Model::load(write_small_checkpoint(folder), options);
}

}  // namespace vostrack::test
