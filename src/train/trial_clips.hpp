#pragma once

#include "train/clip.hpp"

namespace vostrack::train {

/// Clips out of nothing, to try a configuration before there is data, and for tests: two bright
/// squares that move over a dark ground.
class TrialClips : public ClipSource {
 public:
  /// @param pictures_every  each so many-th clip is a single picture; 0: none
  TrialClips(int size, int frames, int pictures_every)
      : size_(size), frames_(frames), pictures_every_(pictures_every) {}

  Clip sample(std::uint64_t seed, std::int64_t index) const override;

 private:
  int size_, frames_, pictures_every_;
};

}  // namespace vostrack::train
