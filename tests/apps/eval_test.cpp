#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "annotations/palette_png.hpp"
#include "apps/vostrack/interrupt.hpp"
#include "apps/vostrack/parallel.hpp"
#include "tests/apps/command_line.hpp"
#include "tests/apps/square_files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;
using test::Outcome;
using test::run_command;
using test::SquareFiles;
using test::TemporaryFolder;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// A dataset whose sequences are moving squares.
class Eval : public testing::Test {
 protected:
  void SetUp() override {
    set_interrupted(false);
    square_.frames = 6;
  }
  void TearDown() override { set_interrupted(false); }

  /// Labels with the square, and from frame `late` on a second object above it.
  annotations::LabelImage labels(int frame, std::uint8_t label, int late = 100) const {
    annotations::LabelImage image{square_.height, square_.width, {}};
    for (int y = 0; y < square_.height; ++y)
      for (int x = 0; x < square_.width; ++x) {
        const bool above = frame >= late && y >= 4 && y < 28 && x >= 90 && x < 150;
        image.labels.push_back(square_.inside(0, frame, y, x) ? label : above ? 2 : 0);
      }
    return image;
  }
  void write_labels(const std::string& folder, int frame, const annotations::LabelImage& image) {
    fs::create_directories(folder_ / folder);
    annotations::write_label_png(folder_ / (folder + "/" + fmt::format("{:05}.png", frame)), image);
  }
  void write_pictures(const std::string& folder) {
    fs::create_directories(folder_ / folder);
    for (int frame = 0; frame < square_.frames; ++frame)
      video::write_picture(folder_ / (folder + "/" + fmt::format("{:05}.jpg", frame)),
                           square_.picture(frame));
  }
  void write_davis(const std::string& name, std::uint8_t label = 1) {
    write_pictures("JPEGImages/480p/" + name);
    for (int frame = 0; frame < square_.frames; ++frame)
      write_labels("Annotations/480p/" + name, frame, labels(frame, label));
  }

  Outcome evaluate(std::vector<std::string> more) {
    std::vector<std::string> arguments = {"eval", "--root", folder_ / "", "--out",
                                          folder_ / "report"};
    arguments.insert(arguments.end(), {"--model", VOSTRACK_SOURCE_DIR "/models/nano.safetensors"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_command(arguments);
  }
  nlohmann::json report() const {
    return nlohmann::json::parse(std::ifstream(folder_ / "report/report.json"));
  }
  std::string text(const std::string& name) const {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TemporaryFolder folder_;
  SquareFiles square_;
};

TEST_F(Eval, ScoresResultsThatAreThere) {
  write_davis("square");
  for (int frame = 0; frame < square_.frames; ++frame)
    write_labels("results/square", frame, labels(frame == 3 ? 4 : frame, 1));
  const Outcome outcome = evaluate({"--results", folder_ / "results"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  // Frame 3 is off by four of 48 columns: 44 of 52 are shared.
  const double j = (3 + 44.0 / 52) / 4;
  EXPECT_THAT(outcome.out, HasSubstr(fmt::format("{:.1f}", 100 * j)));
  EXPECT_THAT(outcome.err, HasSubstr("Scoring 6/6 frames"));
  EXPECT_NEAR(report()["all"]["j"]["mean"], j, 1e-12);
  EXPECT_EQ(report()["sequences"][0]["objects"][0]["frames"].size(), 4u);
  EXPECT_EQ(report()["model"], nullptr);
  EXPECT_THAT(text("report/report.csv"), HasSubstr("square,1,4,"));
  EXPECT_THAT(text("report/report.html"), HasSubstr("square, frame 00003"));
  EXPECT_TRUE(fs::exists(folder_ / "report/worst/square_00003_1.jpg"));
  EXPECT_FALSE(fs::exists(folder_ / "report/masks"));
}

TEST_F(Eval, ReadsWhatTrackHasWritten) {
  write_davis("square", 255);
  for (int frame = 0; frame < square_.frames; ++frame)
    write_labels("results/square/masks", frame, labels(frame, 3));
  const Outcome outcome = evaluate({"--results", folder_ / "results", "--quiet"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_THAT(outcome.err, IsEmpty());
  EXPECT_EQ(report()["all"]["jf"], 1);
}

TEST_F(Eval, NeedsNoPicturesToScoreResults) {
  write_davis("square");
  fs::remove_all(folder_ / "JPEGImages");
  for (int frame = 0; frame < square_.frames; ++frame)
    write_labels("results/square", frame, labels(frame, 1));
  EXPECT_EQ(evaluate({"--results", folder_ / "results"}).status, kSuccess);
}

TEST_F(Eval, ScoresFirstAndLastFramesWhenAskedTo) {
  write_davis("square");
  for (int frame = 0; frame < square_.frames; ++frame)
    write_labels("results/square", frame, labels(frame, 1));
  ASSERT_EQ(evaluate({"--results", folder_ / "results", "--score-first", "--score-last"}).status,
            kSuccess);
  EXPECT_EQ(report()["all"]["frames"], 6);
}

TEST_F(Eval, TracksFromEveryKindOfPrompt) {
  write_davis("square");
  for (const char* prompt : {"mask", "box", "point", "points3"}) {
    const Outcome outcome = evaluate({"--prompt", prompt, "--overwrite"});
    ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
    EXPECT_GT(report()["all"]["j"]["mean"], 0.5) << prompt;
    EXPECT_EQ(report()["model"]["prompt"], prompt);
    EXPECT_EQ(report()["sequences"][0]["tracked_frames"], 6);
  }
  EXPECT_TRUE(fs::exists(folder_ / "report/masks/square/00005.png"));
}

TEST_F(Eval, ScoresItsOwnMasksAsItDidWhenTracking) {
  write_davis("square", 255);
  ASSERT_EQ(evaluate({}).status, kSuccess);
  const nlohmann::json tracked = report();
  EXPECT_GT(tracked["all"]["j"]["mean"], 0.8);
  ASSERT_EQ(evaluate({"--results", folder_ / "report/masks", "--overwrite"}).status, kSuccess);
  EXPECT_EQ(report()["all"], tracked["all"]);
}

TEST_F(Eval, TracksSequencesSideBySideWithTheSameResult) {
  write_davis("a");
  write_davis("b");
  ASSERT_EQ(evaluate({"--threads", "1"}).status, kSuccess);
  const nlohmann::json one = report();
  ASSERT_EQ(evaluate({"--threads", "1", "--jobs", "2", "--overwrite"}).status, kSuccess);
  EXPECT_EQ(report()["all"], one["all"]);
  EXPECT_EQ(report()["sequences"].size(), 2u);
  EXPECT_EQ(report()["sequences"][0]["sequence"], "a");
}

TEST(JobsThatFit, AreNoMoreThanCoresAndMemoryAllow) {
  const std::int64_t gib = std::int64_t{1} << 30;
  EXPECT_EQ(jobs_that_fit(8, 384, 100 * gib), 8);
  EXPECT_EQ(jobs_that_fit(8, 1024, 32 * gib), 4);
  EXPECT_EQ(jobs_that_fit(8, 1024, 1 * gib), 1);
  EXPECT_EQ(jobs_that_fit(8, 384, std::nullopt), 1);
}

TEST_F(Eval, MarksLateObjectsOnTheirFirstAnnotatedFrame) {
  write_pictures("JPEGImages/late");
  for (int frame : {0, 2, 3, 4, 5}) write_labels("Annotations/late", frame, labels(frame, 1, 2));
  const Outcome outcome = evaluate({"--dataset", "youtube-vos"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  const nlohmann::json json = report()["sequences"][0];
  ASSERT_EQ(json["objects"].size(), 2u);
  EXPECT_EQ(json["objects"][1]["marked_on"], "00002");
  EXPECT_EQ(json["objects"][1]["frames"].size(), 2u);
  const auto tracked = [&](int frame) {
    return annotations::labels_in(
        annotations::read_label_png(folder_ / fmt::format("report/masks/late/{:05}.png", frame)));
  };
  EXPECT_THAT(tracked(1), Not(testing::Contains(2)));
  EXPECT_THAT(tracked(2), testing::Contains(2));
}

TEST_F(Eval, TakesSequencesFromAList) {
  write_davis("a");
  write_davis("b");
  std::ofstream(folder_ / "val.txt") << "b\n";
  for (int frame = 0; frame < square_.frames; ++frame)
    write_labels("results/b", frame, labels(frame, 1));
  const std::string results = folder_ / "results";
  ASSERT_EQ(evaluate({"--split", folder_ / "val.txt", "--results", results}).status, kSuccess);
  EXPECT_EQ(report()["sequences"].size(), 1u);
  const Outcome outcome = evaluate({"--split", folder_ / "val.txt", "--sequences", "a"});
  EXPECT_EQ(outcome.status, kWrongUsage);
  EXPECT_THAT(outcome.err, HasSubstr("--split"));
}

TEST_F(Eval, NamesTheFileThatIsMissingOrOdd) {
  write_davis("square");
  const auto complaint = [&](std::vector<std::string> more) {
    const Outcome outcome = evaluate(std::move(more));
    EXPECT_EQ(outcome.status, kFailure);
    EXPECT_FALSE(fs::exists(folder_ / "report"));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    return outcome.err;
  };
  EXPECT_THAT(complaint({"--sequences", "cat", "--quiet"}),
              HasSubstr("Annotations/480p/cat: no such folder"));
  EXPECT_THAT(complaint({"--results", folder_ / "none", "--quiet"}),
              HasSubstr("none/square: no such folder"));
  write_labels("results/square", 1, labels(1, 1));
  EXPECT_THAT(complaint({"--results", folder_ / "results", "--quiet"}),
              HasSubstr("results/square/00002.png: no such mask"));

  fs::remove(folder_ / "JPEGImages/480p/square/00004.jpg");
  EXPECT_THAT(complaint({}), HasSubstr("Annotations/480p/square/00004.png: there is no such "
                                       "picture in"));
  write_pictures("JPEGImages/480p/square");
  write_labels("Annotations/480p/square", 0, {2, 2, {0, 1, 0, 0}});
  EXPECT_THAT(complaint({}), HasSubstr("00000.png: is 2x2, want 160x120 as the pictures are"));
  std::ofstream(folder_ / "Annotations/480p/square/00000.png") << "this is no picture";
  EXPECT_THAT(complaint({}), HasSubstr("square/00000.png: not a PNG"));
}

TEST_F(Eval, KeepsAnEarlierReport) {
  write_davis("square");
  for (int frame = 0; frame < square_.frames; ++frame)
    write_labels("results/square", frame, labels(frame, 1));
  ASSERT_EQ(evaluate({"--results", folder_ / "results"}).status, kSuccess);
  const Outcome refused = evaluate({"--results", folder_ / "results"});
  EXPECT_EQ(refused.status, kFailure);
  EXPECT_THAT(refused.err, HasSubstr("--overwrite"));
}

TEST_F(Eval, SaysHowFarItCameWhenInterrupted) {
  write_davis("square");
  set_interrupted(true);
  const Outcome outcome = evaluate({});
  EXPECT_EQ(outcome.status, kInterrupted);
  EXPECT_THAT(outcome.err, HasSubstr("interrupted after 0 of 1 sequences"));
  EXPECT_FALSE(fs::exists(folder_ / "report/report.json"));
}

}  // namespace
}  // namespace vostrack::cli
