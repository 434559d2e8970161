/// Scores of tracked sequences.
///
///   const MaskSequence truth(annotations, ObjectRule::kAuto);
///   const MaskSequence result(folder, truth.rule());
///   SequenceScore score = score_sequence("bear", truth, result, Protocol());
///   TotalScore total = total_score({score});
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "eval/appearances.hpp"
#include "eval/mask_sequence.hpp"
#include "eval/measures.hpp"
#include "eval/statistics.hpp"

namespace vostrack::eval {

/// Which frames count. The defaults are the semi-supervised protocol of DAVIS.
struct Protocol {
  /// Scores the frame on which an object is marked, too.
  bool score_first = false;
  /// Scores the last annotated frame of an object, too.
  bool score_last = false;
  LateObjects late = LateObjects::kIgnored;
  /// Share of the diagonal by which contours may be off.
  double boundary_tolerance = kBoundaryTolerance;
};

struct ObjectScore {
  int object = 0;
  std::string prompted;  ///< frame on which it is marked
  std::vector<std::string> frames;
  std::vector<double> j;  ///< a value for each of the frames
  std::vector<double> f;
  Statistics region;    ///< of j
  Statistics boundary;  ///< of f

  double jf() const { return (region.mean + boundary.mean) / 2; }
};

struct SequenceScore {
  std::string name;
  std::vector<ObjectScore> objects;
  std::vector<int> unscored;  ///< objects of which no frame counts
  Statistics region;          ///< means over the objects
  Statistics boundary;

  double jf() const { return (region.mean + boundary.mean) / 2; }
};

/// Means over all objects of all sequences, as DAVIS-2017 and SA-V have it; over all sequences, it
/// is the same where each has one object.
struct TotalScore {
  std::size_t sequences = 0;
  std::size_t objects = 0;
  std::size_t frames = 0;  ///< scored frames, each once per object
  Statistics region;
  Statistics boundary;
  double sequence_jf = 0;  ///< mean over the sequences' J&F

  double jf() const { return (region.mean + boundary.mean) / 2; }
};

/// Compares results with annotations. Frames before an object's marking are never scored; those
/// without annotation need no result.
///
/// @throws Error kNotFound, kCorruptFile naming the file that is missing, has another size or
///   holds label 255 where objects are kept apart; kCorruptFile when no frame at all counts
SequenceScore score_sequence(const std::string& name, const MaskSequence& truth,
                             const MaskSequence& result, const Protocol& protocol);

/// @throws Error kInvalidArgument without sequences
TotalScore total_score(std::span<const SequenceScore> sequences);

}  // namespace vostrack::eval
