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
/// Thread safety: one thread at a time per session; sessions on one model are independent.
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
  /// Objects that go through the networks together, which costs less than one by one; 1 makes each
  /// object's masks independent of the others to the bit.
  int objects_per_batch = 8;
};

enum class Direction { kForward, kBackward };

struct PropagateOptions {
  /// First frame; unset: the earliest prompted frame of any object, backward too.
  std::optional<std::int64_t> start;
  /// How many frames to go on after `start`; unset: to the end of the video.
  std::optional<std::int64_t> count;
  Direction direction = Direction::kForward;
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

  /// Objects and their prompts, in the order in which they were first prompted.
  std::vector<ObjectRecord> objects() const;

  struct Impl;
  /// The implementation; for the library's own tests.
  Impl& impl() noexcept { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace vostrack
