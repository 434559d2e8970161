/// Boxes of MP4 written by hand, with edit lists as they should be and as damage leaves them.
#include <gtest/gtest.h>

#include <random>

#include "support/temporary_folder.hpp"
#include "video/edit_list.hpp"
#include "video/probe.hpp"
#include "video/test_clips.hpp"

namespace vostrack::video {
namespace {

using test::TemporaryFolder;

std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xFF);
  return text;
}

std::string box(const std::string& type, const std::string& inside) {
  return number(8 + inside.size(), 4) + type + inside;
}

/// A header whose field after the two times is `value`.
std::string header(const std::string& type, std::uint64_t value, bool wide = false) {
  const int bytes = wide ? 8 : 4;
  return box(type, number(wide ? 1 : 0, 1) + number(0, 3) + number(0, bytes) + number(0, bytes) +
                       number(value, 4) + std::string(8, '\0'));
}

std::string track(int id, int media_scale, const std::string& edit_list, bool wide = false) {
  return box("trak", header("tkhd", id, wide) + box("edts", box("elst", edit_list)) +
                         box("mdia", header("mdhd", media_scale, wide)));
}

std::string file_with(const std::string& tracks) {
  return box("ftyp", "isom") + box("mdat", std::string(99, 'x')) +
         box("moov", header("mvhd", 1000) + tracks);
}

const std::string kTwoEdits = number(0, 4) + number(2, 4) + number(500, 4) + number(~0ULL, 4) +
                              number(0x10000, 4) + number(2000, 4) + number(600, 4) +
                              number(0x8000, 4);

void expect_two_edits(const std::vector<Edit>& edits) {
  ASSERT_EQ(edits.size(), 2u);
  EXPECT_DOUBLE_EQ(edits[0].duration_s, 0.5);
  EXPECT_FALSE(edits[0].media_start_s);
  EXPECT_DOUBLE_EQ(edits[0].rate, 1);
  EXPECT_DOUBLE_EQ(edits[1].duration_s, 2);
  EXPECT_DOUBLE_EQ(edits[1].media_start_s.value(), 2);
  EXPECT_DOUBLE_EQ(edits[1].rate, 0.5);
}

TEST(EditList, IsReadForItsTrack) {
  const TemporaryFolder folder;
  const std::string path = folder / "clip.mp4";
  const std::string none = number(0, 4) + number(0, 4);
  test::write_bytes(path, file_with(track(1, 90000, none) + track(2, 300, kTwoEdits)));
  expect_two_edits(edit_list_of(path, 2));
  EXPECT_TRUE(edit_list_of(path, 1).empty());
  EXPECT_TRUE(edit_list_of(path, 3).empty());
}

TEST(EditList, IsReadInItsLongForm) {
  const TemporaryFolder folder;
  const std::string path = folder / "clip.mp4";
  const std::string edits = number(1, 1) + number(0, 3) + number(2, 4) + number(500, 8) +
                            number(~0ULL, 8) + number(0x10000, 4) + number(2000, 8) +
                            number(600, 8) + number(0x8000, 4);
  test::write_bytes(path, file_with(track(7, 300, edits, true)));
  expect_two_edits(edit_list_of(path, 7));
}

TEST(EditList, IsEmptyForWhatClaimsTooMuch) {
  const TemporaryFolder folder;
  const std::string path = folder / "clip.mp4";
  test::write_bytes(path, file_with(track(1, 300, number(0, 4) + number(0xFFFFFFFF, 4))));
  EXPECT_TRUE(edit_list_of(path, 1).empty());
  test::write_bytes(path, file_with(track(1, 0, kTwoEdits)));
  EXPECT_TRUE(edit_list_of(path, 1).empty());
  EXPECT_TRUE(edit_list_of(folder / "none.mp4", 1).empty());
  const std::string whole = file_with(track(1, 300, kTwoEdits));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    test::write_bytes(path, whole.substr(0, size));
    EXPECT_LE(edit_list_of(path, 1).size(), 2u);
  }
  std::mt19937 random(3);
  for (int i = 0; i < 300; ++i) {
    std::string damaged = whole;
    for (int j = 0; j < 3; ++j) damaged[random() % damaged.size()] = static_cast<char>(random());
    test::write_bytes(path, damaged);
    edit_list_of(path, 1);
  }
}

TEST(EditList, IsInTheReportOfAFile) {
  const TemporaryFolder folder;
  test::write_clip(folder / "clip.mp4", {0.5, 0.6, 0.7});
  const ProbeReport report = probe(folder / "clip.mp4");
  ASSERT_FALSE(report.edits.empty());  // a late start is a pause
  EXPECT_FALSE(report.edits.front().media_start_s);
  EXPECT_NEAR(report.edits.front().duration_s, 0.5, 2e-3);
}

}  // namespace
}  // namespace vostrack::video
