#include "apps/vostrack/output_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_folder.hpp"
#include "vostrack/error.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

void touch(const fs::path& path) {
  std::ofstream(path) << "x";
}

TEST(OutputFolder, TakesAnyFolderWithoutResults) {
  TemporaryFolder folder;
  touch(folder / "notes.txt");
  EXPECT_NO_THROW(OutputFolder(folder / "new").check_free(false));
  EXPECT_NO_THROW(OutputFolder(folder / "").check_free(false));
}

TEST(OutputFolder, KeepsEarlierResultsUnlessToldOtherwise) {
  for (const char* name :
       {"overlay.mp4", "contact_sheet.png", "summary.json", "results.jsonl", "unfinished.jsonl",
        "cut_out.mov", "cut_out.webm", "effect.mp4", "labels.mkv"}) {
    TemporaryFolder folder;
    touch(folder / name);
    EXPECT_THROW(OutputFolder(folder / "").check_free(false), Error) << name;
    EXPECT_NO_THROW(OutputFolder(folder / "").check_free(true)) << name;
  }
}

TEST(OutputFolder, RefusesAFile) {
  TemporaryFolder folder;
  touch(folder / "file");
  EXPECT_THROW(OutputFolder(folder / "file").check_free(true), Error);
}

TEST(OutputFolder, RemovesOnlyResults) {
  TemporaryFolder folder;
  fs::create_directories(folder / "masks");
  touch(folder / "masks/00000.png");
  touch(folder / "masks/mine.txt");
  fs::create_directories(folder / "masks/12");
  touch(folder / "masks/12/00000.png");
  fs::create_directories(folder / "masks/mine");
  touch(folder / "masks/mine/00000.png");
  touch(folder / "overlay.mp4");
  touch(folder / "notes.txt");
  OutputFolder(folder / "").prepare(false);
  EXPECT_FALSE(fs::exists(folder / "masks/00000.png"));
  EXPECT_FALSE(fs::exists(folder / "masks/12"));
  EXPECT_TRUE(fs::exists(folder / "masks/mine/00000.png"));
  EXPECT_FALSE(fs::exists(folder / "overlay.mp4"));
  EXPECT_TRUE(fs::exists(folder / "masks/mine.txt"));
  EXPECT_TRUE(fs::exists(folder / "notes.txt"));
}

}  // namespace
}  // namespace vostrack::cli
