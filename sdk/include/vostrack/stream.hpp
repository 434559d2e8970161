/// Tracking objects on frames that come and go: a camera, a robot, a network stream.
///
///   vostrack::StreamTracker tracker(vostrack::Model::load_default());
///   while (auto picture = camera.next()) {
///     auto result = tracker.track(*picture, camera.time_s());
///     if (user_clicked) tracker.add_prompt(1, click_prompt);   // on the frame just tracked
///   }
///
/// Memory does not grow, however long the stream: memories that no later frame can look back to
/// are dropped, and of an object's prompted frames the first and the latest few stay.
///
/// Thread safety: one thread at a time per tracker, but for cancel(); trackers on one model are
/// independent.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vostrack/model.hpp"
#include "vostrack/result.hpp"
#include "vostrack/speed.hpp"
#include "vostrack/types.hpp"

namespace vostrack {

struct StreamConfig {
  /// Encoded frames that are kept, the latest included, so that prompts may refer to them.
  int held_frames = 1;
  /// Prompted frames of an object that stay beside its first one.
  int latest_prompted_frames = 4;
  /// At each pixel only the object with the highest logit keeps it, in returned masks.
  bool non_overlapping = false;
  /// Holes of at most this many pixels (at a quarter of the network's size) are filled. Unset:
  /// the model's own setting.
  std::optional<int> fill_hole_area;
  /// Specks of at most this many pixels (at a quarter of the network's size) are removed.
  int remove_sprinkle_area = 0;
  /// Most objects that go through the networks together; on CPUs fewer at large image sizes.
  int objects_per_batch = 16;
  /// Keeps memories in the computer's memory while the model runs on a GPU.
  bool memories_on_cpu = false;
  /// Ceiling of what objects and encoded pictures may come to occupy; a prompt that could go beyond
  /// is refused. Unset: none.
  std::optional<std::int64_t> max_bytes;
  /// What may be left out to be faster; nothing by default.
  SpeedOptions speed;
};

class VOSTRACK_API StreamTracker {
 public:
  /// @throws Error kInvalidArgument for a configuration that makes no sense
  explicit StreamTracker(Model model, StreamConfig config = {});
  ~StreamTracker();
  StreamTracker(StreamTracker&&) noexcept;
  StreamTracker& operator=(StreamTracker&&) noexcept;

  /// Tracks all objects on the next frame.
  ///
  /// @param pts_s  the frame's time in seconds, not before the last one's
  /// @throws Error kInvalidArgument for a picture of another size than the first, an empty one, or
  ///   a time that goes back; nothing has changed then
  FrameResult track(const Image& image, double pts_s);

  /// Adds or corrects an object on a frame that is still held; a new id makes a new object, at any
  /// time. Frames after it are tracked again when the next frame comes.
  ///
  /// @param frame  unset: the latest one
  /// @return every object on that frame
  /// @throws Error as VideoSession::add_prompt; kFailedState before the first frame; kOutOfRange
  ///   for a frame that is no longer held
  FrameResult add_prompt(ObjectId object_id, const Prompt& prompt,
                         std::optional<std::int64_t> frame = std::nullopt);

  /// The masks that add_prompt could answer with; see VideoSession::propose.
  std::vector<ObjectResult> propose(ObjectId object_id, const Prompt& prompt,
                                    std::optional<std::int64_t> frame = std::nullopt);

  /// Ends a track() that is running, which then throws kCancelled; the frame does not count. May be
  /// called from any thread.
  void cancel() noexcept;

  /// @throws Error kNotFound
  void remove_object(ObjectId object_id);
  /// Forgets what is known of an object, but not its place: prompt it again.
  ///
  /// @throws Error kNotFound
  void reset_object(ObjectId object_id);
  /// Forgets everything but the model; the next frame is 0 and may have another size.
  void reset();

  /// Keeps what is remembered of a frame for good; see VideoSession::set_permanent.
  void set_permanent(ObjectId object_id, std::int64_t frame, bool permanent = true);

  /// Writes everything but the model to a file, the held frames too. What is at `path` is replaced
  /// only when all is written; a tracker that is loaded from it goes on to the bit.
  ///
  /// @throws Error kIo, kNotFound (folder)
  void save(const std::string& path) const;
  /// @param config  unset: as it was saved
  /// @throws Error kNotFound, kIo, kCorruptFile; kModelMismatch for a stream of another model
  static StreamTracker load(const std::string& path, Model model,
                            std::optional<StreamConfig> config = std::nullopt);
  /// A tracker with the same objects, memories and frames that goes its own way.
  StreamTracker clone() const;

  /// Objects that travel; see VideoSession.
  void export_object(ObjectId object_id, const std::string& path);
  ObjectId import_object(const std::string& path, std::optional<ObjectId> object_id = std::nullopt);

  MemoryUsage memory_usage() const;
  /// What SpeedOptions made it leave out since it was made.
  SpeedReport speed_report() const;
  std::vector<ObjectRecord> objects() const;
  /// −1 before the first frame.
  std::int64_t latest_frame() const noexcept;
  std::int64_t oldest_held_frame() const noexcept;

  struct Impl;

 private:
  explicit StreamTracker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vostrack
