#include "train/data/data_config.hpp"

#include <cmath>

#include "base/check.hpp"

namespace vostrack::train {
namespace {

void within(const char* field, double value, double low, double high) {
  check(value >= low && value <= high, ErrorCode::kInvalidArgument, "data.{} is {}, want {} to {}",
        field, value, low, high);
}

}  // namespace

void DataConfig::validate() const {
  within("size", size, 16, 4096);
  within("frames", frames, 1, 1024);
  within("objects", objects, 1, 64);
  within("picture_objects", picture_objects, 1, 64);
  within("largest_stride", largest_stride, 1, 1000);
  within("smallest_object", smallest_object, 1e-5, 0.5);
  within("neighbours", neighbours, 0, 1e6);
  within("several_objects", several_objects, 0, 1e6);
  within("pictures_share", pictures_share, 0, 1);
  within("video_share", video_share, 0, 1);
  within("backwards", backwards, 0, 1);
  within("whole_of_parts", whole_of_parts, 0, 1);
  for (const auto& [source, weight] : source_weights)
    within(("source_weights." + source).c_str(), weight, 0, 1e6);

  within("motion.shift", motion.shift, 0, 1);
  within("motion.zoom", motion.zoom, 0, 0.5);
  within("motion.turn_degrees", motion.turn_degrees, 0, 180);
  within("motion.tilt", motion.tilt, 0, 0.3);
  within("motion.bend", motion.bend, 0, 0.2);
  within("motion.bent_share", motion.bent_share, 0, 1);
  within("motion.still_share", motion.still_share, 0, 1);

  within("augment.flip", augment.flip, 0, 1);
  within("augment.smallest_crop", augment.smallest_crop, 0.05, 1);
  within("augment.largest_crop", augment.largest_crop, augment.smallest_crop, 2);
  within("augment.squeeze", augment.squeeze, 1, 4);
  within("augment.turn_degrees", augment.turn_degrees, 0, 180);
  within("augment.brightness", augment.brightness, 0, 1);
  within("augment.contrast", augment.contrast, 0, 1);
  within("augment.saturation", augment.saturation, 0, 1);
  within("augment.hue_degrees", augment.hue_degrees, 0, 180);
  within("augment.gamma", augment.gamma, 1, 4);
  within("augment.grey", augment.grey, 0, 1);
  within("augment.blur", augment.blur, 0, 1);
  within("augment.noise", augment.noise, 0, 1);
  within("augment.jpeg", augment.jpeg, 0, 1);
  within("augment.largest_blur", augment.largest_blur, 0.3, 10);
  within("augment.largest_noise", augment.largest_noise, 0, 255);
  within("augment.lowest_quality", augment.lowest_quality, 1, 100);

  within("cut_outs.share", cut_outs.share, 0, 1);
  within("cut_outs.share_on_video", cut_outs.share_on_video, 0, 1);
  within("cut_outs.second", cut_outs.second, 0, 1);
  within("cut_outs.twins", cut_outs.twins, 0, 1);
  within("cut_outs.target", cut_outs.target, 0, 1);
  within("cut_outs.behind", cut_outs.behind, 0, 1);
  within("cut_outs.leaves", cut_outs.leaves, 0, 1);
  within("cut_outs.smallest", cut_outs.smallest, 0.01, 1);
  within("cut_outs.largest", cut_outs.largest, cut_outs.smallest, 2);
}

}  // namespace vostrack::train
