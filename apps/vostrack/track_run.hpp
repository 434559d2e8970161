/// The frames of one video, in the order in which they are tracked: backward from the range's
/// origin, if that is wanted, then forward from it.
///
///   TrackRun run(session, range, results, progress);
///   run.replay(records);           // of an interrupted run
///   run.track();
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "apps/vostrack/progress.hpp"
#include "apps/vostrack/track_journal.hpp"
#include "apps/vostrack/track_range.hpp"
#include "apps/vostrack/track_results.hpp"
#include "vostrack/session.hpp"

namespace vostrack::cli {

class TrackRun {
 public:
  TrackRun(VideoSession& session, const TrackRange& range, TrackResults& results,
           Progress& progress)
      : session_(session), range_(range), results_(results), progress_(progress) {}

  /// From now on, frames go to the journal, and the session to the file now and then.
  void save_to(const std::string& session_path, TrackJournal& journal);
  /// Takes frames as if they had just been tracked.
  void replay(const std::vector<FrameRecord>& records);
  /// Tracks the rest, unless it is interrupted.
  ///
  /// @throws Error as VideoSession::propagate, and kIo
  void track();
  /// Saves the session, if it is to be saved.
  ///
  /// @throws Error kIo
  void save();

 private:
  using Clock = std::chrono::steady_clock;

  /// Frames that come backward, the origin among them.
  std::int64_t backward_frames() const {
    return range_.origin > range_.first ? range_.origin - range_.first + 1 : 0;
  }
  bool track_backward();
  bool track_forward();
  void take(FrameRecord record);
  /// Keeps a frame and saves if it is time; false after an interrupt.
  bool accept(const FrameResult& frame);

  VideoSession& session_;
  TrackRange range_;
  TrackResults& results_;
  Progress& progress_;
  std::int64_t done_ = 0;  ///< frames, in the order in which they are tracked
  std::string session_path_;
  TrackJournal* journal_ = nullptr;
  Clock::time_point saved_at_ = Clock::now();
  Clock::duration saving_took_{};
};

}  // namespace vostrack::cli
