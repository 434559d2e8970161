/// What an interrupted run leaves behind to go on from: the frames that are done, in the order in
/// which they were tracked, and how many of them the saved session knows.
///
///   TrackJournal journal(path, run);             // or TrackJournal::resume(path, run, records)
///   journal.add(record);                         // each frame
///   session.save(...);
///   journal.mark();                              // now and then
///
/// The file holds JSON lines: {"run": ...}, frames as in results.jsonl, and {"saved": NUMBER}. What
/// follows the last of these is forgotten on resuming: it is tracked again, with the same result.
#pragma once

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "apps/vostrack/frame_record.hpp"
#include "apps/vostrack/json_file.hpp"

namespace vostrack::cli {

class TrackJournal {
 public:
  /// Starts one, in place of an earlier.
  ///
  /// @param run  what must be the same for going on to make sense
  /// @throws Error kIo
  TrackJournal(const std::string& path, const Json& run);

  /// Goes on with an earlier one.
  ///
  /// @param records  gets the frames that the saved session knows
  /// @return nothing when there is none, or none to go on from
  /// @throws Error kInvalidArgument when it is of another run, naming what differs; kIo
  static std::optional<TrackJournal> resume(const std::string& path, const Json& run,
                                            std::vector<FrameRecord>& records);

  /// @throws Error kIo
  void add(const FrameRecord& record);
  /// Notes that the saved session knows all frames so far.
  ///
  /// @throws Error kIo
  void mark();

 private:
  TrackJournal(const std::string& path, std::int64_t frames);
  void write(const Json& json);

  std::string path_;
  std::ofstream file_;
  std::int64_t frames_ = 0;
};

}  // namespace vostrack::cli
