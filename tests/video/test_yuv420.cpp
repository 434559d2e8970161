#include <gtest/gtest.h>

#include <random>

#include "video/yuv420_rows.hpp"

namespace vostrack::video {
namespace {

TEST(Yuv420, GivesTheSameBytesWithAndWithoutWideInstructions) {
  if (!have_avx2()) GTEST_SKIP() << "this processor has no AVX2";
  std::mt19937 random(4);
  for (const int width : {2, 16, 30, 32, 34, 64, 98, 130}) {
    const int half = width / 2;
    std::vector<std::uint8_t> luma(width);
    for (auto& y : luma)
      y = static_cast<std::uint8_t>(random() % 3 == 0 ? 255 * (random() % 2) : random());
    std::array<std::array<std::vector<std::uint8_t>, 4>, 2> chroma;
    Yuv420Converter::Factors factors{4769, 7343, 873, 2183, 8652, 16};
    std::array<std::vector<std::uint8_t>, 2> results;
    for (auto& rows : chroma)
      for (auto& row : rows) {
        row.resize(half);
        for (auto& c : row)
          c = static_cast<std::uint8_t>(random() % 2 == 0 ? 255 * (random() % 2) : random());
      }
    for (const bool wide : {false, true}) {
      std::array<std::vector<std::int16_t>, 2> blended;
      for (auto& row : blended) row.resize(half + 2 * kChromaMargin);
      std::vector<std::uint8_t>& out = results[wide];
      out.resize(3 * static_cast<std::size_t>(width));
      Yuv420Row row{factors,
                    luma.data(),
                    {},
                    half,
                    {blended[0].data() + kChromaMargin, blended[1].data() + kChromaMargin},
                    out.data()};
      for (int c : {0, 1})
        for (int i = 0; i < 4; ++i) row.chroma[c][i] = chroma[c][i].data();
      wide ? convert_row_avx2(row) : convert_row_plainly(row);
    }
    EXPECT_EQ(results[0], results[1]) << "width " << width;
  }
}

}  // namespace
}  // namespace vostrack::video
