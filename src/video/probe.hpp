/// What a video file holds, by looking at all of it.
///
///   ProbeReport report = probe("clip.mp4");
///   report.frame_times_s.size();       // how many frames there truly are
///   for (const std::string& words : report.suspicions) warn(words);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "video/decoder.hpp"
#include "video/edit_list.hpp"

namespace vostrack::video {

/// One stream of the container, as the container describes it.
struct StreamReport {
  std::string type;  ///< video, audio, subtitle, data, attachment
  std::string codec;
  bool read = false;  ///< whether this is the stream that the frames come from
};

/// The times from one frame to the next. All zero for a single frame.
struct RateReport {
  double min_gap_s = 0;
  double median_gap_s = 0;
  double max_gap_s = 0;
  double mean_fps = 0;
  /// Whether the gaps are equal but for the rounding of the stream's time base.
  bool constant = true;
};

/// Colour, in FFmpeg's names; "unknown" where the file does not say.
struct ColourReport {
  std::string matrix;
  std::string range;
  std::string transfer;
  std::string primaries;
  int bit_depth = 0;
  bool hdr = false;  ///< a transfer of PQ or HLG
};

struct ProbeReport {
  std::string path;
  std::string container;  ///< FFmpeg's names of the format, such as "mov,mp4,m4a,3gp,3g2,mj2"
  std::int64_t file_bytes = 0;
  std::vector<StreamReport> streams;

  std::string codec;
  std::string pixel_format;
  /// As stored, and as it is meant to be seen.
  int stored_height = 0;
  int stored_width = 0;
  int height = 0;
  int width = 0;
  /// Stored pictures are to be mirrored left to right if so stated, then turned clockwise by 0, 90,
  /// 180 or 270 degrees.
  bool mirrored = false;
  int rotation_deg = 0;
  /// Width to height of a stored pixel; 1:1 where the file does not say. Pictures are not stretched
  /// by it.
  int pixel_aspect_x = 1;
  int pixel_aspect_y = 1;
  ColourReport colour;
  bool interlaced = false;

  /// Of MP4 and QuickTime, as stated.
  std::vector<Edit> edits;

  std::optional<std::int64_t> stated_frames;
  std::optional<double> stated_duration_s;
  /// When each decoded frame is to be shown, in that order.
  std::vector<double> frame_times_s;
  /// From the first frame to the end of the last, which is shown as long as the median one.
  double duration_s = 0;
  RateReport rate;

  /// What may surprise who uses the file, a sentence each, without a full stop; empty for a file
  /// as it should be.
  std::vector<std::string> suspicions;
};

/// Decodes the whole file and reports. Takes the time that decoding takes, and memory for one
/// number per frame.
///
/// @throws Error as open_file
ProbeReport probe(const std::string& path, const DecodeOptions& options = {});

/// Minimum, median and maximum of the gaps between ascending times.
///
/// @param tick_s  the unit in which the container keeps its times
RateReport rate_of(const std::vector<double>& times_s, double tick_s);

}  // namespace vostrack::video
