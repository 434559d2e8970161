#include "apps/vostrack/track_summary.hpp"

#include <fmt/format.h>

#include <ostream>

namespace vostrack::cli {

Json model_json(const Model& model, const ModelArguments& arguments) {
  return {{"path", model.path()},
          {"name", model.name()},
          {"image_size", model.image_size()},
          {"device", arguments.device},
          {"precision", arguments.precision}};
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
