#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "annotations/rle.hpp"
#include "apps/vostrack/mask_files.hpp"
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

class Segment : public testing::Test {
 protected:
  void SetUp() override { video::write_picture(photo_, square_.picture(0)); }

  Outcome segment(std::vector<std::string> more) {
    std::vector<std::string> arguments = {"segment", photo_, "--model",
                                          VOSTRACK_SOURCE_DIR "/models/nano.safetensors"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_command(arguments);
  }

  TemporaryFolder folder_;
  SquareFiles square_;
  std::string photo_ = folder_ / "photo.png";
};

TEST_F(Segment, DescribesTheMaskThatItWrites) {
  const Outcome outcome =
      segment({"--box", "12,36,60,84", "--out", folder_ / "mask.png", "--json", "-"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  ASSERT_EQ(json["masks"].size(), 1u);
  const auto& mask = json["masks"][0];
  const Mask written = read_mask(folder_ / "mask.png");
  const annotations::Rle rle = annotations::encode_rle(written);
  EXPECT_EQ(mask["area"], annotations::area(rle));
  ASSERT_GT(annotations::area(rle), 0);
  const Box box = *annotations::bounding_box(rle);
  EXPECT_EQ(mask["box"], nlohmann::json({box.x0, box.y0, box.x1, box.y1}));
  EXPECT_EQ(mask["segmentation"]["size"], nlohmann::json({square_.height, square_.width}));
  EXPECT_EQ(mask["segmentation"]["counts"], annotations::to_coco_string(rle));
  EXPECT_EQ(mask["file"], folder_ / "mask.png");
}

TEST_F(Segment, RanksThreeProposals) {
  const Outcome outcome = segment({"--point", "36,60", "--masks", "3", "--out",
                                   folder_ / "mask.png", "--json", folder_ / "a.json"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  for (const char* name : {"mask_1.png", "mask_2.png", "mask_3.png"})
    EXPECT_TRUE(fs::exists(folder_ / name)) << name;
  const auto json = nlohmann::json::parse(std::ifstream(folder_ / "a.json"));
  ASSERT_EQ(json["masks"].size(), 3u);
  EXPECT_GE(json["masks"][0]["score"], json["masks"][1]["score"]);
  EXPECT_GE(json["masks"][1]["score"], json["masks"][2]["score"]);
  EXPECT_THAT(outcome.out, HasSubstr("score "));
}

TEST_F(Segment, TakesFractions) {
  const auto pixels = segment({"--box", "12,36,60,84", "--json", "-"});
  const auto fractions = segment({"--box", "0.075,0.3,0.375,0.7", "--fractions", "--json", "-"});
  ASSERT_EQ(fractions.status, kSuccess) << fractions.err;
  EXPECT_EQ(nlohmann::json::parse(pixels.out)["masks"][0]["area"],
            nlohmann::json::parse(fractions.out)["masks"][0]["area"]);
}

TEST_F(Segment, TakesSeveralBoxesAsSeveralObjects) {
  const Outcome outcome =
      segment({"--box", "12,36,60,84", "--box", "80,10,150,50", "--masks", "1", "--json", "-"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  ASSERT_EQ(json["masks"].size(), 2u);
  EXPECT_EQ(json["masks"][0]["object"], 1);
  EXPECT_EQ(json["masks"][1]["object"], 2);
}

TEST_F(Segment, DrawsAnOverlay) {
  ASSERT_EQ(segment({"--box", "12,36,60,84", "--overlay", folder_ / "o.png"}).status, kSuccess);
  const Image overlay = video::read_picture(folder_ / "o.png");
  EXPECT_EQ(overlay.height, square_.height);
  EXPECT_EQ(overlay.width, square_.width);
  EXPECT_NE(overlay.rgb, square_.picture(0).rgb);
}

TEST_F(Segment, RefusesAPointOutsideThePicture) {
  const Outcome outcome = segment({"--point", "500,60", "--json", "-"});
  EXPECT_EQ(outcome.status, kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("500"));
}

TEST_F(Segment, RefusesSeveralBoxesWithAPoint) {
  EXPECT_EQ(
      segment({"--point", "5,6", "--box", "1,1,5,5", "--box", "6,6,9,9", "--json", "-"}).status,
      kWrongUsage);
}

}  // namespace
}  // namespace vostrack::cli
