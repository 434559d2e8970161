/// One line of text on a picture.
///
///   TextLine line("Žižka 0.93", 0.5, 1);
///   line.draw(picture, {x, y}, white);       // y is where letters like x stand
#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <vector>

namespace vostrack::video {

/// Text in UTF-8, measured and ready to be drawn.
///
/// ASCII has the strokes of OpenCV's FONT_HERSHEY_SIMPLEX, so it looks alike on every machine. Any
/// other text takes TrueType fonts of the machine: those that the environment variable
/// VOSTRACK_FONTS names (paths separated by colons), then DejaVu, Noto and others where systems
/// keep them. A character that none of them has is shown by its number, such as U+4E2D. Letters
/// stand side by side from left to right: scripts that join or reorder letters are not shaped.
class TextLine {
 public:
  /// @param text    control characters become spaces; what is beyond 200 characters is cut off
  /// @param size    OpenCV's font scale: capitals are 21 pixels high at 1
  /// @param weight  thickness of ASCII's strokes in pixels
  TextLine(const std::string& text, double size, int weight);

  int width() const noexcept { return width_; }
  int height() const noexcept { return height_; }  ///< above the line that letters stand on

  /// Draws it from the left end of the line that letters stand on; what sticks out is cut off.
  void draw(cv::Mat& picture, cv::Point start, const cv::Scalar& colour) const;

 private:
  /// A letter of a TrueType font: how much of each pixel it covers.
  struct Letter {
    cv::Mat coverage;
    cv::Point place;  ///< of its upper left corner from the start of the line
  };

  void render(const std::u32string& characters, int pixels);

  std::string ascii_;            ///< all of the text, or
  std::vector<Letter> letters_;  ///< all of it
  double size_;
  int weight_;
  int width_ = 0;
  int height_ = 0;
};

/// Whether fonts of this machine have the character.
bool have_letter(char32_t character);

}  // namespace vostrack::video
