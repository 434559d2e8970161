#include "train/trial_clips.hpp"

#include <torch/torch.h>

#include "train/draws.hpp"

namespace vostrack::train {

Clip TrialClips::sample(std::uint64_t seed, std::int64_t index) const {
  const bool picture = pictures_every_ > 0 && index % pictures_every_ == pictures_every_ - 1;
  const int frames = picture ? 1 : frames_;
  const int side = size_ / 4;
  Draws draws({seed, static_cast<std::uint64_t>(index)});
  const auto start = draws.below(size_ / 4);
  const auto step = draws.between(0, std::max(1, (size_ / 2 - 2) / (frames_ * 2)));
  Clip clip{torch::full({frames, 3, size_, size_}, 40, torch::kUInt8),
            torch::zeros({frames, 2, size_, size_}, torch::kUInt8), picture};
  for (int t = 0; t < frames; ++t)
    for (int object = 0; object < 2; ++object) {
      // One goes right, the other left below it.
      const auto moved = start + step * t;
      const auto x = object == 0 ? moved : size_ - side - moved;
      const int y = object == 0 ? size_ / 8 : size_ / 2;
      const auto square = [&](torch::Tensor plane) {
        return plane.slice(0, y, y + side).slice(1, x, x + side);
      };
      square(clip.frames[t][object]).fill_(230);
      square(clip.masks[t][object]).fill_(1);
    }
  return clip;
}

}  // namespace vostrack::train
