#include "train/clip_forward.hpp"

#include <algorithm>
#include <optional>

#include "base/check.hpp"
#include "memory/bank.hpp"
#include "memory/conditioning.hpp"
#include "memory/selection.hpp"
#include "tracker/mask_heads.hpp"

namespace vostrack::train {
namespace {

constexpr int kPictureKinds = 3;  ///< click, box, click with background clicks

/// In training every frame counts and pointers may lie ahead.
nn::BaseConfig training_rules(nn::BaseConfig config) {
  config.memory_temporal_stride_for_eval = 1;
  config.only_obj_ptrs_in_the_past_for_eval = false;
  return config;
}

bool contains(const std::vector<std::int64_t>& frames, std::int64_t frame) {
  return std::ranges::count(frames, frame) > 0;
}

/// Objects that are prompted alike, from a batch.
class Group {
 public:
  Group(const nn::Model& model, const FrameEncoder& frames, const Batch& batch,
        std::vector<std::int64_t> objects, Prompter& prompter, std::vector<Step>& steps)
      : model_(model),
        frames_(frames),
        prompter_(prompter),
        steps_(steps),
        objects_(std::move(objects)) {
    const auto rows = torch::tensor(objects_).to(batch.masks.device());
    masks_ = batch.masks.index_select(0, rows);
    clips_ = batch.clip_of.index_select(0, rows);
  }

  void track(const PromptPlan& plan, const PromptOptions& options);
  void segment(const tracker::PointInputs& points, int corrections);

  const std::vector<std::int64_t>& objects() const { return objects_; }
  torch::Tensor truth(std::int64_t frame) const { return masks_.select(1, frame); }

 private:
  struct Frame {
    nn::ImageFeatures image;
    torch::Tensor conditioned;  ///< the image's features with what is remembered
    torch::Tensor truth;        ///< (B, S, S)
    bool initial = false;       ///< prompted before it was tracked
  };

  tracker::HeadOutput decode(const Frame& frame, const std::optional<tracker::PointInputs>& points,
                             const torch::Tensor& mask);
  tracker::HeadOutput correct(const Frame& frame, tracker::HeadOutput head,
                              std::optional<tracker::PointInputs> points, int times);
  void add_step(const tracker::HeadOutput& head, const torch::Tensor& truth);

  const nn::Model& model_;
  const FrameEncoder& frames_;
  Prompter& prompter_;
  std::vector<Step>& steps_;
  std::vector<std::int64_t> objects_;
  torch::Tensor masks_, clips_;
};

void Group::add_step(const tracker::HeadOutput& head, const torch::Tensor& truth) {
  // Of three masks only the best one needs to be enlarged, and it is not known yet.
  steps_.push_back({head.proposals, head.proposals.size(1) == 1 ? head.high_res : torch::Tensor(),
                    head.decoded, head.proposed_ious, head.object_score, truth});
}

tracker::HeadOutput Group::decode(const Frame& frame,
                                  const std::optional<tracker::PointInputs>& points,
                                  const torch::Tensor& mask) {
  const bool three =
      tracker::proposes_three(model_.config().model, frame.initial, points ? points->count() : 0);
  auto head = tracker::decode(model_, frame.conditioned, frame.image.high_res, points, mask, three);
  add_step(head, frame.truth);
  return head;
}

tracker::HeadOutput Group::correct(const Frame& frame, tracker::HeadOutput head,
                                   std::optional<tracker::PointInputs> points, int times) {
  for (int i = 0; i < times; ++i) {
    const auto click =
        prompter_.click(objects_, frame.truth, head.high_res.detach().squeeze(1) > 0);
    points = points ? tracker::append(*points, click) : click;
    head = decode(frame, points, head.low_res);
  }
  return head;
}

void Group::segment(const tracker::PointInputs& points, int corrections) {
  Frame frame{frames_.features(0, clips_), {}, truth(0), /*initial=*/true};
  frame.conditioned = memory::features_without_memory(model_, frame.image);
  correct(frame, decode(frame, points, {}), points, corrections);
}

void Group::track(const PromptPlan& plan, const PromptOptions& options) {
  const nn::BaseConfig& base = model_.config().model;
  const auto policy = memory::make_recent_policy(training_rules(base));
  const auto length = masks_.size(1);
  memory::MemoryBank bank;
  auto order = plan.conditioning;
  for (std::int64_t t = 0; t < length; ++t)
    if (!contains(plan.conditioning, t)) order.push_back(t);

  for (const std::int64_t t : order) {
    Frame frame{frames_.features(t, clips_), {}, truth(t), contains(plan.conditioning, t)};
    const bool masked = frame.initial && plan.kind == PromptKind::kMask;
    const bool corrected = contains(plan.corrected, t) && !masked;
    tracker::HeadOutput head;
    if (frame.initial) {
      frame.conditioned = memory::features_without_memory(model_, frame.image);
    } else {
      const auto selection = policy->select(bank, {t, /*reverse=*/false, length});
      frame.conditioned = memory::features_with_memory(model_, frame.image, {&selection, 1});
    }
    std::optional<tracker::PointInputs> points;
    if (masked) {
      const auto mask = (frame.truth == 1).to(torch::kFloat32).unsqueeze(1);
      if (base.use_mask_input_as_output_without_sam) {
        head = tracker::take_mask(model_, frame.image, mask);
        add_step(head, frame.truth);
      } else {
        head = decode(frame, points, mask);
      }
    } else {
      if (frame.initial)
        points = plan.kind == PromptKind::kBox ? prompter_.box(objects_, frame.truth)
                                               : prompter_.click(objects_, frame.truth, {});
      head = decode(frame, points, {});
    }
    if (corrected) head = correct(frame, std::move(head), points, options.corrections_per_frame);

    if (t == order.back()) break;  // nobody looks back at it
    torch::Tensor memory;
    if (base.num_maskmem > 0)
      memory = memory::encode_memory(model_, frame.image, head.high_res, head.object_score,
                                     /*prompted=*/false);
    auto output = std::make_shared<memory::FrameOutput>(memory::FrameOutput{
        head.low_res, head.pointer, head.object_score, head.predicted_iou, memory, {}});
    const bool conditions = frame.initial || (corrected && options.corrected_frames_condition);
    (conditions ? bank.conditioning : bank.tracked).put(t, std::move(output));
  }
}

std::vector<std::int64_t> all_objects(const Batch& batch) {
  std::vector<std::int64_t> objects(batch.objects());
  for (std::size_t i = 0; i < objects.size(); ++i) objects[i] = static_cast<std::int64_t>(i);
  return objects;
}

}  // namespace

std::vector<Step> clip_forward(const nn::Model& model, const FrameEncoder& frames,
                               const Batch& batch, const PromptOptions& options,
                               Prompter& prompter) {
  std::vector<Step> steps;
  if (batch.single_pictures) {
    Group group(model, frames, batch, all_objects(batch), prompter, steps);
    const auto truth = group.truth(0);
    group.segment(prompter.click(group.objects(), truth, {}), options.picture_corrections);
    group.segment(prompter.box(group.objects(), truth), options.picture_corrections);
    group.segment(prompter.clicks_with_background(batch, group.objects()),
                  options.picture_corrections);
    return steps;
  }
  for (const PromptPlan& plan : prompter.plan(batch))
    Group(model, frames, batch, plan.objects, prompter, steps).track(plan, options);
  return steps;
}

std::int64_t frames_judged(const Batch& batch) {
  return batch.single_pictures ? kPictureKinds : batch.length();
}

}  // namespace vostrack::train
