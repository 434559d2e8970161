/// The report as one HTML file that needs no other.
#pragma once

#include <string>
#include <vector>

#include "apps/vostrack/eval_report.hpp"
#include "vostrack/types.hpp"

namespace vostrack::cli {

/// A frame on which an object was followed badly.
struct WorstFrame {
  std::string sequence;
  std::string frame;
  int object = 0;
  double j = 0;
  double f = 0;
};

/// The frame with the least J&F of each sequence, the worst sequences first.
std::vector<WorstFrame> worst_frames(const EvalReport& report, std::size_t count);

/// Right pixels green, missed ones blue, wrong ones orange, over a picture of the masks' size.
void draw_errors(Image& image, const Mask& predicted, const Mask& truth);

/// A picture of a worst frame as a file's bytes.
struct WorstPicture {
  WorstFrame frame;
  std::string jpeg;
};

/// A bar and a curve of J over time for each sequence, and the worst frames.
std::string report_page(const EvalReport& report, const std::vector<WorstPicture>& pictures);

/// Source: RFC 4648, section 4.
std::string base64(const std::string& bytes);

}  // namespace vostrack::cli
