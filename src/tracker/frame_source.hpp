/// Where the tracker's pictures come from: tensors and nothing of files.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace vostrack::tracker {

/// A seekable video. The tracker asks for a frame when it needs it and keeps none.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  virtual std::int64_t frame_count() const = 0;
  /// The size that prompts and masks refer to.
  virtual int height() const = 0;
  virtual int width() const = 0;
  /// Presentation time.
  virtual double time_s(std::int64_t frame) const = 0;
  /// A picture, (H, W, 3) uint8 RGB on the CPU; its own size may differ from the video's.
  ///
  /// @throws Error kDecode
  virtual torch::Tensor read(std::int64_t frame) = 0;
};

}  // namespace vostrack::tracker
