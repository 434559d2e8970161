#include "apps/vostrack/eval_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "apps/vostrack/speed_arguments.hpp"
#include "vostrack/version.hpp"

namespace vostrack::cli {
namespace {

using eval::Statistics;

std::string line(std::size_t name_width, std::string_view name, std::size_t frames,
                 const Statistics& j, const Statistics& f, double jf) {
  return fmt::format(
      "{:<{}}  {:>6}  {:>6.1f} {:>6.1f} {:>6.1f}  {:>6.1f} {:>6.1f} {:>6.1f}  {:>6.1f}\n", name,
      name_width, frames, 100 * j.mean, 100 * j.recall, 100 * j.decay, 100 * f.mean, 100 * f.recall,
      100 * f.decay, 100 * jf);
}

Json statistics_json(const Statistics& statistics) {
  return {{"mean", statistics.mean}, {"recall", statistics.recall}, {"decay", statistics.decay}};
}

std::string csv_line(const std::string& sequence, const std::string& object, std::size_t frames,
                     const Statistics& j, const Statistics& f, double jf) {
  return fmt::format("{},{},{},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f}\n",
                     csv_field(sequence), object, frames, j.mean, j.recall, j.decay, f.mean,
                     f.recall, f.decay, jf);
}

Json object_json(const eval::ObjectScore& object) {
  Json frames = Json::array();
  for (std::size_t i = 0; i < object.frames.size(); ++i)
    frames.push_back({{"frame", object.frames[i]}, {"j", object.j[i]}, {"f", object.f[i]}});
  return {{"object", object.object},
          {"marked_on", object.prompted},
          {"j", statistics_json(object.region)},
          {"f", statistics_json(object.boundary)},
          {"jf", object.jf()},
          {"frames", frames}};
}

}  // namespace

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + "\"";
}

eval::TotalScore EvalReport::total() const {
  std::vector<eval::SequenceScore> scores;
  for (const EvalSequence& sequence : sequences) scores.push_back(sequence.score);
  return eval::total_score(scores);
}

double EvalReport::frames_per_second() const {
  double frames = 0, seconds = 0;
  for (const EvalSequence& sequence : sequences) {
    frames += static_cast<double>(sequence.tracked_frames);
    seconds += sequence.seconds;
  }
  return seconds > 0 ? frames / seconds : 0;
}

std::string table_text(const EvalReport& report) {
  std::size_t width = 8;
  for (const EvalSequence& sequence : report.sequences)
    width = std::max(width, sequence.score.name.size() + 4);
  std::string text =
      fmt::format("{:<{}}  {:>6}  {:>6} {:>6} {:>6}  {:>6} {:>6} {:>6}  {:>6}\n", "sequence", width,
                  "frames", "J", "recall", "decay", "F", "recall", "decay", "J&F");
  for (const EvalSequence& sequence : report.sequences) {
    const eval::SequenceScore& score = sequence.score;
    std::size_t frames = 0;
    for (const auto& object : score.objects) frames += object.frames.size();
    text += line(width, score.name, frames, score.region, score.boundary, score.jf());
    if (score.objects.size() < 2) continue;
    for (const auto& object : score.objects)
      text += line(width, fmt::format("  #{}", object.object), object.frames.size(), object.region,
                   object.boundary, object.jf());
  }
  const eval::TotalScore total = report.total();
  text += line(width, "all", total.frames, total.region, total.boundary, total.jf());
  if (total.objects != total.sequences)
    text += fmt::format("({} objects; mean J&F over the {} sequences {:.1f})\n", total.objects,
                        total.sequences, 100 * total.sequence_jf);
  return text;
}

Json report_json(const EvalReport& report) {
  const eval::TotalScore total = report.total();
  Json json = {{"vostrack", VOSTRACK_VERSION},
               {"dataset", report.dataset},
               {"root", report.root},
               {"results", report.results},
               {"complete", report.complete},
               {"model", nullptr},
               {"protocol",
                {{"score_first", report.protocol.score_first},
                 {"score_last", report.protocol.score_last},
                 {"late_objects",
                  report.protocol.late == eval::LateObjects::kIgnored ? "ignored" : "marked"},
                 {"boundary_tolerance", report.protocol.boundary_tolerance}}},
               {"all",
                {{"sequences", total.sequences},
                 {"objects", total.objects},
                 {"frames", total.frames},
                 {"j", statistics_json(total.region)},
                 {"f", statistics_json(total.boundary)},
                 {"jf", total.jf()},
                 {"jf_over_sequences", total.sequence_jf}}},
               {"sequences", Json::array()}};
  if (report.run) {
    json["model"] = {{"path", report.run->model_path},       {"name", report.run->model_name},
                     {"image_size", report.run->image_size}, {"device", report.run->device},
                     {"precision", report.run->precision},   {"prompt", report.run->prompt}};
    json["model"]["speed"] = to_json(report.run->speed);
    json["frames_per_second"] = report.frames_per_second();
  }
  for (const EvalSequence& sequence : report.sequences) {
    const eval::SequenceScore& score = sequence.score;
    Json entry = {{"sequence", score.name},
                  {"j", statistics_json(score.region)},
                  {"f", statistics_json(score.boundary)},
                  {"jf", score.jf()},
                  {"unscored_objects", score.unscored},
                  {"objects", Json::array()}};
    if (sequence.tracked_frames > 0) {
      entry["tracked_frames"] = sequence.tracked_frames;
      entry["seconds"] = sequence.seconds;
      entry["speed"] = to_json(sequence.speed);
    }
    for (const auto& object : score.objects) entry["objects"].push_back(object_json(object));
    json["sequences"].push_back(entry);
  }
  return json;
}

std::string report_csv(const EvalReport& report) {
  std::string text = "sequence,object,frames,j_mean,j_recall,j_decay,f_mean,f_recall,f_decay,jf\n";
  for (const EvalSequence& sequence : report.sequences)
    for (const auto& object : sequence.score.objects)
      text += csv_line(sequence.score.name, std::to_string(object.object), object.frames.size(),
                       object.region, object.boundary, object.jf());
  const eval::TotalScore total = report.total();
  return text + csv_line("all", "", total.frames, total.region, total.boundary, total.jf());
}

}  // namespace vostrack::cli
