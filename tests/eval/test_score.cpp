#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "eval/label_folder.hpp"
#include "eval/mask_drawing.hpp"
#include "eval/score.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

namespace vostrack::eval {
namespace {

using test::expect_error;
using test::Labelled;
using test::rectangle;
using test::TemporaryFolder;
using test::write_labels;

constexpr int kHeight = 40, kWidth = 60;
const Mask kSquare = rectangle(kHeight, kWidth, 5, 5, 15, 15);
const Mask kLowerHalf = rectangle(kHeight, kWidth, 10, 5, 15, 15);
const Mask kOther = rectangle(kHeight, kWidth, 20, 30, 34, 44);

class Score : public testing::Test {
 protected:
  using Frames = std::vector<std::vector<Labelled>>;

  void write(const std::string& folder, const Frames& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i)
      write_labels(folder_ / folder, fmt::format("{:05}", i), kHeight, kWidth, frames[i]);
  }
  SequenceScore score(const Protocol& protocol = {}, ObjectRule rule = ObjectRule::kAuto) {
    const MaskSequence truth(folder_ / "truth", rule);
    return score_sequence("s", truth, MaskSequence(folder_ / "result", truth.rule()), protocol);
  }

  TemporaryFolder folder_;
};

TEST_F(Score, LeavesOutTheFirstAndTheLastFrame) {
  write("truth", Frames(4, {{1, kSquare}}));
  write("result", {{}, {{1, kSquare}}, {{1, kLowerHalf}}, {}});
  const SequenceScore result = score();
  ASSERT_EQ(result.objects.size(), 1u);
  EXPECT_EQ(result.objects[0].frames, (std::vector<std::string>{"00001", "00002"}));
  EXPECT_EQ(result.objects[0].j, (std::vector<double>{1, 0.5}));
  EXPECT_EQ(result.objects[0].f[0], 1);
  EXPECT_DOUBLE_EQ(result.region.mean, 0.75);
  EXPECT_DOUBLE_EQ(result.region.recall, 0.5);
}

TEST_F(Score, TakesFirstAndLastInWhenAskedTo) {
  write("truth", Frames(4, {{1, kSquare}}));
  write("result", {{{1, kSquare}}, {{1, kSquare}}, {{1, kLowerHalf}}, {}});
  Protocol protocol;
  protocol.score_first = true;
  EXPECT_DOUBLE_EQ(score(protocol).region.mean, 2.5 / 3);
  protocol.score_last = true;
  EXPECT_DOUBLE_EQ(score(protocol).region.mean, 2.5 / 4);
  protocol.score_first = false;
  EXPECT_DOUBLE_EQ(score(protocol).region.mean, 1.5 / 3);
}

TEST_F(Score, ScoresObjectsApartAndAveragesThem) {
  write("truth", Frames(3, {{1, kSquare}, {2, kOther}}));
  write("result", Frames(3, {{1, kLowerHalf}, {2, kOther}}));
  const SequenceScore result = score();
  ASSERT_EQ(result.objects.size(), 2u);
  EXPECT_DOUBLE_EQ(result.objects[0].region.mean, 0.5);
  EXPECT_DOUBLE_EQ(result.objects[1].region.mean, 1);
  EXPECT_DOUBLE_EQ(result.region.mean, 0.75);
}

TEST_F(Score, DoesNotTakeAnotherLabelForTheObject) {
  write("truth", Frames(3, {{1, kSquare}}));
  write("result", Frames(3, {{2, kSquare}}));
  EXPECT_EQ(score().region.mean, 0);
}

TEST_F(Score, ComparesTheUnionWithABlackAndWhiteAnnotation) {
  Mask both = kSquare;
  for (std::size_t i = 0; i < both.data.size(); ++i) both.data[i] |= kOther.data[i];
  write("truth", Frames(3, {{255, both}}));
  write("result", Frames(3, {{1, kSquare}, {2, kOther}}));
  EXPECT_EQ(score().region.mean, 1);
}

TEST_F(Score, MergesAnnotatedObjectsWhenAskedTo) {
  Mask both = kSquare;
  for (std::size_t i = 0; i < both.data.size(); ++i) both.data[i] |= kOther.data[i];
  write("truth", Frames(3, {{1, kSquare}, {2, kOther}}));
  write("result", Frames(3, {{255, both}}));
  EXPECT_EQ(score({}, ObjectRule::kMerged).region.mean, 1);
}

TEST_F(Score, PassesOverIgnoredPixels) {
  const Mask upper = rectangle(kHeight, kWidth, 5, 5, 10, 15);
  write("truth", Frames(3, {{1, kSquare}, {255, upper}}));
  write("result", Frames(3, {{1, kSquare}}));
  EXPECT_EQ(score().region.mean, 1);
  EXPECT_EQ(score().boundary.mean, 1);
}

TEST_F(Score, LeavesLateObjectsOutForDavis) {
  write("truth", {{{1, kSquare}}, {{1, kSquare}, {2, kOther}}, {{1, kSquare}}, {{1, kSquare}}});
  write("result", Frames(4, {{1, kSquare}}));
  EXPECT_EQ(score().objects.size(), 1u);
}

TEST_F(Score, ScoresLateObjectsAfterTheirFirstFrame) {
  write("truth", {{{1, kSquare}},
                  {{1, kSquare}},
                  {{1, kSquare}, {2, kOther}},
                  {{1, kSquare}, {2, kOther}},
                  {{1, kSquare}},
                  {{1, kSquare}}});
  // Object 2 is predicted too early, which does not count, and well afterwards.
  write("result", {{{1, kSquare}},
                   {{1, kSquare}, {2, kOther}},
                   {{1, kSquare}},
                   {{1, kSquare}, {2, kOther}},
                   {{1, kSquare}},
                   {{1, kSquare}}});
  Protocol protocol;
  protocol.late = LateObjects::kPromptedWhenSeen;
  const SequenceScore result = score(protocol);
  ASSERT_EQ(result.objects.size(), 2u);
  EXPECT_EQ(result.objects[0].frames.size(), 4u);
  EXPECT_EQ(result.objects[1].prompted, "00002");
  EXPECT_EQ(result.objects[1].frames, (std::vector<std::string>{"00003", "00004"}));
  EXPECT_EQ(result.objects[1].j, (std::vector<double>{1, 1}));
}

TEST_F(Score, SaysWhichObjectsHaveNoFrameToScore) {
  write("truth", {{{1, kSquare}}, {{1, kSquare}}, {{1, kSquare}, {2, kOther}}});
  write("result", Frames(3, {{1, kSquare}}));
  Protocol protocol;
  protocol.late = LateObjects::kPromptedWhenSeen;
  const SequenceScore result = score(protocol);
  EXPECT_EQ(result.objects.size(), 1u);
  EXPECT_EQ(result.unscored, std::vector<int>{2});
}

TEST_F(Score, NeedsNoResultWithoutAnnotation) {
  for (const char* frame : {"00000", "00005", "00010"})
    write_labels(folder_ / "truth", frame, kHeight, kWidth, {{1, kSquare}});
  write_labels(folder_ / "result", "00005", kHeight, kWidth, {{1, kLowerHalf}});
  write_labels(folder_ / "result", "00006", kHeight, kWidth, {});
  EXPECT_DOUBLE_EQ(score().region.mean, 0.5);
}

TEST_F(Score, ScoresEachObjectFolderOnItsOwnFrames) {
  for (int i = 0; i < 6; ++i)
    write_labels(folder_ / "truth/000", fmt::format("{:05}", i), kHeight, kWidth, {{1, kSquare}});
  for (int i = 1; i < 5; ++i)
    write_labels(folder_ / "truth/007", fmt::format("{:05}", i), kHeight, kWidth, {{1, kOther}});
  for (int i = 0; i < 6; ++i)
    write_labels(folder_ / "result", fmt::format("{:05}", i), kHeight, kWidth,
                 {{1, kSquare}, {8, kOther}});
  Protocol protocol;
  protocol.late = LateObjects::kPromptedWhenSeen;
  const SequenceScore result = score(protocol);
  ASSERT_EQ(result.objects.size(), 2u);
  EXPECT_EQ(result.objects[1].object, 8);
  EXPECT_EQ(result.objects[1].frames, (std::vector<std::string>{"00002", "00003"}));
  EXPECT_EQ(result.objects[1].region.mean, 1);
}

TEST_F(Score, NamesTheFileThatIsWrong) {
  write("truth", Frames(4, {{1, kSquare}}));
  write("result", Frames(2, {{1, kSquare}}));
  expect_error(ErrorCode::kNotFound, "00002.png: no such mask", [&] { score(); });
  write_labels(folder_ / "result", "00002", kWidth, kHeight, {});
  expect_error(ErrorCode::kCorruptFile, "00002.png: is 40x60, want 60x40 as the annotation is",
               [&] { score(); });
  write_labels(folder_ / "result", "00002", kHeight, kWidth, {{255, kSquare}});
  expect_error(ErrorCode::kCorruptFile, "00002.png: has label 255", [&] { score(); });
}

TEST_F(Score, RefusesAnAnnotationWithoutObject) {
  write("truth", {{}, {{1, kSquare}}, {{1, kSquare}}});
  write("result", Frames(3, {{1, kSquare}}));
  expect_error(ErrorCode::kCorruptFile, "00000.png: shows no object", [&] { score(); });
}

TEST_F(Score, RefusesASequenceWithNothingInBetween) {
  write("truth", Frames(2, {{1, kSquare}}));
  write("result", Frames(2, {{1, kSquare}}));
  expect_error(ErrorCode::kCorruptFile, "no annotated frame is left", [&] { score(); });
}

TEST(TotalScore, CountsObjectsAlikeAndSequencesApart) {
  const auto object = [](double j, double f) {
    ObjectScore score;
    score.region.mean = j;
    score.boundary.mean = f;
    score.frames = {"00001"};
    return score;
  };
  SequenceScore one, two;
  one.objects = {object(1, 1)};
  one.region.mean = one.boundary.mean = 1;
  two.objects = {object(0.2, 0.4), object(0.6, 0.8)};
  two.region.mean = 0.4;
  two.boundary.mean = 0.6;
  const TotalScore total = total_score(std::vector<SequenceScore>{one, two});
  EXPECT_EQ(total.sequences, 2u);
  EXPECT_EQ(total.objects, 3u);
  EXPECT_EQ(total.frames, 3u);
  EXPECT_DOUBLE_EQ(total.region.mean, 0.6);
  EXPECT_DOUBLE_EQ(total.jf(), (0.6 + 2.2 / 3) / 2);
  EXPECT_DOUBLE_EQ(total.sequence_jf, 0.75);
}

}  // namespace
}  // namespace vostrack::eval
