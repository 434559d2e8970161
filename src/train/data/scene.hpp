/// A scene of a training example: a ground that moves, cut-outs over it, and what is asked for.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "train/clip.hpp"
#include "train/data/data_config.hpp"
#include "train/data/random.hpp"
#include "train/data/warp.hpp"

namespace vostrack::train {

/// Codes of the ground's objects end here; cut-outs have those above, up to 254.
inline constexpr int kLastGroundCode = 240;

struct Layer {
  std::vector<LabelledPicture> pictures;  ///< one, or one for each frame
  std::vector<Warp> warps;                ///< for each frame

  const LabelledPicture& picture(std::size_t frame) const {
    return pictures.size() == 1 ? pictures.front() : pictures[frame];
  }
  /// Halves pictures as often as the view would step over pixels.
  void fit(int size);
};

struct Ground : Layer {
  CodeTable code_of_label{};
};

struct CutOut : Layer {
  std::array<bool, 256> opaque{};
  std::uint8_t code = 0;
  CutOutOrder order = CutOutOrder::kInFront;
};

struct Scene {
  Ground ground;
  std::vector<CutOut> cut_outs;
  std::uint8_t first_object = 0;  ///< code
  bool single_picture = false;
};

/// Draws all frames, flaws and all. Of the objects that are large enough on the first frame, the
/// scene's first object comes first, then others, those rather that are near the ones before.
///
/// @return nothing when the first object is too small on the first frame
std::optional<Clip> draw(const Scene& scene, const DataConfig& config, Random& random);

}  // namespace vostrack::train
