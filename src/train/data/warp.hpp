/// Drawing pictures and their labels onto a square view, moved together.
///
///   Canvas canvas(256);
///   draw_ground(canvas, picture, warp, codes);     // every pixel: what the picture shows there
///   draw_cut_out(canvas, other, warp, opaque, code, CutOutOrder::kInFront);
///
/// Places on the view go from -1 to 1 on both axes, those on a picture are pixels, the first one's
/// centre being 0.5, 0.5. Where the picture has no content its mirror image is drawn, so that the
/// network meets no artificial edge, and the code is 255, so that nothing is learnt there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace vostrack::train {

/// A picture with its labels, in memory of someone else's that `owner` keeps.
struct LabelledPicture {
  int height = 0;
  int width = 0;
  const std::uint8_t* rgb = nullptr;     ///< rows of RGB bytes
  const std::uint8_t* labels = nullptr;  ///< a byte a pixel
  std::vector<std::shared_ptr<const void>> owners;
};

/// Half the size, by averaging; labels are taken from each four's first pixel.
LabelledPicture halved(const LabelledPicture& picture);

struct Wave {
  float amplitude = 0;
  float frequency = 0;  ///< waves over half the view
  float phase = 0;      ///< radians
};

/// Where each place on the view comes from.
struct Warp {
  /// Rows of [a b c; d e f; g h 1]: the picture's x = (a u + b v + c) / (g u + h v + 1), and y.
  std::array<float, 8> picture_from_view = {1, 0, 0, 0, 1, 0, 0, 0};
  Wave bend_u;  ///< added to u, along v, before all else
  Wave bend_v;  ///< added to v, along u

  /// How many of the picture's pixels a pixel of the view steps over at its centre, on the axis
  /// where it is more.
  double step(int size) const;
  /// The same for a picture of half the size.
  Warp halved() const;
};

/// The view: a picture, and what is seen at each pixel as a code of the caller's.
struct Canvas {
  explicit Canvas(int side)
      : size(side),
        rgb(3 * static_cast<std::size_t>(side) * static_cast<std::size_t>(side)),
        codes(static_cast<std::size_t>(side) * static_cast<std::size_t>(side)) {}
  int size;
  std::vector<std::uint8_t> rgb;
  std::vector<std::uint8_t> codes;
};

using CodeTable = std::array<std::uint8_t, 256>;

/// Draws the picture (bilinear) and the codes of its labels (nearest).
void draw_ground(Canvas& canvas, const LabelledPicture& picture, const Warp& warp,
                 const CodeTable& code_of_label);

enum class CutOutOrder {
  kInFront,  ///< of everything
  kBehind,   ///< the objects that are there already; in front of the ground (code 0) only
};

/// Draws the part of the picture that has an opaque label, with soft edges; its pixels get the code
/// where it covers at least half of them.
void draw_cut_out(Canvas& canvas, const LabelledPicture& picture, const Warp& warp,
                  const std::array<bool, 256>& opaque, std::uint8_t code, CutOutOrder order);

}  // namespace vostrack::train
