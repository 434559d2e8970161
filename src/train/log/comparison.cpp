#include "train/log/comparison.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/check.hpp"

namespace vostrack::train {
namespace {

using Colour = std::array<int, 3>;
constexpr Colour kBoth = {40, 200, 60}, kPredictedOnly = {230, 40, 40}, kTrueOnly = {50, 90, 240},
                 kUnknown = {0, 0, 0};

const Colour* colour_of(int truth, int predicted) {
  if (truth == 255) return &kUnknown;
  if (truth != 0) return predicted != 0 ? &kBoth : &kTrueOnly;
  return predicted != 0 ? &kPredictedOnly : nullptr;
}

}  // namespace

Image comparison(std::span<const ComparedFrame> frames) {
  check(!frames.empty(), ErrorCode::kInvalidArgument, "no frame to compare");
  const int height = frames.front().picture.height, width = frames.front().picture.width;
  const auto pixels = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  Image sheet{height, width * static_cast<int>(frames.size()), {}};
  sheet.rgb.resize(3 * pixels * frames.size());
  for (std::size_t k = 0; k < frames.size(); ++k) {
    const auto& [picture, truth, predicted] = frames[k];
    check(picture.height == height && picture.width == width && picture.rgb.size() == 3 * pixels &&
              truth.data.size() == pixels && predicted.data.size() == pixels,
          ErrorCode::kInvalidArgument, "frame {} or its masks have another size than {}x{}", k,
          width, height);
    for (std::size_t i = 0; i < pixels; ++i) {
      const std::size_t y = i / static_cast<std::size_t>(width);
      const std::size_t to =
          3 * (i + (y * (frames.size() - 1) + k) * static_cast<std::size_t>(width));
      const Colour* colour = colour_of(truth.data[i], predicted.data[i]);
      for (std::size_t c = 0; c < 3; ++c) {
        const int from = picture.rgb[3 * i + c];
        sheet.rgb[to + c] = static_cast<std::uint8_t>(colour ? (from + (*colour)[c]) / 2 : from);
      }
    }
  }
  return sheet;
}

}  // namespace vostrack::train
