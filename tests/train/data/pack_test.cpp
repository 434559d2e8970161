#include "train/data/pack.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/errors.hpp"
#include "support/temporary_folder.hpp"
#include "train/data/pack_writer.hpp"

namespace vostrack::train {
namespace {

using test::expect_error;
using test::TemporaryFolder;
using testing::ElementsAre;
using testing::ElementsAreArray;

Image picture(int height, int width, int seed = 0) {
  Image image{height, width, {}};
  for (int i = 0; i < 3 * height * width; ++i)
    image.rgb.push_back(static_cast<std::uint8_t>(seed + 7 * i + i / 50));
  return image;
}

std::vector<std::uint8_t> square(int height, int width, int side, std::uint8_t label) {
  std::vector<std::uint8_t> labels(static_cast<std::size_t>(height * width));
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) labels[static_cast<std::size_t>(y * width + x)] = label;
  return labels;
}

class Pack : public testing::TestWithParam<PackCompression> {
 protected:
  std::string write() {
    PackWriter writer(path_, GetParam());
    writer.begin({RecordKind::kPicture, LabelKind::kParts, "person", "ccp", "train"});
    auto labels = square(30, 40, 6, 3);
    labels[999] = kIgnoredLabel;
    writer.add_frame(picture(30, 40), labels);
    writer.end();
    writer.begin({RecordKind::kClip, LabelKind::kObjects, "dog", "davis", ""});
    writer.add_frame(picture(20, 24, 1), square(20, 24, 4, 1));
    writer.add_frame(picture(20, 24, 2), square(20, 24, 5, 2));
    writer.end();
    writer.finish();
    return path_;
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "some.pack";
};

INSTANTIATE_TEST_SUITE_P(Compressed, Pack,
                         testing::Values(PackCompression::kLabels, PackCompression::kAll));

TEST_P(Pack, GivesBackWhatWasWritten) {
  const auto pack = PackReader::open(write());
  ASSERT_EQ(pack->size(), 2u);
  const RecordInfo& person = pack->info(0);
  EXPECT_EQ(person.kind, RecordKind::kPicture);
  EXPECT_EQ(person.labels, LabelKind::kParts);
  EXPECT_EQ(person.name, "person");
  EXPECT_EQ(person.source, "ccp");
  EXPECT_EQ(person.split, "train");
  EXPECT_EQ(person.height, 30);
  EXPECT_EQ(person.width, 40);
  EXPECT_THAT(person.ids, ElementsAre(3));
  EXPECT_EQ(person.area(0, 0), 36u);
  EXPECT_THAT(pack->picture(0, 0).bytes, ElementsAreArray(picture(30, 40).rgb));
  EXPECT_EQ(pack->labels(0, 0).bytes[999], kIgnoredLabel);
  const RecordInfo& dog = pack->info(1);
  EXPECT_EQ(dog.frames, 2);
  EXPECT_THAT(dog.ids, ElementsAre(1, 2));
  EXPECT_THAT(dog.areas, ElementsAre(16, 0, 0, 25));
  EXPECT_THAT(pack->picture(1, 1).bytes, ElementsAreArray(picture(20, 24, 2).rgb));
  EXPECT_THAT(pack->labels(1, 1).bytes, ElementsAreArray(square(20, 24, 5, 2)));
  pack->verify();
}

TEST_P(Pack, RefusesEveryDamagedByteThatMatters) {
  const std::string whole = test::read_bytes(write());
  const std::string damaged = folder_ / "damaged.pack";
  int refused = 0;
  for (std::size_t i = 0; i < whole.size(); i += 11) {
    std::string bytes = whole;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x41);
    test::write_bytes(damaged, bytes);
    try {
      PackReader::open(damaged)->verify();
      EXPECT_GE(i, 12u) << i;
      EXPECT_LT(i, 16u) << "only the reserved word may be anything, not byte " << i;
    } catch (const Error& error) {
      ++refused;
      EXPECT_TRUE(error.code() == ErrorCode::kCorruptFile ||
                  error.code() == ErrorCode::kUnsupported)
          << error.what();
    }
  }
  EXPECT_GT(refused, 150);
}

TEST_P(Pack, RefusesEveryCutFile) {
  const std::string whole = test::read_bytes(write());
  const std::string cut = folder_ / "cut.pack";
  for (std::size_t size = 0; size < whole.size(); size += 17) {
    test::write_bytes(cut, whole.substr(0, size));
    expect_error(ErrorCode::kCorruptFile, "cut.pack", [&] { PackReader::open(cut); });
  }
}

TEST_P(Pack, OutlivesItsReaderInWhatItGave) {
  PackBytes bytes = PackReader::open(write())->picture(0, 0);
  EXPECT_THAT(bytes.bytes, ElementsAreArray(picture(30, 40).rgb));
}

TEST_P(Pack, NamesTheRecordThatIsOutOfRange) {
  const auto pack = PackReader::open(write());
  expect_error(ErrorCode::kOutOfRange, "record 2", [&] { pack->info(2); });
  expect_error(ErrorCode::kOutOfRange, "dog: frame 2", [&] { pack->labels(1, 2); });
}

TEST(PackWriter, RefusesWhatCannotBeTrainedOn) {
  TemporaryFolder folder;
  PackWriter writer(folder / "some.pack", PackCompression::kLabels);
  const RecordHead head{RecordKind::kPicture, LabelKind::kObjects, "odd", "here", ""};
  writer.begin(head);
  expect_error(ErrorCode::kInvalidArgument, "odd: its mask has 12 pixels, want 4x4",
               [&] { writer.add_frame(picture(4, 4), square(3, 4, 1, 1)); });
  expect_error(ErrorCode::kInvalidArgument, "odd: has no frame", [&] { writer.end(); });
  writer.begin(head);
  writer.add_frame(picture(4, 4), square(4, 4, 4, kIgnoredLabel));
  expect_error(ErrorCode::kInvalidArgument, "odd: all of its mask is 255", [&] { writer.end(); });
  writer.begin(head);
  writer.add_frame(picture(4, 4), square(4, 4, 1, 1));
  expect_error(ErrorCode::kInvalidArgument, "frame 1 is 5x4, want 4x4",
               [&] { writer.add_frame(picture(4, 5), square(4, 5, 1, 1)); });
}

TEST(PackWriter, LeavesNothingBehindUnlessFinished) {
  TemporaryFolder folder;
  {
    PackWriter writer(folder / "some.pack", PackCompression::kLabels);
    expect_error(ErrorCode::kInvalidArgument, "nothing to pack", [&] { writer.finish(); });
  }
  EXPECT_TRUE(folder.names().empty());
}

TEST(PackReader, RefusesAnotherVersion) {
  TemporaryFolder folder;
  const std::string path = folder / "new.pack";
  std::string bytes(80, '\0');
  bytes.replace(0, 9, std::string("vtpack\r\n\x02", 9));
  test::write_bytes(path, bytes);
  expect_error(ErrorCode::kUnsupported, "version 2, want 1", [&] { PackReader::open(path); });
  expect_error(ErrorCode::kNotFound, "none.pack", [&] { PackReader::open(folder / "none.pack"); });
}

}  // namespace
}  // namespace vostrack::train
