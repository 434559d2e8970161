#include "nn/shared_bytes.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"

namespace vostrack::nn {

SharedBytes copy_bytes(std::span<const std::uint8_t> bytes) {
  std::shared_ptr<std::uint8_t[]> copy(new std::uint8_t[std::max<std::size_t>(bytes.size(), 1)]);
  if (!bytes.empty()) std::memcpy(copy.get(), bytes.data(), bytes.size());
  return {copy, {copy.get(), bytes.size()}};
}

std::optional<std::int64_t> element_count(at::IntArrayRef sizes) {
  if (sizes.size() > kMaxDimensions) return std::nullopt;
  // A zero must not hide an overflow: strides are products of sizes too, with 1 in place of 0.
  std::int64_t product = 1;
  bool empty = false;
  for (const std::int64_t size : sizes) {
    if (size < 0) return std::nullopt;
    empty = empty || size == 0;
    if (__builtin_mul_overflow(product, std::max<std::int64_t>(size, 1), &product))
      return std::nullopt;
  }
  return empty ? 0 : product;
}

bool is_aligned(const std::uint8_t* data, torch::ScalarType dtype) {
  return reinterpret_cast<std::uintptr_t>(data) % c10::elementSize(dtype) == 0;
}

torch::Tensor tensor_over(const std::string& what, const SharedBytes& bytes, at::IntArrayRef sizes,
                          at::IntArrayRef strides, torch::ScalarType dtype) {
  const auto options = torch::TensorOptions().dtype(dtype);
  const bool empty = std::find(sizes.begin(), sizes.end(), 0) != sizes.end();
  if (empty) return torch::empty(sizes, options);
  VOSTRACK_ASSERT(is_aligned(bytes.bytes.data(), dtype));
  if (dtype == torch::kBool) {
    const auto wrong = std::find_if(bytes.bytes.begin(), bytes.bytes.end(),
                                    [](std::uint8_t byte) { return byte > 1; });
    if (wrong != bytes.bytes.end())
      fail(ErrorCode::kCorruptFile, "{}: a bool is {}, want 0 or 1", what, int{*wrong});
  }
  return torch::from_blob(
      const_cast<std::uint8_t*>(bytes.bytes.data()), sizes, strides,
      [owner = bytes.owner](void*) mutable { owner.reset(); }, options);
}

void CopyBudget::take(const std::string& what, std::uint64_t bytes) {
  check(bytes <= left_, ErrorCode::kCorruptFile,
        "{}: unpacks to {} bytes more, which is out of proportion to the file", what, bytes);
  left_ -= bytes;
}

}  // namespace vostrack::nn
