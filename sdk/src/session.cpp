#include "vostrack/session.hpp"

#include <mutex>

#include "base/check.hpp"
#include "model_impl.hpp"
#include "tensors.hpp"
#include "tracker/video_tracker.hpp"

namespace vostrack {
namespace {

/// The public source as the tracker's.
class SourceAdapter : public tracker::FrameSource {
 public:
  explicit SourceAdapter(std::unique_ptr<vostrack::FrameSource> source)
      : source_(std::move(source)) {
    check(source_ != nullptr, ErrorCode::kInvalidArgument, "there is no frame source");
  }
  std::int64_t frame_count() const override { return source_->frame_count(); }
  int height() const override { return source_->height(); }
  int width() const override { return source_->width(); }
  torch::Tensor read(std::int64_t frame) override {
    frame_ = source_->read(frame);
    check(frame_.image.height == height() && frame_.image.width == width(), ErrorCode::kDecode,
          "frame {} is {}×{} (height × width), want the video's {}×{}", frame,
          frame_.image.height, frame_.image.width, height(), width());
    return to_tensor(frame_.image);
  }
  const vostrack::FrameSource& source() const { return *source_; }

 private:
  std::unique_ptr<vostrack::FrameSource> source_;
  Frame frame_;  ///< owns the bytes behind the last tensor
};

tracker::TrackerConfig tracker_config(const nn::Model& model, const SessionConfig& config) {
  auto result = tracker::TrackerConfig::from(model);
  result.corrections_last = config.corrections_last;
  result.non_overlapping = config.non_overlapping || result.non_overlapping;
  if (config.fill_hole_area) result.fill_hole_area = *config.fill_hole_area;
  result.remove_sprinkle_area = config.remove_sprinkle_area;
  result.clear_memory_around_corrections = config.clear_memory_around_corrections;
  if (config.memories_on_cpu) result.storage = torch::kCPU;
  result.cached_frames = config.cached_frames;
  return result;
}

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
    std::call_once(once_, [this] {
      joint_ = tracker::logits_at_size(answer_, height_, width_, true);
    });
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

ObjectId ObjectResult::object_id() const noexcept { return impl_->masks->object(impl_->index).id; }
bool ObjectResult::has_output() const noexcept {
  return impl_->masks->object(impl_->index).output != nullptr;
}
float ObjectResult::object_score() const noexcept {
  const auto& output = impl_->masks->object(impl_->index).output;
  return output ? output->object_score.item<float>() : static_cast<float>(tracker::kAbsent);
}
Mask ObjectResult::mask() const { return to_mask(impl_->masks->logits(impl_->index)); }
Logits ObjectResult::logits() const { return to_logits(impl_->masks->logits(impl_->index)); }

struct VideoSession::Impl {
  Impl(Model model, std::unique_ptr<FrameSource> frames, const SessionConfig& config)
      : model(std::move(model)),
        source(std::move(frames)),
        tracker(this->model.impl()->model, source,
                tracker_config(*this->model.impl()->model, config)) {}

  FrameResult result(tracker::FrameAnswer answer) const {
    FrameResult result;
    result.frame = answer.frame;
    result.pts_s = source.source().pts_s(answer.frame);
    result.name = source.source().name(answer.frame);
    result.height = source.height();
    result.width = source.width();
    const auto count = answer.objects.size();
    const auto masks = std::make_shared<const FrameMasks>(
        std::move(answer), source.height(), source.width(), tracker.config().non_overlapping);
    for (std::size_t i = 0; i < count; ++i)
      result.objects.emplace_back(
          std::make_shared<const ObjectResult::Impl>(ObjectResult::Impl{masks, i}));
    return result;
  }

  Model model;
  SourceAdapter source;  ///< outlives the tracker
  tracker::VideoTracker tracker;
};

VideoSession::VideoSession(Model model, std::unique_ptr<FrameSource> source, SessionConfig config)
    : impl_(std::make_unique<Impl>(std::move(model), std::move(source), config)) {}
VideoSession::~VideoSession() = default;
VideoSession::VideoSession(VideoSession&&) noexcept = default;
VideoSession& VideoSession::operator=(VideoSession&&) noexcept = default;

const FrameSource& VideoSession::source() const noexcept { return impl_->source.source(); }

FrameResult VideoSession::add_prompt(ObjectId object_id, std::int64_t frame,
                                     const Prompt& prompt) {
  return translate_errors(
      [&] { return impl_->result(impl_->tracker.add_prompt(object_id, frame, prompt)); });
}

FrameResult VideoSession::clear_prompts(ObjectId object_id, std::int64_t frame) {
  return translate_errors(
      [&] { return impl_->result(impl_->tracker.clear_prompts(object_id, frame)); });
}

void VideoSession::remove_object(ObjectId object_id) { impl_->tracker.remove_object(object_id); }

void VideoSession::reset() { impl_->tracker.reset(); }

std::int64_t VideoSession::propagate(const PropagateOptions& options,
                                     const std::function<bool(const FrameResult&)>& on_frame) {
  check(on_frame != nullptr, ErrorCode::kInvalidArgument, "on_frame is empty, want a function");
  return translate_errors([&] {
    return impl_->tracker.propagate(
        {options.start, options.count, options.direction == Direction::kBackward},
        [&](const tracker::FrameAnswer& answer) { return on_frame(impl_->result(answer)); });
  });
}

std::vector<ObjectRecord> VideoSession::objects() const {
  std::vector<ObjectRecord> records;
  for (const auto& object : impl_->tracker.objects()) {
    ObjectRecord record;
    record.object_id = object->id;
    for (const auto& [frame, inputs] : object->prompts)
      record.prompts.push_back(
          {frame, inputs.given.clicks, inputs.given.box, inputs.given_mask});
    record.conditioning_frames = static_cast<std::int64_t>(object->bank.conditioning.size());
    record.tracked_frames = static_cast<std::int64_t>(object->bank.tracked.size());
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace vostrack
