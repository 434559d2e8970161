#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <cstring>
#include <vector>

#include "support/errors.hpp"
#include "support/temporary_folder.hpp"
#include "train/log/comparison.hpp"
#include "train/log/event_file.hpp"
#include "train/log/png.hpp"
#include "train/log/text_log.hpp"

namespace vostrack::train {
namespace {

using test::expect_error;
using test::TemporaryFolder;

TEST(MaskedCrc32c, IsTheStandardsChecksumTurned) {
  // RFC 3720's check value of CRC-32C, 0xe3069283, turned right by 15 and offset.
  EXPECT_EQ(masked_crc32c("123456789"), 0xc78ab0e5u);
}

TEST(EventFile, EncodesScalarsAsProtocolBuffers) {
  const std::vector<Metric> metrics = {{"loss", 0.5}};
  const std::string want(
      "\x09\x00\x00\x00\x00\x00\x00\xf8\x3f"  // wall time 1.5
      "\x10\xac\x02"                          // step 300
      "\x2a\x0d"                              // summary of 13 bytes
      "\x0a\x0b\x0a\x04loss"                  // value of 11 bytes with its tag
      "\x15\x00\x00\x00\x3f",                 // 0.5
      27);
  EXPECT_EQ(scalar_event({300, 1.5}, metrics), want);
}

TEST(EventFile, BeginsWithItsVersion) {
  EXPECT_EQ(version_event(0), std::string("\x09\0\0\0\0\0\0\0\0\x1a\x0d"
                                          "brain.Event:2",
                                          24));
}

TEST(EventFile, FramesRecordsWithLengthAndChecksums) {
  const std::string record = tf_record("abc");
  ASSERT_EQ(record.size(), 8u + 4 + 3 + 4);
  EXPECT_EQ(record.substr(0, 8), std::string("\3\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(record.substr(12, 3), "abc");
  std::uint32_t crc = 0;
  std::memcpy(&crc, record.data() + 15, 4);
  EXPECT_EQ(crc, masked_crc32c("abc"));
  std::memcpy(&crc, record.data() + 8, 4);
  EXPECT_EQ(crc, masked_crc32c(record.substr(0, 8)));
}

TEST(EventFile, KeepsEveryRecordOnTheDiskAtOnce) {
  TemporaryFolder folder;
  EventFile events(folder / "run", 100);
  const std::vector<Metric> metrics = {{"loss", 2}};
  events.add({7, 101}, metrics);
  EXPECT_EQ(test::read_bytes(events.path()),
            tf_record(version_event(100)) + tf_record(scalar_event({7, 101}, metrics)));
}

TEST(EventFile, HoldsPicturesAsPng) {
  const Image dot{1, 1, {1, 2, 3}};
  const std::string event = picture_event({1, 0}, "val", dot);
  EXPECT_NE(event.find(encode_png(dot)), std::string::npos);
  EXPECT_NE(event.find(std::string("\x08\x01\x10\x01\x18\x03", 6)), std::string::npos);
}

TEST(EncodePng, GivesBackItsPixels) {
  const Image image{2, 2, {10, 20, 30, 12, 19, 35, 0, 0, 0, 255, 1, 2}};
  const std::string png = encode_png(image);
  EXPECT_EQ(png.substr(0, 16), std::string("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", 16));
  const std::size_t data = png.find("IDAT") + 4;
  std::array<Bytef, 14> rows{};
  uLongf size = rows.size();
  ASSERT_EQ(::uncompress(rows.data(), &size, reinterpret_cast<const Bytef*>(png.data() + data),
                         png.size() - data - 16),
            Z_OK);
  const std::array<Bytef, 14> want = {1, 10, 20, 30, 2, 255, 5, 1, 0, 0, 0, 255, 1, 2};
  EXPECT_EQ(rows, want);
  expect_error(ErrorCode::kInvalidArgument, "3x2 with 12 bytes", [&] {
    encode_png({2, 3, image.rgb});
  });
}

TEST(CsvLog, GoesOnWhereItStopped) {
  TemporaryFolder folder;
  const std::string path = folder / "metrics.csv";
  const std::vector<Metric> metrics = {{"loss", 0.25}, {"lr", 1e-5}};
  CsvLog(path).add(1, metrics);
  CsvLog again(path);
  again.add(2, metrics);
  EXPECT_EQ(test::read_bytes(path), "step,loss,lr\n1,0.25,1e-05\n2,0.25,1e-05\n");
  expect_error(ErrorCode::kInvalidArgument, "columns step,loss, want step,loss,lr",
               [&] { again.add(3, std::span(metrics).first(1)); });
}

TEST(CsvLog, RefusesAFileOfOtherThings) {
  TemporaryFolder folder;
  test::write_bytes(folder / "notes.txt", "dear diary\n");
  expect_error(ErrorCode::kCorruptFile, "dear diary", [&] { CsvLog(folder / "notes.txt"); });
}

TEST(MetricsLine, HasFourDigits) {
  const std::vector<Metric> metrics = {{"loss", 0.123456}, {"lr", 6e-5}};
  EXPECT_EQ(metrics_line(12, metrics), "step 12  loss 0.1235  lr 6e-05");
}

TEST(Comparison, ColoursAgreementAndErrors) {
  const ComparedFrame frame{{1, 5, std::vector<std::uint8_t>(15, 100)},
                            {1, 5, {1, 1, 0, 0, 255}},
                            {1, 5, {1, 0, 1, 0, 1}}};
  const std::vector<ComparedFrame> two = {frame, frame};
  const Image sheet = comparison(two);
  EXPECT_EQ(sheet.width, 10);
  const std::vector<std::uint8_t> row = {70, 150, 80,  75,  95, 170, 165, 70,
                                         70, 100, 100, 100, 50, 50,  50};
  EXPECT_EQ(std::vector<std::uint8_t>(sheet.rgb.begin(), sheet.rgb.begin() + 15), row);
  EXPECT_EQ(std::vector<std::uint8_t>(sheet.rgb.begin() + 15, sheet.rgb.end()), row);
  expect_error(ErrorCode::kInvalidArgument, "no frame", [] { comparison({}); });
}

}  // namespace
}  // namespace vostrack::train
