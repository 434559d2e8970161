#include "apps/vostrack/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace vostrack::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Progress, WritesDurationsAsClocksDo) {
  EXPECT_EQ(duration_text(0), "0:00");
  EXPECT_EQ(duration_text(7.4), "0:07");
  EXPECT_EQ(duration_text(59.6), "1:00");
  EXPECT_EQ(duration_text(3723), "1:02:03");
  EXPECT_EQ(duration_text(-1), "0:00");
}

TEST(Progress, EndsWithOneLineInALogFile) {
  std::ostringstream err;
  Progress progress("Tracking", 3, err, ProgressStyle::kLines);
  for (int i = 0; i < 3; ++i) progress.step();
  progress.finish();
  progress.finish();
  EXPECT_THAT(err.str(), HasSubstr("Tracking 3/3 frames"));
  EXPECT_THAT(err.str(), Not(HasSubstr("\r")));
  EXPECT_EQ(err.str().find('\n'), err.str().size() - 1);
}

TEST(Progress, DrawsOverItsLineOnATerminal) {
  std::ostringstream err;
  Progress progress("Tracking", 2, err, ProgressStyle::kBar);
  progress.step();
  progress.step();
  progress.finish();
  EXPECT_THAT(err.str(), HasSubstr("\r[##############################] Tracking 2/2"));
}

TEST(Progress, EndsWithTheLatestNote) {
  std::ostringstream err;
  Progress progress("Tracking", 2, err, ProgressStyle::kLines);
  progress.step("1: visible");
  progress.step("1: lost");
  progress.finish();
  EXPECT_THAT(err.str(), HasSubstr("2/2 frames"));
  EXPECT_THAT(err.str(), HasSubstr(" fps, 1: lost\n"));
}

TEST(Progress, CountsWithoutATotal) {
  std::ostringstream err;
  Progress progress("Tracking", 0, err, ProgressStyle::kBar);
  progress.step();
  progress.finish();
  EXPECT_THAT(err.str(), HasSubstr("\rTracking 1 frames, "));
}

TEST(Progress, IsSilentWhenAskedToBe) {
  std::ostringstream err;
  Progress progress("Tracking", 2, err, ProgressStyle::kNone);
  progress.step();
  progress.finish();
  EXPECT_EQ(err.str(), "");
}

}  // namespace
}  // namespace vostrack::cli
