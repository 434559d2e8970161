/// How a view moves over a picture, and a cut-out over a view.
#pragma once

#include <vector>

#include "train/data/data_config.hpp"
#include "train/data/random.hpp"
#include "train/data/warp.hpp"

namespace vostrack::train {

/// Left, top, right, bottom in pixels, the right and bottom ones outside.
struct PixelBox {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};

/// The whole picture, squeezed to the square.
Warp whole_picture(int height, int width);

/// A view for each frame that moves smoothly over a picture. On the first one the middle of `focus`
/// is in the view.
std::vector<Warp> view_path(Random& random, const MotionConfig& motion,
                            const AugmentConfig& augment, int frames, int height, int width,
                            const PixelBox& focus);

/// A view for each frame in which an object of another picture moves smoothly through the view. On
/// the first one its middle is in the view; it may leave and come back if there are frames enough.
///
/// @param object  its box in its picture
std::vector<Warp> cut_out_path(Random& random, const MotionConfig& motion,
                               const AugmentConfig& augment, const CutOutConfig& cut_outs,
                               int frames, const PixelBox& object);

}  // namespace vostrack::train
