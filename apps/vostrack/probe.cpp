#include "video/probe.hpp"

#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/json_file.hpp"

namespace vostrack::cli {
namespace {

struct ProbeArguments {
  std::string path;
  bool frames = false;
  bool json = false;
};

Json json_of(const video::ProbeReport& report, bool with_frames) {
  Json json = {{"path", report.path},
               {"container", report.container},
               {"file_bytes", report.file_bytes},
               {"streams", Json::array()},
               {"codec", report.codec},
               {"pixel_format", report.pixel_format},
               {"height", report.height},
               {"width", report.width},
               {"stored_height", report.stored_height},
               {"stored_width", report.stored_width},
               {"rotation_deg", report.rotation_deg},
               {"mirrored", report.mirrored},
               {"pixel_aspect", {report.pixel_aspect_x, report.pixel_aspect_y}}};
  for (const video::StreamReport& stream : report.streams)
    json["streams"].push_back(
        {{"type", stream.type}, {"codec", stream.codec}, {"read", stream.read}});
  const video::ColourReport& colour = report.colour;
  json["colour"] = {{"matrix", colour.matrix},       {"range", colour.range},
                    {"transfer", colour.transfer},   {"primaries", colour.primaries},
                    {"bit_depth", colour.bit_depth}, {"hdr", colour.hdr}};
  json["interlaced"] = report.interlaced;
  json["frames"] = report.frame_times_s.size();
  json["stated_frames"] = report.stated_frames ? Json(*report.stated_frames) : Json();
  json["first_pts_s"] = report.frame_times_s.front();
  json["duration_s"] = report.duration_s;
  json["stated_duration_s"] = report.stated_duration_s ? Json(*report.stated_duration_s) : Json();
  const video::RateReport& rate = report.rate;
  json["rate"] = {{"constant", rate.constant},
                  {"mean_fps", rate.mean_fps},
                  {"min_gap_s", rate.min_gap_s},
                  {"median_gap_s", rate.median_gap_s},
                  {"max_gap_s", rate.max_gap_s}};
  json["edits"] = Json::array();
  for (const video::Edit& edit : report.edits)
    json["edits"].push_back(
        {{"duration_s", edit.duration_s},
         {"media_start_s", edit.media_start_s ? Json(*edit.media_start_s) : Json()},
         {"rate", edit.rate}});
  json["suspicions"] = report.suspicions;
  if (with_frames) json["frame_pts_s"] = report.frame_times_s;
  return json;
}

std::string size_text(const video::ProbeReport& report) {
  std::string text = fmt::format("{}x{}", report.width, report.height);
  if (report.rotation_deg != 0 || report.mirrored)
    text += fmt::format(", stored {}x{}{}{}", report.stored_width, report.stored_height,
                        report.mirrored ? ", mirrored" : "",
                        report.rotation_deg != 0
                            ? fmt::format(", turned by {} degrees clockwise", report.rotation_deg)
                            : "");
  if (report.pixel_aspect_x != report.pixel_aspect_y)
    text += fmt::format(", pixels {}:{}", report.pixel_aspect_x, report.pixel_aspect_y);
  return text;
}

std::string rate_text(const video::RateReport& rate) {
  if (rate.mean_fps == 0) return "one frame";
  return fmt::format("{} {:.3f} fps (gaps of {:.4f} to {:.4f} s, median {:.4f} s)",
                     rate.constant ? "constant" : "variable, mean", rate.mean_fps, rate.min_gap_s,
                     rate.max_gap_s, rate.median_gap_s);
}

std::string edit_text(const video::Edit& edit) {
  if (!edit.media_start_s) return fmt::format("nothing for {:.3f} s", edit.duration_s);
  return fmt::format("{:.3f} s from {:.3f} s of the stored media{}", edit.duration_s,
                     *edit.media_start_s,
                     edit.rate == 1 ? "" : fmt::format(" at rate {}", edit.rate));
}

void print(std::ostream& out, const video::ProbeReport& report, bool with_frames) {
  out << fmt::format("{}: {}, {:.1f} MB\n", report.path, report.container,
                     static_cast<double>(report.file_bytes) / 1e6);
  for (std::size_t i = 0; i < report.streams.size(); ++i) {
    const video::StreamReport& stream = report.streams[i];
    out << fmt::format("{:<12}{} {}{}\n", fmt::format("stream {}", i), stream.type, stream.codec,
                       stream.read ? ", read" : "");
  }
  const video::ColourReport& colour = report.colour;
  out << fmt::format("{:<12}{}\n", "size", size_text(report));
  out << fmt::format("{:<12}{}, {} bit, matrix {}, range {}, transfer {}, primaries {}\n", "colour",
                     report.pixel_format, colour.bit_depth, colour.matrix, colour.range,
                     colour.transfer, colour.primaries);
  out << fmt::format("{:<12}{} in {:.3f} s, the first at {:.3f} s\n", "frames",
                     report.frame_times_s.size(), report.duration_s, report.frame_times_s.front());
  out << fmt::format("{:<12}{}\n", "rate", rate_text(report.rate));
  for (const video::Edit& edit : report.edits)
    out << fmt::format("{:<12}{}\n", "edit", edit_text(edit));
  for (const std::string& words : report.suspicions)
    out << fmt::format("{:<12}{}\n", "note", words);
  if (!with_frames) return;
  out << '\n';
  for (std::size_t i = 0; i < report.frame_times_s.size(); ++i)
    out << fmt::format("{:>8}  {:.6f}\n", i, report.frame_times_s[i]);
}

int probe(const ProbeArguments& arguments, const Console& console) {
  const video::ProbeReport report = video::probe(arguments.path);
  if (arguments.json)
    console.out << json_text(json_of(report, arguments.frames));
  else
    print(console.out, report, arguments.frames);
  return kSuccess;
}

}  // namespace

void add_probe(CLI::App& app, Command& command) {
  auto arguments = std::make_shared<ProbeArguments>();
  CLI::App* sub = app.add_subcommand(
      "probe", "Decodes a whole video and tells what is in it, and what is odd about it.");
  sub->footer("  vostrack probe clip.mp4 --frames");
  sub->add_option("file", arguments->path, "Video file")->required();
  sub->add_flag("--frames", arguments->frames, "List every frame's time in seconds");
  sub->add_flag("--json", arguments->json, "Print JSON");
  sub->callback([arguments, &command] {
    command = [arguments](const Console& console) { return probe(*arguments, console); };
  });
}

}  // namespace vostrack::cli
