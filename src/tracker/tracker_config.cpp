#include "tracker/tracker_config.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"

namespace vostrack::tracker {
namespace {

nlohmann::json to_json(const SpeedOptions& speed) {
  const auto number = [](const std::optional<int>& value) {
    return value ? nlohmann::json(*value) : nlohmann::json();
  };
  return {{"recent_memories", number(speed.recent_memories)},
          {"recent_pointers", number(speed.recent_pointers)},
          {"pooled_memories", speed.pooled_memories},
          {"sparse_memories", number(speed.sparse_memories)},
          {"keyframe_interval", speed.keyframe_interval},
          {"still_change", speed.still_change},
          {"still_refresh", speed.still_refresh},
          {"budget_ms", speed.budget_ms}};
}

SpeedOptions speed_from_json(const nlohmann::json& json) {
  const auto number = [&](const char* name) {
    const auto& value = json.at(name);
    return value.is_null() ? std::nullopt : std::optional(value.get<int>());
  };
  SpeedOptions speed;
  speed.recent_memories = number("recent_memories");
  speed.recent_pointers = number("recent_pointers");
  json.at("pooled_memories").get_to(speed.pooled_memories);
  speed.sparse_memories = number("sparse_memories");
  json.at("keyframe_interval").get_to(speed.keyframe_interval);
  json.at("still_change").get_to(speed.still_change);
  json.at("still_refresh").get_to(speed.still_refresh);
  json.at("budget_ms").get_to(speed.budget_ms);
  return speed;
}

}  // namespace

TrackerConfig TrackerConfig::from(const nn::Model& model) {
  const nn::PredictorConfig& predictor = model.config().predictor;
  TrackerConfig config;
  config.corrections_last = predictor.add_all_frames_to_correct_as_cond;
  config.non_overlapping = predictor.non_overlap_masks;
  config.fill_hole_area = predictor.fill_hole_area;
  config.clear_memory_around_corrections = predictor.clear_non_cond_mem_around_input;
  config.storage = model.runtime().device;
  return config;
}

void TrackerConfig::validate() const {
  const auto at_least = [](const char* field, std::int64_t value, std::int64_t least) {
    check(value >= least, ErrorCode::kInvalidArgument, "{} is {}, want at least {}", field, value,
          least);
  };
  at_least("fill_hole_area", fill_hole_area, 0);
  at_least("remove_sprinkle_area", remove_sprinkle_area, 0);
  at_least("objects_per_batch", objects_per_batch, 1);
  at_least("cached_frames", cached_frames, 1);
  if (max_bytes) at_least("max_bytes", *max_bytes, 1);
  if (speed.recent_memories) at_least("recent_memories", *speed.recent_memories, 0);
  if (speed.recent_pointers) at_least("recent_pointers", *speed.recent_pointers, 0);
  if (speed.sparse_memories) at_least("sparse_memories", *speed.sparse_memories, 0);
  at_least("keyframe_interval", speed.keyframe_interval, 1);
  at_least("still_refresh", speed.still_refresh, 1);
  const auto no_less_than_0 = [](const char* field, double value) {
    check(std::isfinite(value) && value >= 0, ErrorCode::kInvalidArgument,
          "{} is {}, want a number of at least 0", field, value);
  };
  no_less_than_0("still_change", speed.still_change);
  no_less_than_0("budget_ms", speed.budget_ms);
}

nlohmann::json TrackerConfig::to_json() const {
  nlohmann::json json = {{"corrections_last", corrections_last},
                         {"non_overlapping", non_overlapping},
                         {"fill_hole_area", fill_hole_area},
                         {"remove_sprinkle_area", remove_sprinkle_area},
                         {"clear_memory_around_corrections", clear_memory_around_corrections},
                         {"objects_per_batch", objects_per_batch},
                         {"cached_frames", cached_frames},
                         {"max_bytes", nullptr},
                         {"speed", tracker::to_json(speed)}};
  if (max_bytes) json["max_bytes"] = *max_bytes;
  return json;
}

void TrackerConfig::read_json(const nlohmann::json& json, const std::string& origin) {
  TrackerConfig read = *this;
  try {
    json.at("corrections_last").get_to(read.corrections_last);
    json.at("non_overlapping").get_to(read.non_overlapping);
    json.at("fill_hole_area").get_to(read.fill_hole_area);
    json.at("remove_sprinkle_area").get_to(read.remove_sprinkle_area);
    json.at("clear_memory_around_corrections").get_to(read.clear_memory_around_corrections);
    json.at("objects_per_batch").get_to(read.objects_per_batch);
    json.at("cached_frames").get_to(read.cached_frames);
    read.max_bytes.reset();
    if (const auto& bytes = json.at("max_bytes"); !bytes.is_null())
      read.max_bytes = bytes.get<std::int64_t>();
    read.speed = json.contains("speed") ? speed_from_json(json.at("speed")) : SpeedOptions();
    read.validate();
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kCorruptFile, "{}: the configuration cannot be read: {}", origin, error.what());
  } catch (const Error& error) {
    fail(ErrorCode::kCorruptFile, "{}: {}", origin, error.what());
  }
  *this = read;
}

int objects_together(const nn::Model& model, int objects_per_batch) {
  constexpr int kBusyTokens = 6400;
  if (!model.runtime().device.is_cpu()) return objects_per_batch;
  const int side = model.config().feature_size();
  return std::clamp(kBusyTokens / (side * side), 1, objects_per_batch);
}

}  // namespace vostrack::tracker
