/// Between the public types and tensors.
#pragma once

#include <torch/types.h>

#include "base/check.hpp"
#include "vostrack/types.hpp"

namespace vostrack {

/// A view, (H, W, 3) uint8: `image` must outlive it.
///
/// @throws Error kInvalidArgument for an empty picture or one whose buffer has another size
inline torch::Tensor to_tensor(const Image& image) {
  check(image.height > 0 && image.width > 0 &&
            image.rgb.size() == 3 * static_cast<std::size_t>(image.height) * image.width,
        ErrorCode::kInvalidArgument,
        "picture is {}×{} (height × width) with {} bytes, want 3 × height × width of them",
        image.height, image.width, image.rgb.size());
  return torch::from_blob(const_cast<std::uint8_t*>(image.rgb.data()),
                          {image.height, image.width, 3}, torch::kUInt8);
}

/// @param logits  (…, H, W) of one plane
inline Logits to_logits(const torch::Tensor& logits) {
  torch::InferenceMode guard;
  const auto values = logits.to(torch::kFloat32).contiguous();
  const auto* data = values.const_data_ptr<float>();
  return {static_cast<int>(logits.size(-2)),
          static_cast<int>(logits.size(-1)),
          {data, data + values.numel()}};
}

}  // namespace vostrack
