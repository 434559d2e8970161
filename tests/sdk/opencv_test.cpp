/// Compiled as C++17, like a user's program.
#include "vostrack/opencv.hpp"

#include <gtest/gtest.h>

#include "support/errors.hpp"

namespace vostrack {
namespace {

using opencv::to_image;
using opencv::to_mask;
using opencv::to_mat;
using test::expect_error;

static_assert(__cplusplus < 202002L, "this test stands for programs that are built as C++17");

TEST(OpenCv, PicturesOfEveryLayoutBecomeRgb) {
  cv::Mat bgr(2, 3, CV_8UC3, cv::Scalar(1, 2, 3));
  bgr.at<cv::Vec3b>(1, 2) = {50, 100, 200};
  const Image image = to_image(bgr);
  EXPECT_EQ(image.height, 2);
  EXPECT_EQ(image.width, 3);
  EXPECT_EQ(image.rgb,
            (std::vector<std::uint8_t>{3, 2, 1, 3, 2, 1, 3, 2, 1, 3, 2, 1, 3, 2, 1, 200, 100, 50}));
  EXPECT_EQ(to_image(cv::Mat(1, 1, CV_8UC4, cv::Scalar(50, 100, 200, 9))).rgb,
            (std::vector<std::uint8_t>{200, 100, 50}));
  EXPECT_EQ(to_image(cv::Mat(1, 1, CV_8UC1, cv::Scalar(7))).rgb,
            (std::vector<std::uint8_t>{7, 7, 7}));
}

TEST(OpenCv, TakesAPartOfALargerPicture) {
  cv::Mat whole(8, 8, CV_8UC3, cv::Scalar::all(0));
  for (int i = 0; i < 64; ++i) whole.at<cv::Vec3b>(i / 8, i % 8)[2] = static_cast<std::uint8_t>(i);
  const Image part = to_image(whole(cv::Rect(3, 2, 2, 2)));
  EXPECT_EQ(part.rgb, (std::vector<std::uint8_t>{19, 0, 0, 20, 0, 0, 27, 0, 0, 28, 0, 0}));
}

TEST(OpenCv, PicturesAndMasksComeBackAsTheyWent) {
  Image image{3, 5, {}};
  for (int i = 0; i < 45; ++i) image.rgb.push_back(static_cast<std::uint8_t>(5 * i));
  const cv::Mat mat = to_mat(image);
  EXPECT_EQ(mat.type(), CV_8UC3);
  EXPECT_EQ(mat.at<cv::Vec3b>(0, 1), cv::Vec3b(25, 20, 15));
  EXPECT_EQ(to_image(mat).rgb, image.rgb);

  const Mask mask{2, 3, {0, 1, 0, 1, 1, 0}};
  EXPECT_EQ(to_mat(mask).at<std::uint8_t>(0, 1), 255);
  EXPECT_EQ(to_mat(mask, 7).at<std::uint8_t>(1, 0), 7);
  EXPECT_EQ(to_mask(to_mat(mask, 7)).data, mask.data);
}

TEST(OpenCv, RefusesWhatIsNoPictureOrMask) {
  expect_error(ErrorCode::kInvalidArgument, "type CV_16UC3 as a picture, want CV_8UC3",
               [] { to_image(cv::Mat(2, 2, CV_16UC3)); });
  expect_error(ErrorCode::kInvalidArgument, "0x0", [] { to_image(cv::Mat()); });
  expect_error(ErrorCode::kInvalidArgument, "type CV_8UC2",
               [] { to_image(cv::Mat(2, 2, CV_8UC2)); });
  expect_error(ErrorCode::kInvalidArgument, "4x2 and type CV_8UC3 as a mask, want CV_8UC1",
               [] { to_mask(cv::Mat(2, 4, CV_8UC3)); });
  const int sizes[] = {2, 2, 2};
  expect_error(ErrorCode::kInvalidArgument, "as a mask",
               [&] { to_mask(cv::Mat(3, sizes, CV_8UC1)); });
  expect_error(ErrorCode::kInvalidArgument, "picture of 2x2 with 3 bytes", [] {
    to_mat(Image{2, 2, {1, 2, 3}});
  });
  expect_error(ErrorCode::kInvalidArgument, "mask of 2x2 with 3 bytes", [] {
    to_mat(Mask{2, 2, {1, 1, 1}});
  });
}

}  // namespace
}  // namespace vostrack
