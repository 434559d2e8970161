/// Tracking objects through a seekable video.
///
///   vostrack::VideoSession session(vostrack::Model::load_default(),
///                                  vostrack::open_video("clip.mp4"));
///   vostrack::Prompt prompt;
///   prompt.clicks = {{320, 240}};
///   session.add_prompt(/*object_id=*/1, /*frame=*/0, prompt);
///   session.propagate({}, [](const vostrack::FrameResult& result) {
///     save(result.name, result.objects[0].mask());
///     return true;  // false stops
///   });
///
/// Results can also be pulled one by one, and a session can be put aside:
///
///   auto propagation = session.start();
///   while (auto result = propagation.next()) show(*result);
///   session.save("clip.session");
///   auto again = vostrack::VideoSession::load("clip.session", model, open_video("clip.mp4"));
///
/// Thread safety: one thread at a time per session, but for cancel(); sessions on one model are
/// independent.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vostrack/frame_source.hpp"
#include "vostrack/model.hpp"
#include "vostrack/result.hpp"
#include "vostrack/speed.hpp"
#include "vostrack/types.hpp"

namespace vostrack {

struct SessionConfig {
  /// A correction on a frame that was already tracked becomes a memory that later tracking
  /// respects. The reference's own default is false: there the next propagation overwrites it.
  bool corrections_last = true;
  /// At each pixel only the object with the highest logit keeps it, in returned masks.
  bool non_overlapping = false;
  /// Holes of at most this many pixels (at a quarter of the network's size) are filled. Unset:
  /// the model's own setting.
  std::optional<int> fill_hole_area;
  /// Specks of at most this many pixels (at a quarter of the network's size) are removed.
  int remove_sprinkle_area = 0;
  /// A correction drops what was remembered of the frames around it.
  bool clear_memory_around_corrections = false;
  /// Keeps memories in the computer's memory while the model runs on a GPU.
  bool memories_on_cpu = false;
  /// Encoded frames kept for prompts and corrections, at least 1.
  int cached_frames = 2;
  /// Most objects that go through the networks together, which costs less than one by one; on CPUs
  /// fewer at large image sizes. 1 makes each object's masks independent of the others to the bit.
  int objects_per_batch = 16;
  /// Ceiling of what objects and encoded pictures occupy in memory. Tracked frames take up to a
  /// quarter of it; others, far from the current one, lie in a scratch file and come back when they
  /// are needed. A prompt that does not fit below the ceiling is refused. Unset: none.
  std::optional<std::int64_t> max_bytes = std::int64_t{1} << 30;
  /// Folder of the scratch file; empty: the system's for temporary files.
  std::string scratch_folder;
  /// What may be left out to be faster; nothing by default.
  SpeedOptions speed;
};

enum class Direction { kForward, kBackward };

struct PropagateOptions {
  /// First frame; unset: the earliest prompted frame of any object, backward too.
  std::optional<std::int64_t> start;
  /// How many frames to go on after `start`; unset: to the end of the video.
  std::optional<std::int64_t> count;
  Direction direction = Direction::kForward;
};

class VideoSession;

/// A propagation whose frames are pulled. Ends with its session.
///
/// Thread safety: that of its session.
class VOSTRACK_API Propagation {
 public:
  /// Tracks all objects on the next frame.
  ///
  /// @return nothing at the range's end, and after VideoSession::cancel
  /// @throws Error kFailedState when objects were changed since it was started; whatever the source
  ///   throws, after which the same frame can be tried again
  std::optional<FrameResult> next();

  struct Impl;
  explicit Propagation(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<Impl> impl_;
};

class VOSTRACK_API VideoSession {
 public:
  /// @throws Error kInvalidArgument for a configuration that makes no sense
  VideoSession(Model model, std::unique_ptr<FrameSource> source, SessionConfig config = {});
  ~VideoSession();
  VideoSession(VideoSession&&) noexcept;
  VideoSession& operator=(VideoSession&&) noexcept;

  const FrameSource& source() const noexcept;

  /// Adds or corrects an object on one frame. A new id makes a new object, at any time.
  ///
  /// @return every object on that frame; mask prompts come back as the network keeps them
  /// @throws Error kInvalidArgument (empty prompt, NaN, empty box, mask of another size, mask
  ///   together with clicks, box after clicks), kOutOfRange (frame or point outside); nothing
  ///   has changed then
  FrameResult add_prompt(ObjectId object_id, std::int64_t frame, const Prompt& prompt);

  /// The masks that add_prompt could answer with, those that the network believes in more first:
  /// up to three for a first click. Nothing is kept; give the same prompt with `candidate` set to
  /// take one.
  ///
  /// @throws Error as add_prompt
  std::vector<ObjectResult> propose(ObjectId object_id, std::int64_t frame, const Prompt& prompt);

  /// Takes an object's prompts on one frame back.
  ///
  /// @throws Error kNotFound, kOutOfRange
  FrameResult clear_prompts(ObjectId object_id, std::int64_t frame);

  /// Forgets an object. Other objects are not touched.
  ///
  /// @throws Error kNotFound
  void remove_object(ObjectId object_id);

  /// Forgets everything but the video and the model.
  void reset();

  /// Tracks all objects over a range of frames and hands over each frame as it is done.
  ///
  /// @param on_frame  returns false to stop after this frame; what is tracked so far is kept
  /// @return number of frames handed over
  /// @throws Error kFailedState when there is no object, or one without prompts (it is named);
  ///   kOutOfRange; whatever the source throws
  std::int64_t propagate(const PropagateOptions& options,
                         const std::function<bool(const FrameResult&)>& on_frame);

  /// The same, one frame at a time.
  ///
  /// @throws Error as propagate
  Propagation start(const PropagateOptions& options = {});

  /// Ends the propagation that is running, within the frame: nothing of that frame is kept, what
  /// was handed over stays. May be called from any thread; does nothing when none is running.
  void cancel() noexcept;

  /// Keeps what is remembered of a frame for good, prompted or not: always looked back to, whatever
  /// the model's limit of prompted frames. Or lets go of it again.
  ///
  /// @throws Error kNotFound for an object without a memory of this frame
  void set_permanent(ObjectId object_id, std::int64_t frame, bool permanent = true);

  /// Writes everything but video and model to a file. What is at `path` is replaced only when all
  /// is written; a session that is loaded from it goes on to the bit.
  ///
  /// @throws Error kIo, kNotFound (folder)
  void save(const std::string& path) const;
  /// @param source  the video of the saved session
  /// @param config  unset: as it was saved
  /// @throws Error kNotFound, kIo, kCorruptFile; kModelMismatch for a session of another model,
  ///   kInvalidArgument for another video
  static VideoSession load(const std::string& path, Model model,
                           std::unique_ptr<FrameSource> source,
                           std::optional<SessionConfig> config = std::nullopt);
  /// A session with the same objects, memories and prompts that goes its own way. They share the
  /// source, one at a time.
  VideoSession clone() const;
  /// The same with a source of its own, so that both can run at the same time.
  ///
  /// @throws Error kInvalidArgument for another video
  VideoSession clone(std::unique_ptr<FrameSource> source) const;

  /// Writes what an object's prompted frames left in memory, to start it elsewhere.
  ///
  /// @throws Error kNotFound, kFailedState without any prompt, kIo
  void export_object(ObjectId object_id, const std::string& path);
  /// Starts an object, or helps one, with memories from another video or picture: no prompt is
  /// needed then.
  ///
  /// @param object_id  unset: the id that it was exported with
  /// @return its id
  /// @throws Error kNotFound, kCorruptFile, kModelMismatch, kOutOfMemory
  ObjectId import_object(const std::string& path, std::optional<ObjectId> object_id = std::nullopt);

  MemoryUsage memory_usage() const;
  /// What SpeedOptions made it leave out since it was made.
  SpeedReport speed_report() const;

  /// Objects and their prompts, in the order in which they were first prompted.
  std::vector<ObjectRecord> objects() const;

  struct Impl;
  /// The implementation; for the library's own tests.
  Impl& impl() noexcept { return *impl_; }

 private:
  explicit VideoSession(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vostrack
