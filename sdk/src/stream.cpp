#include "vostrack/stream.hpp"

#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "model_impl.hpp"
#include "results.hpp"
#include "tensors.hpp"
#include "tracker/stream_tracker.hpp"

namespace vostrack {
namespace {

tracker::StreamConfig stream_config(const nn::Model& model, const StreamConfig& config) {
  tracker::StreamConfig result;
  result.tracking = tracker::TrackerConfig::from(model);
  result.tracking.corrections_last = true;
  result.tracking.non_overlapping = config.non_overlapping || result.tracking.non_overlapping;
  if (config.fill_hole_area) result.tracking.fill_hole_area = *config.fill_hole_area;
  result.tracking.remove_sprinkle_area = config.remove_sprinkle_area;
  result.tracking.objects_per_batch = config.objects_per_batch;
  result.tracking.cached_frames = config.held_frames;
  result.tracking.max_bytes = config.max_bytes;
  result.tracking.speed = config.speed;
  if (config.memories_on_cpu) result.tracking.storage = torch::kCPU;
  result.latest_conditioning_frames = config.latest_prompted_frames;
  return result;
}

}  // namespace

struct StreamTracker::Impl {
  Impl(Model model_in, const tracker::StreamConfig& config)
      : model(std::move(model_in)), tracker(model.impl()->model, config) {}

  FrameResult result(tracker::FrameAnswer answer) const {
    FrameResult frame;
    frame.frame = answer.frame;
    frame.pts_s = tracker.time_s(answer.frame);
    frame.name = fmt::format("{:05}", answer.frame);
    frame.height = tracker.height();
    frame.width = tracker.width();
    return make_result(std::move(frame), std::move(answer), tracker.config().non_overlapping);
  }

  Model model;
  tracker::StreamTracker tracker;
};

StreamTracker::StreamTracker(Model model, StreamConfig config) {
  const auto settings = stream_config(*model.impl()->model, config);
  impl_ = std::make_unique<Impl>(std::move(model), settings);
}
StreamTracker::StreamTracker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StreamTracker::~StreamTracker() = default;
StreamTracker::StreamTracker(StreamTracker&&) noexcept = default;
StreamTracker& StreamTracker::operator=(StreamTracker&&) noexcept = default;

FrameResult StreamTracker::track(const Image& image, double pts_s) {
  return translate_errors(
      [&] { return impl_->result(impl_->tracker.track(to_tensor(image), pts_s)); });
}

FrameResult StreamTracker::add_prompt(ObjectId object_id, const Prompt& prompt,
                                      std::optional<std::int64_t> frame) {
  return translate_errors([&] {
    return impl_->result(
        impl_->tracker.add_prompt(object_id, frame.value_or(latest_frame()), prompt));
  });
}

std::vector<ObjectResult> StreamTracker::propose(ObjectId object_id, const Prompt& prompt,
                                                 std::optional<std::int64_t> frame) {
  return translate_errors([&] {
    return make_objects(impl_->tracker.propose(object_id, frame.value_or(latest_frame()), prompt),
                        impl_->tracker.height(), impl_->tracker.width());
  });
}

void StreamTracker::cancel() noexcept {
  impl_->tracker.cancel();
}

void StreamTracker::remove_object(ObjectId object_id) {
  impl_->tracker.remove_object(object_id);
}
void StreamTracker::reset_object(ObjectId object_id) {
  impl_->tracker.reset_object(object_id);
}
void StreamTracker::reset() {
  impl_->tracker.reset();
}

void StreamTracker::set_permanent(ObjectId object_id, std::int64_t frame, bool permanent) {
  translate_errors([&] { impl_->tracker.set_permanent(object_id, frame, permanent); });
}

void StreamTracker::save(const std::string& path) const {
  translate_errors([&] {
    impl_->tracker.save(path, {{"config", impl_->tracker.stream_config().to_json()}});
  });
}

StreamTracker StreamTracker::load(const std::string& path, Model model,
                                  std::optional<StreamConfig> config) {
  return translate_errors([&] {
    const nn::Model& weights = *model.impl()->model;
    const auto archive = nn::read_archive(path, tracker::StreamTracker::kArchiveKind,
                                          tracker::StreamTracker::kArchiveVersion);
    auto settings = config ? stream_config(weights, *config) : stream_config(weights, {});
    if (!config) settings.read_json(archive.document.value("config", nlohmann::json()), path);
    auto impl = std::make_unique<Impl>(std::move(model), settings);
    impl->tracker.restore(archive);
    return StreamTracker(std::move(impl));
  });
}

StreamTracker StreamTracker::clone() const {
  return translate_errors([&] {
    auto copy = std::make_unique<Impl>(impl_->model, impl_->tracker.stream_config());
    copy->tracker.copy_from(impl_->tracker);
    return StreamTracker(std::move(copy));
  });
}

void StreamTracker::export_object(ObjectId object_id, const std::string& path) {
  translate_errors([&] { impl_->tracker.export_object(object_id, path); });
}

ObjectId StreamTracker::import_object(const std::string& path, std::optional<ObjectId> object_id) {
  return translate_errors([&] { return impl_->tracker.import_object(path, object_id); });
}

MemoryUsage StreamTracker::memory_usage() const {
  return impl_->tracker.memory_usage();
}

SpeedReport StreamTracker::speed_report() const {
  return impl_->tracker.speed_report();
}

std::vector<ObjectRecord> StreamTracker::objects() const {
  return make_records(impl_->tracker);
}
std::int64_t StreamTracker::latest_frame() const noexcept {
  return impl_->tracker.latest_frame();
}
std::int64_t StreamTracker::oldest_held_frame() const noexcept {
  return impl_->tracker.oldest_held_frame();
}

}  // namespace vostrack
