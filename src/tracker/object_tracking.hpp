/// What videos and streams share: everything about objects.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "memory/bank.hpp"
#include "memory/selection.hpp"
#include "nn/model.hpp"
#include "tracker/mask_heads.hpp"
#include "tracker/prompt.hpp"
#include "vostrack/types.hpp"

namespace vostrack::tracker {

using memory::FrameIndex;
using memory::OutputPtr;

struct TrackerConfig {
  bool corrections_last = true;
  bool non_overlapping = false;
  int fill_hole_area = 0;
  int remove_sprinkle_area = 0;
  bool clear_memory_around_corrections = false;
  torch::Device storage = torch::kCPU;  ///< where memories are kept
  /// Objects that go through the networks together; 1 makes each object's numbers independent of
  /// which others there are, to the bit.
  int objects_per_batch = 8;
  /// Encoded pictures that are kept: of a video the ones used last, of a stream the latest, to
  /// which prompts may refer.
  int cached_frames = 2;

  /// What the model's own configuration asks for.
  static TrackerConfig from(const nn::Model& model);
  /// @throws Error kInvalidArgument naming field, value and rule
  void validate() const;
};

/// One object's answer on a frame; `output` is empty where it has none.
struct ObjectAnswer {
  ObjectId id = 0;
  OutputPtr output;
  /// Frames in a row, this one included, on which tracking did not see the object.
  std::int64_t hidden_frames = 0;
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

  /// What the caller said about an object on a frame.
  struct PromptInputs {
    std::optional<PointInputs> points;
    torch::Tensor mask;  ///< (1, 1, S, S), or undefined
    Prompt given;        ///< in video pixels, earlier clicks included, without the mask
    bool given_mask = false;
  };

  struct Object {
    ObjectId id = 0;
    std::map<FrameIndex, PromptInputs> prompts;
    memory::MemoryBank bank;
    /// Answers to prompts that no propagation has taken in yet.
    memory::MemoryBank pending;
    /// Frames that propagation has passed, and whether in reverse the last time.
    std::map<FrameIndex, bool> passed;
    std::int64_t hidden_frames = 0;

    bool prompted() const { return !bank.conditioning.empty() || !pending.conditioning.empty(); }
  };

  const std::vector<std::unique_ptr<Object>>& objects() const { return objects_; }
  const TrackerConfig& config() const { return config_; }

  /// Forgets an object; the last one's removal is a reset.
  ///
  /// @throws Error kNotFound
  void remove_object(ObjectId id);

 protected:
  ObjectTracking(std::shared_ptr<const nn::Model> model, const TrackerConfig& config);

  /// An encoded picture; valid until the next call.
  virtual const nn::ImageFeatures& features(FrameIndex frame) = 0;
  /// Frames in the video, or nothing for a stream.
  virtual std::optional<std::int64_t> num_frames() const = 0;

  const nn::Model& model() const { return *model_; }
  const memory::SelectionPolicy& policy() const { return *policy_; }
  Object* find(ObjectId id);
  /// @throws Error kNotFound
  Object& get(ObjectId id);
  std::vector<std::unique_ptr<Object>>& mutable_objects() { return objects_; }

  /// Answers a prompt and keeps the answer as pending. Nothing has changed when it throws.
  FrameAnswer add_prompt(ObjectId id, FrameIndex frame, const Prompt& prompt, int height,
                         int width);
  FrameAnswer clear_prompts(ObjectId id, FrameIndex frame);
  /// Makes pending answers memories. Nothing has changed when it throws.
  void take_in_pending();
  /// Tracks on one frame those of `objects` that were not prompted there.
  void pass(std::span<Object* const> objects, FrameIndex frame, bool reverse);
  /// What the banks hold of all objects.
  FrameAnswer passed_answer(FrameIndex frame) const;

 private:
  OutputPtr answer_prompt(const Object& object, FrameIndex frame, const PromptInputs& inputs,
                          bool initial, bool conditioning);
  std::vector<OutputPtr> track(FrameIndex frame, std::span<const memory::Selection> selections);
  /// @param memory  undefined for prompts, whose memory is encoded when propagation starts
  /// @param selections  what each object of the batch looked back to; empty for prompts
  std::vector<OutputPtr> store(const HeadOutput& head, const torch::Tensor& memory,
                               std::span<const memory::Selection> selections = {}) const;
  OutputPtr with_memory(const OutputPtr& output, FrameIndex frame);
  FrameAnswer prompt_answer(FrameIndex frame, bool conditioning) const;

  std::shared_ptr<const nn::Model> model_;
  TrackerConfig config_;
  std::shared_ptr<const memory::SelectionPolicy> policy_;
  std::vector<std::unique_ptr<Object>> objects_;
};

}  // namespace vostrack::tracker
