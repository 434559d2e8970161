/// A file for what does not fit into memory.
///
///   auto scratch = std::make_shared<Scratch>("/var/tmp");
///   auto spilled = Scratch::write(scratch, *output);
///   OutputPtr again = spilled->read();               // the same numbers, bit for bit
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "memory/output.hpp"

namespace vostrack::memory {

class SpilledOutput;

/// Where an output's tensors lie within its place.
struct SpilledTensor {
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape;
  torch::ScalarType dtype = torch::kFloat32;
  torch::Device device = torch::kCPU;
  bool defined = false;

  bool operator==(const SpilledTensor&) const = default;
};
using SpilledLayout = std::array<SpilledTensor, kOutputFields.size()>;

/// Has no name, so that it is gone when the process ends, in whatever way. Space that is given up
/// is used again.
///
/// Thread safety: any number of threads.
class Scratch {
 public:
  /// @param folder  empty for the system's folder of temporary files
  /// @throws Error kIo when no file can be made there
  explicit Scratch(const std::string& folder);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  /// @throws Error kIo when the disk is full or fails; nothing has changed then
  static std::shared_ptr<const SpilledOutput> write(const std::shared_ptr<Scratch>& scratch,
                                                    const FrameOutput& output);

  /// Bytes of the file that are in use.
  std::int64_t bytes() const;

 private:
  friend class SpilledOutput;

  std::shared_ptr<const SpilledLayout> share(const SpilledLayout& layout);
  std::int64_t allocate(std::int64_t size);
  void release(std::int64_t offset, std::int64_t size);
  void write_at(std::int64_t offset, const void* data, std::int64_t size);
  void read_at(std::int64_t offset, void* data, std::int64_t size) const;

  std::string name_;  ///< for messages
  int fd_ = -1;
  mutable std::mutex mutex_;
  std::int64_t end_ = 0;
  std::int64_t used_ = 0;
  std::multimap<std::int64_t, std::int64_t> free_;  ///< offsets by size
  /// The latest one: all outputs of a model have the same.
  std::shared_ptr<const SpilledLayout> layout_;
};

/// An output in a scratch file. Its place is free again when this is gone.
///
/// Thread safety: immutable.
class SpilledOutput {
 public:
  ~SpilledOutput();
  SpilledOutput(const SpilledOutput&) = delete;
  SpilledOutput& operator=(const SpilledOutput&) = delete;

  /// @throws Error kIo
  OutputPtr read() const;
  /// One tensor of it, undefined if it has none.
  torch::Tensor read(const OutputField& field) const;
  std::vector<FrameIndex> attended() const;
  double time_s() const { return time_s_; }
  bool has_memory() const;
  std::int64_t bytes() const { return size_; }

 private:
  friend class Scratch;
  SpilledOutput() = default;
  torch::Tensor read(const SpilledTensor& tensor) const;

  std::shared_ptr<Scratch> scratch_;
  std::int64_t offset_ = 0;
  std::int64_t size_ = 0;
  std::shared_ptr<const SpilledLayout> layout_;
  std::int64_t attended_count_ = 0;  ///< how many, after the tensors
  double time_s_ = 0;
};

}  // namespace vostrack::memory
