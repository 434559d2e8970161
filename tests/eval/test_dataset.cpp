#include <gtest/gtest.h>

#include <filesystem>

#include "eval/dataset.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

namespace vostrack::eval {
namespace {

using test::expect_error;
using test::TemporaryFolder;

TEST(FindSequences, KnowsWhereDatasetsKeepThings) {
  TemporaryFolder folder;
  std::filesystem::create_directories(folder / "Annotations/480p/dog");
  std::filesystem::create_directories(folder / "Annotations/480p/bear");
  std::filesystem::create_directories(folder / "Annotations_6fps/sav_1");
  const auto all = find_sequences(Dataset::kDavis, folder / "", "480p", {});
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "bear");
  EXPECT_EQ(all[0].pictures, folder / "JPEGImages/480p/bear");
  EXPECT_EQ(all[0].annotations, folder / "Annotations/480p/bear");
  const auto one = find_sequences(Dataset::kYouTubeVos, folder / "", "", {"480p"});
  EXPECT_EQ(one[0].pictures, folder / "JPEGImages/480p");
  const auto sav = find_sequences(Dataset::kSav, folder / "", "", {"sav_1"});
  EXPECT_EQ(sav[0].pictures, folder / "JPEGImages_24fps/sav_1");
}

TEST(FindSequences, NamesWhatIsMissing) {
  TemporaryFolder folder;
  expect_error(ErrorCode::kNotFound, "Annotations/480p: no such folder",
               [&] { find_sequences(Dataset::kDavis, folder / "", "480p", {}); });
  std::filesystem::create_directories(folder / "Annotations/480p");
  expect_error(ErrorCode::kNotFound, "holds no sequence",
               [&] { find_sequences(Dataset::kDavis, folder / "", "480p", {}); });
  expect_error(ErrorCode::kNotFound, "480p/cat: no such folder",
               [&] { find_sequences(Dataset::kDavis, folder / "", "480p", {"cat"}); });
  std::filesystem::create_directories(folder / "Annotations/480p/bear");
  expect_error(ErrorCode::kInvalidArgument, "bear is named twice", [&] {
    find_sequences(Dataset::kDavis, folder / "", "480p", {"bear", "bear"});
  });
}

TEST(FindSequences, RefusesNamesThatLeadElsewhere) {
  TemporaryFolder folder;
  std::filesystem::create_directories(folder / "Annotations/480p/bear/inner");
  for (const char* name : {"", ".", "..", "bear/inner", "/tmp"})
    expect_error(ErrorCode::kInvalidArgument, "is no name of a sequence",
                 [&] { find_sequences(Dataset::kDavis, folder / "", "480p", {name}); });
}

TEST(ReadSplit, TakesNamesAndPaths) {
  TemporaryFolder folder;
  test::write_bytes(folder / "2017.txt", "bear\r\n\n# later\n  dog  \n");
  EXPECT_EQ(read_split(folder / "2017.txt"), (std::vector<std::string>{"bear", "dog"}));
  test::write_bytes(folder / "2016.txt",
                    "/JPEGImages/480p/bear/00000.jpg /Annotations/480p/bear/00000.png\n"
                    "/JPEGImages/480p/bear/00001.jpg /Annotations/480p/bear/00001.png\n"
                    "/JPEGImages/480p/dog/00000.jpg /Annotations/480p/dog/00000.png\n");
  EXPECT_EQ(read_split(folder / "2016.txt"), (std::vector<std::string>{"bear", "dog"}));
}

TEST(ReadSplit, RefusesAListOfNothing) {
  TemporaryFolder folder;
  expect_error(ErrorCode::kNotFound, "val.txt: no such list",
               [&] { read_split(folder / "val.txt"); });
  test::write_bytes(folder / "val.txt", "\n# none\n");
  expect_error(ErrorCode::kCorruptFile, "names no sequence",
               [&] { read_split(folder / "val.txt"); });
}

}  // namespace
}  // namespace vostrack::eval
