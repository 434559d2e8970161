#include "apps/vostrack/eval_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/vostrack/eval_page.hpp"

namespace vostrack::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

eval::ObjectScore object_score(int object, std::vector<double> j, std::vector<double> f) {
  eval::ObjectScore score;
  score.object = object;
  score.prompted = "00000";
  for (std::size_t i = 0; i < j.size(); ++i) score.frames.push_back("0000" + std::to_string(i + 1));
  score.region = eval::statistics(j);
  score.boundary = eval::statistics(f);
  score.j = std::move(j);
  score.f = std::move(f);
  return score;
}

EvalSequence sequence(const std::string& name, std::vector<eval::ObjectScore> objects) {
  EvalSequence entry;
  entry.score.name = name;
  std::vector<eval::Statistics> regions, boundaries;
  for (const auto& object : objects) {
    regions.push_back(object.region);
    boundaries.push_back(object.boundary);
  }
  entry.score.objects = std::move(objects);
  entry.score.region = eval::mean_of(regions);
  entry.score.boundary = eval::mean_of(boundaries);
  return entry;
}

EvalReport two_sequences() {
  EvalReport report;
  report.dataset = "davis";
  report.root = "a & <b>";
  report.results = "masks";
  report.sequences = {sequence("bear", {object_score(1, {1, 0.5}, {1, 0.25})}),
                      sequence("two,dogs", {object_score(1, {0.75, 0.25}, {0.5, 0.5}),
                                            object_score(2, {0, 1}, {0, 0.5})})};
  return report;
}

TEST(EvalTable, HasALineForEachSequenceAndForObjectsWhereThereAreSeveral) {
  const std::string text = table_text(two_sequences());
  EXPECT_THAT(text, HasSubstr("bear               2    75.0   50.0   50.0    62.5   50.0   75.0    "
                              "68.8\n"));
  EXPECT_THAT(text, HasSubstr("two,dogs           4    50.0   50.0  -25.0"));
  EXPECT_THAT(text, HasSubstr("  #2               2    50.0   50.0 -100.0"));
  EXPECT_THAT(text, Not(HasSubstr("#1               2    75.0")));
  EXPECT_THAT(text, HasSubstr("\nall                6    58.3"));
  EXPECT_THAT(text, HasSubstr("(3 objects; mean J&F over the 2 sequences 56.2)"));
}

TEST(EvalCsv, HasALineForEachObject) {
  EXPECT_EQ(report_csv(two_sequences()),
            "sequence,object,frames,j_mean,j_recall,j_decay,f_mean,f_recall,f_decay,jf\n"
            "bear,1,2,0.750000,0.500000,0.500000,0.625000,0.500000,0.750000,0.687500\n"
            "\"two,dogs\",1,2,0.500000,0.500000,0.500000,0.500000,0.000000,0.000000,0.500000\n"
            "\"two,dogs\",2,2,0.500000,0.500000,-1.000000,0.250000,0.000000,-0.500000,0.375000\n"
            "all,,6,0.583333,0.500000,0.000000,0.458333,0.166667,0.083333,0.520833\n");
}

TEST(EvalJson, TellsEveryFrame) {
  const Json json = report_json(two_sequences());
  EXPECT_DOUBLE_EQ(json["all"]["j"]["mean"], 1.75 / 3);
  EXPECT_EQ(json["model"], nullptr);
  EXPECT_EQ(json["sequences"][1]["objects"][1]["object"], 2);
  EXPECT_EQ(json["sequences"][1]["objects"][1]["frames"][1]["frame"], "00002");
  EXPECT_EQ(json["sequences"][1]["objects"][1]["frames"][1]["f"], 0.5);
}

TEST(WorstFrames, AreOneASequenceTheWorstFirst) {
  const auto frames = worst_frames(two_sequences(), 5);
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].sequence, "two,dogs");
  EXPECT_EQ(frames[0].object, 2);
  EXPECT_EQ(frames[0].frame, "00001");
  EXPECT_EQ(frames[1].sequence, "bear");
  EXPECT_EQ(frames[1].frame, "00002");
  EXPECT_EQ(worst_frames(two_sequences(), 1).size(), 1u);
}

TEST(EvalPage, IsOneFileWithBarsAndCurves) {
  const WorstFrame frame{"bear", "00002", 1, 0.5, 0.25};
  const std::string page = report_page(two_sequences(), {{frame, "jpeg"}});
  EXPECT_THAT(page, HasSubstr("<h1>J&amp;F 52.1</h1>"));
  EXPECT_THAT(page, HasSubstr("a &amp; &lt;b&gt;"));
  EXPECT_THAT(page, HasSubstr("<div style=\"width:68.8%\">"));
  // Frames of J 1 and 0.5, from the left edge to the right one.
  EXPECT_THAT(page, HasSubstr("points=\"0.0,0.0 640.0,55.0 \""));
  EXPECT_THAT(page, HasSubstr("data:image/jpeg;base64,anBlZw=="));
  EXPECT_THAT(page, HasSubstr("bear, frame 00002, object 1: J 50.0, F 25.0"));
  EXPECT_THAT(page, Not(HasSubstr("http")));
}

TEST(EvalPage, SaysThatItIsIncomplete) {
  EvalReport report = two_sequences();
  EXPECT_THAT(report_page(report, {}), Not(HasSubstr("Interrupted")));
  report.complete = false;
  EXPECT_THAT(report_page(report, {}), HasSubstr("Interrupted"));
}

TEST(DrawErrors, ColoursRightMissedAndWrongPixels) {
  Image image{60, 90, std::vector<std::uint8_t>(3 * 60 * 90, 0)};
  Mask predicted{60, 90, std::vector<std::uint8_t>(60 * 90, 0)}, truth = predicted;
  for (std::size_t i = 0; i < truth.data.size(); ++i) {
    truth.data[i] = i % 90 < 60;
    predicted.data[i] = i % 90 >= 30;
  }
  draw_errors(image, predicted, truth);
  const auto strongest = [&](int x) {
    const auto at = image.rgb.begin() + 3 * (30 * 90 + x);
    return std::max_element(at, at + 3) - at;
  };
  EXPECT_EQ(strongest(15), 2);  // missed: blue
  EXPECT_EQ(strongest(45), 1);  // right: green
  EXPECT_EQ(strongest(75), 0);  // wrong: orange
}

TEST(Base64, FollowsTheStandard) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

}  // namespace
}  // namespace vostrack::cli
