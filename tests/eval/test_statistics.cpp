#include <gtest/gtest.h>

#include <vector>

#include "eval/statistics.hpp"
#include "support/errors.hpp"

namespace vostrack::eval {
namespace {

TEST(Statistics, CountsFramesAboveOneHalf) {
  const Statistics result = statistics(std::vector<double>{0.5, 0.51, 0.2, 0.9});
  EXPECT_DOUBLE_EQ(result.recall, 0.5);
  EXPECT_DOUBLE_EQ(result.mean, 2.11 / 4);
}

TEST(Statistics, DecaysByTheFirstQuarterLessTheLast) {
  // Nine values: quarters end at 0, 2, 4, 6 and 8, both ends included.
  const Statistics result = statistics(std::vector<double>{1, 1, 0.7, 0, 0, 0, 0.3, 0.2, 0.1});
  EXPECT_DOUBLE_EQ(result.decay, 2.7 / 3 - 0.6 / 3);
}

TEST(Statistics, EqualThoseOfAnIndependentProgram) {
  const struct {
    int count;
    double mean, recall, decay;
  } cases[] = {
      {1, 0.11, 0, 0},
      {2, 0.235, 0, -0.25},
      {3, 0.358888888889, 0.333333333333, -0.311666666667},
      {5, 0.3434, 0.2, 0.0235},
      {8, 0.392343750000, 0.25, 0.024791666667},
      {78, 0.375031229454, 0.307692307692, 0.185570512821},
      {300, 0.375715777778, 0.313333333333, 0.181957894737},
  };
  for (const auto& known : cases) {
    std::vector<double> values;
    for (int i = 0; i < known.count; ++i)
      values.push_back((i * 37 + 11) % 101 / 100.0 * (1 - i / (2.0 * known.count)));
    const Statistics result = statistics(values);
    EXPECT_NEAR(result.mean, known.mean, 1e-11) << known.count;
    EXPECT_NEAR(result.recall, known.recall, 1e-11) << known.count;
    EXPECT_NEAR(result.decay, known.decay, 1e-11) << known.count;
  }
}

TEST(Statistics, RefusesToSumUpNothing) {
  test::expect_error(ErrorCode::kInvalidArgument, "no frames",
                     [] { statistics(std::vector<double>{}); });
  test::expect_error(ErrorCode::kInvalidArgument, "no scores",
                     [] { mean_of(std::vector<Statistics>{}); });
}

TEST(Statistics, AveragesEachNumber) {
  const Statistics mean = mean_of(std::vector<Statistics>{{0.5, 1, 0.25}, {1, 0, -0.75}});
  EXPECT_DOUBLE_EQ(mean.mean, 0.75);
  EXPECT_DOUBLE_EQ(mean.recall, 0.5);
  EXPECT_DOUBLE_EQ(mean.decay, -0.25);
}

}  // namespace
}  // namespace vostrack::eval
