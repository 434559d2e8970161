/// The state machine of a session on a seekable video.
///
///   VideoTracker tracker(model, source, {});
///   tracker.add_prompt(1, 0, prompt);
///   tracker.propagate({}, [&](const FrameAnswer& answer) { use(tracker.video_logits(answer)); });
///
/// Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "memory/bank.hpp"
#include "memory/selection.hpp"
#include "nn/model.hpp"
#include "tracker/frame_source.hpp"
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
  int cached_frames = 2;

  /// What the model's own configuration asks for.
  static TrackerConfig from(const nn::Model& model);
  /// @throws Error kInvalidArgument naming field, value and rule
  void validate() const;
};

/// One object's answer on a frame; `output` is empty where it has none.
struct ObjectAnswer {
  ObjectId id;
  OutputPtr output;
};

/// All objects on one frame, in the order in which they were first prompted.
struct FrameAnswer {
  FrameIndex frame = 0;
  std::vector<ObjectAnswer> objects;
};

struct Range {
  std::optional<FrameIndex> start;
  std::optional<std::int64_t> count;  ///< frames after `start`
  bool reverse = false;
};

/// Logits of an answer at the size of the video.
///
/// @return (objects, 1, height, width) float32; −1024 where an object has no output
torch::Tensor logits_at_size(const FrameAnswer& answer, int height, int width,
                             bool non_overlapping);

class VideoTracker {
 public:
  /// @param source  must outlive the tracker
  VideoTracker(std::shared_ptr<const nn::Model> model, FrameSource& source, TrackerConfig config);

  /// Every call that throws has changed nothing.
  FrameAnswer add_prompt(ObjectId id, FrameIndex frame, const Prompt& prompt);
  FrameAnswer clear_prompts(ObjectId id, FrameIndex frame);
  void remove_object(ObjectId id);
  void reset();

  /// @param on_frame  returns false to stop
  /// @return number of frames handed over
  std::int64_t propagate(const Range& range,
                         const std::function<bool(const FrameAnswer&)>& on_frame);

  /// What the caller said about an object on a frame.
  struct PromptInputs {
    std::optional<PointInputs> points;
    torch::Tensor mask;  ///< (1, 1, S, S), or undefined
    Prompt given;        ///< in video pixels, earlier clicks included; the mask's bytes left out
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
  };
  const std::vector<std::unique_ptr<Object>>& objects() const { return objects_; }
  const TrackerConfig& config() const { return config_; }

 private:
  Object* find(ObjectId id);
  Object& get(ObjectId id);
  void check_frame(FrameIndex frame) const;
  const nn::ImageFeatures& features(FrameIndex frame);
  OutputPtr answer_prompt(const Object& object, FrameIndex frame, const PromptInputs& inputs,
                          bool initial, bool correction_lasts);
  OutputPtr track(const Object& object, FrameIndex frame, bool reverse);
  OutputPtr store(const HeadOutput& head, torch::Tensor memory) const;
  OutputPtr with_memory(const OutputPtr& output, FrameIndex frame);
  void take_in_pending();
  FrameAnswer answer(FrameIndex frame, bool conditioning) const;

  std::shared_ptr<const nn::Model> model_;
  FrameSource& source_;
  TrackerConfig config_;
  std::shared_ptr<const memory::SelectionPolicy> policy_;
  std::vector<std::unique_ptr<Object>> objects_;
  /// Most recently used first.
  std::list<std::pair<FrameIndex, nn::ImageFeatures>> cache_;
};

}  // namespace vostrack::tracker
