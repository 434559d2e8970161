#include "apps/vostrack/track_jobs.hpp"

#include <gmock/gmock.h>

#include "apps/vostrack/cli.hpp"
#include "tests/apps/track_fixture.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;
using test::Outcome;
using testing::AllOf;
using testing::HasSubstr;

class TrackJobs : public test::TrackTest {
 protected:
  std::string second_ = square_.write_clip(folder_ / "second.mp4");
};

TEST_F(TrackJobs, HaveFoldersOfTheirNames) {
  fs::create_directories(folder_ / "pictures.v2");
  std::vector<std::string> names;
  for (const TrackJob& job : jobs_of({{"/a/one.mp4", "", {}},
                                      {"/b/one.mov", "", {}},
                                      {folder_ / "pictures.v2/", "", {}},
                                      {"run/*.png", "", {}},
                                      {"x.mp4", "named", {}}},
                                     "out"))
    names.push_back(job.folder.root().string());
  EXPECT_EQ(names, (std::vector<std::string>{"out/one", "out/one_2", "out/pictures.v2", "out/run",
                                             "out/named"}));
}

TEST_F(TrackJobs, TakeTheSamePrompts) {
  const Outcome outcome =
      track_clips({clip_, second_}, {"--mask", mask_, "--end", "1", "--no-overlay"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("[1/2] clip 2/2 frames"), HasSubstr("[2/2] second 2/2 frames")));
  EXPECT_THAT(outcome.out, HasSubstr("2 of 2 videos tracked\n"));
  for (const char* name : {"out/clip", "out/second"}) {
    EXPECT_GT(iou(1, name), 0.8);
    EXPECT_EQ(summary(name)["complete"], true);
  }
  EXPECT_EQ(summary()["videos"][1]["status"], "complete");
  EXPECT_EQ(summary()["videos"][1]["folder"], "second");
}

TEST_F(TrackJobs, GoOnWhenOneFails) {
  const Outcome outcome =
      track_clips({folder_ / "none.mp4", second_}, {"--mask", mask_, "--end", "1", "--no-overlay"});
  EXPECT_EQ(outcome.status, kFailure);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("vostrack: [1/2] none: "), HasSubstr("none.mp4")));
  EXPECT_THAT(outcome.out, HasSubstr("1 of 2 videos tracked, 1 failed\n"));
  EXPECT_EQ(summary()["videos"][0]["status"], "failed");
  EXPECT_THAT(summary()["videos"][0]["error"].get<std::string>(), HasSubstr("none.mp4"));
  EXPECT_FALSE(fs::exists(folder_ / "out/none"));
  EXPECT_GT(iou(1, "out/second"), 0.8);
}

TEST_F(TrackJobs, StopWhenInterrupted) {
  set_interrupted(true);
  const Outcome outcome = track_clips({clip_, second_}, {"--mask", mask_, "--no-overlay"});
  EXPECT_EQ(outcome.status, kInterrupted);
  EXPECT_FALSE(fs::exists(folder_ / "out/second"));
}

TEST_F(TrackJobs, TakeTheirPromptsFromAFile) {
  test::write_bytes(folder_ / "jobs.json", R"({"videos": [
    {"video": "clip.mp4", "objects": [{"id": 4, "prompts": [{"mask": "first.png"}]}]},
    {"video": "clip.mp4", "name": "again",
     "objects": [{"id": 5, "prompts": [{"box": [12, 36, 60, 84]}]}]}]})");
  const Outcome outcome =
      track_clips({}, {"--prompts", folder_ / "jobs.json", "--end", "1", "--no-overlay"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_EQ(summary("out/clip")["objects"][0]["id"], 4);
  EXPECT_EQ(summary("out/again")["objects"][0]["id"], 5);
  const Outcome refused = track_clips({clip_}, {"--prompts", folder_ / "jobs.json", "--overwrite"});
  EXPECT_EQ(refused.status, kWrongUsage);
  EXPECT_THAT(refused.err, HasSubstr("names its videos"));
}

TEST_F(TrackJobs, KeepEarlierResults) {
  const std::vector<std::string> options = {"--mask", mask_, "--end", "0", "--no-overlay"};
  ASSERT_EQ(track_clips({clip_, second_}, options).status, kSuccess);
  const Outcome refused = track_clips({clip_, second_}, options);
  EXPECT_EQ(refused.status, kFailure);
  EXPECT_THAT(refused.err, HasSubstr("--overwrite"));
}

}  // namespace
}  // namespace vostrack::cli
