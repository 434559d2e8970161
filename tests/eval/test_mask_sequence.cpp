#include <gtest/gtest.h>

#include <filesystem>

#include "eval/label_folder.hpp"
#include "eval/mask_drawing.hpp"
#include "eval/mask_sequence.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

namespace vostrack::eval {
namespace {

using test::empty_mask;
using test::expect_error;
using test::rectangle;
using test::TemporaryFolder;
using test::write_labels;

const Mask kLeft = rectangle(6, 8, 1, 1, 4, 3);
const Mask kRight = rectangle(6, 8, 2, 5, 5, 7);

TEST(MaskSequence, KeepsLabelsApart) {
  TemporaryFolder folder;
  write_labels(folder / "s", "00001", 6, 8, {{2, kLeft}, {7, kRight}});
  write_labels(folder / "s", "00000", 6, 8, {{2, kLeft}});
  const MaskSequence masks(folder / "s", ObjectRule::kAuto);
  EXPECT_EQ(masks.rule(), ObjectRule::kSeparate);
  EXPECT_EQ(masks.frames(), (std::vector<std::string>{"00000", "00001"}));
  const FrameMasks second = masks.read("00001");
  EXPECT_EQ(second.mask(2).data, kLeft.data);
  EXPECT_EQ(second.mask(7).data, kRight.data);
  EXPECT_EQ(second.mask(3).data, empty_mask(6, 8).data);
  EXPECT_TRUE(second.ignored.empty());
}

TEST(MaskSequence, TakesBlackAndWhiteAnnotationsAsOneObject) {
  TemporaryFolder folder;
  write_labels(folder / "s", "00000", 6, 8, {});
  write_labels(folder / "s", "00001", 6, 8, {{255, kLeft}});
  const MaskSequence masks(folder / "s", ObjectRule::kAuto);
  EXPECT_EQ(masks.rule(), ObjectRule::kMerged);
  EXPECT_EQ(masks.read("00001").mask(1).data, kLeft.data);
  EXPECT_TRUE(masks.read("00000").objects.empty());
}

TEST(MaskSequence, DoesNotScoreLabel255BesideObjects) {
  TemporaryFolder folder;
  write_labels(folder / "s", "00000", 6, 8, {{1, kLeft}, {255, kRight}});
  const FrameMasks masks = MaskSequence(folder / "s", ObjectRule::kAuto).read("00000");
  EXPECT_EQ(masks.objects.size(), 1u);
  EXPECT_EQ(masks.ignored.data, kRight.data);
}

TEST(MaskSequence, MergesLabelsWhenAskedTo) {
  TemporaryFolder folder;
  write_labels(folder / "s", "00000", 6, 8, {{1, kLeft}, {2, kRight}});
  const FrameMasks masks = MaskSequence(folder / "s", ObjectRule::kMerged).read("00000");
  ASSERT_EQ(masks.objects.size(), 1u);
  Mask both = kLeft;
  for (std::size_t i = 0; i < both.data.size(); ++i) both.data[i] |= kRight.data[i];
  EXPECT_EQ(masks.mask(1).data, both.data);
}

TEST(MaskSequence, ReadsAFolderForEachObject) {
  TemporaryFolder folder;
  write_labels(folder / "s/000", "00000", 6, 8, {{1, kLeft}});
  write_labels(folder / "s/000", "00004", 6, 8, {{1, kLeft}});
  write_labels(folder / "s/001", "00004", 6, 8, {{255, kRight}});
  const MaskSequence masks(folder / "s", ObjectRule::kAuto);
  EXPECT_EQ(masks.frames(), (std::vector<std::string>{"00000", "00004"}));
  EXPECT_TRUE(masks.covers(1, "00000"));
  EXPECT_FALSE(masks.covers(2, "00000"));
  EXPECT_EQ(masks.last_frame(2), "00004");
  EXPECT_EQ(masks.read("00004").mask(1).data, kLeft.data);
  EXPECT_EQ(masks.read("00004").mask(2).data, kRight.data);

  Mask both = kLeft;
  for (std::size_t i = 0; i < both.data.size(); ++i) both.data[i] |= kRight.data[i];
  EXPECT_EQ(MaskSequence(folder / "s", ObjectRule::kMerged).read("00004").mask(1).data, both.data);
}

TEST(MaskSequence, KeepsOverlappingObjectsWhole) {
  TemporaryFolder folder;
  const Mask wide = rectangle(6, 8, 1, 1, 5, 7);
  write_labels(folder / "s/000", "00000", 6, 8, {{1, wide}});
  write_labels(folder / "s/001", "00000", 6, 8, {{1, kRight}});
  const FrameMasks masks = MaskSequence(folder / "s", ObjectRule::kAuto).read("00000");
  EXPECT_EQ(masks.mask(1).data, wide.data);
  EXPECT_EQ(masks.mask(2).data, kRight.data);
}

TEST(MaskSequence, NamesWhatIsWrong) {
  TemporaryFolder folder;
  expect_error(ErrorCode::kNotFound, "missing: no such folder",
               [&] { MaskSequence(folder / "missing", ObjectRule::kAuto); });
  std::filesystem::create_directories(folder / "none");
  expect_error(ErrorCode::kCorruptFile, "none: holds no mask",
               [&] { MaskSequence(folder / "none", ObjectRule::kAuto); });
  write_labels(folder / "both", "00000", 6, 8, {});
  write_labels(folder / "both/000", "00000", 6, 8, {});
  expect_error(ErrorCode::kCorruptFile, "both: holds PNGs beside object folders",
               [&] { MaskSequence(folder / "both", ObjectRule::kAuto); });
  std::filesystem::create_directories(folder / "text");
  test::write_bytes(folder / "text/00000.png", "this is no picture");
  expect_error(ErrorCode::kCorruptFile, "00000.png: not a PNG",
               [&] { MaskSequence(folder / "text", ObjectRule::kAuto); });
  write_labels(folder / "twice/001", "00000", 6, 8, {});
  write_labels(folder / "twice/1", "00000", 6, 8, {});
  expect_error(ErrorCode::kCorruptFile, "is the same object as",
               [&] { MaskSequence(folder / "twice", ObjectRule::kAuto); });
  write_labels(folder / "sizes/000", "00000", 6, 8, {});
  write_labels(folder / "sizes/001", "00000", 8, 6, {});
  expect_error(ErrorCode::kCorruptFile, "00000.png: is 6x8, want 8x6",
               [&] { MaskSequence(folder / "sizes", ObjectRule::kAuto).read("00000"); });
  expect_error(ErrorCode::kNotFound, "00009.png: no such mask",
               [&] { MaskSequence(folder / "sizes", ObjectRule::kAuto).read("00009"); });
}

}  // namespace
}  // namespace vostrack::eval
