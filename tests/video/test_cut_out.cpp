#include <gtest/gtest.h>

#include <filesystem>
#include <opencv2/imgcodecs.hpp>

#include "support/temporary_folder.hpp"
#include "video/cut_out.hpp"
#include "video/encoded_file.hpp"
#include "video/ffmpeg.hpp"
#include "video/ffmpeg_tools.hpp"
#include "video/small_disk.hpp"
#include "video/test_clips.hpp"

namespace vostrack::video {
namespace {

using test::expect_error;
using test::TemporaryFolder;

constexpr int kHeight = 49, kWidth = 67;  // odd both ways

/// A disc in the middle, moved to the right by some pixels.
Mask disc(int shift) {
  Mask mask{kHeight, kWidth, {}};
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x)
      mask.data.push_back(std::hypot(y - 24, x - 25 - shift) < 15 ? 1 : 0);
  return mask;
}

/// Colours that change slowly, as in a photograph.
Image scene() {
  Image image{kHeight, kWidth, {}};
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x)
      for (int value : {60 + 2 * x, 200 - 2 * y, 90 + x})
        image.rgb.push_back(static_cast<std::uint8_t>(value));
  return image;
}

struct Timed {
  double pts_s;
  RgbaImage image;
};

/// A video's pictures with transparency, through FFmpeg's own decoder and conversion. FFmpeg's
/// built-in VP9 decoder knows no alpha, so a decoder can be named.
std::vector<Timed> read_rgba(const std::string& path, const char* decoder) {
  std::vector<Timed> frames;
  AVFormatContext* context = nullptr;
  EXPECT_GE(avformat_open_input(&context, path.c_str(), nullptr, nullptr), 0);
  FormatInput format(context);
  avformat_find_stream_info(context, nullptr);
  const AVCodec* codec = avcodec_find_decoder_by_name(decoder);
  if (codec == nullptr) {
    ADD_FAILURE() << "no decoder " << decoder;
    return frames;
  }
  CodecContext reader(avcodec_alloc_context3(codec));
  avcodec_parameters_to_context(reader.get(), context->streams[0]->codecpar);
  EXPECT_GE(avcodec_open2(reader.get(), codec, nullptr), 0);
  PacketPtr packet = new_packet();
  FramePtr frame = new_frame();
  const auto receive = [&] {
    while (avcodec_receive_frame(reader.get(), frame.get()) >= 0) {
      RgbaImage image{frame->height, frame->width, {}};
      image.rgba.resize(std::size_t{4} * image.height * image.width);
      ScalerPtr scaler(sws_getContext(image.width, image.height, AVPixelFormat(frame->format),
                                      image.width, image.height, AV_PIX_FMT_RGBA,
                                      SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr,
                                      nullptr, nullptr));
      sws_setColorspaceDetails(scaler.get(), sws_getCoefficients(SWS_CS_ITU709), 0,
                               sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
      std::uint8_t* planes[] = {image.rgba.data()};
      const int strides[] = {4 * image.width};
      sws_scale(scaler.get(), frame->data, frame->linesize, 0, frame->height, planes, strides);
      frames.push_back({static_cast<double>(frame->pts) * av_q2d(context->streams[0]->time_base),
                        std::move(image)});
    }
  };
  while (av_read_frame(context, packet.get()) >= 0) {
    avcodec_send_packet(reader.get(), packet.get());
    av_packet_unref(packet.get());
    receive();
  }
  avcodec_send_packet(reader.get(), nullptr);
  receive();
  return frames;
}

struct Difference {
  int opacity = 0;     ///< the largest
  double colours = 0;  ///< the mean over what is opaque in both
};

Difference difference(const RgbaImage& a, const RgbaImage& b) {
  Difference result;
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < a.rgba.size(); i += 4) {
    result.opacity = std::max(result.opacity, std::abs(int{a.rgba[i + 3]} - int{b.rgba[i + 3]}));
    if (a.rgba[i + 3] < 255 || b.rgba[i + 3] < 250) continue;
    for (std::size_t c = 0; c < 3; ++c) sum += std::abs(int{a.rgba[i + c]} - int{b.rgba[i + c]});
    count += 3;
  }
  result.colours = sum / count;
  return result;
}

const std::vector<double> kTimes = {0.2, 0.25, 0.5, 2.5};

void write_cut_outs(const std::string& path, const CutOutOptions& options = {}) {
  CutOutWriter writer(path, kHeight, kWidth, options);
  for (std::size_t i = 0; i < kTimes.size(); ++i)
    writer.write(cut_out(scene(), disc(5 * static_cast<int>(i)), 1), kTimes[i]);
  writer.finish();
  writer.finish();
}

TEST(CutOut, KeepsTheObjectAndNothingElse) {
  const Image image = scene();
  const Mask mask = disc(0);
  const RgbaImage result = cut_out(image, mask);
  for (std::size_t i = 0; i < mask.data.size(); ++i) {
    ASSERT_EQ(result.rgba[4 * i + 3], mask.data[i] ? 255 : 0);
    for (std::size_t c = 0; c < 3; ++c)
      ASSERT_EQ(result.rgba[4 * i + c], mask.data[i] ? image.rgb[3 * i + c] : result.rgba[c]);
  }
  // The object's average: red is 60 + 2x, whose mean over the disc is its middle's.
  EXPECT_NEAR(result.rgba[0], 60 + 2 * 25, 1);
  EXPECT_NEAR(result.rgba[1], 200 - 2 * 24, 1);
  const RgbaImage nothing =
      cut_out(image, Mask{kHeight, kWidth, std::vector<std::uint8_t>(mask.data.size())});
  EXPECT_EQ(nothing.rgba, std::vector<std::uint8_t>(4 * mask.data.size()));
}

TEST(CutOut, SoftensTheEdgeOnly) {
  const Mask mask = disc(0);
  const RgbaImage result = cut_out(scene(), mask, 2);
  const auto opacity = [&](int x) { return int{result.rgba[4 * (24 * kWidth + x) + 3]}; };
  EXPECT_EQ(opacity(25), 255);
  EXPECT_EQ(opacity(55), 0);
  EXPECT_GT(opacity(39), 128);  // the last column inside
  EXPECT_LT(opacity(40), 128);
  EXPECT_NEAR(opacity(39) + opacity(40), 255, 30);
  for (int x = 25; x < 55; ++x) EXPECT_GE(opacity(x), opacity(x + 1));
  // An object that leaves the picture is not faded at the picture's edge.
  Mask all = mask;
  for (auto& value : all.data) value = 1;
  EXPECT_EQ(cut_out(scene(), all, 5).rgba[3], 255);
}

TEST(CutOut, RefusesWhatDoesNotFit) {
  expect_error(ErrorCode::kInvalidArgument, "mask of 67x49",
               [] { cut_out(test::plain(4, 4, 0, 0, 0), disc(0)); });
  expect_error(ErrorCode::kInvalidArgument, "softness: -1", [] { cut_out(scene(), disc(0), -1); });
  expect_error(ErrorCode::kInvalidArgument, "image of 0 bytes", [] { cut_out({}, {}); });
}

TEST(CutOutWriter, KeepsOpacityExactlyInProRes) {
  TemporaryFolder folder;
  write_cut_outs(folder / "a.mov");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.mov"});
  const auto frames = read_rgba(folder / "a.mov", "prores");
  ASSERT_EQ(frames.size(), kTimes.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_NEAR(frames[i].pts_s, kTimes[i], 1e-4);
    const auto off =
        difference(cut_out(scene(), disc(5 * static_cast<int>(i)), 1), frames[i].image);
    EXPECT_LE(off.opacity, 1) << i;  // FFmpeg's way from 10 bits to 8 rounds down
    EXPECT_LT(off.colours, 2) << i;
    EXPECT_EQ(frames[i].image.rgba[3], 0);
    EXPECT_EQ(frames[i].image.rgba[4 * (24 * kWidth + 25 + 5 * i) + 3], 255);
  }
}

TEST(CutOutWriter, KeepsOpacityNearlyInWebm) {
  if (avcodec_find_encoder_by_name("libvpx-vp9") == nullptr) GTEST_SKIP() << "no libvpx here";
  TemporaryFolder folder;
  write_cut_outs(folder / "a.webm");
  const auto frames = read_rgba(folder / "a.webm", "libvpx-vp9");
  ASSERT_EQ(frames.size(), kTimes.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_NEAR(frames[i].pts_s, kTimes[i], 1e-3);
    const auto off =
        difference(cut_out(scene(), disc(5 * static_cast<int>(i)), 1), frames[i].image);
    EXPECT_LT(off.opacity, 40) << i;
    EXPECT_LT(off.colours, 4) << i;
  }
  // Browsers look for the mark in the header.
  if (test::have_ffmpeg_tools()) {
    EXPECT_NE(test::output_of("ffprobe -v error -show_entries stream_tags=alpha_mode " +
                              folder / "a.webm")
                  .find("=1"),
              std::string::npos);
  }
}

TEST(CutOutWriter, WritesAFolderOfExactPictures) {
  TemporaryFolder folder;
  write_cut_outs(folder / "a");
  for (int i = 0; i < 4; ++i) {
    const cv::Mat read =
        cv::imread(folder / ("a/0000" + std::to_string(i) + ".png"), cv::IMREAD_UNCHANGED);
    ASSERT_EQ(read.type(), CV_8UC4);
    const RgbaImage want = cut_out(scene(), disc(5 * i), 1);
    for (int k = 0; k < kHeight * kWidth; ++k)
      for (int c = 0; c < 4; ++c)
        ASSERT_EQ(read.data[4 * k + c], want.rgba[4 * k + (c < 3 ? 2 - c : 3)]);
  }
  expect_error(ErrorCode::kInvalidArgument, "exists already",
               [&] { write_cut_outs(folder / "a"); });
  write_cut_outs(folder / "a", {.overwrite = true});
}

TEST(CutOutWriter, LeavesNothingBehindWhenTheDiskIsFull) {
  TemporaryFolder folder;
  for (const char* name : {"a.mov", "a.webm"}) {
    test::SmallDisk disk(20000);
    expect_error(ErrorCode::kIo, std::string(name) + ": writing failed: File too large", [&] {
      CutOutWriter writer(folder / name, 128, 128, {.crf = 0});
      for (int i = 0; i < 30; ++i) {
        RgbaImage noise{128, 128, std::vector<std::uint8_t>(4 * 128 * 128)};
        for (std::size_t k = 0; k < noise.rgba.size(); ++k)
          noise.rgba[k] = static_cast<std::uint8_t>((k * 2654435761u + i * 40503u) >> 13);
        writer.write(noise, i * 0.04);
      }
      writer.finish();
    });
  }
  EXPECT_TRUE(folder.names().empty());
}

TEST(CutOutWriter, NamesWhatIsWrong) {
  TemporaryFolder folder;
  expect_error(ErrorCode::kInvalidArgument, "got \".mp4\"",
               [&] { CutOutWriter(folder / "a.mp4", 8, 8); });
  for (const char* name : {"a.mov", "a.webm", "a"}) {
    expect_error(ErrorCode::kInvalidArgument, "8x0", [&] { CutOutWriter(folder / name, 0, 8); });
    expect_error(ErrorCode::kNotFound, "no folder",
                 [&] { CutOutWriter(folder / "gone/" + name, 8, 8); });
    expect_error(ErrorCode::kInvalidArgument, "crf: 64",
                 [&] { CutOutWriter(folder / name, 8, 8, {.crf = 64}); });
    CutOutWriter writer(folder / name, 16, 16);
    expect_error(ErrorCode::kFailedState, "no frame", [&] { writer.finish(); });
    expect_error(ErrorCode::kInvalidArgument, "want 16x16",
                 [&] { writer.write(cut_out(scene(), disc(0)), 0); });
    const RgbaImage image{16, 16, std::vector<std::uint8_t>(4 * 256, 99)};
    writer.write(image, 1);
    if (std::string(name) != "a")
      expect_error(ErrorCode::kInvalidArgument, "never go back", [&] { writer.write(image, 0); });
    writer.finish();
    expect_error(ErrorCode::kFailedState, "is finished", [&] { writer.write(image, 2); });
  }
  expect_error(ErrorCode::kInvalidArgument, "20000x8",
               [&] { CutOutWriter(folder / "b.mov", 8, 20000); });
  EncodedFile file(folder / "c.mkv", 8, 8, {.container = "matroska"});
  expect_error(ErrorCode::kUnsupported, "c.mkv: this FFmpeg lacks the encoder gone1, gone2", [&] {
    file.find_encoder({"gone1", "gone2"});
  });
  expect_error(ErrorCode::kUnsupported, "cannot write nosuch",
               [&] { EncodedFile(folder / "d", 8, 8, {.container = "nosuch"}); });
}

}  // namespace
}  // namespace vostrack::video
