// Clean-ups on grids drawn by hand.
#include "tracker/postprocess.hpp"

#include <string>

#include "tracker/tracker_support.hpp"

namespace vostrack::tracker::test {
namespace {

/// '#' is 5, '.' is -5.
torch::Tensor grid(const std::vector<std::string>& rows) {
  auto logits = torch::full(
      {1, 1, static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(rows[0].size())},
      -5.0F);
  for (std::size_t y = 0; y < rows.size(); ++y)
    for (std::size_t x = 0; x < rows[y].size(); ++x)
      if (rows[y][x] == '#')
        logits[0][0][static_cast<std::int64_t>(y)][static_cast<std::int64_t>(x)] = 5.0F;
  return logits;
}

std::vector<std::string> drawn(const torch::Tensor& logits) {
  std::vector<std::string> rows;
  for (std::int64_t y = 0; y < logits.size(2); ++y) {
    rows.emplace_back();
    for (std::int64_t x = 0; x < logits.size(3); ++x) {
      const float value = logits[0][0][y][x].item<float>();
      rows.back() += value == 5.0F ? '#' : value == -5.0F ? '.' : value > 0 ? '+' : '-';
    }
  }
  return rows;
}

using Rows = std::vector<std::string>;

TEST(FillHoles, FillsRegionsOfAtMostSoManyPixels) {
  const auto logits = grid({"........",  //
                            ".######.",  //
                            ".#.##.#.",  //
                            ".####.#.",  //
                            ".######.",  //
                            "........"});
  EXPECT_EQ(drawn(fill_holes(logits, 1, 0, 0.1)), (Rows{"........",  //
                                                        ".######.",  //
                                                        ".#+##.#.",  //
                                                        ".####.#.",  //
                                                        ".######.",  //
                                                        "........"}));
  EXPECT_EQ(drawn(fill_holes(logits, 2, 0, 0.1)), (Rows{"........",  //
                                                        ".######.",  //
                                                        ".#+##+#.",  //
                                                        ".####+#.",  //
                                                        ".######.",  //
                                                        "........"}));
  EXPECT_NEAR(fill_holes(logits, 1, 0, 0.1)[0][0][2][2].item<float>(), 0.1, 1e-6);
}

TEST(FillHoles, ConnectsOverCorners) {
  const auto diagonal = grid({"#####",  //
                              "#.###",  //
                              "##.##",  //
                              "###.#",  //
                              "#####"});
  EXPECT_EQ(drawn(fill_holes(diagonal, 2, 0, 0.1)), drawn(diagonal));
  const auto other = grid({"#####",  //
                           "###.#",  //
                           "##.##",  //
                           "#.###",  //
                           "#####"});
  EXPECT_EQ(drawn(fill_holes(other, 2, 0, 0.1)), drawn(other));
  EXPECT_EQ(drawn(fill_holes(other, 3, 0, 0.1)), (Rows{"#####",  //
                                                       "###+#",  //
                                                       "##+##",  //
                                                       "#+###",  //
                                                       "#####"}));
}

TEST(FillHoles, CountsTheThresholdAsBackgroundAndLeavesTheInputAlone) {
  auto logits = torch::ones({1, 1, 3, 3});
  logits[0][0][1][1] = 0;
  const auto kept = logits.clone();
  EXPECT_NEAR(fill_holes(logits, 1, 0, 0.1)[0][0][1][1].item<float>(), 0.1, 1e-6);
  EXPECT_TRUE(same(logits, kept));
  EXPECT_TRUE(fill_holes(logits, 0, 0, 0.1).is_same(logits));
}

TEST(FillHoles, TreatsEachPlaneAlone) {
  const auto one = grid({"###", "#.#", "###"});
  const auto none = grid({"...", "...", "..."});
  const auto filled = fill_holes(torch::cat({none, one}), 1, 0, 0.1);
  EXPECT_TRUE(same(filled[0], none[0]));
  EXPECT_GT(filled[1][0][1][1].item<float>(), 0);
}

TEST(RemoveSprinkles, RemovesForegroundOfAtMostSoManyPixels) {
  const auto logits = grid({"#......",  //
                            "...##..",  //
                            "...##..",  //
                            ".#....#",  //
                            "..#...#"});
  EXPECT_EQ(drawn(remove_sprinkles(logits, 2, 0, -10)), (Rows{"-......",  //
                                                              "...##..",  //
                                                              "...##..",  //
                                                              ".-....-",  //
                                                              "..-...-"}));
  EXPECT_EQ(remove_sprinkles(logits, 2, 0, -10)[0][0][0][0].item<float>(), -10);
  EXPECT_TRUE(remove_sprinkles(logits, 0, 0, -10).is_same(logits));
}

TEST(WithoutOverlaps, LeavesEachPixelToTheHighestLogit) {
  const auto first = torch::tensor({3., -2., 1., -20.}).view({1, 1, 2, 2});
  const auto second = torch::tensor({2., -1., 4., -30.}).view({1, 1, 2, 2});
  const auto got = without_overlaps(torch::cat({first, second}));
  EXPECT_TRUE(same(got[0], torch::tensor({3., -10., -10., -20.}).view({1, 2, 2})));
  EXPECT_TRUE(same(got[1], torch::tensor({-10., -1., 4., -30.}).view({1, 2, 2})));
  EXPECT_TRUE(same(without_overlaps(first), first));
}

TEST(Tracker, CleansUpWhatItStores) {
  const auto stored = [](int holes, int sprinkles) {
    TrackerConfig config;
    config.fill_hole_area = holes;
    config.remove_sprinkle_area = sprinkles;
    Scene scene(config);
    Prompt prompt;
    prompt.mask = Mask{48, 72, std::vector<std::uint8_t>(48 * 72, 0)};
    auto& data = prompt.mask->data;
    const auto fill = [&](int y0, int y1, int x0, int x1, std::uint8_t value) {
      for (int y = y0; y < y1; ++y)
        for (int x = x0; x < x1; ++x) data[static_cast<std::size_t>(72 * y + x)] = value;
    };
    fill(6, 36, 9, 54, 1);    // an object,
    fill(18, 21, 27, 32, 0);  // a hole in it
    fill(42, 45, 63, 68, 1);  // and a speck beside it
    const auto answer = scene.tracker.add_prompt(1, 0, prompt);
    return answer.objects[0].output->mask_logits;
  };
  const auto raw = stored(0, 0);
  const auto filled = stored(4, 0);
  const auto swept = stored(0, 4);
  EXPECT_GT((filled > 0).sum().item<int>(), (raw > 0).sum().item<int>());
  EXPECT_LT((swept > 0).sum().item<int>(), (raw > 0).sum().item<int>());
  EXPECT_TRUE(same(filled.masked_select(raw > 0), raw.masked_select(raw > 0)));
}

}  // namespace
}  // namespace vostrack::tracker::test
