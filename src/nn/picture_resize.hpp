/// Resizing bytes as Pillow does.
#pragma once

#include <torch/types.h>

namespace vostrack::nn {

/// Bicubic resize with antialias, bit for bit what Pillow's Image.resize gives for 8-bit RGB: two
/// passes in fixed point, rounded to bytes after each.
///
/// @param picture  (H, W, 3) uint8, on the CPU
/// @return (height, width, 3) uint8; `picture` itself when the size is right already
///
/// Source: Pillow, src/libImaging/Resample.c (the arithmetic it documents)
torch::Tensor pil_bicubic_resize(const torch::Tensor& picture, int height, int width);

}  // namespace vostrack::nn
