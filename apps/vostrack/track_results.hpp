/// Everything that `vostrack track` writes.
///
///   TrackResults results(folder, options, std::move(pictures));
///   session.propagate(range, [&](const FrameResult& frame) { results.add(record_of(frame)); ...
///   }); results.finish();
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/vostrack/frame_record.hpp"
#include "apps/vostrack/output_folder.hpp"
#include "apps/vostrack/prompts.hpp"
#include "vostrack/frame_source.hpp"

namespace vostrack::cli {

struct TrackResultOptions {
  bool masks = true;
  bool overlay = true;
  int contact_columns = 4;
  std::int64_t first = 0;  ///< frames that will be tracked, both ends included
  std::int64_t last = 0;
};

/// What became of one object.
struct ObjectSummary {
  std::int64_t frames = 0;
  std::int64_t visible_frames = 0;
  double score_sum = 0;  ///< over visible frames
  std::int64_t area_sum = 0;
  std::int64_t first_seen = 0, last_seen = 0;
  double first_seen_s = 0, last_seen_s = 0;

  double mean_score() const { return visible_frames ? score_sum / double(visible_frames) : 0; }
  double mean_area() const {
    return visible_frames ? double(area_sum) / double(visible_frames) : 0;
  }
};

/// The frames that a contact sheet shows: at most `tiles`, evenly spread, both ends included.
std::vector<std::int64_t> spread_frames(std::int64_t first, std::int64_t last, int tiles);

/// Writes masks, overlay video and contact sheet as the frames come.
///
/// Thread safety: one thread at a time.
class TrackResults {
 public:
  /// @param pictures  the video once more: the session reads its own source as it needs
  /// @param prompts  are drawn on their frames
  TrackResults(OutputFolder folder, TrackResultOptions options,
               std::unique_ptr<FrameSource> pictures, const PromptTable& prompts);
  ~TrackResults();

  /// Keeps a frame until finish() or write_kept(), for those that come in falling order.
  void keep(FrameRecord record);
  /// Writes the kept frames in rising order; one that is at or after `until` is forgotten.
  void write_kept(std::optional<std::int64_t> until = std::nullopt);
  /// Writes a frame that comes after all written ones.
  void write(const FrameRecord& record);
  /// Writes what was kept and completes the files.
  void finish();

  std::int64_t frames() const noexcept { return frames_; }
  const std::map<ObjectId, ObjectSummary>& objects() const noexcept { return objects_; }
  /// Files and folders that hold results now.
  const std::vector<std::string>& files() const noexcept { return files_; }

 private:
  struct Drawing;
  void count(const FrameRecord& record);

  OutputFolder folder_;
  TrackResultOptions options_;
  std::map<std::int64_t, FrameRecord> kept_;
  std::int64_t frames_ = 0;
  std::map<ObjectId, ObjectSummary> objects_;
  std::vector<std::string> files_;
  std::unique_ptr<Drawing> drawing_;
};

}  // namespace vostrack::cli
