/// How objects are tracked.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "memory/selection.hpp"
#include "nn/model.hpp"
#include "vostrack/speed.hpp"

namespace vostrack::tracker {

struct TrackerConfig {
  bool corrections_last = true;
  bool non_overlapping = false;
  int fill_hole_area = 0;
  int remove_sprinkle_area = 0;
  bool clear_memory_around_corrections = false;
  torch::Device storage = torch::kCPU;  ///< where memories are kept
  /// Most objects that go through the networks together (see objects_together); 1 makes each
  /// object's numbers independent of which others there are, to the bit.
  int objects_per_batch = 16;
  /// Encoded pictures that are kept: of a video the ones used last, of a stream the latest, to
  /// which prompts may refer.
  int cached_frames = 2;
  /// Ceiling of what objects and encoded pictures may occupy; nothing: none. A video moves what is
  /// far away to a scratch file before it refuses a prompt.
  std::optional<std::int64_t> max_bytes;
  std::string scratch_folder;  ///< empty: the system's folder of temporary files
  /// Which memories are looked back to; nothing: the reference's rule.
  std::shared_ptr<const memory::SelectionPolicy> policy;
  /// What may be left out to be faster; nothing by default.
  SpeedOptions speed;

  /// What the model's own configuration asks for.
  static TrackerConfig from(const nn::Model& model);
  /// @throws Error kInvalidArgument naming field, value and rule
  void validate() const;

  /// What decides about results, for a saved session: all but `storage` and the scratch folder.
  nlohmann::json to_json() const;
  /// Replaces what to_json wrote.
  ///
  /// @throws Error kCorruptFile naming `origin`
  void read_json(const nlohmann::json& json, const std::string& origin);
};

/// How many objects go through the networks together: `objects_per_batch`, but on CPUs no more than
/// keep their threads busy, since memory in use grows with them: 8 at 448 pixels, one at 1024.
int objects_together(const nn::Model& model, int objects_per_batch);

}  // namespace vostrack::tracker
