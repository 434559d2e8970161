/// Which sound goes with a video.
///
///   options.sound = {.path = "clip.mp4", .start_s = frames->pts_s(first)};
#pragma once

#include <limits>
#include <string>

namespace vostrack::video {

struct SoundSource {
  /// A file with sound, usually the one that the pictures came from.
  std::string path;
  /// What is 0 s in the new video, in seconds of the source's own timestamps. A video whose frames
  /// keep their source's times wants 0.
  double start_s = 0;
  /// Where the sound ends, on the same clock. It never goes on after the video's last frame.
  double end_s = std::numeric_limits<double>::infinity();

  /// @throws Error kInvalidArgument naming field, value and rule
  void validate() const;
};

}  // namespace vostrack::video
