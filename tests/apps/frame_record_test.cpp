#include "apps/vostrack/frame_record.hpp"

#include <gtest/gtest.h>

#include "apps/vostrack/track_results.hpp"

namespace vostrack::cli {
namespace {

TEST(FrameRecord, GivesItsLabelsBack) {
  FrameRecord record;
  record.height = 2;
  record.width = 3;
  record.runs = {{0, 2}, {7, 3}, {1, 1}};
  const annotations::LabelImage image = labels_of(record);
  EXPECT_EQ(image.labels, (std::vector<std::uint8_t>{0, 0, 7, 7, 7, 1}));
}

TEST(ContactSheet, SpreadsItsFrames) {
  EXPECT_EQ(spread_frames(10, 19, 4), (std::vector<std::int64_t>{10, 13, 16, 19}));
  EXPECT_EQ(spread_frames(0, 1, 16), (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(spread_frames(5, 5, 16), (std::vector<std::int64_t>{5}));
  EXPECT_EQ(spread_frames(0, 9, 1), (std::vector<std::int64_t>{0}));
}

}  // namespace
}  // namespace vostrack::cli
