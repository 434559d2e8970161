/// How well videos' objects are followed when somebody corrects them.
///
/// Source: N. Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024, appendix F.1:
/// offline, the worst frame of the whole video is corrected in each round, and the video tracked
/// again; online, the video is tracked once, and stopped at frames below a quality to correct them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/vostrack/json_file.hpp"
#include "eval/appearances.hpp"
#include "eval/dataset.hpp"
#include "eval/mask_sequence.hpp"
#include "vostrack/model.hpp"

namespace vostrack::cli {

struct InteractiveRule {
  bool online = false;
  int rounds = 8;             ///< frames that are clicked on, the first included
  int clicks = 3;             ///< on each of them
  double pause_below = 0.75;  ///< IoU; online only
  double boundary_tolerance = 0.008;
};

struct InteractiveObject {
  std::string sequence;
  int object = 0;
  std::vector<double> jf;                   ///< mean over frames, after each round
  std::vector<std::string> clicked_frames;  ///< in the order of the rounds; with all rounds, online
};

/// Follows one object on its own from the frame on which it is first seen; all annotated frames
/// from there on are scored, the clicked ones too. Where fewer rounds are needed than allowed, the
/// last score stands for the others.
///
/// @param on_frame  is called for each frame that is tracked; false stops
/// @return without scores when it was stopped
/// @throws Error as VideoSession and MaskSequence
InteractiveObject interact(const Model& model, const eval::Sequence& sequence,
                           const eval::MaskSequence& truth, const eval::Appearance& first,
                           const InteractiveRule& rule, const std::function<bool()>& on_frame);

/// In percent: a line an object with J&F after each round, and their means.
std::string interactive_table(const std::vector<InteractiveObject>& objects);
Json interactive_json(const std::vector<InteractiveObject>& objects, const InteractiveRule& rule);
std::string interactive_csv(const std::vector<InteractiveObject>& objects);

}  // namespace vostrack::cli
