/// The state machine of a session on a seekable video.
///
///   VideoTracker tracker(model, source, {});
///   tracker.add_prompt(1, 0, prompt);
///   auto run = tracker.begin({});
///   while (auto answer = tracker.next(run))
///     use(logits_at_size(*answer, source.height(), source.width(), false));
///
/// Thread safety: one thread at a time, but for cancel().
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

/// Where a propagation stands.
struct Propagation {
  FrameIndex next = 0;
  FrameIndex last = 0;
  bool reverse = false;
  bool done = false;
  std::uint64_t changes = 0;  ///< the tracker's, when it began
};

class VideoTracker : public ObjectTracking {
 public:
  /// @param source  must outlive the tracker
  VideoTracker(std::shared_ptr<const nn::Model> model, FrameSource& source,
               const TrackerConfig& config);

  /// Every call that throws has changed nothing.
  FrameAnswer add_prompt(ObjectId id, FrameIndex frame, const Prompt& prompt);
  std::vector<ObjectAnswer> propose(ObjectId id, FrameIndex frame, const Prompt& prompt);
  FrameAnswer clear_prompts(ObjectId id, FrameIndex frame);
  void remove_object(ObjectId id);
  void set_permanent(ObjectId id, FrameIndex frame, bool permanent);
  ObjectId import_object(const std::string& path, std::optional<ObjectId> id);
  void reset();

  /// @throws Error kOutOfRange, kInvalidArgument for a range that makes no sense; kFailedState
  ///   without objects, or with one that has no prompted frame
  Propagation begin(const Range& range);
  /// Tracks the next frame. Nothing at the end, and after cancel().
  ///
  /// @throws Error kFailedState when objects were changed since it began
  std::optional<FrameAnswer> next(Propagation& propagation);
  /// Both, until the end or until `on_frame` returns false; it may not change the tracker.
  ///
  /// @return number of frames handed over
  std::int64_t propagate(const Range& range,
                         const std::function<bool(const FrameAnswer&)>& on_frame);

  /// @param document  what the caller wants kept beside the objects
  void save(const std::string& path, nlohmann::json document) const;
  /// Takes on what was saved; only for a tracker that was not used yet.
  ///
  /// @throws Error kCorruptFile, kModelMismatch; the tracker cannot be used then
  void restore(const nn::Archive& archive);
  /// Takes on another tracker's objects, of the same model and an equal video.
  void copy_from(const VideoTracker& other);

  static constexpr const char* kArchiveKind = "video session";
  static constexpr int kArchiveVersion = 2;

 private:
  const nn::ImageFeatures& features(FrameIndex frame) override;
  std::optional<std::int64_t> num_frames() const override { return source_.frame_count(); }
  double time_s(FrameIndex frame) const override { return source_.time_s(frame); }
  torch::Tensor sketch(FrameIndex frame) override;
  /// A frame's picture, valid until the next call.
  const torch::Tensor& read(FrameIndex frame);
  std::int64_t picture_bytes() const override;
  void make_room(FrameIndex frame, std::int64_t bytes, bool new_object) override;
  void keep_within_bounds(FrameIndex frame) override;
  /// Moves tracked frames to the scratch file, the farthest from `frame` first.
  ///
  /// @return whether objects and encoded pictures occupy at most `most` bytes now
  bool spill(FrameIndex frame, std::int64_t most);
  void check_frame(FrameIndex frame) const;
  /// @throws Error kFailedState while frames are handed over
  void begin_change();

  FrameSource& source_;
  /// Set while propagate hands over frames.
  bool handing_over_ = false;
  std::uint64_t changes_ = 0;
  std::shared_ptr<memory::Scratch> scratch_;  ///< made when it is needed
  /// Most recently used first.
  std::list<std::pair<FrameIndex, nn::ImageFeatures>> cache_;
  std::list<std::pair<FrameIndex, torch::Tensor>> sketches_;  ///< the same
  std::pair<FrameIndex, torch::Tensor> picture_;              ///< what was read last
};

}  // namespace vostrack::tracker
