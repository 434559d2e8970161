#include "eval/score.hpp"

#include <optional>
#include <utility>

#include "base/check.hpp"

namespace vostrack::eval {
namespace {

bool counts(const ObjectScore& score, const MaskSequence& truth, const std::string& frame,
            const Protocol& protocol) {
  if (frame < score.prompted || !truth.covers(score.object, frame)) return false;
  if (frame == score.prompted && !protocol.score_first) return false;
  return protocol.score_last || frame != truth.last_frame(score.object);
}

void remove_ignored(Mask& mask, const Mask& ignored) {
  if (ignored.empty()) return;
  for (std::size_t i = 0; i < mask.data.size(); ++i)
    if (ignored.data[i]) mask.data[i] = 0;
}

FrameMasks read_result(const MaskSequence& result, const std::string& frame,
                       const FrameMasks& truth) {
  FrameMasks masks = result.read(frame);
  check(masks.height == truth.height && masks.width == truth.width, ErrorCode::kCorruptFile,
        "{}: is {}x{}, want {}x{} as the annotation is", result.path(frame), masks.width,
        masks.height, truth.width, truth.height);
  check(masks.ignored.empty(), ErrorCode::kCorruptFile,
        "{}: has label 255, want labels of objects; if the masks are black and white, let all "
        "objects be merged",
        result.path(frame));
  return masks;
}

}  // namespace

SequenceScore score_sequence(const std::string& name, const MaskSequence& truth,
                             const MaskSequence& result, const Protocol& protocol) {
  std::vector<ObjectScore> objects;
  for (const Appearance& appearance : appearances(truth, protocol.late)) {
    ObjectScore object;
    object.object = appearance.object;
    object.prompted = appearance.frame;
    objects.push_back(std::move(object));
  }
  for (const std::string& frame : truth.frames()) {
    std::vector<ObjectScore*> scored;
    for (ObjectScore& object : objects)
      if (counts(object, truth, frame, protocol)) scored.push_back(&object);
    if (scored.empty()) continue;
    const FrameMasks true_masks = truth.read(frame);
    const FrameMasks predicted_masks = read_result(result, frame, true_masks);
    const int radius =
        boundary_radius(true_masks.height, true_masks.width, protocol.boundary_tolerance);
    for (ObjectScore* object : scored) {
      const Mask mask = true_masks.mask(object->object);
      Mask predicted = predicted_masks.mask(object->object);
      remove_ignored(predicted, true_masks.ignored);
      object->frames.push_back(frame);
      object->j.push_back(region_similarity(predicted, mask));
      object->f.push_back(boundary_similarity(predicted, mask, radius));
    }
  }

  SequenceScore score;
  score.name = name;
  std::vector<Statistics> regions, boundaries;
  for (ObjectScore& object : objects) {
    if (object.frames.empty()) {
      score.unscored.push_back(object.object);
      continue;
    }
    regions.push_back(object.region = statistics(object.j));
    boundaries.push_back(object.boundary = statistics(object.f));
    score.objects.push_back(std::move(object));
  }
  check(!score.objects.empty(), ErrorCode::kCorruptFile,
        "{}: no annotated frame is left to score beside the first and the last", truth.folder());
  score.region = mean_of(regions);
  score.boundary = mean_of(boundaries);
  return score;
}

TotalScore total_score(std::span<const SequenceScore> sequences) {
  std::vector<Statistics> regions, boundaries;
  TotalScore total;
  total.sequences = sequences.size();
  for (const SequenceScore& sequence : sequences) {
    for (const ObjectScore& object : sequence.objects) {
      regions.push_back(object.region);
      boundaries.push_back(object.boundary);
      total.frames += object.frames.size();
    }
    total.sequence_jf += sequence.jf() / static_cast<double>(sequences.size());
  }
  total.objects = regions.size();
  total.region = mean_of(regions);
  total.boundary = mean_of(boundaries);
  return total;
}

}  // namespace vostrack::eval
