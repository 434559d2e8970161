/// Prompts as people type them.
///
///   PromptArguments arguments = parse_prompts({{"1:320,240", "1:10,20:0@1.5s"}, {}, {}, {}});
///   PromptTable table = resolve_prompts(arguments, *source);     // prompt_table.hpp
///
/// The texts are `[ID:]x,y[:label][@frame]` for clicks, `[ID:]x0,y0,x1,y1[@frame]` for boxes,
/// `[ID:]file[@frame]` for masks. ID is 1 to 255 (1 when left out), label 1 on the object (when
/// left out) or 0 beside it, frame a number from 0 (when left out) or a time such as 1.5s.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vostrack/types.hpp"

namespace vostrack::cli {

/// The largest id that an indexed PNG can hold.
inline constexpr ObjectId kMaxObjectId = 255;

/// A frame by its number, or by its time from the first frame.
struct FrameReference {
  std::int64_t index = 0;
  std::optional<double> seconds;
};

struct ClickArgument {
  std::string text;  ///< as typed, or where it stands, for messages
  ObjectId object = 1;
  FrameReference frame;
  Click click;
};

struct BoxArgument {
  std::string text;
  ObjectId object = 1;
  FrameReference frame;
  Box box;
};

struct MaskArgument {
  std::string text;
  ObjectId object = 1;
  FrameReference frame;
  std::string path;
  bool labels = false;  ///< every label of an indexed picture is an object of its own
};

struct PromptTexts {
  std::vector<std::string> clicks;
  std::vector<std::string> boxes;
  std::vector<std::string> masks;
  std::vector<std::string> label_masks;
};

struct PromptArguments {
  std::vector<ClickArgument> clicks;
  std::vector<BoxArgument> boxes;
  std::vector<MaskArgument> masks;

  bool empty() const noexcept { return clicks.empty() && boxes.empty() && masks.empty(); }
  /// Appends another's.
  void add(PromptArguments more);
};

/// An object's number, 1 to 255. @throws UsageError
ObjectId parse_object_id(std::string_view text);
/// @throws UsageError
FrameReference parse_frame(std::string_view text);
/// `x,y[:label]`, as a click on a picture. @throws UsageError
Click parse_click(std::string_view text);
/// `x0,y0,x1,y1`. @throws UsageError, also for an empty box
Box parse_box(std::string_view text);

/// @throws UsageError with everything that is wrong with any of them
PromptArguments parse_prompts(const PromptTexts& texts);

}  // namespace vostrack::cli
