/// Prompts as people type them.
///
///   PromptArguments arguments = parse_prompts({{"1:320,240", "1:10,20:0@1.5s"}, {}, {}, {}});
///   PromptTable table = resolve_prompts(arguments, *source);
///   for (auto& [key, prompt] : table) session.add_prompt(key.object, key.frame, prompt);
///
/// The texts are `[ID:]x,y[:label][@frame]` for clicks, `[ID:]x0,y0,x1,y1[@frame]` for boxes,
/// `[ID:]file[@frame]` for masks. ID is 1 to 255 (1 when left out), label 1 on the object (when
/// left out) or 0 beside it, frame a number from 0 (when left out) or a time such as 1.5s.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "vostrack/frame_source.hpp"
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
  std::string text;  ///< as typed, for messages
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
};

struct PromptKey {
  ObjectId object = 0;
  std::int64_t frame = 0;
  friend bool operator<(const PromptKey& a, const PromptKey& b) {
    return std::tie(a.object, a.frame) < std::tie(b.object, b.frame);
  }
};

/// What to tell a session, one prompt per object and frame.
using PromptTable = std::map<PromptKey, Prompt>;

/// @throws UsageError
FrameReference parse_frame(std::string_view text);
/// `x,y[:label]`, as a click on a picture. @throws UsageError
Click parse_click(std::string_view text);
/// `x0,y0,x1,y1`. @throws UsageError, also for an empty box
Box parse_box(std::string_view text);

/// @throws UsageError with everything that is wrong with any of them, and when there is none
PromptArguments parse_prompts(const PromptTexts& texts);

/// The frame's number: for a time, the last frame that has been shown by then.
///
/// @throws Error kOutOfRange
std::int64_t resolve_frame(const FrameReference& frame, const FrameSource& source);

/// Puts the prompts of one object on one frame together, reading masks from their files. Decodes
/// no frame.
///
/// @throws Error kInvalidArgument with everything that is wrong with any of them: frames and
///   points outside the video, masks that cannot be read or have another size, several boxes or
///   masks of one object on one frame, a mask together with clicks or a box
PromptTable resolve_prompts(const PromptArguments& arguments, const FrameSource& source);

}  // namespace vostrack::cli
