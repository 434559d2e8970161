#include "tracker/object_tracking.hpp"

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

/// The latest output on a frame: pending ones of one store, else conditioning, else tracked.
OutputPtr latest(const ObjectTracking::Object& object, FrameIndex frame, bool conditioning) {
  const auto& pending = conditioning ? object.pending.conditioning : object.pending.tracked;
  if (auto output = pending.get(frame)) return output;
  if (auto output = object.bank.conditioning.get(frame)) return output;
  return object.bank.tracked.get(frame);
}

/// One object's part of a batch. Of several it is copied, so that it does not keep the others'.
torch::Tensor part(const torch::Tensor& batch, std::int64_t index) {
  auto slice = batch.slice(0, index, index + 1);
  return batch.size(0) == 1 ? slice : slice.clone();
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
  check(objects_per_batch >= 1, ErrorCode::kInvalidArgument,
        "objects_per_batch is {}, want at least 1", objects_per_batch);
  check(cached_frames >= 1, ErrorCode::kInvalidArgument, "cached_frames is {}, want at least 1",
        cached_frames);
}

torch::Tensor logits_at_size(const FrameAnswer& answer, int height, int width,
                             bool non_overlapping) {
  torch::InferenceMode guard;
  std::vector<torch::Tensor> planes;
  for (const ObjectAnswer& object : answer.objects)
    planes.push_back(
        object.output
            ? nn::resize_bilinear(object.output->mask_logits, height, width).to(torch::kCPU)
            : torch::full({1, 1, height, width}, kAbsent));
  if (planes.empty()) return torch::empty({0, 1, height, width});
  auto logits = torch::cat(planes);
  return non_overlapping ? without_overlaps(logits) : logits;
}

ObjectTracking::ObjectTracking(std::shared_ptr<const nn::Model> model, const TrackerConfig& config)
    : model_(std::move(model)),
      config_(config),
      policy_(memory::make_recent_policy(model_->config().model)) {
  config_.validate();
}

FrameAnswer ObjectTracking::add_prompt(ObjectId id, FrameIndex frame, const Prompt& prompt,
                                       int height, int width) {
  torch::InferenceMode guard;
  check_prompt(prompt, height, width);

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
    inputs.points = point_inputs(prompt, height, width, size);
    inputs.given = prompt;
    const auto earlier = object.prompts.find(frame);
    if (prompt.add_to_earlier_clicks && earlier != object.prompts.end() && earlier->second.points) {
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
  return prompt_answer(frame, conditioning);
}

OutputPtr ObjectTracking::answer_prompt(const Object& object, FrameIndex frame,
                                        const PromptInputs& inputs, bool initial,
                                        bool conditioning) {
  const nn::BaseConfig& base = model_->config().model;
  const nn::ImageFeatures& image = features(frame);
  if (inputs.mask.defined() && base.use_mask_input_as_output_without_sam)
    return store(take_mask(*model_, image, inputs.mask), {}).front();

  torch::Tensor conditioned;
  if (initial) {
    conditioned = memory::features_without_memory(*model_, image);
  } else {
    const bool reverse = object.passed.at(frame);
    const auto selection = policy_->select(object.bank, {frame, reverse, num_frames()});
    conditioned = memory::features_with_memory(*model_, image, {&selection, 1});
  }
  torch::Tensor mask = inputs.mask;
  if (inputs.points)
    if (auto earlier = latest(object, frame, conditioning))
      mask = earlier->mask_logits.clamp(-kPromptClamp, kPromptClamp);
  const auto points = inputs.points ? inputs.points->count() : 0;
  return store(decode(*model_, conditioned, image.high_res, inputs.points, mask,
                      proposes_three(base, initial, points)),
               {})
      .front();
}

void ObjectTracking::pass(std::span<Object* const> objects, FrameIndex frame, bool reverse) {
  struct Waiting {
    Object* object;
    memory::Selection selection;
  };
  std::vector<Waiting> waiting;
  for (Object* object : objects)
    if (!object->bank.conditioning.contains(frame))
      waiting.push_back({object, policy_->select(object->bank, {frame, reverse, num_frames()})});

  while (!waiting.empty()) {
    // The first one still waiting and those that fit beside it.
    std::vector<Object*> batch;
    std::vector<memory::Selection> selections;
    std::vector<Waiting> others;
    for (Waiting& next : waiting) {
      const bool fits =
          selections.empty() || (static_cast<int>(selections.size()) < config_.objects_per_batch &&
                                 memory::same_shape(selections.front(), next.selection));
      if (!fits) {
        others.push_back(std::move(next));
        continue;
      }
      batch.push_back(next.object);
      selections.push_back(std::move(next.selection));
    }
    const auto outputs = track(frame, selections);
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i]->bank.tracked.put(frame, outputs[i]);
    waiting = std::move(others);
  }
  for (Object* object : objects) {
    object->passed[frame] = reverse;
    const auto output = latest(*object, frame, /*conditioning=*/true);
    const bool visible = output->object_score.item<float>() > 0;
    object->hidden_frames = visible ? 0 : object->hidden_frames + 1;
  }
}

std::vector<OutputPtr> ObjectTracking::track(FrameIndex frame,
                                             std::span<const memory::Selection> selections) {
  const nn::ImageFeatures& image = features(frame);
  const auto head =
      decode(*model_, memory::features_with_memory(*model_, image, selections), image.high_res,
             std::nullopt, {}, proposes_three(model_->config().model, /*initial_frame=*/false, 0));
  torch::Tensor memory;
  if (model_->config().model.num_maskmem > 0)
    memory = memory::encode_memory(*model_, image, head.high_res, head.object_score,
                                   /*prompted=*/false);
  return store(head, memory, selections);
}

std::vector<OutputPtr> ObjectTracking::store(const HeadOutput& head, const torch::Tensor& memory,
                                             std::span<const memory::Selection> selections) const {
  auto logits = fill_holes(head.low_res, config_.fill_hole_area, 0.0, kFilledHole);
  logits = remove_sprinkles(logits, config_.remove_sprinkle_area, 0.0, kRemovedSprinkle);
  std::vector<OutputPtr> outputs;
  for (std::int64_t i = 0; i < logits.size(0); ++i) {
    auto output = std::make_shared<memory::FrameOutput>();
    output->mask_logits = part(logits, i).to(config_.storage);
    output->pointer = part(head.pointer, i);
    output->object_score = part(head.object_score, i);
    output->predicted_iou = part(head.predicted_iou, i);
    if (memory.defined()) output->memory = part(memory, i).to(config_.storage);
    if (!selections.empty())
      for (const auto& selected : selections[static_cast<std::size_t>(i)].memories)
        output->attended.push_back(selected.frame);
    outputs.push_back(std::move(output));
  }
  return outputs;
}

OutputPtr ObjectTracking::with_memory(const OutputPtr& output, FrameIndex frame) {
  if (output->memory.defined() || model_->config().model.num_maskmem == 0) return output;
  const int size = model_->config().image_size;
  auto logits = nn::resize_bilinear(output->mask_logits.to(model_->runtime().device), size, size);
  auto encoded = std::make_shared<memory::FrameOutput>(*output);
  encoded->memory = memory::encode_memory(*model_, features(frame), logits, output->object_score,
                                          /*prompted=*/true)
                        .to(config_.storage);
  return encoded;
}

void ObjectTracking::take_in_pending() {
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
      const auto& pending = conditioning ? object->pending.conditioning : object->pending.tracked;
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

FrameAnswer ObjectTracking::clear_prompts(ObjectId id, FrameIndex frame) {
  Object& object = get(id);
  object.prompts.erase(frame);
  object.pending.conditioning.take(frame);
  object.pending.tracked.take(frame);
  if (auto output = object.bank.conditioning.take(frame)) {
    object.bank.tracked.put(frame, output);
    object.passed.erase(frame);
  }
  const bool conditioning = std::ranges::any_of(
      objects_, [frame](const auto& other) { return other->pending.conditioning.contains(frame); });
  return prompt_answer(frame, conditioning);
}

void ObjectTracking::remove_object(ObjectId id) {
  get(id);
  std::erase_if(objects_, [id](const auto& object) { return object->id == id; });
}

FrameAnswer ObjectTracking::prompt_answer(FrameIndex frame, bool conditioning) const {
  FrameAnswer result{frame, {}};
  for (const auto& object : objects_)
    result.objects.push_back(
        {object->id, latest(*object, frame, conditioning), object->hidden_frames});
  return result;
}

FrameAnswer ObjectTracking::passed_answer(FrameIndex frame) const {
  FrameAnswer result{frame, {}};
  for (const auto& object : objects_) {
    auto output = object->bank.conditioning.get(frame);
    if (!output) output = object->bank.tracked.get(frame);
    result.objects.push_back({object->id, output, object->hidden_frames});
  }
  return result;
}

ObjectTracking::Object* ObjectTracking::find(ObjectId id) {
  const auto it = std::ranges::find_if(objects_, [id](const auto& o) { return o->id == id; });
  return it == objects_.end() ? nullptr : it->get();
}

ObjectTracking::Object& ObjectTracking::get(ObjectId id) {
  Object* object = find(id);
  check(object != nullptr, ErrorCode::kNotFound, "there is no object {}", id);
  return *object;
}

}  // namespace vostrack::tracker
