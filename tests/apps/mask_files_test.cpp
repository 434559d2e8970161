#include "apps/vostrack/mask_files.hpp"

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.hpp"
#include "video/picture_io.hpp"
#include "vostrack/error.hpp"

namespace vostrack::cli {
namespace {

using test::TemporaryFolder;

TEST(MaskFiles, TakeIndicesForWhatTheyAre) {
  TemporaryFolder folder;
  annotations::write_label_png(folder / "m.png", {1, 4, {0, 1, 255, 0}});
  const Mask mask = read_mask(folder / "m.png");
  EXPECT_EQ(mask.height, 1);
  EXPECT_EQ(mask.width, 4);
  EXPECT_EQ(mask.data, (std::vector<std::uint8_t>{0, 1, 1, 0}));
}

TEST(MaskFiles, TakeAnyColourButBlack) {
  TemporaryFolder folder;
  video::write_picture(folder / "m.png", Image{1, 4, {0, 0, 0, 0, 9, 0, 0, 0, 9, 200, 0, 0}});
  EXPECT_EQ(read_mask(folder / "m.png").data, (std::vector<std::uint8_t>{0, 1, 1, 1}));
}

TEST(MaskFiles, SayWhichFileIsMissing) {
  EXPECT_THROW(read_mask("/nowhere/m.png"), Error);
}

}  // namespace
}  // namespace vostrack::cli
