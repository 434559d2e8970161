/// The state machine of a session on a seekable video.
///
///   VideoTracker tracker(model, source, {});
///   tracker.add_prompt(1, 0, prompt);
///   tracker.propagate({}, [&](const FrameAnswer& answer) {
///     use(logits_at_size(answer, source.height(), source.width(), false));
///     return true;
///   });
///
/// Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <utility>

#include "tracker/frame_source.hpp"
#include "tracker/object_tracking.hpp"

namespace vostrack::tracker {

struct Range {
  std::optional<FrameIndex> start;
  std::optional<std::int64_t> count;  ///< frames after `start`
  bool reverse = false;
};

class VideoTracker : public ObjectTracking {
 public:
  /// @param source  must outlive the tracker
  VideoTracker(std::shared_ptr<const nn::Model> model, FrameSource& source,
               const TrackerConfig& config);

  /// Every call that throws has changed nothing.
  FrameAnswer add_prompt(ObjectId id, FrameIndex frame, const Prompt& prompt);
  FrameAnswer clear_prompts(ObjectId id, FrameIndex frame);
  void remove_object(ObjectId id);
  void reset();

  /// @param on_frame  returns false to stop; it may not change the tracker
  /// @return number of frames handed over
  std::int64_t propagate(const Range& range,
                         const std::function<bool(const FrameAnswer&)>& on_frame);

 private:
  const nn::ImageFeatures& features(FrameIndex frame) override;
  std::optional<std::int64_t> num_frames() const override { return source_.frame_count(); }
  void check_frame(FrameIndex frame) const;

  FrameSource& source_;
  void check_not_propagating() const;

  /// Set while propagate hands over frames: it holds on to the objects.
  bool propagating_ = false;
  /// Most recently used first.
  std::list<std::pair<FrameIndex, nn::ImageFeatures>> cache_;
};

}  // namespace vostrack::tracker
