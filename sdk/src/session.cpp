#include "vostrack/session.hpp"

#include "base/check.hpp"
#include "model_impl.hpp"
#include "results.hpp"
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
          "frame {} is {}×{} (height × width), want the video's {}×{}", frame, frame_.image.height,
          frame_.image.width, height(), width());
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
  result.cached_frames = config.cached_frames;
  result.objects_per_batch = config.objects_per_batch;
  if (config.memories_on_cpu) result.storage = torch::kCPU;
  return result;
}

}  // namespace

struct VideoSession::Impl {
  Impl(Model model, std::unique_ptr<FrameSource> frames, const SessionConfig& config)
      : model(std::move(model)),
        source(std::move(frames)),
        tracker(this->model.impl()->model, source,
                tracker_config(*this->model.impl()->model, config)) {}

  FrameResult result(tracker::FrameAnswer answer) const {
    FrameResult frame;
    frame.frame = answer.frame;
    frame.pts_s = source.source().pts_s(answer.frame);
    frame.name = source.source().name(answer.frame);
    frame.height = source.height();
    frame.width = source.width();
    return make_result(std::move(frame), std::move(answer), tracker.config().non_overlapping);
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

const FrameSource& VideoSession::source() const noexcept {
  return impl_->source.source();
}

FrameResult VideoSession::add_prompt(ObjectId object_id, std::int64_t frame, const Prompt& prompt) {
  return translate_errors(
      [&] { return impl_->result(impl_->tracker.add_prompt(object_id, frame, prompt)); });
}

FrameResult VideoSession::clear_prompts(ObjectId object_id, std::int64_t frame) {
  return translate_errors(
      [&] { return impl_->result(impl_->tracker.clear_prompts(object_id, frame)); });
}

void VideoSession::remove_object(ObjectId object_id) {
  impl_->tracker.remove_object(object_id);
}

void VideoSession::reset() {
  impl_->tracker.reset();
}

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
  return make_records(impl_->tracker);
}

}  // namespace vostrack
