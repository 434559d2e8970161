/// Our own files of tensors: what a session or an object remembers.
///
///   ArchiveWriter writer;
///   writer.document["frame"] = 12;
///   writer.add("mask", mask);
///   writer.write("session.vos", "session", 1);
///
///   Archive archive = read_archive("session.vos", "session", 1);
///   torch::Tensor mask = archive.tensor("mask", torch::kFloat32, {1, 1, 96, 96});
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "nn/safetensors.hpp"

namespace vostrack::nn {

/// The format is .safetensors, with a JSON document and a checksum over everything among the
/// metadata.
class ArchiveWriter {
 public:
  nlohmann::json document = nlohmann::json::object();

  void add(const std::string& name, const torch::Tensor& tensor);
  /// Parts are asked for twice: once for the checksum.
  void add(TensorParts tensor) { tensors_.push_back(std::move(tensor)); }

  /// Replaces what is at `path` when everything is written and flushed, and not before.
  ///
  /// @param kind  what it holds, such as "session"
  /// @throws Error as write_safetensors, and what the parts throw
  void write(const std::string& path, const std::string& kind, int version);

 private:
  std::vector<TensorParts> tensors_;
};

struct Archive {
  std::string path;
  int version = 0;
  nlohmann::json document;
  std::map<std::string, torch::Tensor> tensors;  ///< over the mapped file: clone what is kept

  /// A tensor that must be there.
  ///
  /// @param shape  −1 for any size
  /// @throws Error kCorruptFile when it is missing, of another type or shape
  torch::Tensor tensor(const std::string& name, torch::ScalarType dtype,
                       const std::vector<std::int64_t>& shape) const;
};

/// Reads and checks a whole file. What the document says must still be checked.
///
/// @throws Error kNotFound, kIo; kCorruptFile when the checksum differs or it is no such file;
///   kUnsupported for another version
Archive read_archive(const std::string& path, const std::string& kind, int version);

}  // namespace vostrack::nn
