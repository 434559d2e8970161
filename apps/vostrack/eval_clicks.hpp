/// How well pictures' objects are found from clicks and boxes that their masks give.
///
///   for (const std::string& name : names) objects.push_back(click_through(segmenter, picture,
///   ...));
#pragma once

#include <string>
#include <vector>

#include "apps/vostrack/eval_report.hpp"
#include "vostrack/image.hpp"

namespace vostrack::cli {

/// A mask's agreement with the truth, and its share that lies on other objects.
struct PromptScore {
  double iou = 0;
  double leakage = 0;
};

struct ClickedObject {
  std::string picture;
  std::string source;  ///< the picture's name up to the first _
  int label = 0;
  double share = 0;                 ///< of the picture
  PromptScore box;                  ///< a tight box
  PromptScore best_of_three;        ///< after one click, of the proposals that which fits best
  std::vector<PromptScore> clicks;  ///< after 1, 2, … of them
};

struct ClickReport {
  std::string root;
  EvalRun run;
  double smallest = 0;  ///< share of the picture that objects have at least
  bool complete = true;
  std::size_t pictures = 0;
  double seconds = 0;
  std::vector<ClickedObject> objects;
};

/// Asks for every label of the picture that has enough pixels. The first click is on the mask's
/// innermost pixel, the best of three proposals by the network's own estimate counts; each further
/// one is in the middle of the largest error, and the last answer is refined.
///
/// @param clicks    how many, at least 1
/// @param merged    all labels, 255 too, are one object
/// @param smallest  share of the picture
/// @throws Error as read_label_png, read_picture; kCorruptFile for a mask of another size
std::vector<ClickedObject> click_through(ImageSegmenter& segmenter, const std::string& picture,
                                         const std::string& mask, bool merged, int clicks,
                                         double smallest);

/// Means in percent: a line a source, and one for all objects.
std::string table_text(const ClickReport& report);
Json report_json(const ClickReport& report);
/// A line an object.
std::string report_csv(const ClickReport& report);

}  // namespace vostrack::cli
