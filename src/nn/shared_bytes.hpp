/// Bytes of a checkpoint with their owner, and tensors over them.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/mapped_file.hpp"

namespace vostrack::nn {

/// A tensor of a checkpoint may have this many dimensions.
inline constexpr std::size_t kMaxDimensions = 32;

/// Read-only bytes that live as long as any copy of `owner`: a mapped file's or a buffer's.
struct SharedBytes {
  std::shared_ptr<const void> owner;
  std::span<const std::uint8_t> bytes;
};

/// Copies bytes into a buffer aligned for every tensor type.
SharedBytes copy_bytes(std::span<const std::uint8_t> bytes);

/// Number of elements, or nothing if a size is negative, there are too many sizes, or the number
/// or a stride of the contiguous tensor overflows.
std::optional<std::int64_t> element_count(at::IntArrayRef sizes);

bool is_aligned(const std::uint8_t* data, torch::ScalarType dtype);

/// A tensor over `bytes` that keeps their owner alive; the caller has checked that it fits.
///
/// @param what  file and tensor, for the message
/// @throws Error kCorruptFile when a bool is neither 0 nor 1
torch::Tensor tensor_over(const std::string& what, const SharedBytes& bytes, at::IntArrayRef sizes,
                          at::IntArrayRef strides, torch::ScalarType dtype);

/// Limits how much memory a file can make us allocate, whatever it declares.
///
/// Views over the mapped file cost nothing; this counts inflated entries and copies. Weights
/// hardly compress, so eight times the file plus 256 MiB is far above any honest file.
class CopyBudget {
 public:
  explicit CopyBudget(std::size_t file_size) : left_((256U << 20) + 8 * std::uint64_t{file_size}) {}

  /// @param what  file and entry, for the message
  /// @throws Error kCorruptFile when the file has asked for too much
  void take(const std::string& what, std::uint64_t bytes);

 private:
  std::uint64_t left_;
};

}  // namespace vostrack::nn
