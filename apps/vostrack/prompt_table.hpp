/// Prompts, checked against a video.
///
///   PromptTable table = resolve_prompts(arguments, *source);
///   for (auto& [key, prompt] : table) session.add_prompt(key.object, key.frame, prompt);
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <tuple>

#include "apps/vostrack/prompts.hpp"
#include "vostrack/frame_source.hpp"

namespace vostrack::cli {

struct PromptKey {
  ObjectId object = 0;
  std::int64_t frame = 0;
  friend bool operator<(const PromptKey& a, const PromptKey& b) {
    return std::tie(a.object, a.frame) < std::tie(b.object, b.frame);
  }
};

/// What to tell a session, one prompt per object and frame.
using PromptTable = std::map<PromptKey, Prompt>;

/// What prompts are checked against.
struct PromptedVideo {
  int height = 0;
  int width = 0;
  /// The number of a frame, or an error for one that is not there.
  std::function<std::int64_t(const FrameReference&)> frame;
};

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
PromptTable resolve_prompts(const PromptArguments& arguments, const PromptedVideo& video);
PromptTable resolve_prompts(const PromptArguments& arguments, const FrameSource& source);

}  // namespace vostrack::cli
