#include "apps/vostrack/track_summary.hpp"

#include <fmt/format.h>

#include <ostream>

namespace vostrack::cli {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Json model_json(const Model& model, const ModelArguments& arguments) {
  return {{"path", model.path()},
          {"name", model.name()},
          {"image_size", model.image_size()},
          {"device", arguments.device},
          {"precision", precision_name(model.options().precision)}};
}

Json objects_json(const TrackResults& results,
                  const std::map<ObjectId, std::set<std::int64_t>>& prompted) {
  Json objects = Json::array();
  for (const auto& [id, object] : results.objects()) {
    const auto frames = prompted.find(id);
    Json entry = {
        {"id", id},
        {"prompted_frames", frames == prompted.end() ? Json::array() : Json(frames->second)},
        {"frames", object.frames},
        {"visible_frames", object.visible_frames()},
        {"occluded_frames", object.frames_with(Presence::kOccluded)},
        {"lost_frames", object.frames_with(Presence::kLost)},
        {"mean_object_score", object.mean_score()},
        {"mean_area", object.mean_area()},
        {"first_seen", nullptr},
        {"last_seen", nullptr}};
    if (object.visible_frames() > 0) {
      entry["first_seen"] = {{"frame", object.first_seen}, {"pts_s", object.first_seen_s}};
      entry["last_seen"] = {{"frame", object.last_seen}, {"pts_s", object.last_seen_s}};
    }
    objects.push_back(std::move(entry));
  }
  return objects;
}

std::map<ObjectId, std::set<std::int64_t>> prompted_frames(const PromptTable& prompts) {
  std::map<ObjectId, std::set<std::int64_t>> frames;
  for (const auto& [key, prompt] : prompts) frames[key.object].insert(key.frame);
  return frames;
}

Json memory_json(const MemoryUsage& memory) {
  Json json = {{"bytes", memory.bytes},
               {"picture_bytes", memory.picture_bytes},
               {"scratch_bytes", memory.scratch_bytes},
               {"max_bytes", memory.max_bytes ? Json(*memory.max_bytes) : Json(nullptr)},
               {"objects", Json::array()}};
  for (const ObjectMemory& object : memory.objects)
    json["objects"].push_back({{"id", object.object_id},
                               {"bytes", object.bytes},
                               {"scratch_bytes", object.scratch_bytes}});
  return json;
}

std::string memory_text(const MemoryUsage& memory) {
  const auto megabytes = [](std::int64_t bytes) { return static_cast<double>(bytes) / (1 << 20); };
  return fmt::format("memories: {:.1f} MB, {:.1f} MB in the scratch file", megabytes(memory.bytes),
                     megabytes(memory.scratch_bytes));
}

void print_summary(std::ostream& out, const TrackResults& results, const TrackTimes& times) {
  const auto count = results.objects().size();
  out << fmt::format("Tracked {} object{} through {} frames in {:.1f} s ({:.1f} fps)\n", count,
                     count == 1 ? "" : "s", results.frames(), times.track_s,
                     frames_per_second(results.frames(), times));
  for (const auto& [id, object] : results.objects()) {
    out << fmt::format("  object {}: visible on {} of {} frames", id, object.visible_frames(),
                       object.frames);
    if (object.visible_frames() > 0)
      out << fmt::format(", {} to {}, mean score {:.1f}", object.first_seen, object.last_seen,
                         object.mean_score());
    for (Presence presence : {Presence::kOccluded, Presence::kLost})
      if (const std::int64_t frames = object.frames_with(presence); frames > 0)
        out << fmt::format("; {} on {}", presence_name(presence), frames);
    out << '\n';
  }
  for (const std::string& file : results.files()) out << "  " << file << '\n';
}

double frames_per_second(std::int64_t frames, const TrackTimes& times) {
  return times.track_s > 0 ? static_cast<double>(frames) / times.track_s : 0;
}

}  // namespace vostrack::cli
