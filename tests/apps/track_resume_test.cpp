#include <gmock/gmock.h>

#include "apps/vostrack/cli.hpp"
#include "tests/apps/track_fixture.hpp"
#include "vostrack/frame_source.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;
using test::Outcome;
using testing::HasSubstr;
using testing::Not;

class TrackResume : public test::TrackTest {
 protected:
  /// What an uninterrupted run writes is what an interrupted and resumed one writes.
  void expect_the_same(const std::string& whole, const std::string& resumed) {
    EXPECT_EQ(test::read_bytes(folder_ / (resumed + "/results.jsonl")),
              test::read_bytes(folder_ / (whole + "/results.jsonl")));
    for (const auto& mask : fs::directory_iterator(folder_ / (whole + "/masks")))
      EXPECT_EQ(test::read_bytes(folder_ / (resumed + "/masks/" + mask.path().filename().string())),
                test::read_bytes(mask.path().string()));
    EXPECT_EQ(test::read_bytes(folder_ / (resumed + "/contact_sheet.png")),
              test::read_bytes(folder_ / (whole + "/contact_sheet.png")));
    EXPECT_EQ(summary(resumed)["objects"], summary(whole)["objects"]);
    EXPECT_EQ(summary(resumed)["frames"], summary(whole)["frames"]);
    EXPECT_EQ(summary(resumed)["complete"], true);
    EXPECT_FALSE(fs::exists(folder_ / (resumed + "/unfinished.jsonl")));
  }

  std::string session_ = folder_ / "clip.session";
};

TEST_F(TrackResume, EqualsARunThatWasNeverInterrupted) {
  const std::vector<std::string> same = {"--mask", mask_, "--box", "2:0,0,60,20@2", "--end", "6"};
  ASSERT_EQ(track(same, "whole").status, kSuccess);
  std::vector<std::string> kept = same;
  kept.insert(kept.end(), {"--save-session", session_});
  interrupt_after(4);
  Outcome outcome = track(kept, "resumed");
  EXPECT_EQ(outcome.status, kInterrupted) << outcome.err;
  EXPECT_EQ(summary("resumed")["frames"]["tracked"], 4);
  EXPECT_TRUE(fs::exists(folder_ / "resumed/unfinished.jsonl"));
  set_interrupted(false);
  kept.push_back("--resume");
  outcome = track(kept, "resumed");
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  expect_the_same("whole", "resumed");
  EXPECT_EQ(open_video(folder_ / "resumed/overlay.mp4")->frame_count(), 7);

  outcome = track(kept, "resumed");
  EXPECT_EQ(outcome.status, kSuccess);
  EXPECT_THAT(outcome.out, HasSubstr("complete already"));
}

TEST_F(TrackResume, GoesOnAtAnyFrameOfBothDirections) {
  const std::string later = square_.write_mask(folder_ / "later.png", 3);
  const std::vector<std::string> same = {"--mask", later + "@3", "--both",
                                         "--end",  "5",          "--no-overlay"};
  ASSERT_EQ(track(same, "whole").status, kSuccess);
  // Frames come as 3 2 1 0, 3 4 5; each run is interrupted again after one more or two.
  std::vector<std::string> kept = same;
  kept.insert(kept.end(), {"--save-session", session_, "--resume"});
  int runs = 0;
  for (int status = kInterrupted; status == kInterrupted && runs < 10; ++runs) {
    interrupt_after(1 + runs % 2);
    status = track(kept, "resumed").status;
    set_interrupted(false);
  }
  EXPECT_EQ(runs, 5);
  expect_the_same("whole", "resumed");
}

TEST_F(TrackResume, StartsAnewWithoutASession) {
  interrupt_after(2);
  ASSERT_EQ(track({"--mask", mask_, "--end", "3", "--no-overlay"}).status, kInterrupted);
  set_interrupted(false);
  const Outcome outcome = track({"--mask", mask_, "--end", "3", "--no-overlay", "--resume"});
  EXPECT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_EQ(masks().size(), 4u);
}

TEST_F(TrackResume, RefusesOtherPrompts) {
  interrupt_after(2);
  ASSERT_EQ(track({"--mask", mask_, "--no-overlay", "--save-session", session_}).status,
            kInterrupted);
  set_interrupted(false);
  const Outcome outcome =
      track({"--box", "12,36,60,84", "--no-overlay", "--save-session", session_, "--resume"});
  EXPECT_EQ(outcome.status, kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("had other prompts"));
  EXPECT_EQ(masks().size(), 2u);
}

TEST_F(TrackResume, SkipsTheVideosThatAreComplete) {
  const std::string second = square_.write_clip(folder_ / "second.mp4");
  const std::vector<std::string> options = {"--mask", mask_,          "--end",
                                            "1",      "--no-overlay", "--resume"};
  interrupt_after(5);  // looked at before each video and after each frame
  ASSERT_EQ(track_clips({clip_, second}, options).status, kInterrupted);
  set_interrupted(false);
  const Outcome outcome = track_clips({clip_, second}, options);
  EXPECT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_THAT(outcome.err, Not(HasSubstr("[1/2]")));
  EXPECT_THAT(outcome.err, HasSubstr("[2/2] second 2/2"));
  EXPECT_THAT(outcome.out, HasSubstr("2 of 2 videos tracked"));
}

TEST_F(TrackResume, TakesAnObjectToAnotherVideo) {
  const std::string object = folder_ / "square.object";
  Outcome outcome = track(
      {"--mask", "3:" + mask_, "--end", "2", "--no-overlay", "--export-object", "3:" + object});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr(object));
  outcome = track({"--object", object, "--end", "2", "--no-overlay"}, "second");
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_EQ(summary("second")["objects"][0]["id"], 3);
  EXPECT_GT(iou(2, "second"), 0.7);
  outcome = track({"--object", "8:" + object, "--end", "0", "--no-overlay"}, "third");
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_EQ(summary("third")["objects"][0]["id"], 8);
}

TEST_F(TrackResume, RefusesToExportAnObjectThatIsNotThere) {
  const Outcome outcome = track({"--mask", mask_, "--export-object", "4:" + (folder_ / "x")});
  EXPECT_EQ(outcome.status, kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("there is no object 4"));
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(TrackResume, StaysBelowItsCeilingOfMemory) {
  const std::vector<std::string> options = {"--mask", mask_, "--no-overlay", "--end", "9"};
  ASSERT_EQ(track(options).status, kSuccess);
  const std::int64_t bytes = summary()["memory"]["bytes"];
  EXPECT_GT(bytes, 0);
  EXPECT_EQ(summary()["memory"]["max_bytes"], 1 << 30);
  EXPECT_EQ(summary()["memory"]["scratch_bytes"], 0);
  std::vector<std::string> less = options;
  less.insert(less.end(), {"--max-memory", std::to_string(bytes - 200'000)});
  const Outcome outcome = track(less, "less");
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_LE(summary("less")["memory"]["bytes"], bytes - 200'000);
  EXPECT_GT(summary("less")["memory"]["scratch_bytes"], 0);
  EXPECT_EQ(test::read_bytes(folder_ / "less/results.jsonl"),
            test::read_bytes(folder_ / "out/results.jsonl"));
  EXPECT_EQ(track({"--mask", mask_, "--max-memory", "1K"}, "refused").status, kFailure);
}

TEST_F(TrackResume, ReadsSizesAsPeopleWriteThem) {
  ASSERT_EQ(track({"--mask", mask_, "--no-overlay", "--end", "0", "--max-memory", "500M"}).status,
            kSuccess);
  EXPECT_EQ(summary()["memory"]["max_bytes"], 500 << 20);
  EXPECT_EQ(track({"--mask", mask_, "--max-memory", "much"}).status, kWrongUsage);
}

}  // namespace
}  // namespace vostrack::cli
