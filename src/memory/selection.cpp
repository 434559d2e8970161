#include "memory/selection.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <optional>

namespace vostrack::memory {
namespace {

/// Conditioning frames, split into those attended to as such and the rest.
struct Conditioning {
  std::vector<FrameIndex> selected;  ///< in the order in which they are attended to
  std::vector<FrameIndex> rest;
};

/// All permanent ones, and of the others the nearest, `limit` at most (below 0: all).
Conditioning nearest_conditioning(const MemoryBank& bank, FrameIndex frame, int limit) {
  auto frames = bank.conditioning.frames_in_order_of_storing();
  const auto permanent = [&](FrameIndex t) { return bank.permanent.contains(t); };
  const auto others_begin = std::ranges::stable_partition(frames, permanent).begin();
  const auto permanents = std::vector<FrameIndex>(frames.begin(), others_begin);
  if (limit < 0 || frames.end() - others_begin <= limit) return {frames, {}};
  frames.erase(frames.begin(), others_begin);

  std::optional<FrameIndex> before, after;
  for (FrameIndex t : frames) {
    if (t < frame && (!before || t > *before)) before = t;
    if (t >= frame && (!after || t < *after)) after = t;
  }
  Conditioning split{permanents, {}};
  if (before) split.selected.push_back(*before);
  if (after) split.selected.push_back(*after);
  std::vector<FrameIndex> others;
  for (FrameIndex t : frames)
    if (t != before && t != after) others.push_back(t);
  // Stable: among equally near frames the one stored first wins.
  std::ranges::stable_sort(others, {}, [frame](FrameIndex t) { return std::abs(t - frame); });
  const auto room = static_cast<std::size_t>(limit) + permanents.size() - split.selected.size();
  split.selected.insert(split.selected.end(), others.begin(), others.begin() + room);
  split.rest.assign(others.begin() + room, others.end());
  return split;
}

FrameIndex floor_to_multiple(FrameIndex value, int step) {
  const FrameIndex remainder = ((value % step) + step) % step;
  return value - remainder;
}

/// The frame so many steps before `frame` (after it, in reverse), not counting held ones.
FrameIndex steps_back(const MemoryBank& bank, FrameIndex frame, FrameIndex steps, bool reverse) {
  const FrameIndex step = reverse ? 1 : -1;
  if (bank.held.empty()) return frame + step * steps;
  while (steps > 0)
    if (!bank.held.contains(frame += step)) --steps;
  return frame;
}

/// Steps from a conditioning frame to another frame, not counting held ones between them.
FrameIndex steps_between(const MemoryBank& bank, FrameIndex conditioning, FrameIndex frame) {
  const FrameIndex first = std::min(conditioning, frame), last = std::max(conditioning, frame);
  FrameIndex steps = last - first;
  if (first < last && !bank.held.empty())
    steps -= std::distance(bank.held.upper_bound(first), bank.held.lower_bound(last));
  const auto forgotten = bank.forgotten.find(conditioning);
  return forgotten == bank.forgotten.end() ? steps : steps - forgotten->second;
}

class RecentPolicy : public SelectionPolicy {
 public:
  explicit RecentPolicy(const nn::BaseConfig& config) : config_(config) {}

  Selection select(const MemoryBank& bank, const SelectionContext& context) const override {
    Selection selection;
    const auto conditioning =
        nearest_conditioning(bank, context.frame, config_.max_cond_frames_in_attn);
    const auto at_position = [&](FrameIndex t) {
      if (auto output = bank.tracked.get(t)) return output;
      return std::ranges::count(conditioning.rest, t) > 0 ? bank.conditioning.get(t) : nullptr;
    };

    for (FrameIndex t : conditioning.selected)
      selection.memories.push_back({t, config_.num_maskmem - 1, bank.conditioning.get(t)});
    for (int back = config_.num_maskmem - 1; back >= 1; --back) {
      const FrameIndex nominal = position(context, back);
      const FrameIndex t =
          steps_back(bank, context.frame, std::abs(context.frame - nominal), context.reverse);
      if (auto output = at_position(t)) selection.memories.push_back({t, back - 1, output});
    }
    if (config_.use_obj_ptrs_in_encoder)
      add_pointers(selection, bank, context, conditioning, at_position);
    return selection;
  }

  std::string name() const override { return "recent"; }

  std::vector<FrameIndex> out_of_reach(const MemoryBank& bank, FrameIndex frame) const override {
    auto frames = bank.tracked.frames();
    const FrameIndex oldest = bank.held.empty() ? oldest_reachable(frame)
                                                : steps_back(bank, frame, most_in_reach(), false);
    const auto end = std::ranges::lower_bound(frames, oldest);
    frames.erase(end, frames.end());
    return frames;
  }

  std::int64_t most_in_reach() const override {
    std::int64_t most = 0;
    for (FrameIndex frame = 0; frame < config_.memory_temporal_stride_for_eval; ++frame)
      most = std::max(most, frame - oldest_reachable(frame));
    return most;
  }

 private:
  FrameIndex oldest_reachable(FrameIndex frame) const {
    FrameIndex oldest = frame;
    for (int back = 1; back < config_.num_maskmem; ++back)
      oldest = std::min(oldest, position({frame, /*reverse=*/false, std::nullopt}, back));
    if (config_.use_obj_ptrs_in_encoder)
      oldest = std::min<FrameIndex>(oldest, frame - (config_.max_obj_ptrs_in_encoder - 1));
    return oldest;
  }

  /// The frame that is `back` places back (or ahead, in reverse) in the memory.
  FrameIndex position(const SelectionContext& context, int back) const {
    const int stride = config_.memory_temporal_stride_for_eval;
    if (back == 1) return context.reverse ? context.frame + 1 : context.frame - 1;
    const FrameIndex steps = static_cast<FrameIndex>(back - 2) * stride;
    if (context.reverse) return -floor_to_multiple(-(context.frame + 2), stride) + steps;
    return floor_to_multiple(context.frame - 2, stride) - steps;
  }

  template <class AtPosition>
  void add_pointers(Selection& selection, const MemoryBank& bank, const SelectionContext& context,
                    const Conditioning& conditioning, const AtPosition& at_position) const {
    std::int64_t most = config_.max_obj_ptrs_in_encoder;
    if (context.num_frames) most = std::min(most, *context.num_frames);
    selection.pointer_span = static_cast<int>(most) - 1;
    const int sign = context.reverse ? -1 : 1;
    for (FrameIndex t : conditioning.selected) {
      FrameIndex ahead = (context.frame - t) * sign;  // above 0: t was passed before
      if (config_.only_obj_ptrs_in_the_past_for_eval && ahead < 0) continue;
      ahead = (ahead < 0 ? -1 : 1) * steps_between(bank, t, context.frame);
      const FrameIndex distance = config_.use_signed_tpos_enc_to_obj_ptrs ? ahead : std::abs(ahead);
      selection.pointers.push_back({t, static_cast<double>(distance), bank.conditioning.get(t)});
    }
    for (std::int64_t distance = 1; distance < most; ++distance) {
      const FrameIndex t = steps_back(bank, context.frame, distance, context.reverse);
      if (t < 0 || (context.num_frames && t >= *context.num_frames)) break;
      if (auto output = at_position(t))
        selection.pointers.push_back({t, static_cast<double>(distance), output});
    }
  }

  nn::BaseConfig config_;
};

}  // namespace

void keep_nearest(Selection& selection, const MemoryBank& bank, FrameIndex frame,
                  std::optional<int> memories, std::optional<int> pointers) {
  const auto keep = [&](auto& list, std::optional<int> most) {
    if (!most) return;
    std::vector<FrameIndex> distances;
    for (const auto& selected : list)
      if (!bank.conditioning.contains(selected.frame))
        distances.push_back(std::abs(frame - selected.frame));
    const auto count = static_cast<std::size_t>(*most);
    if (distances.size() <= count) return;
    std::ranges::sort(distances);
    std::erase_if(list, [&](const auto& selected) {
      return !bank.conditioning.contains(selected.frame) &&
             std::abs(frame - selected.frame) >= distances[count];
    });
  };
  keep(selection.memories, memories);
  keep(selection.pointers, pointers);
}

std::shared_ptr<const SelectionPolicy> make_recent_policy(const nn::BaseConfig& config) {
  return std::make_shared<RecentPolicy>(config);
}

}  // namespace vostrack::memory
