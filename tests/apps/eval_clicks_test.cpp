#include "apps/vostrack/eval_clicks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "annotations/palette_png.hpp"
#include "apps/vostrack/interrupt.hpp"
#include "tests/apps/command_line.hpp"
#include "tests/apps/square_files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(EvalClicks, ClicksThroughEveryLargeObject) {
  set_interrupted(false);
  test::TemporaryFolder folder;
  const test::SquareFiles square;
  fs::create_directories(folder / "images");
  fs::create_directories(folder / "masks");
  video::write_picture(folder / "images/voc_1.jpg", square.picture(4));
  annotations::LabelImage image{square.height, square.width, {}};
  for (int y = 0; y < square.height; ++y)
    for (int x = 0; x < square.width; ++x)
      image.labels.push_back(square.inside(0, 4, y, x) ? 7
                             : y < 30 && x > 100       ? 2
                             : y == 119 && x == 159    ? 9
                             : y > 110                 ? 255
                                                       : 0);
  annotations::write_label_png(folder / "masks/voc_1.png", image);
  std::ofstream(folder / "list.txt") << "voc_1\n";

  const auto outcome = test::run_command(
      {"eval", "--dataset", "pictures", "--root", folder / "", "--list", folder / "list.txt",
       "--clicks", "3", "--out", folder / "report", "--model",
       VOSTRACK_SOURCE_DIR "/models/nano.safetensors", "--size", "256", "--quiet"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("voc  "));
  const auto report = nlohmann::json::parse(std::ifstream(folder / "report/report.json"));
  ASSERT_EQ(report["objects"].size(), 2u);
  EXPECT_EQ(report["objects"][1]["label"], 7);
  EXPECT_EQ(report["objects"][1]["clicks"].size(), 3u);
  EXPECT_GE(report["objects"][1]["best_of_three"]["iou"], report["objects"][1]["clicks"][0]["iou"]);
  EXPECT_EQ(report["all"]["objects"], 2);
  std::ifstream csv(folder / "report/report.csv");
  std::string header;
  std::getline(csv, header);
  EXPECT_THAT(header, HasSubstr("clicks3_iou,clicks3_leakage"));
}

TEST(EvalClicks, NamesThePictureThatIsNotThere) {
  test::TemporaryFolder folder;
  fs::create_directories(folder / "images");
  fs::create_directories(folder / "masks");
  std::ofstream(folder / "list.txt") << "voc_1\n";
  const auto outcome =
      test::run_command({"eval", "--dataset", "pictures", "--root", folder / "", "--list",
                         folder / "list.txt", "--out", folder / "report"});
  EXPECT_EQ(outcome.status, kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("no picture voc_1 with a mask"));
}

TEST(ClickReport, AveragesOverObjectsAndSources) {
  ClickReport report;
  report.objects = {{"a_1", "a", 1, 0.1, {0.5, 0.1}, {0.8, 0}, {{0.4, 0.2}, {0.6, 0}}},
                    {"b_1", "b", 1, 0.1, {1, 0.3}, {1, 0}, {{0.8, 0}, {1, 0}}}};
  const Json json = report_json(report);
  EXPECT_DOUBLE_EQ(json["all"]["box"]["iou"], 0.75);
  EXPECT_DOUBLE_EQ(json["all"]["box"]["leakage"], 0.2);
  EXPECT_DOUBLE_EQ(json["sources"]["a"]["clicks"][1]["iou"], 0.6);
  EXPECT_THAT(table_text(report), HasSubstr("75.0"));
  EXPECT_THAT(report_csv(report), HasSubstr("\nb_1,1,0.100000,1.000000,0.300000,1.000000,0.8"));
}

}  // namespace
}  // namespace vostrack::cli
