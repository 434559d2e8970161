#include "train/train_config.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/check.hpp"

namespace vostrack::train {
namespace {

using nlohmann::json;

template <class Config, class Field>
void data_fields(Config& c, Field field) {
  field("data.video_share", c.video_share);
  field("data.largest_stride", c.largest_stride);
  field("data.backwards", c.backwards);
  field("data.whole_of_parts", c.whole_of_parts);
  field("data.neighbours", c.neighbours);
  field("data.several_objects", c.several_objects);
  field("data.smallest_object", c.smallest_object);
  field("data.source_weights", c.source_weights);

  field("data.motion.shift", c.motion.shift);
  field("data.motion.zoom", c.motion.zoom);
  field("data.motion.turn_degrees", c.motion.turn_degrees);
  field("data.motion.tilt", c.motion.tilt);
  field("data.motion.bend", c.motion.bend);
  field("data.motion.bent_share", c.motion.bent_share);
  field("data.motion.still_share", c.motion.still_share);

  field("data.augment.flip", c.augment.flip);
  field("data.augment.smallest_crop", c.augment.smallest_crop);
  field("data.augment.largest_crop", c.augment.largest_crop);
  field("data.augment.squeeze", c.augment.squeeze);
  field("data.augment.turn_degrees", c.augment.turn_degrees);
  field("data.augment.brightness", c.augment.brightness);
  field("data.augment.contrast", c.augment.contrast);
  field("data.augment.saturation", c.augment.saturation);
  field("data.augment.hue_degrees", c.augment.hue_degrees);
  field("data.augment.gamma", c.augment.gamma);
  field("data.augment.grey", c.augment.grey);
  field("data.augment.blur", c.augment.blur);
  field("data.augment.noise", c.augment.noise);
  field("data.augment.jpeg", c.augment.jpeg);
  field("data.augment.largest_blur", c.augment.largest_blur);
  field("data.augment.largest_noise", c.augment.largest_noise);
  field("data.augment.lowest_quality", c.augment.lowest_quality);

  field("data.cut_outs.share", c.cut_outs.share);
  field("data.cut_outs.share_on_video", c.cut_outs.share_on_video);
  field("data.cut_outs.second", c.cut_outs.second);
  field("data.cut_outs.twins", c.cut_outs.twins);
  field("data.cut_outs.target", c.cut_outs.target);
  field("data.cut_outs.behind", c.cut_outs.behind);
  field("data.cut_outs.leaves", c.cut_outs.leaves);
  field("data.cut_outs.smallest", c.cut_outs.smallest);
  field("data.cut_outs.largest", c.cut_outs.largest);
}

/// Calls `field(name, member)` for every member, so that reading and writing cannot differ.
template <class Config, class Field>
void fields(Config& c, Field field) {
  field("seed", c.seed);
  field("steps", c.steps);
  field("image_size", c.image_size);
  field("batch_clips", c.batch_clips);
  field("clips_at_once", c.clips_at_once);
  field("most_objects", c.most_objects);
  field("most_picture_objects", c.most_picture_objects);
  field("mean_over_frames", c.mean_over_frames);
  field("bfloat16", c.bfloat16);
  field("recompute_encoder", c.recompute_encoder);
  field("loader_threads", c.loader_threads);
  field("clips_ahead", c.clips_ahead);
  field("checkpoint_every", c.checkpoint_every);
  field("validate_every", c.validate_every);
  field("examples_every", c.examples_every);
  field("examples", c.examples);
  field("patience", c.patience);
  field("half_export", c.half_export);

  field("parameters.frozen", c.parameters.frozen);
  field("parameters.decoder_only", c.parameters.decoder_only);
  field("parameters.trunk_rate", c.parameters.trunk_rate);
  field("parameters.layer_decay", c.parameters.layer_decay);
  field("parameters.weight_decay", c.parameters.weight_decay);

  field("adapters.rank", c.adapters.rank);
  field("adapters.alpha", c.adapters.alpha);
  field("adapters.layers", c.adapters.layers);

  field("optimizer.learning_rate", c.optimizer.learning_rate);
  field("optimizer.final_rate", c.optimizer.final_rate);
  field("optimizer.warmup_steps", c.optimizer.warmup_steps);
  field("optimizer.beta1", c.optimizer.beta1);
  field("optimizer.beta2", c.optimizer.beta2);
  field("optimizer.epsilon", c.optimizer.epsilon);
  field("optimizer.clip_norm", c.optimizer.clip_norm);
  field("optimizer.average", c.optimizer.average);

  field("prompts.point_probability", c.prompts.point_probability);
  field("prompts.box_probability", c.prompts.box_probability);
  field("prompts.from_truth_probability", c.prompts.from_truth_probability);
  field("prompts.centred_probability", c.prompts.centred_probability);
  field("prompts.box_noise", c.prompts.box_noise);
  field("prompts.conditioning_frames", c.prompts.conditioning_frames);
  field("prompts.corrected_frames", c.prompts.corrected_frames);
  field("prompts.corrections_per_frame", c.prompts.corrections_per_frame);
  field("prompts.random_frame_counts", c.prompts.random_frame_counts);
  field("prompts.corrected_frames_condition", c.prompts.corrected_frames_condition);
  field("prompts.correct_after_mask", c.prompts.correct_after_mask);
  field("prompts.picture_corrections", c.prompts.picture_corrections);

  field("loss.focal_weight", c.loss.focal_weight);
  field("loss.dice_weight", c.loss.dice_weight);
  field("loss.iou_weight", c.loss.iou_weight);
  field("loss.object_weight", c.loss.object_weight);
  field("loss.focal_alpha", c.loss.focal_alpha);
  field("loss.single_focal_alpha", c.loss.single_focal_alpha);
  field("loss.focal_gamma", c.loss.focal_gamma);
  field("loss.reduction", c.loss.reduction);
  field("loss.iou_of_all", c.loss.iou_of_all);
  field("loss.iou_l1", c.loss.iou_l1);
  field("loss.blank_absent", c.loss.blank_absent);
  field("loss.object_gamma", c.loss.object_gamma);
  field("loss.object_alpha", c.loss.object_alpha);

  data_fields(c.data, field);
}

json::json_pointer pointer(std::string name) {
  for (char& c : name)
    if (c == '.') c = '/';
  return json::json_pointer("/" + name);
}

using Weights = std::map<std::string, double>;

template <class T>
bool fits(const json& value) {
  if constexpr (std::is_same_v<T, Weights>)
    return value.is_object() &&
           std::ranges::all_of(value, [](const json& weight) { return weight.is_number(); });
  else if constexpr (std::is_same_v<T, bool>)
    return value.is_boolean();
  else if constexpr (std::is_same_v<T, std::uint64_t>)
    return value.is_number_unsigned();
  else if constexpr (std::is_integral_v<T>)
    return value.is_number_integer();
  else if constexpr (std::is_floating_point_v<T>)
    return value.is_number();
  else
    return value.is_array() && std::ranges::all_of(value, [](auto& v) { return v.is_string(); });
}

template <class T>
void assign(T& member, const json& value) {
  // Weights that are not named keep their defaults, as all settings do.
  if constexpr (std::is_same_v<T, Weights>)
    for (const auto& [name, weight] : value.items()) member[name] = weight.template get<double>();
  else
    member = value.get<T>();
}

/// Takes what was read out of `rest`; an object left empty goes as well.
void remove(json& rest, const std::string& name) {
  const auto dot = name.find('.');
  if (dot == std::string::npos) {
    rest.erase(name);
    return;
  }
  json& section = rest[name.substr(0, dot)];
  remove(section, name.substr(dot + 1));
  if (section.empty()) rest.erase(name.substr(0, dot));
}

void check_count(const char* name, std::int64_t value, std::int64_t least) {
  check(value >= least, ErrorCode::kInvalidArgument, "{} is {}, want at least {}", name, value,
        least);
}

}  // namespace

void TrainConfig::validate() const {
  check_count("steps", steps, 1);
  check_count("image_size", image_size, 0);
  check_count("batch_clips", batch_clips, 1);
  check_count("clips_at_once", clips_at_once, 0);
  check_count("most_objects", most_objects, 1);
  check_count("most_picture_objects", most_picture_objects, 1);
  check_count("loader_threads", loader_threads, 1);
  check_count("clips_ahead", clips_ahead, 1);
  check_count("checkpoint_every", checkpoint_every, 1);
  check_count("validate_every", validate_every, 0);
  check_count("examples_every", examples_every, 0);
  check_count("examples", examples, 1);
  check_count("patience", patience, 0);
  parameters.validate();
  adapters.validate();
  optimizer.validate();
  prompts.validate();
  loss.validate();
  data.validate();
}

TrainConfig train_config_from_json(const std::string& text) {
  json rest = json::parse(text, nullptr, /*allow_exceptions=*/false);
  check(rest.is_object(), ErrorCode::kInvalidArgument, "training configuration: not a JSON object");
  TrainConfig config;
  fields(config, [&](const std::string& name, auto& member) {
    using T = std::remove_reference_t<decltype(member)>;
    const auto at = pointer(name);
    if (!rest.contains(at)) return;
    check(fits<T>(rest[at]), ErrorCode::kInvalidArgument,
          "training configuration: {} is {}, which is of another type than {}", name,
          rest[at].dump(), json(member).dump());
    assign(member, rest[at]);
    remove(rest, name);
  });
  check(rest.empty(), ErrorCode::kInvalidArgument, "training configuration: unknown key {}",
        rest.empty() ? std::string() : rest.flatten().items().begin().key());
  config.validate();
  return config;
}

std::string train_config_to_json(const TrainConfig& config) {
  json out = json::object();
  fields(config, [&](const std::string& name, const auto& member) { out[pointer(name)] = member; });
  return out.dump(1);
}

}  // namespace vostrack::train
