/// A frame source that must not be asked for a frame: prompts are checked before decoding.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "vostrack/error.hpp"
#include "vostrack/frame_source.hpp"

namespace vostrack::test {

class FakeSource : public FrameSource {
 public:
  FakeSource(int height, int width, std::vector<double> times)
      : height_(height), width_(width), times_(std::move(times)) {}

  std::int64_t frame_count() const override { return static_cast<std::int64_t>(times_.size()); }
  int height() const override { return height_; }
  int width() const override { return width_; }
  double pts_s(std::int64_t index) const override {
    return times_.at(static_cast<std::size_t>(index));
  }
  std::string name(std::int64_t index) const override { return std::to_string(index); }
  Frame read(std::int64_t) override { throw Error(ErrorCode::kInternal, "a frame was decoded"); }

 private:
  int height_;
  int width_;
  std::vector<double> times_;
};

}  // namespace vostrack::test
