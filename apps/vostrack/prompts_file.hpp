/// Prompts in a JSON file, for one video or for many; docs/formats.md has the format.
///
///   {"objects": [{"id": 1, "prompts": [
///     {"frame": 0, "clicks": [[320, 240], [10, 20, 0]]},
///     {"time": 1.5, "box": [100, 80, 220, 300]},
///     {"frame": 40, "mask": "later.png"}]}]}
///
/// or, for several videos, {"videos": [{"video": "a.mp4", "objects": [...]}, ...]}.
#pragma once

#include <string>
#include <vector>

#include "apps/vostrack/prompts.hpp"

namespace vostrack::cli {

struct PromptedClip {
  std::string path;  ///< of the video
  std::string name;  ///< of its results; empty: the video's
  PromptArguments prompts;
};

/// Either prompts or videos, the other is empty.
struct PromptsFile {
  PromptArguments prompts;
  std::vector<PromptedClip> videos;
};

/// Paths inside the file are relative to its folder.
///
/// @throws Error kNotFound, kIo; kInvalidArgument naming everything that is wrong and where,
///   unknown keys included
PromptsFile read_prompts_file(const std::string& path);

}  // namespace vostrack::cli
