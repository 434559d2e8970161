/// Tracking on frames that come and go: a camera, a robot, a network stream.
///
///   StreamTracker tracker(model, {});
///   tracker.track(picture, 0.0);                  // frame 0: nothing to track yet
///   tracker.add_prompt(1, tracker.latest_frame(), prompt);
///   FrameAnswer answer = tracker.track(next, 0.04);
///
/// Memory is bounded whatever the length: tracked frames that no selection can reach again are
/// dropped, and of an object's conditioning frames the first and the latest few stay.
///
/// Thread safety: one thread at a time, but for cancel().
#pragma once

#include <deque>
#include <map>

#include "tracker/object_tracking.hpp"

namespace vostrack::tracker {

struct StreamConfig {
  TrackerConfig tracking;
  /// Conditioning frames that stay beside the first one.
  int latest_conditioning_frames = 4;

  /// @throws Error kInvalidArgument naming field, value and rule
  void validate() const;

  /// As TrackerConfig's.
  nlohmann::json to_json() const;
  void read_json(const nlohmann::json& json, const std::string& origin);
};

class StreamTracker : public ObjectTracking {
 public:
  StreamTracker(std::shared_ptr<const nn::Model> model, const StreamConfig& config);

  /// Tracks all objects on the next frame. Objects that were corrected on a frame before the latest
  /// are first tracked again up to there.
  ///
  /// @param picture  (H, W, 3) uint8; all frames have the size of the first
  /// @param time_s  presentation time, not before the last frame's
  /// @throws Error kInvalidArgument for another size or a time that goes back, kCancelled after
  ///   cancel(); the frame does not count then
  FrameAnswer track(const torch::Tensor& picture, double time_s);

  /// @param frame  one that is still held
  /// @throws Error kFailedState before the first frame, kOutOfRange for a frame that is not held,
  ///   and as check_prompt; nothing has changed then
  FrameAnswer add_prompt(ObjectId id, FrameIndex frame, const Prompt& prompt);

  std::vector<ObjectAnswer> propose(ObjectId id, FrameIndex frame, const Prompt& prompt);

  /// Forgets what is known of an object but its id: it has no output until it is prompted again.
  ///
  /// @throws Error kNotFound
  void reset_object(ObjectId id);

  /// Forgets all objects and frames; the next frame is 0 again and may have another size.
  void reset();

  /// Objects, and the frames that are held.
  ///
  /// @param document  what the caller wants kept beside them
  void save(const std::string& path, nlohmann::json document) const;
  /// Takes on what was saved; only for a tracker that was not used yet.
  ///
  /// @throws Error kCorruptFile, kModelMismatch; the tracker cannot be used then
  void restore(const nn::Archive& archive);
  /// Takes on another tracker's state, of the same model.
  void copy_from(const StreamTracker& other);

  static constexpr const char* kArchiveKind = "stream session";
  static constexpr int kArchiveVersion = 2;

  /// −1 before the first frame.
  FrameIndex latest_frame() const { return next_frame_ - 1; }
  FrameIndex oldest_held_frame() const {
    return next_frame_ - static_cast<FrameIndex>(held_.size());
  }
  /// Of a frame that is held.
  double time_s(FrameIndex frame) const override {
    return held_.at(static_cast<std::size_t>(frame - oldest_held_frame())).time_s;
  }
  const StreamConfig& stream_config() const { return config_; }
  int height() const { return height_; }
  int width() const { return width_; }

 private:
  struct HeldFrame {
    nn::ImageFeatures features;  ///< or, until they are needed, the picture
    torch::Tensor picture;       ///< (H, W, 3) uint8
    double time_s = 0;
  };
  const nn::ImageFeatures& features(FrameIndex frame) override;
  std::optional<std::int64_t> num_frames() const override { return std::nullopt; }
  std::int64_t picture_bytes() const override;
  torch::Tensor sketch(FrameIndex frame) override;
  /// Forgets sketches that no later frame is compared with.
  void prune_sketches();
  void make_room(FrameIndex frame, std::int64_t bytes, bool new_object) override;
  void check_held(FrameIndex frame) const;
  /// Takes in what was prompted, and tracks objects again from where they were prompted to the
  /// latest frame. Nothing has changed when it throws.
  void catch_up();
  void prune(Object& object) const;

  StreamConfig config_;
  std::deque<HeldFrame> held_;
  std::map<FrameIndex, torch::Tensor> sketches_;
  FrameIndex next_frame_ = 0;
  int height_ = 0;
  int width_ = 0;
};

}  // namespace vostrack::tracker
