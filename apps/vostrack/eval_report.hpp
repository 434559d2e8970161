/// What `vostrack eval` tells: a table, JSON and CSV.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/vostrack/json_file.hpp"
#include "eval/score.hpp"
#include "vostrack/speed.hpp"

namespace vostrack::cli {

/// How the masks were made, when it was us.
struct EvalRun {
  std::string model_path;
  std::string model_name;
  int image_size = 0;
  std::string device;
  std::string precision;
  std::string prompt;  ///< mask, box, point or points3
  SpeedOptions speed;
};

struct EvalSequence {
  eval::SequenceScore score;
  std::int64_t tracked_frames = 0;  ///< 0 for results that were there
  double seconds = 0;
  SpeedReport speed;
};

struct EvalReport {
  std::string dataset;
  std::string root;
  std::string results;  ///< folder with the masks
  std::optional<EvalRun> run;
  eval::Protocol protocol;
  bool complete = true;  ///< false when it was interrupted
  std::vector<EvalSequence> sequences;

  eval::TotalScore total() const;
  /// Tracked frames per second of work, summed over sequences; 0 without tracking.
  double frames_per_second() const;
};

/// Quoted where it has to be.
///
/// Source: RFC 4180
std::string csv_field(const std::string& text);

/// In percent; a line an object where any sequence has several.
std::string table_text(const EvalReport& report);

/// Scores as fractions; per frame too.
Json report_json(const EvalReport& report);

/// A line an object, as fractions, and a last line for all of them.
std::string report_csv(const EvalReport& report);

}  // namespace vostrack::cli
