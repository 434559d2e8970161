#include "train/batch.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "base/check.hpp"
#include "train/draws.hpp"

namespace vostrack::train {
namespace {

void check_clip(const NumberedClip& numbered, int size) {
  const Clip& clip = numbered.clip;
  const auto shape = [](const torch::Tensor& t) {
    return t.defined() ? fmt::format("({}) {}", fmt::join(t.sizes().vec(), ", "),
                                     c10::toString(t.scalar_type()))
                       : std::string("nothing");
  };
  const auto square = [size](const torch::Tensor& t) {
    return t.defined() && t.dim() == 4 && t.size(2) == size && t.size(3) == size &&
           t.scalar_type() == torch::kUInt8;
  };
  check(square(clip.frames) && clip.frames.size(0) > 0 && clip.frames.size(1) == 3,
        ErrorCode::kInvalidArgument, "clip {}: frames are {}, want (T, 3, {}, {}) uint8",
        numbered.index, shape(clip.frames), size, size);
  check(square(clip.masks) && clip.masks.size(0) == clip.frames.size(0),
        ErrorCode::kInvalidArgument, "clip {}: masks are {}, want ({}, N, {}, {}) uint8",
        numbered.index, shape(clip.masks), clip.frames.size(0), size, size);
  check(!clip.single_picture || clip.frames.size(0) == 1, ErrorCode::kInvalidArgument,
        "clip {}: a single picture has {} frames", numbered.index, clip.frames.size(0));
}

/// Objects that the first frame shows, at most `most` of them, ascending.
std::vector<std::int64_t> usable_objects(const NumberedClip& numbered, int most) {
  const auto visible = (numbered.clip.masks[0] == 1).flatten(1).any(1);
  std::vector<std::int64_t> objects;
  for (std::int64_t i = 0; i < visible.size(0); ++i)
    if (visible[i].item<bool>()) objects.push_back(i);
  objects = Draws({static_cast<std::uint64_t>(numbered.index)}).choose(std::move(objects), most);
  std::ranges::sort(objects);
  return objects;
}

}  // namespace

Batch on_device(Batch batch, torch::Device device) {
  batch.frames = batch.frames.to(device);
  batch.masks = batch.masks.to(device);
  batch.clip_of = batch.clip_of.to(device);
  return batch;
}

std::vector<Batch> collate(const std::vector<NumberedClip>& clips, const BatchOptions& options) {
  std::map<std::pair<bool, std::int64_t>, std::vector<const NumberedClip*>> alike;
  for (const NumberedClip& numbered : clips) {
    check_clip(numbered, options.image_size);
    alike[{numbered.clip.single_picture, numbered.clip.frames.size(0)}].push_back(&numbered);
  }
  std::vector<Batch> batches;
  for (const auto& [kind, group] : alike) {
    Batch batch;
    batch.single_pictures = kind.first;
    std::vector<torch::Tensor> frames, masks;
    std::vector<std::int64_t> clip_of;
    for (const NumberedClip* numbered : group) {
      const auto objects = usable_objects(
          *numbered, batch.single_pictures ? options.most_picture_objects : options.most_objects);
      if (objects.empty()) continue;
      for (const std::int64_t object : objects) {
        masks.push_back(numbered->clip.masks.select(1, object));
        clip_of.push_back(static_cast<std::int64_t>(frames.size()));
        batch.object_in_clip.push_back(object);
      }
      frames.push_back(numbered->clip.frames);
      batch.indices.push_back(numbered->index);
    }
    if (frames.empty()) continue;
    batch.frames = torch::stack(frames);
    batch.masks = torch::stack(masks);
    batch.clip_of = torch::tensor(clip_of);
    batches.push_back(std::move(batch));
  }
  return batches;
}

}  // namespace vostrack::train
