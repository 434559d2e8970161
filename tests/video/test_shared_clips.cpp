/// Real clips of many containers and codecs, compared with what FFmpeg's own tools say.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <random>
#include <sstream>

#include "support/shared_data.hpp"
#include "video/ffmpeg_tools.hpp"
#include "video/file_source.hpp"
#include "video/test_clips.hpp"

namespace vostrack::video {
namespace {

namespace fs = std::filesystem;
using test::have_ffmpeg_tools;
using test::output_of;
using test::shared_data;

std::vector<double> probed_times(const fs::path& path) {
  std::istringstream lines(
      output_of("ffprobe -v quiet -select_streams v:0 -show_entries "
                "frame=best_effort_timestamp_time -of csv=p=0 '" +
                path.string() + "'"));
  std::vector<double> times;
  for (std::string line; std::getline(lines, line);)
    if (!line.empty() && (std::isdigit(line[0]) || line[0] == '-'))
      times.push_back(std::stod(line));
  return times;
}

/// One frame as FFmpeg's command converts it, turned upright.
Image converted_by_ffmpeg(const fs::path& path, int frame, int height, int width,
                          const std::string& input_matrix) {
  const std::string command =
      "ffmpeg -v quiet -i '" + path.string() + "' -vf \"select=eq(n\\," + std::to_string(frame) +
      "),scale=in_color_matrix=" + input_matrix +
      ":flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp\" -frames:v 1 -f rawvideo "
      "-pix_fmt rgb24 -";
  const std::string bytes = output_of(command);
  return {height, width, std::vector<std::uint8_t>(bytes.begin(), bytes.end())};
}

class SharedClip : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    path_ = shared_data(GetParam());
    if (path_.empty()) GTEST_SKIP() << "no shared clip " << GetParam();
  }
  fs::path path_;
};

TEST_P(SharedClip, HasTheFramesAndTimesThatFfprobeShows) {
  if (!have_ffmpeg_tools()) GTEST_SKIP() << "ffprobe is not installed";
  const std::vector<double> times = probed_times(path_);
  auto source = open_file(path_.string());
  ASSERT_EQ(source->frame_count(), static_cast<std::int64_t>(times.size()));
  for (std::size_t i = 0; i < times.size(); ++i) EXPECT_NEAR(source->pts_s(i), times[i], 2e-6) << i;
}

/// 200 frames in random order. Of large pictures, which take minutes to seek among, runs of forty
/// that go on by a few frames at a time from a random one, unless VOSTRACK_THOROUGH is set.
std::vector<std::int64_t> random_order(std::int64_t count, bool large) {
  std::mt19937 random(7);
  std::vector<std::int64_t> order = {count - 1};
  while (order.size() < 200) {
    const bool goes_on = large && order.size() % 40 != 0;
    order.push_back((goes_on ? order.back() + static_cast<std::int64_t>(random() % 3)
                             : static_cast<std::int64_t>(random())) %
                    count);
  }
  return order;
}

std::size_t hash_of(const Image& image) {
  return std::hash<std::string_view>()(
      {reinterpret_cast<const char*>(image.rgb.data()), image.rgb.size()});
}

TEST_P(SharedClip, GivesTheSameFramesInAnyOrder) {
  auto onwards = open_file(path_.string());
  auto anywhere = open_file(path_.string(), {.threads = 1, .hardware = Hardware::kNone});
  const std::int64_t count = onwards->frame_count();
  std::vector<std::size_t> hashes;
  for (std::int64_t i = 0; i < count; ++i) {
    const Frame frame = onwards->read(i);
    ASSERT_EQ(frame.image.height, onwards->height());
    ASSERT_EQ(frame.image.width, onwards->width());
    hashes.push_back(hash_of(frame.image));
  }
  const bool large =
      onwards->height() * onwards->width() > 500'000 && std::getenv("VOSTRACK_THOROUGH") == nullptr;
  for (const std::int64_t i : random_order(count, large))
    ASSERT_EQ(hash_of(anywhere->read(i).image), hashes[i]) << "frame " << i;
}

INSTANTIATE_TEST_SUITE_P(
    All, SharedClip,
    testing::Values("data/clips/animated.gif", "data/clips/av1_video.mkv",
                    "data/clips/bear-vp9-odd-dimensions.webm", "data/clips/bt601_full_range.mp4",
                    "data/clips/bt601_limited_range.mp4", "data/clips/bt709_full_range.mp4",
                    "data/clips/discard_first_keyframe.mp4", "data/clips/h265_10bits.mp4",
                    "data/clips/nasa_13013_rotated.mp4", "data/clips/portrait_4k60.mp4",
                    "data/clips/sample.avi", "data/clips/sample.flv",
                    "data/clips/sample_android_slow_motion.mp4", "data/clips/sample_fragmented.mp4",
                    "data/clips/sample_h262_mpeg_audio.ts", "data/clips/sample_mdat_too_long.mp4",
                    "data/clips/sample_sef_slow_motion.mp4", "data/clips/test_non_zero_start.mp4",
                    "data/clips/testsrc2_hdr.mp4",
                    "data/clips/testsrc2_odd_height_and_width_444.mp4",
                    "data/clips/testsrc2_odd_height_and_width_vp9.mp4",
                    "data/clips/testsrc2_vp8.webm", "data/clips/video_desks.3gp",
                    "data/videos/01_dog.mp4", "data/videos/03_blocks.mp4",
                    "data/videos/05_default_juggle.mp4", "data/videos/08_driving.mp4"),
    [](const auto& info) {
      std::string name = fs::path(info.param).filename().string();
      for (char& c : name)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
      return name;
    });

TEST(SharedClips, ColoursMatchFfmpegForEveryMatrixRangeAndTurn) {
  if (!have_ffmpeg_tools()) GTEST_SKIP() << "ffmpeg is not installed";
  struct Case {
    const char* name;
    int height, width;
    const char* matrix;  // named where the file does not, as documented for the source
  };
  for (const Case& c :
       std::initializer_list<Case>{{"bt601_full_range.mp4", 240, 320, "auto"},
                                   {"bt601_limited_range.mp4", 240, 320, "auto"},
                                   {"bt709_full_range.mp4", 720, 1280, "auto"},
                                   {"testsrc2_vp8.webm", 720, 1280, "auto"},
                                   {"sample_fragmented.mp4", 720, 1080, "bt709"},
                                   {"nasa_13013_rotated.mp4", 480, 270, "auto"},
                                   {"portrait_4k60.mp4", 3840, 2160, "auto"},
                                   {"testsrc2_odd_height_and_width_444.mp4", 241, 321, "bt601"},
                                   {"testsrc2_odd_height_and_width_vp9.mp4", 241, 321, "bt601"},
                                   {"h265_10bits.mp4", 200, 200, "bt601"}}) {
    const fs::path path = shared_data(fs::path("data/clips") / c.name);
    if (path.empty()) GTEST_SKIP() << "no shared clip " << c.name;
    const Image ours = open_file(path.string())->read(3).image;
    const Image theirs = converted_by_ffmpeg(path, 3, ours.height, ours.width, c.matrix);
    ASSERT_EQ(ours.height, c.height) << c.name;
    ASSERT_EQ(ours.width, c.width) << c.name;
    ASSERT_EQ(ours.rgb.size(), theirs.rgb.size()) << c.name;
    // Rounding may differ by one step where the command converts in two.
    EXPECT_LT(test::difference(ours, theirs), 0.5) << c.name;
  }
}

TEST(SharedClips, ABitstreamWithoutPicturesIsOneClearError) {
  const fs::path path = shared_data("data/clips/invalid-bitstream.webm");
  if (path.empty()) GTEST_SKIP() << "no shared clips";
  test::expect_error(ErrorCode::kDecode, "invalid-bitstream.webm: not one frame can be decoded",
                     [&] { open_file(path.string()); });
}

}  // namespace
}  // namespace vostrack::video
