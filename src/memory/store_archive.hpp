/// Stores of outputs to files and back.
#pragma once

#include <string>

#include "memory/bank.hpp"
#include "nn/archive.hpp"
#include "nn/model.hpp"

namespace vostrack::memory {

/// Adds a store's outputs under names that begin with `name`; the store must live until the file
/// is written. One output at a time is in memory beside what the store keeps there.
void save_store(const OutputStore& store, const std::string& name, nn::ArchiveWriter& writer);

/// Called with what was read, in the order of storing.
using StoredOutput = std::function<void(FrameIndex frame, OutputPtr output)>;

/// Reads what save_store wrote, output by output. A store that was empty has none.
///
/// @param device  where tensors go
/// @throws Error kCorruptFile when shapes are not the model's or frames appear twice;
///   kModelMismatch when memories are stored in another type
void read_store(const nn::Archive& archive, const std::string& name, const nn::Model& model,
                torch::Device device, const StoredOutput& found);

/// @throws Error kModelMismatch when the file was made with another model than this
void check_model(const nn::Archive& archive, const nn::Model& model);

}  // namespace vostrack::memory
