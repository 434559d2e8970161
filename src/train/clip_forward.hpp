/// A batch of clips through the networks, prompted as a user would.
#pragma once

#include <vector>

#include "nn/model.hpp"
#include "train/batch.hpp"
#include "train/frame_encoder.hpp"
#include "train/losses.hpp"
#include "train/prompts.hpp"

namespace vostrack::train {

/// Answers to all prompts and on all tracked frames, each once. The same functions as in inference
/// select memories, look back, decode and remember. Objects of all clips that are prompted alike go
/// through heads and memory in one batch.
///
/// @param model  over networks in training
/// @param batch  on the model's device
/// @return in videos a step for each frame and correction; in single pictures for each object a
///   click, a box, a click with two background clicks, each with its corrections
///
/// Source: training/model/sam2.py, forward_tracking and track_step
std::vector<Step> clip_forward(const nn::Model& model, const FrameEncoder& frames,
                               const Batch& batch, const PromptOptions& options,
                               Prompter& prompter);

/// What a batch's loss is divided by where frames are averaged over: frames, or of single pictures
/// the kinds of prompts.
std::int64_t frames_judged(const Batch& batch);

}  // namespace vostrack::train
