#include "video/text.hpp"

#include <fmt/format.h>
#include <ft2build.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <opencv2/imgproc.hpp>
#include <sstream>
#include FT_FREETYPE_H

#include "base/handle.hpp"
#include "video/utf8.hpp"

namespace vostrack::video {
namespace {

constexpr std::size_t kMaxCharacters = 200;
/// Of the Hershey font at scale 1, and of an em of most TrueType fonts.
constexpr double kCapitalPixels = 21, kCapitalsPerEm = 0.73;

using FaceHandle = std::unique_ptr<FT_FaceRec_, CDeleter<FT_Done_Face>>;

/// Fonts for text in general, of Debian, Fedora, Arch and macOS, scripts of many letters last.
constexpr const char* kUsualFonts[] = {
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
    "/usr/share/fonts/TTF/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/unifont/unifont.ttf",
    "/System/Library/Fonts/Supplemental/Arial Unicode.ttf",
};

/// The machine's fonts, opened once. A face may be used by one thread at a time, hence the lock.
class Fonts {
 public:
  static Fonts& instance() {
    static auto* fonts = new Fonts;  // never destroyed: a thread may draw while the program ends
    return *fonts;
  }

  std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }

  /// The first font that has the character, else nullptr. Only under the lock.
  FT_Face face_with(char32_t character) const {
    for (const FaceHandle& face : faces_)
      if (FT_Get_Char_Index(face.get(), character) != 0) return face.get();
    return nullptr;
  }

 private:
  Fonts() {
    if (FT_Init_FreeType(&library_) != 0) return;
    if (const char* named = std::getenv("VOSTRACK_FONTS")) {
      std::istringstream paths(named);
      for (std::string path; std::getline(paths, path, ':');) open(path.c_str());
    }
    for (const char* path : kUsualFonts) open(path);
  }

  void open(const char* path) {
    FT_Face face = nullptr;
    if (FT_New_Face(library_, path, 0, &face) == 0) faces_.emplace_back(face);
  }

  std::mutex mutex_;
  FT_Library library_ = nullptr;
  std::vector<FaceHandle> faces_;
};

bool is_ascii(const std::u32string& characters) {
  return std::all_of(characters.begin(), characters.end(), [](char32_t c) { return c < 0x80; });
}

/// What can be shown of a text.
std::u32string displayable(const std::string& text) {
  std::u32string shown;
  for (char32_t c : code_points(text)) {
    if (shown.size() >= kMaxCharacters) break;
    if (c < 0x20 || c == 0x7F)
      shown += U' ';
    else if (c < 0x80 || have_letter(c))
      shown += c;
    else
      for (char digit : fmt::format("U+{:04X}", static_cast<std::uint32_t>(c)))
        shown += static_cast<char32_t>(digit);
  }
  return shown;
}

}  // namespace

bool have_letter(char32_t character) {
  Fonts& fonts = Fonts::instance();
  const auto lock = fonts.lock();
  return fonts.face_with(character) != nullptr;
}

TextLine::TextLine(const std::string& text, double size, int weight)
    : size_(size), weight_(weight) {
  const std::u32string shown = displayable(text);
  if (!is_ascii(shown)) {
    render(shown,
           std::max(6, static_cast<int>(std::lround(size * kCapitalPixels / kCapitalsPerEm))));
    return;
  }
  ascii_.assign(shown.begin(), shown.end());
  const cv::Size extent = cv::getTextSize(ascii_, cv::FONT_HERSHEY_SIMPLEX, size, weight, nullptr);
  width_ = extent.width;
  height_ = extent.height;
}

void TextLine::render(const std::u32string& characters, int pixels) {
  Fonts& fonts = Fonts::instance();
  const auto lock = fonts.lock();
  for (char32_t c : characters) {
    FT_Face face = fonts.face_with(c);
    if (face == nullptr || FT_Set_Pixel_Sizes(face, 0, static_cast<FT_UInt>(pixels)) != 0 ||
        FT_Load_Char(face, c, FT_LOAD_RENDER) != 0)
      continue;
    const FT_GlyphSlot slot = face->glyph;
    const FT_Bitmap& bitmap = slot->bitmap;
    if (bitmap.rows > 0 && bitmap.width > 0 && bitmap.pixel_mode == FT_PIXEL_MODE_GRAY &&
        bitmap.pitch > 0) {
      const cv::Mat coverage(static_cast<int>(bitmap.rows), static_cast<int>(bitmap.width), CV_8U,
                             bitmap.buffer, static_cast<std::size_t>(bitmap.pitch));
      letters_.push_back({coverage.clone(), {width_ + slot->bitmap_left, -slot->bitmap_top}});
      height_ = std::max(height_, slot->bitmap_top);
    }
    width_ += static_cast<int>(slot->advance.x >> 6);
  }
}

void TextLine::draw(cv::Mat& picture, cv::Point start, const cv::Scalar& colour) const {
  if (!ascii_.empty()) {
    cv::putText(picture, ascii_, start, cv::FONT_HERSHEY_SIMPLEX, size_, colour, weight_,
                cv::LINE_AA);
    return;
  }
  const cv::Rect whole(0, 0, picture.cols, picture.rows);
  for (const Letter& letter : letters_) {
    const cv::Rect place(start + letter.place, letter.coverage.size());
    const cv::Rect seen = place & whole;
    for (int y = seen.y; y < seen.y + seen.height; ++y)
      for (int x = seen.x; x < seen.x + seen.width; ++x) {
        const double share = letter.coverage.at<std::uint8_t>(y - place.y, x - place.x) / 255.0;
        auto& pixel = picture.at<cv::Vec3b>(y, x);
        for (int c = 0; c < 3; ++c)
          pixel[c] = cv::saturate_cast<std::uint8_t>(share * colour[c] + (1 - share) * pixel[c]);
      }
  }
}

}  // namespace vostrack::video
