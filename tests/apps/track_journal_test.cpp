#include "apps/vostrack/track_journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temporary_folder.hpp"
#include "vostrack/error.hpp"

namespace vostrack::cli {
namespace {

class Journal : public testing::Test {
 protected:
  static FrameRecord frame(std::int64_t number) { return {number, 0.5, "name", 2, 2, {}}; }

  /// Frames 0 to 4, of which the session knows three.
  void write() const {
    TrackJournal journal(path_, run_);
    for (int i = 0; i < 3; ++i) journal.add(frame(i));
    journal.mark();
    for (int i = 3; i < 5; ++i) journal.add(frame(i));
  }
  std::vector<std::int64_t> frames() const {
    std::vector<FrameRecord> records;
    std::vector<std::int64_t> numbers;
    if (TrackJournal::resume(path_, run_, records))
      for (const FrameRecord& record : records) numbers.push_back(record.frame);
    return numbers;
  }

  test::TemporaryFolder folder_;
  std::string path_ = folder_ / "unfinished.jsonl";
  Json run_ = {{"prompts", {1, 2}}, {"range", {0, 9}}};
};

TEST_F(Journal, GivesTheFramesThatTheSessionKnows) {
  write();
  EXPECT_EQ(frames(), (std::vector<std::int64_t>{0, 1, 2}));
  // The others are gone for good.
  EXPECT_EQ(frames(), (std::vector<std::int64_t>{0, 1, 2}));
}

TEST_F(Journal, GoesOnWhereItWasMarked) {
  write();
  std::vector<FrameRecord> records;
  {
    auto journal = TrackJournal::resume(path_, run_, records);
    ASSERT_TRUE(journal);
    journal->add(frame(7));
    journal->mark();
  }
  EXPECT_EQ(frames(), (std::vector<std::int64_t>{0, 1, 2, 7}));
}

TEST_F(Journal, MayBeCutShortAnywhere) {
  write();
  const std::string whole = test::read_bytes(path_);
  const std::size_t marked = whole.find("{\"saved\":3}\n") + 12;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    test::write_bytes(path_, whole.substr(0, size));
    EXPECT_EQ(frames().size(), size < marked ? 0u : 3u) << size;
  }
}

TEST_F(Journal, IsOfOneRunOnly) {
  write();
  run_["range"] = {0, 8};
  try {
    frames();
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("had other range"));
  }
}

TEST_F(Journal, MayBeMissing) {
  EXPECT_TRUE(frames().empty());
}

}  // namespace
}  // namespace vostrack::cli
