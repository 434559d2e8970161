/// Colours of pictures whose values are known, and of clips as FFmpeg's command converts them.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"
#include "video/colour.hpp"
#include "video/ffmpeg_tools.hpp"
#include "video/file_source.hpp"
#include "video/test_clips.hpp"

namespace vostrack::video {
namespace {

namespace fs = std::filesystem;
using test::have_ffmpeg_tools;
using test::output_of;
using test::run_ffmpeg;
using test::TemporaryFolder;

double psnr(const std::vector<std::uint8_t>& a, const std::string& b) {
  if (a.size() != b.size() || a.empty()) return 0;
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const int d = int{a[i]} - int{static_cast<std::uint8_t>(b[i])};
    sum += d * d;
  }
  return sum == 0 ? 200 : 10 * std::log10(255. * 255 * static_cast<double>(a.size()) / sum);
}

double pq_of_nits(double nits) {
  const double y = std::pow(nits / 10000, 2610. / 16384);
  return std::pow((3424. / 4096 + 2413. / 128 * y) / (1 + 2392. / 128 * y), 2523. / 32);
}

int srgb_byte(double light) {
  return static_cast<int>(std::lround(
      255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * std::pow(light, 1 / 2.4) - 0.055)));
}

/// A plain HDR picture: nonlinear R'G'B' of 0 to 1 as limited-range 10-bit BT.2020 YCbCr.
FramePtr hdr_frame(AVColorTransferCharacteristic transfer, double r, double g, double b) {
  FramePtr frame = new_frame();
  frame->format = AV_PIX_FMT_YUV444P10;
  frame->height = 16;
  frame->width = 32;
  frame->colorspace = AVCOL_SPC_BT2020_NCL;
  frame->color_primaries = AVCOL_PRI_BT2020;
  frame->color_range = AVCOL_RANGE_MPEG;
  frame->color_trc = transfer;
  EXPECT_EQ(av_frame_get_buffer(frame.get(), 0), 0);
  const double y = 0.2627 * r + 0.6780 * g + 0.0593 * b;
  const double values[3] = {64 + 876 * y, 512 + 896 * (b - y) / 1.8814,
                            512 + 896 * (r - y) / 1.4746};
  for (int plane = 0; plane < 3; ++plane)
    for (int row = 0; row < frame->height; ++row) {
      auto* line = reinterpret_cast<std::uint16_t*>(frame->data[plane] +
                                                    std::ptrdiff_t{row} * frame->linesize[plane]);
      std::fill_n(line, frame->width, static_cast<std::uint16_t>(std::lround(values[plane])));
    }
  return frame;
}

/// The first pixel after conversion.
std::array<int, 3> converted(const AVFrame& frame) {
  const Image image = RgbConverter(frame.height, frame.width, {}).convert(frame);
  return {image.rgb[0], image.rgb[1], image.rgb[2]};
}

TEST(ToneMap, KnowsThePublishedCurves) {
  EXPECT_NEAR(nits_of_pq(0), 0, 1e-9);
  EXPECT_NEAR(nits_of_pq(1), 10000, 1e-6);
  EXPECT_NEAR(nits_of_pq(0.508078), 100, 0.1);  // BT.2408: 100 cd/m² at 51 %
  EXPECT_NEAR(nits_of_pq(pq_of_nits(203)), 203, 1e-6);
  EXPECT_NEAR(scene_light_of_hlg(0.5), 1. / 12, 1e-9);
  EXPECT_NEAR(scene_light_of_hlg(1), 1, 1e-6);
}

TEST(ToneMap, LeavesShadowsAloneAndBendsHighlightsSmoothly) {
  EXPECT_EQ(tone_curve(0), 0);
  EXPECT_EQ(tone_curve(0.3), 0.3);
  EXPECT_NEAR(tone_curve(0.5001), 0.5001, 1e-6);
  EXPECT_NEAR(tone_curve(kPeak_nits / kDiffuseWhite_nits), 1, 1e-12);
  EXPECT_NEAR(tone_curve(100), 1, 1e-12);
  for (double x = 0; x < 4.9; x += 0.01) {
    ASSERT_GT(tone_curve(x + 0.01), tone_curve(x));
    ASSERT_LE(tone_curve(x + 0.01) - tone_curve(x), 0.010001);  // no step, never steeper than 1
  }
}

TEST(ToneMap, GreyStaysGreyAndGetsTheCurvesValue) {
  for (double nits : {0., 1., 10., 50., 100., 203., 400., 1000., 4000., 10000.}) {
    const double signal = pq_of_nits(nits);
    const auto rgb = converted(*hdr_frame(AVCOL_TRC_SMPTE2084, signal, signal, signal));
    for (int value : rgb) EXPECT_NEAR(value, srgb_byte(tone_curve(nits / 203)), 2) << nits;
  }
}

TEST(ToneMap, HlgMeetsPqAtDiffuseWhite) {
  const auto white = converted(*hdr_frame(AVCOL_TRC_ARIB_STD_B67, 0.75, 0.75, 0.75));
  for (int value : white) EXPECT_NEAR(value, srgb_byte(tone_curve(1)), 2);
  const auto black = converted(*hdr_frame(AVCOL_TRC_ARIB_STD_B67, 0, 0, 0));
  for (int value : black) EXPECT_EQ(value, 0);
  const auto full = converted(*hdr_frame(AVCOL_TRC_ARIB_STD_B67, 1, 1, 1));
  for (int value : full) EXPECT_GE(value, 253);
}

TEST(ToneMap, BringsPrimariesOfBt709BackToThemselves) {
  // BT.2087: 100 cd/m² of BT.709 red, green, blue in BT.2020's primaries.
  const double bt2020_from_bt709[3][3] = {
      {0.6274, 0.0691, 0.0164}, {0.3293, 0.9195, 0.0880}, {0.0433, 0.0114, 0.8956}};
  for (int c = 0; c < 3; ++c) {
    const double* light = bt2020_from_bt709[c];
    const auto rgb = converted(*hdr_frame(AVCOL_TRC_SMPTE2084, pq_of_nits(100 * light[0]),
                                          pq_of_nits(100 * light[1]), pq_of_nits(100 * light[2])));
    for (int other = 0; other < 3; ++other)
      EXPECT_NEAR(rgb[other], other == c ? srgb_byte(100. / 203) : 0, other == c ? 3 : 14)
          << c << ' ' << other;
  }
}

TEST(ToneMap, MakesASensiblePictureOfASharedClip) {
  const fs::path path = test::shared_data("data/clips/testsrc2_hdr.mp4");
  if (path.empty()) GTEST_SKIP() << "no shared clips";
  const Image image = open_file(path.string())->read(3).image;
  std::array<double, 3> mean{};
  std::array<int, 3> strongest{};
  for (std::size_t i = 0; i < image.rgb.size(); ++i) {
    mean[i % 3] += image.rgb[i] / (static_cast<double>(image.rgb.size()) / 3);
    strongest[i % 3] = std::max<int>(strongest[i % 3], image.rgb[i]);
  }
  for (int c = 0; c < 3; ++c) {
    EXPECT_GT(mean[c], 60);
    EXPECT_LT(mean[c], 200);
    EXPECT_GT(strongest[c], 240);
  }
}

struct Stored {
  const char* pixel_format;
  const char* matrix;  ///< FFmpeg's name for the stream
  const char* range;   ///< tv or pc
};

class StoredColour : public testing::TestWithParam<Stored> {};

TEST_P(StoredColour, EqualsWhatFfmpegsCommandMakesOfIt) {
  if (!have_ffmpeg_tools()) GTEST_SKIP() << "ffmpeg is not installed";
  const Stored& stored = GetParam();
  TemporaryFolder folder;
  const std::string path = folder / "clip.mkv";
  const std::string pixels = stored.pixel_format, matrix = stored.matrix, range = stored.range;
  ASSERT_TRUE(run_ffmpeg(
      "-f lavfi -i testsrc2=s=160x120:r=10:d=0.3 -vf 'scale=out_color_matrix=" + matrix +
      ":out_range=" + range + ",format=" + pixels + "' -c:v ffv1 -colorspace " +
      (matrix == "bt601" ? "smpte170m" : matrix) + " -color_range " + range + " '" + path + "'"));
  const std::string theirs = output_of(
      "ffmpeg -v quiet -i '" + path +
      "' -vf 'select=eq(n\\,2),scale=flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp' "
      "-frames:v 1 -f rawvideo -pix_fmt rgb24 -");
  const Image ours = open_file(path)->read(2).image;
  ASSERT_EQ(ours.rgb.size(), theirs.size());
  EXPECT_GT(psnr(ours.rgb, theirs), 45);
  // And the matrix matters: the other one gives another picture.
  if (std::string_view(pixels).substr(0, 3) != "yuv") return;
  const std::string wrong = output_of(
      "ffmpeg -v quiet -i '" + path + "' -vf 'select=eq(n\\,2),scale=in_color_matrix=" +
      (matrix == "bt709" ? "bt601" : "bt709") + "' -frames:v 1 -f rawvideo -pix_fmt rgb24 -");
  EXPECT_LT(psnr(ours.rgb, wrong), 40);
}

INSTANTIATE_TEST_SUITE_P(
    All, StoredColour,
    testing::Values(Stored{"yuv420p", "bt601", "tv"}, Stored{"yuv420p", "bt601", "pc"},
                    Stored{"yuv420p", "bt709", "tv"}, Stored{"yuv420p", "bt709", "pc"},
                    Stored{"yuv422p", "bt709", "tv"}, Stored{"yuv444p", "bt601", "pc"},
                    Stored{"yuv444p", "bt2020nc", "tv"}, Stored{"yuv420p10le", "bt2020nc", "tv"},
                    Stored{"yuv420p10le", "bt709", "pc"}, Stored{"yuv422p10le", "bt709", "tv"},
                    Stored{"yuv444p12le", "bt709", "tv"}, Stored{"yuva420p", "bt601", "tv"},
                    Stored{"gray", "bt601", "pc"}, Stored{"bgra", "bt601", "pc"},
                    Stored{"gbrp10le", "bt601", "pc"}),
    [](const auto& info) {
      return std::string(info.param.pixel_format) + "_" + info.param.matrix + "_" +
             info.param.range;
    });

TEST(Colour, TakesWhatIsNoValueForUnspecified) {
  const FramePtr frame = hdr_frame(AVCOL_TRC_BT709, 0.5, 0.5, 0.5);
  const auto expected = converted(*frame);
  const unsigned nonsense = 200;
  std::memcpy(&frame->color_trc, &nonsense, sizeof nonsense);
  std::memcpy(&frame->color_primaries, &nonsense, sizeof nonsense);
  std::memcpy(&frame->color_range, &nonsense, sizeof nonsense);
  EXPECT_EQ(colour_of(*frame).transfer, AVCOL_TRC_UNSPECIFIED);
  EXPECT_EQ(colour_of(*frame).range, AVCOL_RANGE_UNSPECIFIED);
  EXPECT_EQ(converted(*frame), expected);
}

TEST(FileSource, GivesOneSizeWhenTheStreamChangesSizeAndPixelFormat) {
  if (!have_ffmpeg_tools()) GTEST_SKIP() << "ffmpeg is not installed";
  TemporaryFolder folder;
  const auto encode = [&](const char* name, const std::string& size, const std::string& format) {
    ASSERT_TRUE(run_ffmpeg("-f lavfi -i testsrc2=s=" + size + ":r=25:d=0.2 -pix_fmt " + format +
                           " -c:v libx264 -qp 4 -bf 0 '" + (folder / name) + "'"));
  };
  encode("a.h264", "128x96", "yuv420p");
  encode("b.h264", "256x192", "yuv420p");
  encode("c.h264", "128x96", "yuv444p");
  test::write_bytes(folder / "all.h264", test::read_bytes(folder / "a.h264") +
                                             test::read_bytes(folder / "b.h264") +
                                             test::read_bytes(folder / "c.h264"));
  auto source = open_file(folder / "all.h264");
  ASSERT_EQ(source->frame_count(), 15);
  // The bit stream has no times, only a rate.
  for (int i = 0; i < 15; ++i) EXPECT_NEAR(source->pts_s(i), i / 25.0, 1e-6);
  std::vector<Image> images;
  for (int i = 0; i < 15; ++i) {
    images.push_back(source->read(i).image);
    ASSERT_EQ(images[i].height, 96);
    ASSERT_EQ(images[i].width, 128);
  }
  // The pattern is drawn for each size, so it is not the same one; but it is the same format.
  EXPECT_LT(test::difference(images[10], images[0]), 6);
  EXPECT_TRUE(source->read(7).image.rgb == images[7].rgb);
  EXPECT_TRUE(source->read(2).image.rgb == images[2].rgb);
  EXPECT_TRUE(source->read(12).image.rgb == images[12].rgb);
}

}  // namespace
}  // namespace vostrack::video
