#include "vostrack/session.hpp"

#include <mutex>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/check.hpp"
#include "model_impl.hpp"
#include "results.hpp"
#include "tensors.hpp"
#include "tracker/video_tracker.hpp"

namespace vostrack {
namespace {

/// A video that several sessions read, one at a time.
struct SharedVideo {
  std::unique_ptr<FrameSource> frames;
  std::mutex mutex;
};

/// The public source as the tracker's.
class SourceAdapter : public tracker::FrameSource {
 public:
  explicit SourceAdapter(std::shared_ptr<SharedVideo> video) : video_(std::move(video)) {
    check(video_->frames != nullptr, ErrorCode::kInvalidArgument, "there is no frame source");
    frame_count_ = video_->frames->frame_count();
    height_ = video_->frames->height();
    width_ = video_->frames->width();
  }
  std::int64_t frame_count() const override { return frame_count_; }
  int height() const override { return height_; }
  int width() const override { return width_; }
  double time_s(std::int64_t frame) const override { return time_and_name(frame).first; }
  torch::Tensor read(std::int64_t frame) override {
    {
      const std::lock_guard lock(video_->mutex);
      video_->frames->recycle(std::move(frame_));
      frame_ = video_->frames->read(frame);
    }
    check(frame_.image.height == height() && frame_.image.width == width(), ErrorCode::kDecode,
          "frame {} is {}×{} (height × width), want the video's {}×{}", frame, frame_.image.height,
          frame_.image.width, height(), width());
    return to_tensor(frame_.image);
  }
  const vostrack::FrameSource& source() const { return *video_->frames; }
  const std::shared_ptr<SharedVideo>& video() const { return video_; }
  std::pair<double, std::string> time_and_name(std::int64_t frame) const {
    const std::lock_guard lock(video_->mutex);
    return {video_->frames->pts_s(frame), video_->frames->name(frame)};
  }
  /// What tells videos apart.
  nlohmann::json identity() const {
    return {{"frames", frame_count_},
            {"height", height_},
            {"width", width_},
            {"first_pts_s", time_and_name(0).first},
            {"last_pts_s", time_and_name(frame_count_ - 1).first}};
  }

 private:
  std::shared_ptr<SharedVideo> video_;
  std::int64_t frame_count_ = 0;
  int height_ = 0, width_ = 0;
  Frame frame_;  ///< owns the bytes behind the last tensor
};

std::shared_ptr<SharedVideo> share(std::unique_ptr<FrameSource> source) {
  auto video = std::make_shared<SharedVideo>();
  video->frames = std::move(source);
  return video;
}

tracker::TrackerConfig tracker_config(const nn::Model& model, const SessionConfig& config) {
  auto result = tracker::TrackerConfig::from(model);
  result.corrections_last = config.corrections_last;
  result.non_overlapping = config.non_overlapping || result.non_overlapping;
  if (config.fill_hole_area) result.fill_hole_area = *config.fill_hole_area;
  result.remove_sprinkle_area = config.remove_sprinkle_area;
  result.clear_memory_around_corrections = config.clear_memory_around_corrections;
  result.cached_frames = config.cached_frames;
  result.objects_per_batch = config.objects_per_batch;
  result.max_bytes = config.max_bytes;
  result.scratch_folder = config.scratch_folder;
  result.speed = config.speed;
  if (config.memories_on_cpu) result.storage = torch::kCPU;
  return result;
}

}  // namespace

struct VideoSession::Impl {
  Impl(Model model, std::shared_ptr<SharedVideo> video, const tracker::TrackerConfig& config)
      : model(std::move(model)),
        source(std::move(video)),
        tracker(this->model.impl()->model, source, config) {}

  FrameResult result(tracker::FrameAnswer answer) const {
    FrameResult frame;
    frame.frame = answer.frame;
    std::tie(frame.pts_s, frame.name) = source.time_and_name(answer.frame);
    frame.height = source.height();
    frame.width = source.width();
    return make_result(std::move(frame), std::move(answer), tracker.config().non_overlapping);
  }

  std::unique_ptr<Impl> fork(std::shared_ptr<SharedVideo> video) const {
    auto copy = std::make_unique<Impl>(model, std::move(video), tracker.config());
    check(copy->source.identity() == source.identity(), ErrorCode::kInvalidArgument,
          "the source is another video: {}, want {}", copy->source.identity().dump(),
          source.identity().dump());
    copy->tracker.copy_from(tracker);
    return copy;
  }

  Model model;
  SourceAdapter source;  ///< outlives the tracker
  tracker::VideoTracker tracker;
};

struct Propagation::Impl {
  VideoSession::Impl& session;
  tracker::Propagation state;
};

std::optional<FrameResult> Propagation::next() {
  return translate_errors([&]() -> std::optional<FrameResult> {
    auto answer = impl_->session.tracker.next(impl_->state);
    if (!answer) return std::nullopt;
    return impl_->session.result(std::move(*answer));
  });
}

VideoSession::VideoSession(Model model, std::unique_ptr<FrameSource> source, SessionConfig config) {
  const auto settings = tracker_config(*model.impl()->model, config);
  impl_ = std::make_unique<Impl>(std::move(model), share(std::move(source)), settings);
}
VideoSession::VideoSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
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

std::vector<ObjectResult> VideoSession::propose(ObjectId object_id, std::int64_t frame,
                                                const Prompt& prompt) {
  return translate_errors([&] {
    return make_objects(impl_->tracker.propose(object_id, frame, prompt), impl_->source.height(),
                        impl_->source.width());
  });
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

Propagation VideoSession::start(const PropagateOptions& options) {
  return translate_errors([&] {
    auto state = impl_->tracker.begin(
        {options.start, options.count, options.direction == Direction::kBackward});
    return Propagation(
        std::make_shared<Propagation::Impl>(Propagation::Impl{*impl_, std::move(state)}));
  });
}

void VideoSession::cancel() noexcept {
  impl_->tracker.cancel();
}

void VideoSession::set_permanent(ObjectId object_id, std::int64_t frame, bool permanent) {
  translate_errors([&] { impl_->tracker.set_permanent(object_id, frame, permanent); });
}

void VideoSession::save(const std::string& path) const {
  translate_errors([&] {
    impl_->tracker.save(
        path, {{"config", impl_->tracker.config().to_json()}, {"video", impl_->source.identity()}});
  });
}

VideoSession VideoSession::load(const std::string& path, Model model,
                                std::unique_ptr<FrameSource> source,
                                std::optional<SessionConfig> config) {
  return translate_errors([&] {
    const nn::Model& weights = *model.impl()->model;
    const auto archive = nn::read_archive(path, tracker::VideoTracker::kArchiveKind,
                                          tracker::VideoTracker::kArchiveVersion);
    auto settings = config ? tracker_config(weights, *config) : tracker_config(weights, {});
    if (!config) settings.read_json(archive.document.value("config", nlohmann::json()), path);
    auto impl = std::make_unique<Impl>(std::move(model), share(std::move(source)), settings);
    const auto saved = archive.document.value("video", nlohmann::json());
    check(impl->source.identity() == saved, ErrorCode::kInvalidArgument,
          "{}: is a session of another video: {}, this one is {}", path, saved.dump(),
          impl->source.identity().dump());
    impl->tracker.restore(archive);
    return VideoSession(std::move(impl));
  });
}

VideoSession VideoSession::clone() const {
  return translate_errors([&] { return VideoSession(impl_->fork(impl_->source.video())); });
}

VideoSession VideoSession::clone(std::unique_ptr<FrameSource> source) const {
  return translate_errors([&] { return VideoSession(impl_->fork(share(std::move(source)))); });
}

void VideoSession::export_object(ObjectId object_id, const std::string& path) {
  translate_errors([&] { impl_->tracker.export_object(object_id, path); });
}

ObjectId VideoSession::import_object(const std::string& path, std::optional<ObjectId> object_id) {
  return translate_errors([&] { return impl_->tracker.import_object(path, object_id); });
}

MemoryUsage VideoSession::memory_usage() const {
  return impl_->tracker.memory_usage();
}
SpeedReport VideoSession::speed_report() const {
  return impl_->tracker.speed_report();
}

std::vector<ObjectRecord> VideoSession::objects() const {
  return make_records(impl_->tracker);
}

}  // namespace vostrack
