#include "results.hpp"

#include <algorithm>
#include <mutex>

#include "annotations/contours.hpp"
#include "annotations/rle.hpp"
#include "base/check.hpp"
#include "tensors.hpp"
#include "tracker/masks_at_size.hpp"

namespace vostrack {
namespace {

/// All objects of a frame. Without overlaps one object's mask depends on the others', so all are
/// brought to the video's size when the first is asked for.
class FrameMasks {
 public:
  FrameMasks(tracker::FrameAnswer answer, int height, int width, bool non_overlapping)
      : answer_(std::move(answer)),
        height_(height),
        width_(width),
        non_overlapping_(non_overlapping) {}

  const tracker::ObjectAnswer& object(std::size_t index) const { return answer_.objects[index]; }

  /// (1, 1, s, s), or undefined without output.
  torch::Tensor low_res(std::size_t index) const {
    const auto& output = answer_.objects[index].output;
    return output ? output->mask_logits : torch::Tensor();
  }

  Mask mask(std::size_t index) const {
    if (non_overlapping_) {
      std::call_once(labels_once_, [this] {
        std::vector<torch::Tensor> logits;
        for (std::size_t i = 0; i < answer_.objects.size(); ++i) logits.push_back(low_res(i));
        labels_ = tracker::labels_at_size(logits, height_, width_);
      });
      Mask mask{height_, width_, std::vector<std::uint8_t>(labels_.size())};
      for (std::size_t i = 0; i < labels_.size(); ++i) mask.data[i] = labels_[i] == index + 1;
      return mask;
    }
    if (const auto logits = low_res(index); logits.defined())
      return tracker::mask_at_size(logits, height_, width_);
    return {height_, width_, std::vector<std::uint8_t>(static_cast<std::size_t>(height_) * width_)};
  }

  torch::Tensor logits(std::size_t index) const {
    if (!non_overlapping_)
      return tracker::logits_at_size({answer_.frame, {answer_.objects[index]}}, height_, width_,
                                     false);
    std::call_once(joint_once_,
                   [this] { joint_ = tracker::logits_at_size(answer_, height_, width_, true); });
    return joint_[static_cast<std::int64_t>(index)];
  }

 private:
  tracker::FrameAnswer answer_;
  int height_, width_;
  bool non_overlapping_;
  mutable std::once_flag labels_once_, joint_once_;
  mutable std::vector<std::uint16_t> labels_;
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
  return impl_->masks->mask(impl_->index);
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
  return annotations::bounding_box(mask());
}

std::optional<Point> ObjectResult::centroid() const {
  const Mask mask = this->mask();
  std::int64_t count = 0, sum_x = 0, sum_y = 0;
  for (int y = 0; y < mask.height; ++y)
    for (int x = 0; x < mask.width; ++x)
      if (mask.data[static_cast<std::size_t>(y) * mask.width + x]) {
        ++count;
        sum_x += x;
        sum_y += y;
      }
  if (count == 0) return std::nullopt;
  const auto mean = [count](std::int64_t sum) {
    return static_cast<float>(static_cast<double>(sum) / static_cast<double>(count) + 0.5);
  };
  return Point{mean(sum_x), mean(sum_y)};
}

std::string ObjectResult::rle() const {
  return annotations::to_coco_string(annotations::encode_rle(mask()));
}

std::vector<Contour> ObjectResult::contours() const {
  return annotations::trace_contours(mask());
}

std::vector<std::int64_t> ObjectResult::attended_frames() const {
  const auto& output = impl_->masks->object(impl_->index).output;
  return output ? output->attended : std::vector<std::int64_t>();
}

std::optional<std::int64_t> ObjectResult::held_from() const noexcept {
  return impl_->masks->object(impl_->index).held_from;
}

LabelImage FrameResult::labels() const {
  LabelImage image{height, width, {}, {}};
  std::vector<torch::Tensor> logits;
  for (const ObjectResult& object : objects) {
    image.ids.push_back(object.object_id());
    logits.push_back(object.impl_->masks->low_res(object.impl_->index));
  }
  image.data = tracker::labels_at_size(logits, height, width);
  return image;
}

std::vector<ObjectResult> make_objects(std::vector<tracker::ObjectAnswer> answers, int height,
                                       int width) {
  FrameResult frame;
  frame.height = height;
  frame.width = width;
  return make_result(std::move(frame), {0, std::move(answers)}, /*non_overlapping=*/false).objects;
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
    for (const auto& [frame, given] : object->prompts)
      record.prompts.push_back({frame, given.clicks, given.box, given.mask});
    record.conditioning_frames = static_cast<std::int64_t>(object->bank.conditioning.size());
    record.permanent_frames.assign(object->bank.permanent.begin(), object->bank.permanent.end());
    record.tracked_frames = static_cast<std::int64_t>(object->bank.tracked.size());
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace vostrack
