/// Everything that is written and counted about one tracked video.
///
///   TrackResults results(std::move(writers), prompts, read_picture);
///   session.propagate(range, [&](const FrameResult& frame) { results.write(record_of(frame)); ...
///   results.flush();
///   results.finish();
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/vostrack/frame_record.hpp"
#include "apps/vostrack/prompt_table.hpp"
#include "apps/vostrack/result_writer.hpp"
#include "apps/vostrack/task_queue.hpp"

namespace vostrack::cli {

/// What became of one object.
struct ObjectSummary {
  std::int64_t frames = 0;
  std::array<std::int64_t, 3> frames_by_presence{};
  double score_sum = 0;  ///< over visible frames
  std::int64_t area_sum = 0;
  std::int64_t first_seen = 0, last_seen = 0;
  double first_seen_s = 0, last_seen_s = 0;

  std::int64_t frames_with(Presence presence) const {
    return frames_by_presence[static_cast<std::size_t>(presence)];
  }
  std::int64_t visible_frames() const { return frames_with(Presence::kVisible); }
  double mean_score() const { return visible_frames() ? score_sum / double(visible_frames()) : 0; }
  double mean_area() const {
    return visible_frames() ? double(area_sum) / double(visible_frames()) : 0;
  }
};

/// Hands frames to all writers, on a thread of its own, so that tracking goes on meanwhile.
///
/// Thread safety: one thread at a time.
class TrackResults {
 public:
  using ReadPicture = std::function<Image(const FrameRecord&)>;
  /// Frames that wait for the writers at most.
  static constexpr std::size_t kWaitingFrames = 4;

  /// @param read  gives a frame's picture, to the writers that need it, on their thread; not asked
  ///   for pictures that are given to write()
  /// @param prompts  are drawn on their frames
  TrackResults(std::vector<std::unique_ptr<ResultWriter>> writers, const PromptTable& prompts,
               ReadPicture read)
      : writers_(std::move(writers)), prompts_(prompts), read_(std::move(read)) {}

  /// Draws one more prompt on its frame, which is yet to be written.
  ///
  /// @throws Error as write()
  void draw(const PromptKey& key, Prompt prompt);
  /// Keeps a frame until finish() or write_kept(), for those that come in falling order.
  void keep(FrameRecord record);
  /// Writes the kept frames in rising order; one that is at or after `until` is forgotten.
  void write_kept(std::optional<std::int64_t> until = std::nullopt);
  /// Has a frame written that comes after all earlier ones; waits while several are to be written.
  ///
  /// @throws Error kIo when writing an earlier frame failed; no more is written then
  void write(FrameRecord record, std::optional<Image> picture = std::nullopt);
  /// Waits until all is written.
  ///
  /// @throws Error kIo when that failed, unless write() has
  void flush() { tasks_.finish(); }
  /// Writes what was kept and completes the files.
  void finish();

  /// Written frames; after flush(), as the next ones.
  std::int64_t frames() const noexcept { return frames_; }
  const std::map<ObjectId, ObjectSummary>& objects() const noexcept { return objects_; }
  /// Files and folders that hold results now.
  const std::vector<std::string>& files() const noexcept { return files_; }

 private:
  void write_now(const FrameRecord& record, std::optional<Image>& picture);
  void count(const FrameRecord& record);

  std::vector<std::unique_ptr<ResultWriter>> writers_;
  PromptTable prompts_;
  ReadPicture read_;
  std::map<std::int64_t, FrameRecord> kept_;
  std::int64_t frames_ = 0;
  std::map<ObjectId, ObjectSummary> objects_;
  std::vector<std::string> files_;
  TaskQueue tasks_{kWaitingFrames};  ///< last: its tasks use everything above
};

/// What a progress bar says about a frame's objects: each one's presence, or how many there are of
/// each where there are many.
std::string presence_text(const FrameRecord& record);

}  // namespace vostrack::cli
