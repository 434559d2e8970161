#include "apps/vostrack/eval_track.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "annotations/contours.hpp"
#include "annotations/palette_png.hpp"
#include "apps/vostrack/frame_record.hpp"
#include "apps/vostrack/interrupt.hpp"
#include "base/check.hpp"
#include "eval/clicks.hpp"
#include "vostrack/frame_source.hpp"
#include "vostrack/session.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;

std::map<std::string, std::int64_t> indices_of(const FrameSource& source) {
  std::map<std::string, std::int64_t> indices;
  for (std::int64_t i = 0; i < source.frame_count(); ++i) indices[source.name(i)] = i;
  return indices;
}

Prompt simulate(const Mask& mask, SimulatedPrompt kind) {
  Prompt prompt;
  switch (kind) {
    case SimulatedPrompt::kMask:
      prompt.mask = mask;
      break;
    case SimulatedPrompt::kBox:
      prompt.box = annotations::bounding_box(mask);
      break;
    case SimulatedPrompt::kPoint:
      prompt.clicks = eval::inner_clicks(mask, 1);
      break;
    case SimulatedPrompt::kPoints3:
      prompt.clicks = eval::inner_clicks(mask, 3);
      break;
  }
  return prompt;
}

void make_folder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  check(!error, ErrorCode::kIo, "{}: {}", folder, error.message());
}

}  // namespace

std::int64_t check_sequence(const eval::Sequence& sequence, const eval::MaskSequence& truth,
                            eval::LateObjects late) {
  const std::unique_ptr<FrameSource> source = open_video(sequence.pictures);
  const std::map<std::string, std::int64_t> indices = indices_of(*source);
  for (const std::string& frame : truth.frames())
    check(indices.count(frame) != 0, ErrorCode::kNotFound, "{}: there is no such picture in {}",
          truth.path(frame), sequence.pictures);
  const std::vector<eval::Appearance> objects = eval::appearances(truth, late);
  const Mask& mask = objects.front().mask;
  check(mask.height == source->height() && mask.width == source->width(), ErrorCode::kCorruptFile,
        "{}: is {}x{}, want {}x{} as the pictures are", truth.path(objects.front().frame),
        mask.width, mask.height, source->width(), source->height());
  return source->frame_count() - indices.at(objects.front().frame);
}

TrackedSequence track_sequence(const Model& model, const eval::Sequence& sequence,
                               const eval::MaskSequence& truth, eval::LateObjects late,
                               SimulatedPrompt prompt, const SpeedOptions& speed,
                               const std::string& folder, const std::function<void()>& on_frame) {
  const auto start = std::chrono::steady_clock::now();
  make_folder(folder);
  SessionConfig config;
  config.non_overlapping = true;  // a pixel of an indexed PNG has one label
  config.speed = speed;
  VideoSession session(model, open_video(sequence.pictures), config);
  const std::map<std::string, std::int64_t> indices = indices_of(session.source());
  const std::vector<eval::Appearance> objects = eval::appearances(truth, late);

  // From one marked frame to the next, so that no object is tracked before it is marked.
  TrackedSequence tracked;
  for (std::size_t next = 0; next < objects.size() && !interrupted();) {
    PropagateOptions range;
    range.start = indices.at(objects[next].frame);
    const std::string& marked = objects[next].frame;
    for (; next < objects.size() && objects[next].frame == marked; ++next)
      session.add_prompt(objects[next].object, *range.start, simulate(objects[next].mask, prompt));
    if (next < objects.size()) range.count = indices.at(objects[next].frame) - *range.start - 1;
    session.propagate(range, [&](const FrameResult& frame) {
      annotations::write_label_png((fs::path(folder) / (frame.name + ".png")).string(),
                                   labels_of(record_of(frame)));
      ++tracked.frames;
      on_frame();
      return !interrupted();
    });
  }
  tracked.complete = !interrupted();
  tracked.speed = session.speed_report();
  tracked.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return tracked;
}

}  // namespace vostrack::cli
