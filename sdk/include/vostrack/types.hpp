/// Pictures, prompts and masks.
///
///   vostrack::Prompt prompt;
///   prompt.clicks = {{320, 240}, {10, 20, false}};  // on the object, off the object
///   prompt.box = vostrack::Box{298, 250, 470, 368};
///
/// Coordinates are pixels of the upright picture, x to the right, y down, 0 ≤ x ≤ width and
/// 0 ≤ y ≤ height; boxes have exclusive ends. Sizes are height, then width.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vostrack {

/// The caller's name for an object: any number.
using ObjectId = std::int64_t;

/// An upright picture: rows of RGB bytes without padding, `rgb.size() == 3 * height * width`.
struct Image {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> rgb;

  bool empty() const noexcept { return rgb.empty(); }
};

/// A picture of a video.
struct Frame {
  Image image;
  std::int64_t index = 0;  ///< from 0
  double pts_s = 0;        ///< presentation time in seconds, as the source states it
  std::string name;        ///< the file's stem for picture folders, else the index as five digits
};

/// A click on the object (positive) or beside it (negative).
struct Click {
  float x = 0;
  float y = 0;
  bool positive = true;
};

struct Point {
  float x = 0;
  float y = 0;
};

/// Left, top, right, bottom; the right and bottom edges lie outside.
struct Box {
  float x0 = 0;
  float y0 = 0;
  float x1 = 0;
  float y1 = 0;
};

/// A binary mask: one byte per pixel, 0 or 1, row by row.
struct Mask {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> data;

  bool empty() const noexcept { return data.empty(); }
};

/// Real-valued mask logits, row by row; above 0 means object.
struct Logits {
  int height = 0;
  int width = 0;
  std::vector<float> data;
};

/// What the caller says about one object on one picture: clicks, a box, clicks and a box, or a
/// mask alone.
struct Prompt {
  std::vector<Click> clicks;
  std::optional<Box> box;
  std::optional<Mask> mask;
  /// Adds the clicks to those given earlier on the same frame, instead of replacing them. Not
  /// allowed with a box, which must come before any click.
  bool add_to_earlier_clicks = false;
  /// Which of the masks that the network proposes to take: 0 is the one that it believes in most.
  /// A first click often has three, see VideoSession::propose. Unset: 0.
  std::optional<int> candidate = std::nullopt;
};

}  // namespace vostrack
