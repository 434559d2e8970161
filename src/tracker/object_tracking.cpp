#include "tracker/object_tracking.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "memory/conditioning.hpp"
#include "memory/long_lived.hpp"
#include "nn/layers.hpp"
#include "tracker/postprocess.hpp"

namespace vostrack::tracker {
namespace {

constexpr double kPromptClamp = 32.0;  ///< earlier logits given to the decoder again
constexpr double kFilledHole = 0.1;
constexpr double kRemovedSprinkle = -10.0;

/// The latest output on a frame: pending ones of one store, else what was taken in.
OutputPtr latest(const ObjectTracking::Object& object, FrameIndex frame, bool conditioning) {
  const auto& pending = conditioning ? object.pending.conditioning : object.pending.tracked;
  if (auto output = pending.get(frame)) return output;
  return object.output(frame);
}

/// One object's part of a batch, on a device to stay. It is copied, so that it does not keep what
/// it is seen in: other objects', and a decoder's other masks.
torch::Tensor part(const torch::Tensor& batch, std::int64_t index, torch::Device storage) {
  return memory::long_lived(batch.slice(0, index, index + 1), storage);
}

}  // namespace

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
      policy_(config.policy ? config.policy
                            : memory::make_recent_policy(model_->config().model)) {
  config_.validate();
  if (config_.speed.budget_ms > 0) budget_.emplace(config_.speed);
}

ObjectTracking::Question ObjectTracking::ask(ObjectId id, FrameIndex frame, const Prompt& prompt,
                                             int height, int width) {
  check_prompt(prompt, height, width);
  Question question;
  question.known = find(id);
  const int size = model_->config().image_size;
  if (prompt.mask) {
    question.mask = mask_input(*prompt.mask, size);
    question.given.mask = true;
  } else {
    question.given = {prompt.clicks, prompt.box, false};
    const Given* earlier = nullptr;
    if (question.known && prompt.add_to_earlier_clicks)
      if (auto it = question.known->prompts.find(frame); it != question.known->prompts.end())
        earlier = &it->second;
    if (earlier && !earlier->mask) {
      question.given = *earlier;
      auto& clicks = question.given.clicks;
      clicks.insert(clicks.end(), prompt.clicks.begin(), prompt.clicks.end());
    }
    Prompt all;
    all.clicks = question.given.clicks;
    all.box = question.given.box;
    question.points = point_inputs(all, height, width, size);
  }

  // A frame that was passed is corrected with the object's memory. An object left without any
  // conditioning frame has none to look at and starts afresh, but for a mask that needs none: the
  // reference, which has no answer otherwise, takes it as a correction.
  const bool passed = question.known && question.known->passed.count(frame) > 0;
  const bool afresh = question.known && question.known->bank.conditioning.empty();
  const bool correction =
      passed && (!afresh || question.known->pending.tracked.contains(frame) ||
                 (question.mask.defined() &&
                  model_->config().model.use_mask_input_as_output_without_sam));
  question.initial = !passed || afresh;
  question.conditioning = !correction || config_.corrections_last;
  return question;
}

FrameAnswer ObjectTracking::add_prompt(ObjectId id, FrameIndex frame, const Prompt& prompt,
                                       int height, int width) {
  torch::InferenceMode guard;
  Question question = ask(id, frame, prompt, height, width);
  const auto outputs = answers(question, frame, prompt.candidate.has_value());
  const auto candidate = static_cast<std::size_t>(prompt.candidate.value_or(0));
  check(candidate < outputs.size(), ErrorCode::kInvalidArgument,
        "candidate is {}, but this prompt has {}", candidate,
        outputs.size() == 1 ? "only one answer, 0" : fmt::format("{} of them", outputs.size()));
  make_room(frame, output_bytes(), question.known == nullptr);

  Object* object = question.known;
  if (!object) {
    objects_.push_back(std::make_unique<Object>());
    object = objects_.back().get();
    object->id = id;
  }
  object->prompts[frame] = std::move(question.given);
  (question.conditioning ? object->pending.conditioning : object->pending.tracked)
      .put(frame, outputs[candidate]);
  return prompt_answer(frame, question.conditioning);
}

std::vector<ObjectAnswer> ObjectTracking::propose(ObjectId id, FrameIndex frame,
                                                  const Prompt& prompt, int height, int width) {
  torch::InferenceMode guard;
  std::vector<ObjectAnswer> proposals;
  for (auto& output : answers(ask(id, frame, prompt, height, width), frame, /*all=*/true))
    proposals.push_back({id, std::move(output), 0});
  return proposals;
}

std::vector<OutputPtr> ObjectTracking::answers(const Question& question, FrameIndex frame,
                                               bool all) {
  const nn::BaseConfig& base = model_->config().model;
  const nn::ImageFeatures& image = features(frame);
  if (question.mask.defined() && base.use_mask_input_as_output_without_sam)
    return store(frame, take_mask(*model_, image, question.mask), {});

  torch::Tensor conditioned;
  if (question.initial) {
    conditioned = memory::features_without_memory(*model_, image);
  } else {
    const bool reverse = question.known->passed.at(frame).reverse;
    const auto selection = select(*question.known, frame, reverse);
    conditioned = memory::features_with_memory(*model_, image, {&selection, 1});
  }
  torch::Tensor mask = question.mask;
  if (question.points && question.known)
    if (auto earlier = latest(*question.known, frame, question.conditioning))
      mask = earlier->mask_logits.clamp(-kPromptClamp, kPromptClamp);
  const auto points = question.points ? question.points->count() : 0;
  const bool three = proposes_three(base, question.initial, points);
  if (!all)
    return store(frame, decode(*model_, conditioned, image.high_res, question.points, mask, three),
                 {});
  std::vector<OutputPtr> outputs;
  for (const HeadOutput& head :
       tracker::propose(*model_, conditioned, image.high_res, question.points, mask, three))
    outputs.push_back(store(frame, head, {}).front());
  return outputs;
}

void ObjectTracking::pass(std::span<Object* const> objects, FrameIndex frame, bool reverse) {
  struct Waiting {
    Object* object;
    memory::Selection selection;
  };
  std::vector<Waiting> waiting;
  for (Object* object : objects)
    if (!object->bank.conditioning.contains(frame))
      waiting.push_back({object, select(*object, frame, reverse)});

  const auto most = static_cast<std::size_t>(objects_together(*model_, config_.objects_per_batch));
  std::vector<std::pair<Object*, OutputPtr>> done;
  while (!waiting.empty()) {
    check_not_cancelled();
    // The first one still waiting and those that fit beside it.
    std::vector<Object*> batch;
    std::vector<memory::Selection> selections;
    std::vector<Waiting> others;
    for (Waiting& next : waiting) {
      const bool fits =
          selections.empty() || (selections.size() < most &&
                                 memory::same_shape(selections.front(), next.selection));
      if (!fits) {
        others.push_back(std::move(next));
        continue;
      }
      batch.push_back(next.object);
      selections.push_back(std::move(next.selection));
    }
    const auto outputs = track(frame, selections);
    for (std::size_t i = 0; i < batch.size(); ++i) done.emplace_back(batch[i], outputs[i]);
    waiting = std::move(others);
  }
  check_not_cancelled();
  for (auto& [object, output] : done) {
    object->bank.tracked.put(frame, std::move(output));
    object->bank.held.erase(frame);
  }
  for (Object* object : objects) mark_passed(*object, frame, reverse);
  ++report_.tracked_frames;
}

void ObjectTracking::mark_passed(Object& object, FrameIndex frame, bool reverse) {
  const auto output = latest(object, frame, /*conditioning=*/true);
  const bool visible = output->object_score.item<float>() > 0;
  const auto before = object.passed.find(reverse ? frame + 1 : frame - 1);
  const bool goes_on = before != object.passed.end() && before->second.reverse == reverse;
  object.passed[frame] = {
      reverse, visible ? 0 : 1 + (goes_on ? before->second.hidden_frames : std::int64_t{0})};
}

memory::Selection ObjectTracking::select(const Object& object, FrameIndex frame,
                                         bool reverse) const {
  auto selection = policy_->select(object.bank, {frame, reverse, num_frames(), time_s(frame)});
  memory::keep_nearest(selection, object.bank, frame, speed().recent_memories,
                       speed().recent_pointers);
  selection.detail = {speed().pooled_memories, speed().sparse_memories};
  return selection;
}

std::vector<OutputPtr> ObjectTracking::track(FrameIndex frame,
                                             std::span<const memory::Selection> selections) {
  const nn::ImageFeatures& image = features(frame);
  check_not_cancelled();
  const auto conditioned = memory::features_with_memory(*model_, image, selections);
  check_not_cancelled();
  const auto head = decode(*model_, conditioned, image.high_res, std::nullopt, {},
                           proposes_three(model_->config().model, /*initial_frame=*/false, 0));
  check_not_cancelled();
  torch::Tensor memory;
  if (model_->config().model.num_maskmem > 0)
    memory = memory::encode_memory(*model_, image, head.high_res, head.object_score,
                                   /*prompted=*/false);
  return store(frame, head, memory, selections);
}

std::vector<OutputPtr> ObjectTracking::store(FrameIndex frame, const HeadOutput& head,
                                             const torch::Tensor& memory,
                                             std::span<const memory::Selection> selections) const {
  auto logits = fill_holes(head.low_res, config_.fill_hole_area, 0.0, kFilledHole);
  logits = remove_sprinkles(logits, config_.remove_sprinkle_area, 0.0, kRemovedSprinkle);
  const auto proposals = describe_proposals(head).to(config_.storage);
  std::vector<OutputPtr> outputs;
  for (std::int64_t i = 0; i < logits.size(0); ++i) {
    auto output = std::make_shared<memory::FrameOutput>();
    output->mask_logits = part(logits, i, config_.storage);
    output->pointer = part(head.pointer, i, head.pointer.device());
    output->object_score = part(head.object_score, i, head.object_score.device());
    output->predicted_iou = part(head.predicted_iou, i, head.predicted_iou.device());
    output->proposals = part(proposals, i, config_.storage);
    output->time_s = time_s(frame);
    if (memory.defined()) output->memory = part(memory, i, config_.storage);
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
  encoded->memory = memory::long_lived(
      memory::encode_memory(*model_, features(frame), logits, output->object_score,
                            /*prompted=*/true),
      config_.storage);
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
    for (const auto* pending : {&object->pending.tracked, &object->pending.conditioning})
      for (FrameIndex frame : pending->frames_in_order_of_storing())
        ready.push_back({object.get(), frame, pending == &object->pending_conditioning(),
                         with_memory(pending->get(frame), frame)});

  const nn::BaseConfig& base = model_->config().model;
  const FrameIndex reach =
      static_cast<FrameIndex>(base.memory_temporal_stride_for_eval) * base.num_maskmem;
  for (auto& [object, frame, conditioning, output] : ready) {
    (conditioning ? object->bank.conditioning : object->bank.tracked).put(frame, output);
    object->bank.held.erase(frame);
    if (config_.clear_memory_around_corrections)
      object->bank.tracked.drop_range(frame - reach, frame + reach, frame);
  }
  for (auto& object : objects_) {
    object->pending = {};
    for (FrameIndex frame : object->bank.conditioning.frames()) object->bank.tracked.drop(frame);
  }
}

FrameAnswer ObjectTracking::clear_prompts(ObjectId id, FrameIndex frame) {
  Object& object = get(id);
  object.prompts.erase(frame);
  object.pending.conditioning.drop(frame);
  object.pending.tracked.drop(frame);
  if (auto output = object.bank.conditioning.take(frame)) {
    object.bank.tracked.put(frame, output);
    object.bank.permanent.erase(frame);
    object.passed.erase(frame);
  }
  const bool conditioning = std::ranges::any_of(
      objects_, [frame](const auto& other) { return other->pending.conditioning.contains(frame); });
  return prompt_answer(frame, conditioning);
}

void ObjectTracking::set_permanent(ObjectId id, FrameIndex frame, bool permanent) {
  torch::InferenceMode guard;
  Object& object = get(id);
  auto& bank = object.bank;
  const bool conditioning = bank.conditioning.contains(frame);
  check(conditioning || bank.tracked.contains(frame), ErrorCode::kNotFound,
        "object {} has no memory of frame {}", id, frame);
  if (!permanent) {
    bank.permanent.erase(frame);
    if (conditioning && !object.prompts.contains(frame)) {
      bank.tracked.put(frame, bank.conditioning.get(frame));
      bank.conditioning.drop(frame);
    }
    return;
  }
  if (!conditioning) {
    make_room(frame, output_bytes(), /*new_object=*/false);
    bank.conditioning.put(frame, bank.tracked.get(frame));
    bank.tracked.drop(frame);
  }
  bank.permanent.insert(frame);
}

void ObjectTracking::check_not_cancelled() const {
  check(!cancelled_, ErrorCode::kCancelled, "tracking was cancelled");
}

void ObjectTracking::remove_object(ObjectId id) {
  get(id);
  std::erase_if(objects_, [id](const auto& object) { return object->id == id; });
}

FrameAnswer ObjectTracking::prompt_answer(FrameIndex frame, bool conditioning) const {
  FrameAnswer result{frame, {}};
  for (const auto& object : objects_)
    result.objects.push_back(
        {object->id, latest(*object, frame, conditioning), object->hidden_frames(frame)});
  return result;
}

FrameAnswer ObjectTracking::passed_answer(FrameIndex frame) const {
  FrameAnswer result{frame, {}};
  for (const auto& object : objects_)
    result.objects.push_back({object->id, object->output(frame), object->hidden_frames(frame),
                              object->held_from(frame)});
  return result;
}

std::int64_t ObjectTracking::Object::hidden_frames(FrameIndex frame) const {
  const auto it = passed.find(frame);
  return it == passed.end() ? 0 : it->second.hidden_frames;
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
