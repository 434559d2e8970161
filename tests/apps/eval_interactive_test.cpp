#include "apps/vostrack/eval_interactive.hpp"

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

/// A video of a moving square.
class EvalInteractive : public testing::Test {
 protected:
  void SetUp() override {
    set_interrupted(false);
    square_.frames = 4;
    const fs::path pictures = folder_ / "JPEGImages/480p/square";
    const fs::path masks = folder_ / "Annotations/480p/square";
    fs::create_directories(pictures);
    fs::create_directories(masks);
    for (int frame = 0; frame < square_.frames; ++frame) {
      const std::string name = "0000" + std::to_string(frame);
      video::write_picture((pictures / (name + ".jpg")).string(), square_.picture(frame));
      annotations::LabelImage image{square_.height, square_.width, {}};
      for (int y = 0; y < square_.height; ++y)
        for (int x = 0; x < square_.width; ++x)
          image.labels.push_back(square_.inside(0, frame, y, x) ? 1 : 0);
      annotations::write_label_png((masks / (name + ".png")).string(), image);
    }
  }
  nlohmann::json evaluate(const std::string& protocol, const std::string& rounds) {
    const auto outcome = test::run_command(
        {"eval", "--root", folder_ / "", "--protocol", protocol, "--rounds", rounds, "--clicks",
         "2", "--out", folder_ / "report", "--model",
         VOSTRACK_SOURCE_DIR "/models/nano.safetensors", "--size", "256", "--quiet"});
    EXPECT_EQ(outcome.status, kSuccess) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("square #1"));
    return nlohmann::json::parse(std::ifstream(folder_ / "report/report.json"));
  }

  test::TemporaryFolder folder_;
  test::SquareFiles square_;
};

TEST_F(EvalInteractive, CorrectsTheWorstFrameInEachRound) {
  const auto report = evaluate("offline", "3");
  ASSERT_EQ(report["jf"].size(), 3u);
  const auto clicked = report["objects"][0]["clicked_frames"];
  ASSERT_EQ(clicked.size(), 3u);
  EXPECT_EQ(clicked[0], "00000");
  EXPECT_NE(clicked[1], clicked[0]);
  EXPECT_NE(clicked[2], clicked[1]);
  EXPECT_GT(report["jf"][0], 0.3);
}

TEST_F(EvalInteractive, StopsOnlineOnlyWhereItIsBad) {
  const auto report = evaluate("online", "2");
  ASSERT_EQ(report["jf"].size(), 2u);
  const auto clicked = report["objects"][0]["clicked_frames"];
  EXPECT_EQ(clicked[0], "00000");
  EXPECT_LE(clicked.size(), 2u);
  // Where nothing was below the limit, the second round changes nothing.
  if (clicked.size() == 1) {
    EXPECT_EQ(report["jf"][0], report["jf"][1]);
  }
}

TEST_F(EvalInteractive, RefusesProtocolsThatDoNotFit) {
  const auto status = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"eval", "--root", folder_ / "", "--out",
                                          folder_ / "report"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return test::run_command(arguments).status;
  };
  EXPECT_EQ(status({"--protocol", "clicks"}), kWrongUsage);
  EXPECT_EQ(status({"--dataset", "pictures", "--protocol", "online"}), kWrongUsage);
  EXPECT_EQ(status({"--protocol", "online", "--results", "masks"}), kWrongUsage);
}

TEST(InteractiveTable, ShowsMeansOverObjects) {
  const std::vector<InteractiveObject> objects = {{"a", 1, {0.5, 0.7}, {"00000", "00003"}},
                                                  {"b", 2, {0.7, 0.9}, {"00000"}}};
  EXPECT_THAT(interactive_table(objects), HasSubstr("60.0   80.0"));
  EXPECT_THAT(interactive_csv(objects), HasSubstr("b,2,2,0.900000"));
  EXPECT_DOUBLE_EQ(interactive_json(objects, {})["jf"][1], 0.8);
}

}  // namespace
}  // namespace vostrack::cli
