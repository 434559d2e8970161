#include "tracker/video_tracker.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "memory/conditioning.hpp"
#include "nn/layers.hpp"
#include "tracker/postprocess.hpp"

namespace vostrack::tracker {
namespace {

constexpr double kPromptClamp = 32.0;  ///< earlier logits given to the decoder again
constexpr double kFilledHole = 0.1;
constexpr double kRemovedSprinkle = -10.0;

/// The latest output on a frame: pending ones of `store`, else conditioning, else tracked.
OutputPtr latest(const VideoTracker::Object& object, FrameIndex frame, bool conditioning) {
  const auto& pending =
      conditioning ? object.pending.conditioning : object.pending.tracked;
  if (auto output = pending.get(frame)) return output;
  if (auto output = object.bank.conditioning.get(frame)) return output;
  return object.bank.tracked.get(frame);
}

bool has_conditioning(const VideoTracker::Object& object) {
  return !object.bank.conditioning.empty() || !object.pending.conditioning.empty();
}

}  // namespace

TrackerConfig TrackerConfig::from(const nn::Model& model) {
  const nn::PredictorConfig& predictor = model.config().predictor;
  TrackerConfig config;
  config.corrections_last = predictor.add_all_frames_to_correct_as_cond;
  config.non_overlapping = predictor.non_overlap_masks;
  config.fill_hole_area = predictor.fill_hole_area;
  config.clear_memory_around_corrections = predictor.clear_non_cond_mem_around_input;
  config.storage = model.runtime().device;
  return config;
}

void TrackerConfig::validate() const {
  check(fill_hole_area >= 0, ErrorCode::kInvalidArgument, "fill_hole_area is {}, want at least 0",
        fill_hole_area);
  check(remove_sprinkle_area >= 0, ErrorCode::kInvalidArgument,
        "remove_sprinkle_area is {}, want at least 0", remove_sprinkle_area);
  check(cached_frames >= 1, ErrorCode::kInvalidArgument, "cached_frames is {}, want at least 1",
        cached_frames);
}

torch::Tensor logits_at_size(const FrameAnswer& answer, int height, int width,
                             bool non_overlapping) {
  torch::InferenceMode guard;
  std::vector<torch::Tensor> planes;
  for (const ObjectAnswer& object : answer.objects)
    planes.push_back(object.output
                         ? nn::resize_bilinear(object.output->mask_logits, height, width)
                         : torch::full({1, 1, height, width}, kAbsent));
  if (planes.empty()) return torch::empty({0, 1, height, width});
  for (auto& plane : planes) plane = plane.to(torch::kCPU);
  auto logits = torch::cat(planes);
  return non_overlapping ? without_overlaps(logits) : logits;
}

VideoTracker::VideoTracker(std::shared_ptr<const nn::Model> model, FrameSource& source,
                           TrackerConfig config)
    : model_(std::move(model)),
      source_(source),
      config_(config),
      policy_(memory::make_recent_policy(model_->config().model)) {
  config_.validate();
  check(source_.frame_count() > 0 && source_.height() > 0 && source_.width() > 0,
        ErrorCode::kInvalidArgument, "the source has {} frames of {}×{} (height × width)",
        source_.frame_count(), source_.height(), source_.width());
}

FrameAnswer VideoTracker::add_prompt(ObjectId id, FrameIndex frame, const Prompt& prompt) {
  torch::InferenceMode guard;
  check_frame(frame);
  check_prompt(prompt, source_.height(), source_.width());

  auto created = std::make_unique<Object>();
  created->id = id;
  Object* known = find(id);
  const Object& object = known ? *known : *created;

  PromptInputs inputs;
  const int size = model_->config().image_size;
  if (prompt.mask) {
    inputs.mask = mask_input(*prompt.mask, size);
    inputs.given_mask = true;
  } else {
    inputs.points = point_inputs(prompt, source_.height(), source_.width(), size);
    inputs.given = prompt;
    const auto earlier = object.prompts.find(frame);
    if (prompt.add_to_earlier_clicks && earlier != object.prompts.end() &&
        earlier->second.points) {
      inputs.points = append(*earlier->second.points, *inputs.points);
      inputs.given = earlier->second.given;
      inputs.given.clicks.insert(inputs.given.clicks.end(), prompt.clicks.begin(),
                                 prompt.clicks.end());
    }
    inputs.given.add_to_earlier_clicks = false;
  }

  // A frame that was passed is corrected with the object's memory. An object left without any
  // conditioning frame has none to look at and starts afresh.
  const bool initial = object.passed.count(frame) == 0 || object.bank.conditioning.empty();
  const bool conditioning = initial || config_.corrections_last;
  auto output = answer_prompt(object, frame, inputs, initial, conditioning);

  if (!known) {
    known = created.get();
    objects_.push_back(std::move(created));
  }
  known->prompts[frame] = std::move(inputs);
  (conditioning ? known->pending.conditioning : known->pending.tracked).put(frame, output);
  return answer(frame, conditioning);
}

OutputPtr VideoTracker::answer_prompt(const Object& object, FrameIndex frame,
                                      const PromptInputs& inputs, bool initial,
                                      bool conditioning) {
  const nn::BaseConfig& base = model_->config().model;
  const nn::ImageFeatures& image = features(frame);
  if (inputs.mask.defined() && base.use_mask_input_as_output_without_sam)
    return store(take_mask(*model_, image, inputs.mask), {});

  torch::Tensor conditioned;
  if (initial) {
    conditioned = memory::features_without_memory(*model_, image);
  } else {
    const bool reverse = object.passed.at(frame);
    conditioned = memory::features_with_memory(
        *model_, image,
        policy_->select(object.bank, {frame, reverse, source_.frame_count()}));
  }
  torch::Tensor mask = inputs.mask;
  if (inputs.points)
    if (auto earlier = latest(object, frame, conditioning))
      mask = earlier->mask_logits.clamp(-kPromptClamp, kPromptClamp);
  const auto points = inputs.points ? inputs.points->count() : 0;
  return store(decode(*model_, conditioned, image.high_res, inputs.points, mask,
                      proposes_three(base, initial, points)),
               {});
}

OutputPtr VideoTracker::track(const Object& object, FrameIndex frame, bool reverse) {
  const nn::ImageFeatures& image = features(frame);
  auto conditioned = memory::features_with_memory(
      *model_, image, policy_->select(object.bank, {frame, reverse, source_.frame_count()}));
  auto head = decode(*model_, conditioned, image.high_res, std::nullopt, {},
                     proposes_three(model_->config().model, /*initial_frame=*/false, 0));
  torch::Tensor memory;
  if (model_->config().model.num_maskmem > 0)
    memory = memory::encode_memory(*model_, image, head.high_res, head.object_score,
                                   /*prompted=*/false);
  return store(head, memory);
}

OutputPtr VideoTracker::store(const HeadOutput& head, torch::Tensor memory) const {
  auto output = std::make_shared<memory::FrameOutput>();
  auto logits = fill_holes(head.low_res, config_.fill_hole_area, 0.0, kFilledHole);
  logits = remove_sprinkles(logits, config_.remove_sprinkle_area, 0.0, kRemovedSprinkle);
  output->mask_logits = logits.to(config_.storage);
  output->pointer = head.pointer;
  output->object_score = head.object_score;
  output->predicted_iou = head.predicted_iou;
  if (memory.defined()) output->memory = memory.to(config_.storage);
  return output;
}

OutputPtr VideoTracker::with_memory(const OutputPtr& output, FrameIndex frame) {
  if (output->memory.defined() || model_->config().model.num_maskmem == 0) return output;
  const int size = model_->config().image_size;
  auto logits = nn::resize_bilinear(output->mask_logits.to(model_->runtime().device), size, size);
  auto encoded = std::make_shared<memory::FrameOutput>(*output);
  encoded->memory = memory::encode_memory(*model_, features(frame), logits, output->object_score,
                                          /*prompted=*/true)
                        .to(config_.storage);
  return encoded;
}

void VideoTracker::take_in_pending() {
  check(!objects_.empty(), ErrorCode::kFailedState,
        "there is no object to track; add a prompt first");
  for (const auto& object : objects_)
    check(has_conditioning(*object), ErrorCode::kFailedState,
          "object {} has no prompted frame left to track from; add a prompt or remove it",
          object->id);

  // Everything that can fail comes first: decoding and encoding.
  struct Ready {
    Object* object;
    FrameIndex frame;
    bool conditioning;
    OutputPtr output;
  };
  std::vector<Ready> ready;
  for (auto& object : objects_)
    for (const bool conditioning : {false, true}) {
      const auto& pending =
          conditioning ? object->pending.conditioning : object->pending.tracked;
      for (FrameIndex frame : pending.frames_in_order_of_storing())
        ready.push_back(
            {object.get(), frame, conditioning, with_memory(pending.get(frame), frame)});
    }

  const nn::BaseConfig& base = model_->config().model;
  const FrameIndex reach =
      static_cast<FrameIndex>(base.memory_temporal_stride_for_eval) * base.num_maskmem;
  for (auto& [object, frame, conditioning, output] : ready) {
    (conditioning ? object->bank.conditioning : object->bank.tracked).put(frame, output);
    if (config_.clear_memory_around_corrections)
      object->bank.tracked.drop_range(frame - reach, frame + reach, frame);
  }
  for (auto& object : objects_) {
    object->pending = {};
    for (FrameIndex frame : object->bank.conditioning.frames()) object->bank.tracked.take(frame);
  }
}

std::int64_t VideoTracker::propagate(const Range& range,
                                     const std::function<bool(const FrameAnswer&)>& on_frame) {
  torch::InferenceMode guard;
  const FrameIndex last_frame = source_.frame_count() - 1;
  if (range.start) check_frame(*range.start);
  check(!range.count || *range.count >= 0, ErrorCode::kInvalidArgument,
        "number of frames to propagate is {}, want at least 0", range.count.value_or(0));
  take_in_pending();

  FrameIndex start = last_frame;
  if (range.start)
    start = *range.start;
  else
    for (const auto& object : objects_)
      start = std::min(start, object->bank.conditioning.first_frame());
  const FrameIndex most = std::min(range.count.value_or(last_frame), last_frame);
  const FrameIndex end =
      range.reverse ? std::max<FrameIndex>(start - most, 0) : std::min(start + most, last_frame);
  if (range.reverse && start == 0) return 0;

  std::int64_t done = 0;
  const FrameIndex step = range.reverse ? -1 : 1;
  for (FrameIndex frame = start; frame != end + step; frame += step) {
    FrameAnswer result{frame, {}};
    for (auto& object : objects_) {
      auto output = object->bank.conditioning.get(frame);
      if (!output) {
        output = track(*object, frame, range.reverse);
        object->bank.tracked.put(frame, output);
      }
      object->passed[frame] = range.reverse;
      result.objects.push_back({object->id, output});
    }
    ++done;
    if (!on_frame(result)) break;
  }
  return done;
}

FrameAnswer VideoTracker::clear_prompts(ObjectId id, FrameIndex frame) {
  check_frame(frame);
  Object& object = get(id);
  object.prompts.erase(frame);
  object.pending.conditioning.take(frame);
  object.pending.tracked.take(frame);
  if (auto output = object.bank.conditioning.take(frame)) {
    object.bank.tracked.put(frame, output);
    object.passed.erase(frame);
  }
  const bool conditioning = std::ranges::any_of(objects_, [frame](const auto& other) {
    return other->pending.conditioning.contains(frame);
  });
  return answer(frame, conditioning);
}

void VideoTracker::remove_object(ObjectId id) {
  get(id);
  if (objects_.size() == 1)
    reset();
  else
    std::erase_if(objects_, [id](const auto& object) { return object->id == id; });
}

void VideoTracker::reset() { objects_.clear(); }

FrameAnswer VideoTracker::answer(FrameIndex frame, bool conditioning) const {
  FrameAnswer result{frame, {}};
  for (const auto& object : objects_)
    result.objects.push_back({object->id, latest(*object, frame, conditioning)});
  return result;
}

VideoTracker::Object* VideoTracker::find(ObjectId id) {
  const auto it = std::ranges::find_if(objects_, [id](const auto& o) { return o->id == id; });
  return it == objects_.end() ? nullptr : it->get();
}

VideoTracker::Object& VideoTracker::get(ObjectId id) {
  Object* object = find(id);
  check(object != nullptr, ErrorCode::kNotFound, "there is no object {}", id);
  return *object;
}

void VideoTracker::check_frame(FrameIndex frame) const {
  check(frame >= 0 && frame < source_.frame_count(), ErrorCode::kOutOfRange,
        "frame is {}, want 0 to {}", frame, source_.frame_count() - 1);
}

const nn::ImageFeatures& VideoTracker::features(FrameIndex frame) {
  auto it = std::ranges::find(cache_, frame, &std::pair<FrameIndex, nn::ImageFeatures>::first);
  if (it != cache_.end()) {
    cache_.splice(cache_.begin(), cache_, it);
  } else {
    cache_.emplace_front(frame, model_->encode(model_->network_input(source_.read(frame))));
    while (cache_.size() > static_cast<std::size_t>(config_.cached_frames)) cache_.pop_back();
  }
  return cache_.front().second;
}

}  // namespace vostrack::tracker
