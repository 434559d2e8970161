/// One picture, any number of prompts.
///
///   vostrack::ImageSegmenter segmenter(vostrack::Model::load_default());
///   segmenter.set_image(vostrack::read_image("photo.jpg"));
///   vostrack::Prompt prompt;
///   prompt.clicks = {{320, 240}};
///   auto candidates = segmenter.predict(prompt);          // three, best first
///   vostrack::Mask mask = candidates.front().mask();      // at the picture's size
///
/// Thread safety: one thread at a time per segmenter; segmenters on one model are independent.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "vostrack/model.hpp"
#include "vostrack/types.hpp"

namespace vostrack {

struct ImageConfig {
  /// Pictures whose embeddings are kept, most recent first; 1 keeps only the current one.
  int cached_images = 4;
  /// Background specks of at most this many pixels inside the object are filled (0: off), at a
  /// quarter of the network's size.
  int fill_hole_area = 0;
  /// Specks of at most this many pixels are removed (0: off), at a quarter of the network's size.
  int remove_sprinkle_area = 0;
};

enum class MaskCount {
  kAuto,   ///< three for a single click, one otherwise
  kOne,    ///< the best single mask
  kThree,  ///< whole, part and sub-part, ranked by predicted IoU
};

enum class Coordinates { kPixels, kFractions };

struct PredictOptions {
  MaskCount masks = MaskCount::kAuto;
  Coordinates coordinates = Coordinates::kPixels;
  /// Low-resolution logits of an earlier answer to refine; side image_size / 4.
  std::optional<Logits> previous;
};

/// One proposed mask.
class VOSTRACK_API MaskCandidate {
 public:
  /// The network's own estimate of the mask's IoU with the truth.
  float predicted_iou() const noexcept;
  /// Above 0 where the network believes that the object is in the picture at all.
  float object_score() const noexcept;
  /// Binary mask at the picture's size: logits above `threshold`.
  Mask mask(float threshold = 0) const;
  /// Logits at the picture's size, not clamped.
  Logits logits() const;
  /// Logits at a quarter of the network's size, clamped to ±32, fit for PredictOptions::previous.
  Logits low_res_logits() const;

  struct Impl;
  explicit MaskCandidate(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

 private:
  std::shared_ptr<const Impl> impl_;
};

class VOSTRACK_API ImageSegmenter {
 public:
  /// @throws Error kInvalidArgument for a configuration that makes no sense
  explicit ImageSegmenter(Model model, ImageConfig config = {});
  ~ImageSegmenter();
  ImageSegmenter(ImageSegmenter&&) noexcept;
  ImageSegmenter& operator=(ImageSegmenter&&) noexcept;

  /// Encodes a picture and makes it the current one.
  ///
  /// @param key  if not empty and still cached, the kept embedding is used and `image` is only
  ///   looked at for its size
  /// @throws Error kInvalidArgument for an empty picture or one whose buffer has another size
  void set_image(const Image& image, const std::string& key = {});

  /// Masks for one prompt, ranked by predicted IoU.
  ///
  /// @throws Error kFailedState without a picture; kInvalidArgument for a prompt that is empty,
  ///   has a mask, NaN or an empty box; kOutOfRange for a point outside the picture
  std::vector<MaskCandidate> predict(const Prompt& prompt, const PredictOptions& options = {});

  /// One answer per box, computed as a batch.
  std::vector<std::vector<MaskCandidate>> predict_boxes(const std::vector<Box>& boxes,
                                                        const PredictOptions& options = {});

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

/// Reads a picture, upright (EXIF orientation applied), as RGB.
///
/// @throws Error kNotFound, kDecode
VOSTRACK_API Image read_image(const std::string& path);

}  // namespace vostrack
