#include "apps/vostrack/speed_arguments.hpp"

#include <fmt/format.h>

namespace vostrack::cli {

namespace {

constexpr const char* kGroup =
    "Speed for accuracy (all off by default; docs/performance.md has their price)";

}  // namespace

void add_memory_options(CLI::App& app, SpeedOptions& speed) {
  app.add_option("--recent-memories", speed.recent_memories,
                 "Look back to so many tracked frames, the nearest, beside the prompted ones "
                 "[default: the model's own, 6]")
      ->type_name("N")
      ->check(CLI::Range(0, 64))
      ->group(kGroup);
  app.add_option("--recent-pointers", speed.recent_pointers,
                 "The same for object pointers [default: the model's own, 15]")
      ->type_name("N")
      ->check(CLI::Range(0, 64))
      ->group(kGroup);
  app.add_flag("--pooled-memories", speed.pooled_memories,
               "Look back to means over 2 x 2 cells of memories")
      ->group(kGroup);
  app.add_option("--sparse-memories", speed.sparse_memories,
                 "Look back to the cells of memories where the object is, so many around it, and "
                 "one in 4 x 4 of the others; 1 is a good start")
      ->type_name("CELLS")
      ->check(CLI::Range(0, 64))
      ->group(kGroup);
}

void add_speed_options(CLI::App& app, SpeedOptions& speed) {
  add_memory_options(app, speed);
  app.add_option("--keyframes", speed.keyframe_interval,
                 "Track every Nth frame; between them masks move as the picture under them does")
      ->type_name("N")
      ->check(CLI::Range(1, 1000))
      ->group(kGroup);
  app.add_option("--hold-still", speed.still_change,
                 "Keep the masks while the brightness of no block, a 48th of the picture's sides, "
                 "changes by more than this, of 255; 2 is a good start")
      ->type_name("LEVELS")
      ->check(CLI::Range(0.0, 255.0))
      ->group(kGroup);
  app.add_option("--refresh", speed.still_refresh,
                 "With --hold-still: track a frame after so many that were not")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str()
      ->group(kGroup);
  app.add_option("--budget", speed.budget_ms,
                 "Time that a frame may take on average; while it takes longer, look back to "
                 "sparse memories, then track fewer frames")
      ->type_name("MS")
      ->check(CLI::PositiveNumber)
      ->group(kGroup);
}

Json to_json(const SpeedOptions& speed) {
  const auto number = [](const auto& value) { return value ? Json(*value) : Json(nullptr); };
  return {{"recent_memories", number(speed.recent_memories)},
          {"recent_pointers", number(speed.recent_pointers)},
          {"pooled_memories", speed.pooled_memories},
          {"sparse_memories", number(speed.sparse_memories)},
          {"keyframes", speed.keyframe_interval},
          {"hold_still", speed.still_change},
          {"refresh", speed.still_refresh},
          {"budget_ms", speed.budget_ms}};
}

Json to_json(const SpeedReport& report) {
  Json json = {{"tracked_frames", report.tracked_frames},
               {"still_frames", report.still_frames},
               {"between_frames", report.between_frames},
               {"steps", Json::array()}};
  for (const SpeedReport::Step& step : report.steps)
    json["steps"].push_back(
        {{"name", step.name}, {"frames", step.frames}, {"mean_ms", step.mean_ms}});
  return json;
}

std::string speed_text(const SpeedReport& report) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (report.still_frames > 0) add(fmt::format("{} frames stood still", report.still_frames));
  if (report.between_frames > 0)
    add(fmt::format("{} lay between keyframes", report.between_frames));
  if (!text.empty()) text = fmt::format("{} frames tracked, {}", report.tracked_frames, text);
  for (const SpeedReport::Step& step : report.steps)
    if (step.frames > 0)
      add(fmt::format("{}: {} frames of {:.1f} ms", step.name, step.frames, step.mean_ms));
  return text;
}

}  // namespace vostrack::cli
