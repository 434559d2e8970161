/// Which parts of its media an MP4 or QuickTime file shows, and when.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vostrack::video {

/// One line of an edit list.
struct Edit {
  double duration_s = 0;
  /// Where in the stored media it begins; nothing for a pause that shows nothing.
  std::optional<double> media_start_s;
  double rate = 1;  ///< 0: one picture stands still
};

/// The edit list of a track as the file states it, read from its boxes; what FFmpeg makes of it
/// shows in the frames. Empty without one, and for files that are damaged or no MP4.
///
/// Source: ISO/IEC 14496-12, 8.6.6
std::vector<Edit> edit_list_of(const std::string& path, std::int64_t track_id);

}  // namespace vostrack::video
