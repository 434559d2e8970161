#include <gtest/gtest.h>

#include <filesystem>
#include <opencv2/imgcodecs.hpp>

#include "support/temporary_folder.hpp"
#include "video/picture_folder.hpp"
#include "video/picture_io.hpp"
#include "video/small_disk.hpp"
#include "video/test_clips.hpp"

namespace vostrack::video {
namespace {

using test::expect_error;
using test::TemporaryFolder;

std::vector<std::string> sorted_names(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(PictureFolder, NumbersPicturesOrTakesTheirNames) {
  TemporaryFolder folder;
  PictureFolderWriter writer(folder / "out");
  const Image image = test::moving_square(40, 50, 3);
  EXPECT_EQ(writer.write(image), folder / "out/00000.png");
  writer.write(image);
  writer.write(image, "frame 7.left");
  EXPECT_EQ(writer.count(), 3);
  EXPECT_EQ(sorted_names(folder / "out"),
            (std::vector<std::string>{"00000.png", "00001.png", "frame 7.left.png"}));
  EXPECT_EQ(read_picture(folder / "out/frame 7.left.png").rgb, image.rgb);
  PictureFolderWriter jpeg(folder / "out", {.suffix = ".jpg"});
  EXPECT_LT(test::difference(read_picture(jpeg.write(image)), image), 3);
}

TEST(PictureFolder, ReplacesOnlyWhenAllowed) {
  TemporaryFolder folder;
  PictureFolderWriter(folder / "out").write(test::plain(4, 4, 1, 1, 1));
  expect_error(ErrorCode::kInvalidArgument, "out/00000.png: exists already",
               [&] { PictureFolderWriter(folder / "out").write(test::plain(4, 4, 2, 2, 2)); });
  PictureFolderWriter(folder / "out", {.overwrite = true}).write(test::plain(4, 4, 2, 2, 2));
  EXPECT_EQ(read_picture(folder / "out/00000.png").rgb[0], 2);
}

TEST(PictureFolder, NamesWhatIsWrong) {
  TemporaryFolder folder;
  test::write_bytes(folder / "file", "x");
  expect_error(ErrorCode::kInvalidArgument, "file: is a file",
               [&] { PictureFolderWriter(folder / "file"); });
  expect_error(ErrorCode::kNotFound, "there is no folder",
               [&] { PictureFolderWriter(folder / "gone/out"); });
  expect_error(ErrorCode::kInvalidArgument, "got \".gif\"",
               [&] { PictureFolderWriter(folder / "out", {.suffix = ".gif"}); });
  expect_error(ErrorCode::kInvalidArgument, "empty path", [] { PictureFolderWriter(""); });
  PictureFolderWriter writer(folder / "out");
  const Image image = test::plain(4, 4, 1, 1, 1);
  for (const char* name : {"../escape", "/etc/passwd", "a\\b"})
    expect_error(ErrorCode::kInvalidArgument, "without folders",
                 [&] { writer.write(image, name); });
  expect_error(ErrorCode::kInvalidArgument, "buffer has 0 bytes", [&] { writer.write(Image{}); });
  EXPECT_EQ(folder.names().size(), 2u);
  EXPECT_TRUE(sorted_names(folder / "out").empty());
  if (std::filesystem::is_directory("/proc/self"))
    expect_error(ErrorCode::kIo, "/proc/self/out: cannot be created",
                 [&] { PictureFolderWriter("/proc/self/out"); });
}

TEST(PictureFolder, KeepsWhatWasWrittenWhenTheDiskIsFull) {
  TemporaryFolder folder;
  PictureFolderWriter writer(folder / "out");
  writer.write(test::plain(64, 64, 1, 1, 1));
  {
    test::SmallDisk disk(1000);
    expect_error(ErrorCode::kIo, "out/00001.png: writing failed: File too large",
                 [&] { writer.write(test::moving_square(64, 64, 1)); });
  }
  EXPECT_EQ(sorted_names(folder / "out"), std::vector<std::string>{"00000.png"});
  // With room again, it goes on with the number that is missing.
  EXPECT_EQ(writer.write(test::moving_square(64, 64, 1)), folder / "out/00001.png");
}

TEST(ObjectMask, IsAOneBitPictureInItsObjectsFolder) {
  TemporaryFolder folder;
  Mask mask{3, 5, std::vector<std::uint8_t>(15)};
  mask.data[7] = 1;
  EXPECT_EQ(write_object_mask(folder / "masks", 7, "00012", mask), folder / "masks/7/00012.png");
  write_object_mask(folder / "masks", -1, "00012", mask);
  write_object_mask(folder / "masks", 7, "00012", mask);
  const cv::Mat read = cv::imread(folder / "masks/7/00012.png", cv::IMREAD_UNCHANGED);
  ASSERT_EQ(read.channels(), 1);
  for (int i = 0; i < 15; ++i) EXPECT_EQ(read.data[i], i == 7 ? 255 : 0) << i;
  EXPECT_EQ(test::read_bytes(folder / "masks/7/00012.png")[24], 1);  // bits a sample
  expect_error(ErrorCode::kInvalidArgument, "without folders",
               [&] { write_object_mask(folder / "masks", 7, "a/b", mask); });
  expect_error(ErrorCode::kInvalidArgument, "want 1 x 3 x 6", [&] {
    mask.width = 6;
    write_object_mask(folder / "masks", 7, "a", mask);
  });
}

}  // namespace
}  // namespace vostrack::video
