#include "results.hpp"

#include <algorithm>
#include <mutex>

#include "tensors.hpp"

namespace vostrack {
namespace {

/// All objects of a frame, brought to the video's size when the first is asked for: without
/// overlaps one object's mask depends on the others'.
class FrameMasks {
 public:
  FrameMasks(tracker::FrameAnswer answer, int height, int width, bool non_overlapping)
      : answer_(std::move(answer)),
        height_(height),
        width_(width),
        non_overlapping_(non_overlapping) {}

  const tracker::ObjectAnswer& object(std::size_t index) const { return answer_.objects[index]; }

  torch::Tensor logits(std::size_t index) const {
    if (!non_overlapping_)
      return tracker::logits_at_size({answer_.frame, {answer_.objects[index]}}, height_, width_,
                                     false);
    std::call_once(once_,
                   [this] { joint_ = tracker::logits_at_size(answer_, height_, width_, true); });
    return joint_[static_cast<std::int64_t>(index)];
  }

 private:
  tracker::FrameAnswer answer_;
  int height_, width_;
  bool non_overlapping_;
  mutable std::once_flag once_;
  mutable torch::Tensor joint_;
};

}  // namespace

struct ObjectResult::Impl {
  std::shared_ptr<const FrameMasks> masks;
  std::size_t index;
};

ObjectId ObjectResult::object_id() const noexcept {
  return impl_->masks->object(impl_->index).id;
}
bool ObjectResult::has_output() const noexcept {
  return impl_->masks->object(impl_->index).output != nullptr;
}
float ObjectResult::object_score() const noexcept {
  const auto& output = impl_->masks->object(impl_->index).output;
  return output ? output->object_score.item<float>() : static_cast<float>(tracker::kAbsent);
}
Mask ObjectResult::mask() const {
  return to_mask(impl_->masks->logits(impl_->index));
}
Logits ObjectResult::logits() const {
  return to_logits(impl_->masks->logits(impl_->index));
}
float ObjectResult::predicted_iou() const noexcept {
  const auto& output = impl_->masks->object(impl_->index).output;
  return output ? output->predicted_iou.item<float>() : 0.0F;
}

Presence ObjectResult::presence(std::int64_t lost_after) const noexcept {
  if (visible()) return Presence::kVisible;
  return impl_->masks->object(impl_->index).hidden_frames < lost_after ? Presence::kOccluded
                                                                       : Presence::kLost;
}

std::int64_t ObjectResult::area() const {
  const Mask mask = this->mask();
  return std::ranges::count(mask.data, 1);
}

std::optional<Box> ObjectResult::box() const {
  const Mask mask = this->mask();
  int x0 = mask.width, y0 = mask.height, x1 = 0, y1 = 0;
  for (int y = 0; y < mask.height; ++y)
    for (int x = 0; x < mask.width; ++x)
      if (mask.data[static_cast<std::size_t>(y) * mask.width + x]) {
        x0 = std::min(x0, x);
        y0 = std::min(y0, y);
        x1 = std::max(x1, x + 1);
        y1 = std::max(y1, y + 1);
      }
  if (x1 == 0) return std::nullopt;
  return Box{static_cast<float>(x0), static_cast<float>(y0), static_cast<float>(x1),
             static_cast<float>(y1)};
}

std::vector<std::int64_t> ObjectResult::attended_frames() const {
  const auto& output = impl_->masks->object(impl_->index).output;
  return output ? output->attended : std::vector<std::int64_t>();
}

FrameResult make_result(FrameResult frame, tracker::FrameAnswer answer, bool non_overlapping) {
  const auto count = answer.objects.size();
  const auto masks = std::make_shared<const FrameMasks>(std::move(answer), frame.height,
                                                        frame.width, non_overlapping);
  for (std::size_t i = 0; i < count; ++i)
    frame.objects.emplace_back(
        std::make_shared<const ObjectResult::Impl>(ObjectResult::Impl{masks, i}));
  return frame;
}

std::vector<ObjectRecord> make_records(const tracker::ObjectTracking& tracking) {
  std::vector<ObjectRecord> records;
  for (const auto& object : tracking.objects()) {
    ObjectRecord record;
    record.object_id = object->id;
    for (const auto& [frame, inputs] : object->prompts)
      record.prompts.push_back({frame, inputs.given.clicks, inputs.given.box, inputs.given_mask});
    record.conditioning_frames = static_cast<std::int64_t>(object->bank.conditioning.size());
    record.tracked_frames = static_cast<std::int64_t>(object->bank.tracked.size());
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace vostrack
