#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <vector>

#include "support/errors.hpp"
#include "support/temporary_folder.hpp"
#include "train/log/comparison.hpp"
#include "train/log/csv_log.hpp"
#include "train/log/event_file.hpp"
#include "train/log/png.hpp"
#include "train/log/run_log.hpp"
#include "train/log/step_lines.hpp"

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
  CsvLog(path, 1).add(1, metrics);
  CsvLog again(path, 2);
  again.add(2, metrics);
  EXPECT_EQ(test::read_bytes(path), "step,loss,lr\n1,0.25,1e-05\n2,0.25,1e-05\n");
  expect_error(ErrorCode::kInvalidArgument, "columns step,loss, want step,loss,lr",
               [&] { again.add(3, std::span(metrics).first(1)); });
}

TEST(CsvLog, TakesBackStepsThatAreTakenAgain) {
  TemporaryFolder folder;
  test::write_bytes(folder / "metrics.csv", "step,loss\n9,1\n10,2\n11,3\n12,4\n1");
  const std::vector<Metric> metrics = {{"loss", 5}};
  CsvLog(folder / "metrics.csv", 11).add(11, metrics);
  EXPECT_EQ(test::read_bytes(folder / "metrics.csv"), "step,loss\n9,1\n10,2\n11,5\n");
}

TEST(CsvLog, LeavesACellEmptyForWhatIsNoNumber) {
  TemporaryFolder folder;
  const std::vector<Metric> metrics = {{"score", std::nan("")}, {"loss", 1}};
  CsvLog(folder / "metrics.csv", 1).add(1, metrics);
  EXPECT_EQ(test::read_bytes(folder / "metrics.csv"), "step,score,loss\n1,,1\n");
}

TEST(CsvLog, RefusesAFileOfOtherThings) {
  TemporaryFolder folder;
  test::write_bytes(folder / "notes.txt", "dear diary\n");
  expect_error(ErrorCode::kCorruptFile, "dear diary", [&] { CsvLog(folder / "notes.txt", 1); });
}

StepReport step_of(std::int64_t step, double loss) {
  StepReport report;
  report.step = step;
  report.steps = 100;
  report.losses["total"] = loss;
  report.seconds = 2;
  return report;
}

TEST(StepLines, TellMeansOverTheirSteps) {
  StepLines lines(3);
  EXPECT_EQ(lines.add(step_of(1, 1)),
            "step 1/100  total 1.0000  rate 0.00e+00  norm 0.00  2.00 s  3 min left");
  EXPECT_EQ(lines.add(step_of(2, 1)), std::nullopt);
  EXPECT_EQ(lines.add(step_of(3, 4)),
            "step 3/100  total 2.5000  rate 0.00e+00  norm 0.00  2.00 s  3 min left");
  StepReport scored = step_of(4, 7);
  scored.score = 0.5;
  EXPECT_EQ(lines.add(scored),
            "step 4/100  total 7.0000  rate 0.00e+00  norm 0.00  2.00 s  J&F 50.0  3 min left");
  EXPECT_EQ(lines.add(step_of(100, 0)),
            "step 100/100  total 0.0000  rate 0.00e+00  norm 0.00  2.00 s");
}

TEST(RunLog, WritesNumbersAndPictures) {
  TemporaryFolder folder;
  const ComparedFrame frame{{1, 1, {9, 9, 9}}, {1, 1, {1}}, {1, 1, {1}}};
  std::string events;
  {
    RunLog log(folder.path(), 1);
    log.add(step_of(1, 0.5));
    log.add_pictures(1, {{frame, frame}, {frame}});
  }
  EXPECT_EQ(test::read_bytes(folder / "metrics.csv"),
            "step,loss/total,learning_rate,gradient_norm,objects,seconds,waiting_seconds,"
            "validation/score\n1,0.5,0,0,0,2,0,\n");
  const std::string sheet = test::read_bytes(folder / "pictures/000001.png");
  // Two frames wide and two clips high.
  EXPECT_EQ(sheet.substr(12, 12), std::string("IHDR\0\0\0\2\0\0\0\2", 12));
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    if (entry.path().filename().string().starts_with("events.out.tfevents."))
      events = test::read_bytes(entry.path().string());
  EXPECT_NE(events.find("loss/total"), std::string::npos);
  EXPECT_NE(events.find("examples/2"), std::string::npos);
  EXPECT_EQ(events.find("validation/score"), std::string::npos);
  // The session starts at step 1.
  EXPECT_NE(events.find(std::string("\x10\x01\x3a\x02\x08\x01", 6)), std::string::npos);
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
