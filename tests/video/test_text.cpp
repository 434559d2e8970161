#include <gtest/gtest.h>

#include "video/contact_sheet.hpp"
#include "video/drawing.hpp"
#include "video/test_clips.hpp"
#include "video/text.hpp"
#include "video/utf8.hpp"

namespace vostrack::video {
namespace {

/// A line in white on black.
cv::Mat drawn(const std::string& text, double size = 1) {
  cv::Mat picture(80, 600, CV_8UC3, cv::Scalar::all(0));
  TextLine(text, size, 1).draw(picture, {10, 50}, cv::Scalar::all(255));
  return picture;
}

bool same(const cv::Mat& a, const cv::Mat& b) {
  return cv::norm(a, b, cv::NORM_INF) == 0;
}

double brightness(const cv::Mat& picture) {
  return cv::sum(picture)[0];
}

TEST(Utf8, GoesToCharactersAndBack) {
  const std::string text = "aé中😀";
  const std::u32string characters = code_points(text);
  EXPECT_EQ(characters, (std::u32string{U'a', 0xE9, 0x4E2D, 0x1F600}));
  std::string back;
  for (char32_t c : characters) back += utf8(c);
  EXPECT_EQ(back, text);
  // Bytes that are no character: alone, cut short, longer than need be, half of a pair.
  EXPECT_EQ(code_points("\x80z"), (std::u32string{0xFFFD, U'z'}));
  EXPECT_EQ(code_points("\xe4\xb8"), (std::u32string{0xFFFD, 0xFFFD}));
  EXPECT_EQ(code_points("\xc0\xaf"), (std::u32string{0xFFFD, 0xFFFD}));
  EXPECT_EQ(code_points("\xed\xa0\x80"), std::u32string(3, 0xFFFD));
  EXPECT_EQ(utf8(0xD800), utf8(0xFFFD));
}

TEST(TextLine, ShowsLettersBeyondAsciiAsThemselves) {
  if (!have_letter(U'Ž')) GTEST_SKIP() << "no font here";
  const TextLine line("Žižka: собака", 1, 1);
  EXPECT_GT(line.width(), 150);
  // Capitals are about as high as those of ASCII, the caron sits above.
  EXPECT_NEAR(line.height(), 26, 4);
  EXPECT_FALSE(same(drawn("собака"), drawn("??????")));
  EXPECT_FALSE(same(drawn("собака"), drawn("собаки")));
  EXPECT_GT(brightness(drawn("собака")), 50000);
  EXPECT_GT(TextLine("собака собака", 1, 1).width(), 2 * TextLine("собака", 1, 1).width());
  EXPECT_NEAR(TextLine("собака", 2, 1).width(), 2 * TextLine("собака", 1, 1).width(), 10);
}

TEST(TextLine, ShowsTheNumberOfALetterThatNoFontHas) {
  constexpr char32_t kPrivate = 0x10FFFD;
  ASSERT_FALSE(have_letter(kPrivate));
  EXPECT_TRUE(same(drawn(std::string("a").append(utf8(kPrivate))), drawn("aU+10FFFD")));
}

TEST(TextLine, BearsAnyText) {
  EXPECT_TRUE(same(drawn("a\nb\x7f"), drawn("a b ")));
  EXPECT_EQ(brightness(drawn("")), 0);
  TextLine(std::string(100000, 'x'), 1, 1);
  std::string odd;
  for (int i = 0; i < 256; ++i) odd += static_cast<char>(i);
  cv::Mat small(4, 4, CV_8UC3, cv::Scalar::all(0));
  TextLine(odd, 1, 1).draw(small, {-100, 3}, cv::Scalar::all(255));
  TextLine("Žižka", 3, 1).draw(small, {30000, -30000}, cv::Scalar::all(255));
}

TEST(DrawLabel, HoldsTextBeyondAsciiOnItsPlate) {
  if (!have_letter(U'Ž')) GTEST_SKIP() << "no font here";
  Image image = test::plain(480, 640, 50, 50, 50);
  draw_label(image, 10, 400, "Žižka", {250, 240, 10});
  int dark = 0, outside = 0;
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      const std::uint8_t* pixel = image.rgb.data() + 3 * (y * image.width + x);
      if (pixel[0] < 40) (y < 400 && x >= 10 ? dark : outside)++;
    }
  EXPECT_GT(dark, 20);
  EXPECT_EQ(outside, 0);
}

TEST(ContactSheet, ShortensCaptionsByWholeCharacters) {
  if (!have_letter(U'Ž')) GTEST_SKIP() << "no font here";
  std::string caption;
  for (int i = 0; i < 150; ++i) caption += "Ž";
  const CaptionedImage picture{test::plain(50, 100, 0, 0, 0), caption};
  const Image sheet = contact_sheet({&picture, 1}, 1, 100);
  int beyond = 0;
  for (int y = 56; y < sheet.height; ++y)
    for (int x = 106; x < sheet.width; ++x) beyond += sheet.rgb[3 * (y * sheet.width + x)] > 120;
  EXPECT_EQ(beyond, 0);
}

}  // namespace
}  // namespace vostrack::video
