/// What networks make of clips in the middle of training, to look at.
#pragma once

#include <vector>

#include "nn/model.hpp"
#include "train/batch.hpp"
#include "train/log/comparison.hpp"
#include "train/prompts.hpp"

namespace vostrack::train {

/// Answers for the first object of each clip. A video is prompted on its first frame only, each
/// time alike, and then followed; a single picture comes back three times: answered to a click, a
/// box, and a click with two background clicks. Nothing is trained, and no random number is drawn
/// that training would have drawn.
///
/// @param model  over networks in training
/// @return a row for each clip that shows its object, at the networks' size
std::vector<std::vector<ComparedFrame>> preview(const nn::Model& model,
                                                const std::vector<NumberedClip>& clips,
                                                PromptOptions options);

}  // namespace vostrack::train
