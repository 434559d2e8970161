/// OpenCV's pictures to ours and back. Opt-in: nothing else of ours includes this, and of OpenCV
/// it needs core alone.
///
///   cv::VideoCapture camera(0);
///   for (cv::Mat picture; camera.read(picture);) {
///     auto result = tracker.track(vostrack::opencv::to_image(picture), time_s());
///     for (const auto& object : result.objects)
///       picture.setTo(cv::Scalar(0, 0, 255), vostrack::opencv::to_mat(object.mask()));
///     cv::imshow("objects", picture);
///   }
///
/// Every function copies, so neither side depends on the other's memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <opencv2/core.hpp>
#include <string>

#include "vostrack/error.hpp"
#include "vostrack/types.hpp"

namespace vostrack {
namespace opencv {

/// @param mat  BGR (CV_8UC3), BGRA (CV_8UC4, alpha is ignored) or grey (CV_8UC1), as OpenCV's
///   functions make them; it may be a part of a larger one
/// @throws Error kInvalidArgument for an empty one, another type, or more than two dimensions
inline Image to_image(const cv::Mat& mat) {
  const int channels = mat.channels();
  if (mat.empty() || mat.dims != 2 || mat.depth() != CV_8U || channels == 2 || channels > 4)
    throw Error(ErrorCode::kInvalidArgument,
                "cv::Mat of " + std::to_string(mat.cols) + "x" + std::to_string(mat.rows) +
                    " and type " + cv::typeToString(mat.type()) +
                    " as a picture, want CV_8UC3 (BGR), CV_8UC4 (BGRA) or CV_8UC1 (grey)");
  Image image;
  image.height = mat.rows;
  image.width = mat.cols;
  image.rgb.resize(std::size_t{3} * static_cast<std::size_t>(mat.rows) *
                   static_cast<std::size_t>(mat.cols));
  std::uint8_t* out = image.rgb.data();
  // A grey pixel's only channel is all three.
  const int red = channels == 1 ? 0 : 2, green = channels == 1 ? 0 : 1;
  for (int y = 0; y < mat.rows; ++y) {
    const std::uint8_t* in = mat.ptr<std::uint8_t>(y);
    for (int x = 0; x < mat.cols; ++x, in += channels, out += 3) {
      out[0] = in[red];
      out[1] = in[green];
      out[2] = in[0];
    }
  }
  return image;
}

/// @return BGR, CV_8UC3
/// @throws Error kInvalidArgument when the buffer has not the size that the picture states
inline cv::Mat to_mat(const Image& image) {
  if (image.height < 1 || image.width < 1 ||
      image.rgb.size() != std::size_t{3} * static_cast<std::size_t>(image.height) *
                              static_cast<std::size_t>(image.width))
    throw Error(ErrorCode::kInvalidArgument,
                "picture of " + std::to_string(image.width) + "x" + std::to_string(image.height) +
                    " with " + std::to_string(image.rgb.size()) + " bytes, want 3 a pixel");
  cv::Mat mat(image.height, image.width, CV_8UC3);
  const std::uint8_t* in = image.rgb.data();
  for (int y = 0; y < mat.rows; ++y) {
    std::uint8_t* out = mat.ptr<std::uint8_t>(y);
    for (int x = 0; x < mat.cols; ++x, in += 3, out += 3) {
      out[0] = in[2];
      out[1] = in[1];
      out[2] = in[0];
    }
  }
  return mat;
}

/// @param mat  CV_8UC1; every value but 0 is inside, as OpenCV takes masks
/// @throws Error kInvalidArgument for an empty one, another type, or more than two dimensions
inline Mask to_mask(const cv::Mat& mat) {
  if (mat.empty() || mat.dims != 2 || mat.type() != CV_8UC1)
    throw Error(ErrorCode::kInvalidArgument,
                "cv::Mat of " + std::to_string(mat.cols) + "x" + std::to_string(mat.rows) +
                    " and type " + cv::typeToString(mat.type()) + " as a mask, want CV_8UC1");
  Mask mask;
  mask.height = mat.rows;
  mask.width = mat.cols;
  mask.data.reserve(static_cast<std::size_t>(mat.rows) * static_cast<std::size_t>(mat.cols));
  for (int y = 0; y < mat.rows; ++y) {
    const std::uint8_t* in = mat.ptr<std::uint8_t>(y);
    for (int x = 0; x < mat.cols; ++x) mask.data.push_back(in[x] != 0 ? 1 : 0);
  }
  return mask;
}

/// @param inside  what a pixel of the object gets; all others get 0
/// @return CV_8UC1
/// @throws Error kInvalidArgument when the buffer has not the size that the mask states
inline cv::Mat to_mat(const Mask& mask, std::uint8_t inside = 255) {
  if (mask.height < 1 || mask.width < 1 ||
      mask.data.size() !=
          static_cast<std::size_t>(mask.height) * static_cast<std::size_t>(mask.width))
    throw Error(ErrorCode::kInvalidArgument,
                "mask of " + std::to_string(mask.width) + "x" + std::to_string(mask.height) +
                    " with " + std::to_string(mask.data.size()) + " bytes, want 1 a pixel");
  cv::Mat mat(mask.height, mask.width, CV_8UC1);
  const std::uint8_t* in = mask.data.data();
  for (int y = 0; y < mat.rows; ++y) {
    std::uint8_t* out = mat.ptr<std::uint8_t>(y);
    for (int x = 0; x < mat.cols; ++x) out[x] = *in++ != 0 ? inside : 0;
  }
  return mat;
}

}  // namespace opencv
}  // namespace vostrack
