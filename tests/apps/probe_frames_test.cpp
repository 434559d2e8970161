#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "apps/vostrack/cli.hpp"
#include "tests/apps/command_line.hpp"
#include "tests/support/temporary_folder.hpp"
#include "video/picture_io.hpp"
#include "video/writer.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;
using test::Outcome;
using test::run_command;
using test::TemporaryFolder;
using testing::HasSubstr;
using testing::StartsWith;

/// Ten grey frames, each 20 brighter than the one before, at 10 frames a second.
std::string grey_clip(const TemporaryFolder& folder) {
  const std::string path = folder / "clip.mp4";
  video::VideoWriter writer(path, 32, 48, {.nominal_fps = 10});
  for (int i = 0; i < 10; ++i)
    writer.write(
        Image{32, 48, std::vector<std::uint8_t>(3 * 32 * 48, static_cast<std::uint8_t>(20 * i))},
        i / 10.0);
  writer.finish();
  return path;
}

int brightness(const std::string& path) {
  return video::read_picture(path).rgb[0];
}

TEST(ProbeCommand, PrintsWhatIsInAFile) {
  TemporaryFolder folder;
  const std::string clip = grey_clip(folder);
  const Outcome text = run_command({"probe", clip, "--frames"});
  ASSERT_EQ(text.status, kSuccess) << text.err;
  EXPECT_THAT(text.out, StartsWith(clip));
  EXPECT_THAT(text.out, HasSubstr("48x32"));
  EXPECT_THAT(text.out, HasSubstr("constant 10.000 fps"));
  EXPECT_THAT(text.out, HasSubstr("9  0.900000\n"));
  const Outcome outcome = run_command({"probe", clip, "--json", "--frames"});
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["frames"], 10);
  EXPECT_EQ(json["width"], 48);
  EXPECT_EQ(json["rate"]["constant"], true);
  EXPECT_EQ(json["frame_pts_s"].size(), 10u);
  EXPECT_EQ(json["streams"][0]["read"], true);
}

TEST(ProbeCommand, ShowsTheEditListOfAnMp4) {
  TemporaryFolder folder;
  const std::string clip = grey_clip(folder);
  const auto json = nlohmann::json::parse(run_command({"probe", clip, "--json"}).out);
  ASSERT_EQ(json["edits"].size(), 1u);
  EXPECT_NEAR(json["edits"][0]["duration_s"], 1.0, 0.01);
  EXPECT_EQ(json["edits"][0]["rate"], 1);
  EXPECT_THAT(run_command({"probe", clip}).out, HasSubstr("s of the stored media\n"));
}

TEST(ProbeCommand, NamesAFileThatIsMissing) {
  const Outcome outcome = run_command({"probe", "/nowhere/no.mp4"});
  EXPECT_EQ(outcome.status, kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("/nowhere/no.mp4: no such file"));
}

TEST(FramesCommand, WritesEveryNthFrame) {
  TemporaryFolder folder;
  const std::string clip = grey_clip(folder), out = folder / "out";
  const Outcome outcome = run_command({"frames", clip, "--out", out, "--every", "4"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("3 of 10 frames"));
  EXPECT_NEAR(brightness(out + "/00000.png"), 0, 4);
  EXPECT_NEAR(brightness(out + "/00004.png"), 80, 4);
  EXPECT_NEAR(brightness(out + "/00008.png"), 160, 4);
  EXPECT_FALSE(fs::exists(out + "/00001.png"));

  const Outcome again = run_command({"frames", clip, "--out", out, "--every", "4"});
  EXPECT_EQ(again.status, kFailure);
  EXPECT_THAT(again.err, HasSubstr("--overwrite"));
  EXPECT_EQ(run_command({"frames", clip, "--out", out, "--overwrite"}).status, kSuccess);
  EXPECT_TRUE(fs::exists(out + "/00009.png"));
}

TEST(FramesCommand, WritesWhatIsShownAtATime) {
  TemporaryFolder folder;
  const std::string clip = grey_clip(folder), out = folder / "out";
  const Outcome outcome =
      run_command({"frames", clip, "--out", out, "--times", "0.35,0.9", "--format", "jpg"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_NEAR(brightness(out + "/00003.jpg"), 60, 4);
  EXPECT_NEAR(brightness(out + "/00009.jpg"), 180, 4);
  EXPECT_EQ(std::distance(fs::directory_iterator(out), fs::directory_iterator()), 2);
  EXPECT_EQ(run_command({"frames", clip, "--out", out, "--times", "5"}).status, kFailure);
}

TEST(FramesCommand, WrongUsageEndsWithTwo) {
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{},
                                             {"--out", "o", "--every", "0"},
                                             {"--out", "o", "--every", "2", "--times", "1"},
                                             {"--out", "o", "--times", "-1"},
                                             {"--out", "o", "--format", "gif"}}) {
    std::vector<std::string> arguments = {"frames", "clip.mp4"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    EXPECT_EQ(run_command(arguments).status, kWrongUsage);
  }
}

}  // namespace
}  // namespace vostrack::cli
