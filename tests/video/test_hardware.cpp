/// Decoding by hardware. Where the machine has none, as in tests, what is seen is that decoding
/// goes on without and says so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"
#include "video/colour.hpp"
#include "video/file_source.hpp"
#include "video/live_source.hpp"
#include "video/test_clips.hpp"

namespace vostrack::video {
namespace {

using test::expect_error;
using test::TemporaryFolder;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Hardware, HasNames) {
  for (const Hardware hardware : {Hardware::kNone, Hardware::kAuto, Hardware::kCuda,
                                  Hardware::kVaapi, Hardware::kVideoToolbox})
    EXPECT_EQ(hardware_from_name(name_of(hardware)), hardware);
  expect_error(ErrorCode::kInvalidArgument,
               "\"nvdec\", want none, auto, cuda, vaapi or videotoolbox",
               [] { hardware_from_name("nvdec"); });
}

TEST(Hardware, GivesThePicturesThatTheProcessorGivesAndSaysWhatDecodes) {
  TemporaryFolder folder;
  test::write_clip(folder / "clip.mp4", test::steady_times(40, 25));
  auto plain = open_file(folder / "clip.mp4");
  ASSERT_TRUE(plain->decoder_in_use());
  EXPECT_EQ(plain->decoder_in_use()->codec, "h264");
  EXPECT_EQ(plain->decoder_in_use()->hardware, Hardware::kNone);
  EXPECT_THAT(plain->decoder_in_use()->note, IsEmpty());
  for (const Hardware hardware :
       {Hardware::kAuto, Hardware::kCuda, Hardware::kVaapi, Hardware::kVideoToolbox}) {
    testing::internal::CaptureStderr();
    auto other = open_file(folder / "clip.mp4", {.threads = 0, .hardware = hardware});
    for (int i : {0, 1, 2, 30, 7, 39})
      ASSERT_EQ(other->read(i).image.rgb, plain->read(i).image.rgb)
          << name_of(hardware) << ", frame " << i;
    const std::string printed = testing::internal::GetCapturedStderr();
    const DecoderInUse in_use = other->decoder_in_use().value();
    if (in_use.hardware != Hardware::kNone) continue;
    EXPECT_THAT(in_use.note, AnyOf(HasSubstr(std::string("no ") + name_of(hardware) + " device"),
                                   HasSubstr("does not decode"), HasSubstr("no device")));
    EXPECT_THAT(printed, HasSubstr("clip.mp4: " + in_use.note + "; decoding without hardware"));
  }
}

TEST(Hardware, IsRefusedWhenThereIsNoSuch) {
  TemporaryFolder folder;
  test::write_clip(folder / "clip.mp4", {0, 1});
  expect_error(ErrorCode::kInvalidArgument, "decode.hardware: 9", [&] {
    open_file(folder / "clip.mp4", {.threads = 0, .hardware = static_cast<Hardware>(9)});
  });
  LiveOptions live;
  live.decode.hardware = static_cast<Hardware>(-1);
  expect_error(ErrorCode::kInvalidArgument, "decode.hardware: -1", [&] { live.validate(); });
}

/// Graphics processors give NV12 where the processor's decoders give three planes.
TEST(Hardware, LayoutOfItsFramesGivesTheSameColours) {
  constexpr int kHeight = 46, kWidth = 70;
  const FramePtr planar = new_frame(), paired = new_frame();
  for (AVFrame* frame : {planar.get(), paired.get()}) {
    frame->height = kHeight;
    frame->width = kWidth;
    frame->colorspace = AVCOL_SPC_BT709;
    frame->format = frame == planar.get() ? AV_PIX_FMT_YUV420P : AV_PIX_FMT_NV12;
    ASSERT_EQ(av_frame_get_buffer(frame, 0), 0);
  }
  const auto sample = [](int plane, int y, int x) {
    return static_cast<std::uint8_t>(16 + (x * x * 3 + y * (7 + plane) + plane * 61) % 220);
  };
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x)
      planar->data[0][y * planar->linesize[0] + x] = paired->data[0][y * paired->linesize[0] + x] =
          sample(0, y, x);
  for (int y = 0; y < kHeight / 2; ++y)
    for (int x = 0; x < kWidth / 2; ++x)
      for (int c : {0, 1})
        planar->data[c + 1][y * planar->linesize[c + 1] + x] =
            paired->data[1][y * paired->linesize[1] + 2 * x + c] = sample(c + 1, y, x);
  RgbConverter from_planar(kHeight, kWidth, {}), from_paired(kHeight, kWidth, {});
  EXPECT_EQ(from_planar.convert(*planar).rgb, from_paired.convert(*paired).rgb);
}

}  // namespace
}  // namespace vostrack::video
