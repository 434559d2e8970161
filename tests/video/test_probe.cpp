#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <sstream>

#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"
#include "video/ffmpeg_tools.hpp"
#include "video/file_source.hpp"
#include "video/probe.hpp"
#include "video/test_clips.hpp"

namespace vostrack::video {
namespace {

namespace fs = std::filesystem;
using test::have_ffmpeg_tools;
using test::output_of;
using test::run_ffmpeg;
using test::shared_data;
using test::TemporaryFolder;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

/// ffprobe's "key=value" lines; of a key that repeats, the first.
std::map<std::string, std::string> ffprobe(const std::string& path, const std::string& options) {
  std::map<std::string, std::string> values;
  std::istringstream lines(output_of("ffprobe -v quiet -select_streams v:0 " + options +
                                     " -of default=noprint_wrappers=1 '" + path + "'"));
  for (std::string line; std::getline(lines, line);)
    if (const auto equals = line.find('='); equals != std::string::npos)
      values.emplace(line.substr(0, equals), line.substr(equals + 1));
  return values;
}

TEST(Rate, IsConstantWhenGapsDifferByRoundingOnly) {
  const RateReport rate = rate_of({0, 0.033, 0.067, 0.1, 0.133}, 0.001);
  EXPECT_TRUE(rate.constant);
  EXPECT_NEAR(rate.min_gap_s, 0.033, 1e-9);
  EXPECT_NEAR(rate.median_gap_s, 0.033, 1.1e-3);
  EXPECT_NEAR(rate.max_gap_s, 0.034, 1e-9);
  EXPECT_NEAR(rate.mean_fps, 4 / 0.133, 1e-9);
  // A tick as long as a frame: two ticks are a frame left out.
  EXPECT_FALSE(rate_of({0, 0.04, 0.08, 0.16, 0.2}, 0.04).constant);
  EXPECT_FALSE(rate_of({0, 0.04, 0.05, 0.2}, 1e-5).constant);
  EXPECT_TRUE(rate_of({7}, 0.04).constant);
}

TEST(Probe, FindsNothingOddInAPlainClip) {
  TemporaryFolder folder;
  test::write_clip(folder / "clip.mp4", test::steady_times(50, 25), 96, 128, 25);
  const ProbeReport report = probe(folder / "clip.mp4");
  EXPECT_THAT(report.suspicions, IsEmpty());
  EXPECT_EQ(report.frame_times_s.size(), 50u);
  EXPECT_EQ(report.stated_frames, 50);
  EXPECT_NEAR(report.duration_s, 2, 1e-6);
  EXPECT_NEAR(report.stated_duration_s.value(), 2, 1e-3);
  EXPECT_TRUE(report.rate.constant);
  EXPECT_NEAR(report.rate.mean_fps, 25, 1e-6);
  EXPECT_EQ(report.height, 96);
  EXPECT_EQ(report.width, 128);
  EXPECT_EQ(report.colour.matrix, "bt709");
  EXPECT_EQ(report.colour.range, "tv");
  EXPECT_EQ(report.colour.bit_depth, 8);
  EXPECT_FALSE(report.colour.hdr);
  ASSERT_EQ(report.streams.size(), 1u);
  EXPECT_EQ(report.streams[0].type, "video");
  EXPECT_TRUE(report.streams[0].read);
  EXPECT_EQ(report.file_bytes, static_cast<std::int64_t>(fs::file_size(folder / "clip.mp4")));
}

TEST(Probe, TellsAVariableRateAndAGap) {
  TemporaryFolder folder;
  test::write_clip(folder / "clip.mp4", {0.5, 0.54, 0.59, 0.62, 3.0});
  const ProbeReport report = probe(folder / "clip.mp4");
  EXPECT_FALSE(report.rate.constant);
  EXPECT_NEAR(report.rate.min_gap_s, 0.03, 1e-4);
  EXPECT_NEAR(report.rate.max_gap_s, 2.38, 1e-4);
  EXPECT_THAT(report.suspicions, Contains(HasSubstr("longest gap between frames is 2.380 s")));
  EXPECT_THAT(report.suspicions, Contains(HasSubstr("first frame is at 0.500 s")));
}

TEST(Probe, CountsWhatACutFileHasLost) {
  TemporaryFolder folder;
  test::write_clip(folder / "whole.mp4", test::steady_times(100, 25));
  const std::string bytes = test::read_bytes(folder / "whole.mp4");
  test::write_bytes(folder / "cut.mp4", bytes.substr(0, bytes.size() * 7 / 10));
  const ProbeReport report = probe(folder / "cut.mp4");
  EXPECT_LT(report.frame_times_s.size(), 90u);
  EXPECT_EQ(report.stated_frames, 100);
  EXPECT_THAT(report.suspicions, Contains(HasSubstr("container states 100 frames")));
}

TEST(Probe, CountsDamage) {
  TemporaryFolder folder;
  test::write_clip(folder / "clip.mp4", test::steady_times(60, 25));
  std::string bytes = test::read_bytes(folder / "clip.mp4");
  for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + 400; ++i) bytes[i] ^= 0x5A;
  test::write_bytes(folder / "clip.mp4", bytes);
  EXPECT_THAT(probe(folder / "clip.mp4").suspicions, Contains(HasSubstr("damaged")));
}

TEST(Probe, RefusesWhatIsNoVideo) {
  TemporaryFolder folder;
  test::expect_error(ErrorCode::kNotFound, "no.mp4", [&] { probe(folder / "no.mp4"); });
  test::write_bytes(folder / "text.mp4", "not a video");
  test::expect_error(ErrorCode::kDecode, "text.mp4", [&] { probe(folder / "text.mp4"); });
}

TEST(Probe, TellsInterlacedPicturesOddPixelsAndMissingCounts) {
  if (!have_ffmpeg_tools()) GTEST_SKIP() << "ffmpeg is not installed";
  TemporaryFolder folder;
  ASSERT_TRUE(
      run_ffmpeg("-f lavfi -i testsrc2=s=128x96:r=25:d=1 -vf setfield=tff,setsar=4/3 "
                 "-c:v mpeg2video -flags +ilme+ildct -f mpegts '" +
                 (folder / "clip.ts") + "'"));
  const ProbeReport report = probe(folder / "clip.ts");
  EXPECT_TRUE(report.interlaced);
  EXPECT_THAT(report.suspicions, Contains(HasSubstr("interlaced")));
  EXPECT_THAT(report.suspicions, Contains(HasSubstr("not square")));
  EXPECT_THAT(report.suspicions, Contains(HasSubstr("no frame count")));
  EXPECT_NEAR(static_cast<double>(report.pixel_aspect_x) / report.pixel_aspect_y, 4. / 3, 1e-9);
}

TEST(Probe, TellsASizeThatChangesAndTimesThatAreMissing) {
  if (!have_ffmpeg_tools()) GTEST_SKIP() << "ffmpeg is not installed";
  TemporaryFolder folder;
  for (const char* size : {"128x96", "64x48"})
    ASSERT_TRUE(run_ffmpeg("-f lavfi -i testsrc2=s=" + std::string(size) +
                           ":r=25:d=0.4 -c:v libx264 -bf 0 '" + (folder / size) + ".h264'"));
  test::write_bytes(folder / "both.h264", test::read_bytes(folder / "128x96.h264") +
                                              test::read_bytes(folder / "64x48.h264"));
  const ProbeReport report = probe(folder / "both.h264");
  EXPECT_EQ(report.frame_times_s.size(), 20u);
  EXPECT_THAT(report.suspicions,
              Contains(HasSubstr("size changes from 128x96 to 64x48 at frame 10")));
  EXPECT_THAT(report.suspicions, Contains(HasSubstr("20 frames have no timestamp")));
  EXPECT_NEAR(report.rate.mean_fps, 25, 0.01);
}

TEST(Probe, CountsFramesThatAnEditListCutsAway) {
  const fs::path path = shared_data("data/clips/discard_first_keyframe.mp4");
  if (path.empty()) GTEST_SKIP() << "no shared clips";
  EXPECT_THAT(probe(path.string()).suspicions, Contains(HasSubstr("an edit list cuts away")));
}

class ProbedClip : public testing::TestWithParam<std::string> {};

TEST_P(ProbedClip, AgreesWithFfprobeAndWithTheFramesRead) {
  const fs::path found = shared_data("data/clips/" + GetParam());
  if (found.empty()) GTEST_SKIP() << "no shared clip " << GetParam();
  if (!have_ffmpeg_tools()) GTEST_SKIP() << "ffprobe is not installed";
  const std::string path = found.string();
  const ProbeReport report = probe(path);

  auto stream = ffprobe(path, "-count_frames -show_streams");
  EXPECT_EQ(report.codec, stream["codec_name"]);
  EXPECT_EQ(std::to_string(report.frame_times_s.size()), stream["nb_read_frames"]);
  EXPECT_EQ(report.stated_frames ? std::to_string(*report.stated_frames) : "N/A",
            stream["nb_frames"]);
  const int rotation = stream.contains("rotation") ? std::stoi(stream["rotation"]) : 0;
  EXPECT_EQ(report.rotation_deg, (360 - rotation) % 360);
  EXPECT_FALSE(report.mirrored);

  auto frame = ffprobe(path, "-show_frames");
  const auto known = [&](const char* key) {
    return frame.contains(key) ? frame[key] : std::string("unknown");
  };
  EXPECT_EQ(report.pixel_format, known("pix_fmt"));
  EXPECT_EQ(std::to_string(report.stored_height), known("height"));
  EXPECT_EQ(std::to_string(report.stored_width), known("width"));
  EXPECT_EQ(report.colour.matrix, known("color_space"));
  EXPECT_EQ(report.colour.range, known("color_range"));
  EXPECT_EQ(report.colour.transfer, known("color_transfer"));
  EXPECT_EQ(report.colour.primaries, known("color_primaries"));
  const std::string ratio =
      std::to_string(report.pixel_aspect_x) + ":" + std::to_string(report.pixel_aspect_y);
  if (known("sample_aspect_ratio") != "N/A") {
    EXPECT_EQ(ratio, known("sample_aspect_ratio"));
  }

  auto source = open_file(path);
  EXPECT_EQ(report.height, source->height());
  EXPECT_EQ(report.width, source->width());
  ASSERT_EQ(static_cast<std::int64_t>(report.frame_times_s.size()), source->frame_count());
  for (std::int64_t i = 0; i < source->frame_count(); ++i)
    ASSERT_NEAR(report.frame_times_s[i], source->pts_s(i), 1e-9) << i;
}

INSTANTIATE_TEST_SUITE_P(
    All, ProbedClip,
    testing::Values("animated.gif", "av1_video.mkv", "bear-vp9-odd-dimensions.webm",
                    "bt601_full_range.mp4", "bt709_full_range.mp4", "discard_first_keyframe.mp4",
                    "h265_10bits.mp4", "nasa_13013_rotated.mp4", "portrait_4k60.mp4", "sample.avi",
                    "sample.flv", "sample_android_slow_motion.mp4", "sample_fragmented.mp4",
                    "sample_h262_mpeg_audio.ts", "sample_mdat_too_long.mp4",
                    "sample_sef_slow_motion.mp4", "test_non_zero_start.mp4", "testsrc2_hdr.mp4",
                    "testsrc2_odd_height_and_width_444.mp4", "testsrc2_vp8.webm",
                    "video_desks.3gp"),
    [](const auto& info) {
      std::string name = info.param;
      for (char& c : name)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
      return name;
    });

}  // namespace
}  // namespace vostrack::video
