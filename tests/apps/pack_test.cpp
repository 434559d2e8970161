#include "train/data/pack.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

#include "annotations/palette_png.hpp"
#include "tests/apps/command_line.hpp"
#include "tests/apps/square_files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;
using test::Outcome;
using test::SquareFiles;
using testing::ElementsAre;
using testing::HasSubstr;

/// Datasets of moving squares.
class Pack : public testing::Test {
 protected:
  void write(const std::string& pictures, const std::string& masks, const std::string& name,
             std::uint8_t inside, std::uint8_t outside = 0, int frame = 0) {
    fs::create_directories(folder_ / pictures);
    fs::create_directories(folder_ / masks);
    video::write_picture(folder_ / (pictures + "/" + name + ".jpg"), square_.picture(frame));
    annotations::LabelImage image{square_.height, square_.width, {}};
    for (int y = 0; y < square_.height; ++y)
      for (int x = 0; x < square_.width; ++x)
        image.labels.push_back(square_.inside(0, frame, y, x) ? inside : outside);
    annotations::write_label_png(folder_ / (masks + "/" + name + ".png"), image);
  }
  void write_picture(const std::string& name, std::uint8_t inside, std::uint8_t outside = 0) {
    write("images", "masks", name, inside, outside);
  }
  void write_text(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }
  Outcome pack(const std::string& layout, std::vector<std::string> more = {},
               const std::string& root = "") {
    std::vector<std::string> arguments = {"pack",   out_,           "--layout", layout,
                                          "--root", folder_ / root, "--quiet"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return test::run_command(arguments);
  }
  std::vector<std::string> names() const {
    const auto pack = train::PackReader::open(out_);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < pack->size(); ++i) names.push_back(pack->info(i).name);
    return names;
  }

  test::TemporaryFolder folder_;
  SquareFiles square_;
  std::string out_ = folder_ / "some.pack";
};

TEST_F(Pack, TakesPicturesWithTheirSourceAndKindOfLabels) {
  write_picture("voc_1", 3);
  write_picture("bsds_1", 2, 1);
  const Outcome outcome = pack("pictures", {"--labels", "bsds=regions", "--labels", "parts"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("2 records, 2 frames"));
  const auto pack = train::PackReader::open(out_);
  ASSERT_EQ(pack->size(), 2u);
  EXPECT_EQ(pack->info(0).source, "bsds");
  EXPECT_EQ(pack->info(0).labels, train::LabelKind::kRegions);
  EXPECT_THAT(pack->info(0).ids, ElementsAre(1, 2));
  EXPECT_EQ(pack->info(1).labels, train::LabelKind::kParts);
  EXPECT_EQ(pack->info(1).split, "train");
  EXPECT_EQ(pack->info(1).area(0, 0), 48u * 48u);
}

TEST_F(Pack, ShrinksPicturesAndMasksAlike) {
  write_picture("voc_1", 1);
  ASSERT_EQ(pack("pictures", {"--longest-side", "80"}).status, kSuccess);
  const auto pack = train::PackReader::open(out_);
  EXPECT_EQ(pack->info(0).height, 60);
  EXPECT_EQ(pack->info(0).width, 80);
  EXPECT_EQ(pack->info(0).area(0, 0), 24u * 24u);
}

TEST_F(Pack, LeavesOutWhatIsHeldBackOrTakesOnlyThat) {
  for (const char* name : {"a_1", "a_2", "a_3"}) write_picture(name, 1);
  write_text("list.txt", "# held back\na_2\n");
  ASSERT_EQ(pack("pictures", {"--hold-back", folder_ / "list.txt"}).status, kSuccess);
  EXPECT_THAT(names(), ElementsAre("a_1", "a_3"));
  ASSERT_EQ(pack("pictures", {"--only", folder_ / "list.txt", "--overwrite"}).status, kSuccess);
  EXPECT_THAT(names(), ElementsAre("a_2"));
  write_text("list.txt", "a_2\na_9\n");
  const Outcome outcome = pack("pictures", {"--only", folder_ / "list.txt", "--overwrite"});
  EXPECT_EQ(outcome.status, kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("1 of its 2 names are not in"));
}

TEST_F(Pack, NamesPicturesWithoutMasksAndWithBadOnes) {
  write_picture("a_1", 1);
  write_picture("a_2", 1);
  fs::remove(folder_ / "masks/a_2.png");
  EXPECT_THAT(pack("pictures").err, HasSubstr("no mask for a_2"));
  write_picture("a_2", 255, 255);
  EXPECT_THAT(pack("pictures").err, HasSubstr("a_2: all of its mask is 255"));
  annotations::write_label_png(folder_ / "masks/a_2.png", {2, 2, {0, 1, 1, 0}});
  EXPECT_THAT(pack("pictures").err, HasSubstr("a_2: its mask 0 is 2x2, want 160x120"));
  EXPECT_FALSE(fs::exists(out_));
}

TEST_F(Pack, LeavesOutPicturesWithoutObjects) {
  write_picture("a_1", 1);
  write_picture("a_2", 0);
  const Outcome outcome = pack("pictures");
  EXPECT_THAT(outcome.out, HasSubstr("left out 1 pictures without objects"));
  EXPECT_THAT(names(), ElementsAre("a_1"));
  fs::remove(folder_ / "images/a_1.jpg");
  EXPECT_THAT(pack("pictures", {"--overwrite"}).err, HasSubstr("no picture shows an object"));
}

TEST_F(Pack, TellsMasksWithoutAnyKnownObjectFromBlackAndWhiteOnes) {
  write_picture("a", 255);
  const Outcome unknown = pack("pictures");
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.err, HasSubstr("no picture shows an object"));
  EXPECT_THAT(unknown.err, HasSubstr("--objects merged"));
  const Outcome merged = pack("pictures", {"--objects", "merged"});
  ASSERT_EQ(merged.status, 0) << merged.err;
  EXPECT_THAT(train::PackReader::open(out_)->info(0).ids, ElementsAre(1));
}

TEST_F(Pack, TakesVideosOfEveryLayout) {
  for (int frame = 0; frame < 3; ++frame) {
    const std::string name = "0000" + std::to_string(frame);
    write("clips/run/images", "clips/run/masks", name, 1, 0, frame);
    write("davis/JPEGImages/480p/run", "davis/Annotations/480p/run", name, 255, 0, frame);
    write("vos/JPEGImages/run", "vos/Annotations/run", name, 2, 0, frame);
    write("sav/JPEGImages_24fps/run", "sav/Annotations_6fps/run/004", name, 1, 0, frame);
  }
  write_text("vos/meta.json", R"({"videos": {"run": {"objects": {"2": {"category": "box"}}}}})");
  for (const auto& [layout, root, label] :
       {std::tuple("clips", "clips", 1), std::tuple("davis", "davis", 1),
        std::tuple("youtube-vos", "vos", 2), std::tuple("sav", "sav", 5)}) {
    const Outcome outcome = pack(layout, {"--overwrite"}, root);
    ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
    const auto pack = train::PackReader::open(out_);
    ASSERT_EQ(pack->size(), 1u);
    EXPECT_EQ(pack->info(0).frames, 3);
    EXPECT_EQ(pack->info(0).kind, train::RecordKind::kClip);
    EXPECT_THAT(pack->info(0).ids, ElementsAre(label)) << layout;
    EXPECT_EQ(pack->info(0).area(2, 0), 48u * 48u);
  }
  write_text("vos/meta.json", R"({"videos": {"walk": {}}})");
  EXPECT_THAT(pack("youtube-vos", {"--overwrite"}, "vos").err, HasSubstr("sequence walk"));
}

TEST_F(Pack, TakesCoco) {
  write_picture("a", 1);
  write_text("objects.json", R"({"images": [{"id": 1, "file_name": "a.jpg", "height": 120,
      "width": 160}], "annotations": [{"image_id": 1, "segmentation": [[10, 10, 30, 10, 30, 20,
      10, 20]]}]})");
  ASSERT_EQ(pack("coco", {"--annotations", folder_ / "objects.json"}, "images").status, kSuccess);
  EXPECT_EQ(train::PackReader::open(out_)->info(0).area(0, 0), 200u);
  EXPECT_EQ(pack("coco", {}, "images").status, kWrongUsage);
}

TEST_F(Pack, RefusesEmptyDatasetsAndUsedNames) {
  fs::create_directories(folder_ / "images");
  fs::create_directories(folder_ / "masks");
  EXPECT_THAT(pack("pictures").err, HasSubstr("nothing to pack"));
  write_picture("a_1", 1);
  ASSERT_EQ(pack("pictures").status, kSuccess);
  EXPECT_THAT(pack("pictures").err, HasSubstr("exists already"));
  EXPECT_EQ(pack("pictures", {"--labels", "things", "--overwrite"}).status, kWrongUsage);
}

}  // namespace
}  // namespace vostrack::cli
