/// What videos and streams share: everything about objects.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "memory/bank.hpp"
#include "memory/selection.hpp"
#include "nn/archive.hpp"
#include "nn/model.hpp"
#include "tracker/budget.hpp"
#include "tracker/mask_heads.hpp"
#include "tracker/prompt.hpp"
#include "tracker/tracker_config.hpp"
#include "vostrack/result.hpp"
#include "vostrack/speed.hpp"
#include "vostrack/types.hpp"

namespace vostrack::tracker {

using memory::FrameIndex;
using memory::OutputPtr;

/// One object's answer on a frame; `output` is empty where it has none.
struct ObjectAnswer {
  ObjectId id = 0;
  OutputPtr output;
  /// Frames in a row, this one included, on which tracking did not see the object.
  std::int64_t hidden_frames = 0;
  /// The frame whose output this is, where this one was not tracked.
  std::optional<FrameIndex> held_from = std::nullopt;
};

/// All objects on one frame, in the order in which they were first prompted.
struct FrameAnswer {
  FrameIndex frame = 0;
  std::vector<ObjectAnswer> objects;
};

/// Logits of an answer at the size of the video.
///
/// @return (objects, 1, height, width) float32; −1024 where an object has no output
torch::Tensor logits_at_size(const FrameAnswer& answer, int height, int width,
                             bool non_overlapping);

/// Objects with their prompts and memories. Objects never share memory; each picture is encoded
/// once for all.
class ObjectTracking {
 public:
  virtual ~ObjectTracking() = default;
  ObjectTracking(const ObjectTracking&) = delete;
  ObjectTracking& operator=(const ObjectTracking&) = delete;

  /// What the caller said about an object on a frame, earlier clicks included.
  struct Given {
    std::vector<Click> clicks;  ///< in video pixels
    std::optional<Box> box;
    bool mask = false;
  };

  /// How propagation last passed a frame.
  struct Passed {
    bool reverse = false;
    /// Frames in a row, this one included, on which it did not see the object.
    std::int64_t hidden_frames = 0;
    bool operator==(const Passed&) const = default;
  };

  struct Object {
    ObjectId id = 0;
    std::map<FrameIndex, Given> prompts;
    memory::MemoryBank bank;
    /// Answers to prompts that no propagation has taken in yet.
    memory::MemoryBank pending;
    std::map<FrameIndex, Passed> passed;

    /// The pending answers that become conditioning frames: corrections too if no other is left.
    const memory::OutputStore& pending_conditioning() const {
      return bank.conditioning.empty() && pending.conditioning.empty() ? pending.tracked
                                                                       : pending.conditioning;
    }
    bool prompted() const { return !bank.conditioning.empty() || !pending_conditioning().empty(); }
    /// Of a frame that was passed, and 0 of others.
    std::int64_t hidden_frames(FrameIndex frame) const;
    /// What was taken in on a frame, or what stands for it where it was held; or nothing.
    OutputPtr output(FrameIndex frame) const;
    std::optional<FrameIndex> held_from(FrameIndex frame) const;
    /// The frame whose output a frame would show if it were held; nothing where it cannot be.
    std::optional<FrameIndex> source_before(FrameIndex frame, bool reverse) const;
    std::int64_t bytes() const;
    std::int64_t scratch_bytes() const;
  };

  const std::vector<std::unique_ptr<Object>>& objects() const { return objects_; }
  const TrackerConfig& config() const { return config_; }
  const nn::Model& model() const { return *model_; }

  /// Forgets an object; the last one's removal is a reset.
  ///
  /// @throws Error kNotFound
  void remove_object(ObjectId id);

  /// Keeps the object's memory of a frame for good: always attended to, never dropped. A tracked
  /// frame becomes a conditioning frame. Or lets go of it again.
  ///
  /// @throws Error kNotFound for an unknown object or a frame without a memory; kOutOfMemory
  void set_permanent(ObjectId id, FrameIndex frame, bool permanent);

  /// Writes what an object's conditioning frames left in memory, pending ones too.
  ///
  /// @throws Error kNotFound; kFailedState without any prompt; kIo
  void export_object(ObjectId id, const std::string& path);
  /// Gives an object memories of another video: permanent ones, on frames below 0. A new id makes
  /// a new object.
  ///
  /// @param id  nothing: the id that it was exported with
  /// @return the id
  /// @throws Error kNotFound, kCorruptFile, kModelMismatch, kOutOfMemory; nothing has changed then
  ObjectId import_object(const std::string& path, std::optional<ObjectId> id);

  MemoryUsage memory_usage() const;
  SpeedReport speed_report() const;

  /// Ends what is being tracked before its next stage, and so within the frame, of which nothing
  /// is kept. Does nothing when nothing is being tracked. May be called from any thread.
  void cancel() noexcept { cancelled_ = true; }

 protected:
  ObjectTracking(std::shared_ptr<const nn::Model> model, const TrackerConfig& config);

  /// An encoded picture; valid until the next call.
  virtual const nn::ImageFeatures& features(FrameIndex frame) = 0;
  /// Frames in the video, or nothing for a stream.
  virtual std::optional<std::int64_t> num_frames() const = 0;
  virtual double time_s(FrameIndex frame) const = 0;
  /// A frame's small picture, see sketch.hpp; undefined where the picture is gone.
  virtual torch::Tensor sketch(FrameIndex frame) = 0;
  /// What encoded pictures occupy.
  virtual std::int64_t picture_bytes() const = 0;
  /// Sees to it that `bytes` more can be kept.
  ///
  /// @param frame  what is far from it is moved out of memory first
  /// @param new_object  whether there will be one object more
  /// @throws Error kOutOfMemory beyond max_bytes; nothing has changed then
  virtual void make_room(FrameIndex frame, std::int64_t bytes, bool new_object) = 0;
  /// Called after something was kept, at `frame`.
  ///
  /// @throws Error kIo
  virtual void keep_within_bounds(FrameIndex /*frame*/) {}

  std::shared_ptr<const nn::Model> shared_model() const { return model_; }
  const memory::SelectionPolicy& policy() const { return *policy_; }
  Object* find(ObjectId id);
  /// @throws Error kNotFound
  Object& get(ObjectId id);
  std::vector<std::unique_ptr<Object>>& mutable_objects() { return objects_; }
  std::int64_t object_bytes() const;
  /// What one output occupies when its memory is encoded, about.
  std::int64_t output_bytes() const;

  /// Answers a prompt and keeps the answer as pending. Nothing has changed when it throws.
  FrameAnswer add_prompt(ObjectId id, FrameIndex frame, const Prompt& prompt, int height,
                         int width);
  /// The masks that add_prompt would choose from; nothing is kept.
  std::vector<ObjectAnswer> propose(ObjectId id, FrameIndex frame, const Prompt& prompt, int height,
                                    int width);
  FrameAnswer clear_prompts(ObjectId id, FrameIndex frame);
  /// Makes pending answers memories. Nothing has changed when it throws.
  void take_in_pending();
  /// Tracks on one frame those of `objects` that were not prompted there. Nothing has changed when
  /// it throws.
  void pass(std::span<Object* const> objects, FrameIndex frame, bool reverse);
  /// Lets objects keep their masks on a frame instead, if the options allow it there.
  ///
  /// @return false where the frame has to be tracked; nothing has changed then, nor when it throws
  bool hold(std::span<Object* const> objects, FrameIndex frame, bool reverse);
  /// Whether frames may be held at all.
  bool may_hold() const;
  /// What may be left out on the current frame.
  const SpeedOptions& speed() const { return budget_ ? budget_->speed() : config_.speed; }
  using Clock = std::chrono::steady_clock;
  /// Tells the budget that a frame is done.
  void frame_took(Clock::duration time);
  /// What the banks hold of all objects.
  FrameAnswer passed_answer(FrameIndex frame) const;

  void allow_tracking() { cancelled_ = false; }
  /// @throws Error kCancelled after cancel()
  void check_not_cancelled() const;

  /// All objects, as tensors and as the document's `objects`.
  void save_objects(nn::ArchiveWriter& writer) const;
  /// Objects as saved, into a tracker that has none yet, of the same model.
  ///
  /// @param end  the frame after the last one that there can be
  /// @throws Error kCorruptFile, kModelMismatch (type of memories); the tracker cannot be used then
  void read_objects(const nn::Archive& archive, FrameIndex end);
  /// Outputs are shared: they never change.
  void copy_objects(const ObjectTracking& other);

 private:
  /// A prompt, checked and joined with what was said before.
  struct Question {
    Object* known = nullptr;  ///< nothing for a new object
    Given given;
    std::optional<PointInputs> points;
    torch::Tensor mask;  ///< (1, 1, S, S), or undefined
    bool initial = true;
    bool conditioning = true;
  };
  Question ask(ObjectId id, FrameIndex frame, const Prompt& prompt, int height, int width);
  /// @param all  all masks to choose from, or only the best
  std::vector<OutputPtr> answers(const Question& question, FrameIndex frame, bool all);
  memory::Selection select(const Object& object, FrameIndex frame, bool reverse) const;
  std::vector<OutputPtr> track(FrameIndex frame, std::span<const memory::Selection> selections);
  /// @param memory  undefined for prompts, whose memory is encoded when propagation starts
  /// @param selections  what each object of the batch looked back to; empty for prompts
  std::vector<OutputPtr> store(FrameIndex frame, const HeadOutput& head,
                               const torch::Tensor& memory,
                               std::span<const memory::Selection> selections = {}) const;
  void mark_passed(Object& object, FrameIndex frame, bool reverse);
  OutputPtr with_memory(const OutputPtr& output, FrameIndex frame);
  FrameAnswer prompt_answer(FrameIndex frame, bool conditioning) const;

  std::shared_ptr<const nn::Model> model_;
  TrackerConfig config_;
  std::shared_ptr<const memory::SelectionPolicy> policy_;
  std::vector<std::unique_ptr<Object>> objects_;
  SpeedReport report_;  ///< without the budget's part
  std::optional<Budget> budget_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace vostrack::tracker
