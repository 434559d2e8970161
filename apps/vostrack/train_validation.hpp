/// Scoring a network while it is trained.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace vostrack::cli {

struct ValidationArguments {
  std::string root;  ///< laid out as DAVIS is; empty: no validation
  std::string resolution = "480p";
  std::vector<std::string> sequences;  ///< empty: all
  std::string device = "cpu";
};

/// Tracks the sequences from their first masks and scores that as DAVIS does. Masks lie in a
/// folder beside the weights meanwhile.
///
/// @param weights  a file with its configuration
/// @return mean J&F over objects, 0 to 1; nothing when interrupted
/// @throws Error as track_sequence and eval::score_sequence
std::optional<double> validation_score(const std::string& weights,
                                       const ValidationArguments& arguments);

}  // namespace vostrack::cli
