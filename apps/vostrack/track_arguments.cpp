#include "apps/vostrack/track_arguments.hpp"

#include "apps/vostrack/speed_arguments.hpp"

namespace vostrack::cli {
namespace {

constexpr const char* kExample =
    "  vostrack track clip.mp4 --point 1:320,240 --point 1:10,20:0 \\\n"
    "      --box 2:100,80,220,300@12 --mask 3:first.png@0 --both --out out/\n"
    "\n"
    "ID is the object's number, 1 to 255 (1 when left out); LABEL is 1 on the object (when left\n"
    "out) or 0 beside it; FRAME is a number from 0 (when left out), or a time such as 1.5s.\n"
    "The same prompts, and more, in a file for --prompts:\n"
    "\n"
    "  {\"objects\": [{\"id\": 1, \"prompts\": [\n"
    "    {\"frame\": 0, \"clicks\": [[320, 240], [10, 20, 0]]},\n"
    "    {\"time\": 1.5, \"box\": [100, 80, 220, 300]},\n"
    "    {\"frame\": 40, \"mask\": \"later.png\"}]}]}";

void add_prompt_options(CLI::App& app, TrackArguments& arguments) {
  const char* group = "Prompts (any number of each)";
  const auto add = [&](const char* name, auto& value, const char* text, const char* type) {
    app.add_option(name, value, text)->type_name(type)->allow_extra_args(false)->group(group);
  };
  add("--point", arguments.prompts.clicks, "Click on the object, or beside it",
      "[ID:]X,Y[:LABEL][@FRAME]");
  add("--box", arguments.prompts.boxes, "Box around the object", "[ID:]X0,Y0,X1,Y1[@FRAME]");
  add("--mask", arguments.prompts.masks, "Mask: whatever is not 0 is the object",
      "[ID:]FILE.png[@FRAME]");
  add("--masks", arguments.prompts.label_masks,
      "Indexed PNG: every label is an object with that ID", "FILE.png[@FRAME]");
  add("--object", arguments.objects, "Object that --export-object wrote: it needs no prompt",
      "[ID:]FILE");
  add("--prompts", arguments.prompts_file, "Prompts as JSON, as above", "FILE.json");
}

void add_result_options(CLI::App& app, TrackArguments& arguments) {
  const char* group = "Results";
  ResultChoice& results = arguments.results;
  app.add_option("--out", arguments.out, "Folder for the results")
      ->type_name("DIR")
      ->required()
      ->group(group);
  app.add_flag("--overwrite", arguments.overwrite, "Replace earlier results")->group(group);
  app.add_flag("--masks-per-object", results.masks_per_object,
               "Also write a black and white mask for each object, masks/ID/")
      ->group(group);
  app.add_option("--cut-out", results.cut_out,
                 "Also write the objects without background: cut_out.mov (ProRes 4444), "
                 "cut_out.webm (VP9) or cut_out/ (PNG)")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"mov", "webm", "png"}))
      ->group(group);
  app.add_option("--effect", results.effect,
                 "Also write effect.mp4, the clip with the background or the objects blurred or "
                 "pixelated: blur-background, blur-objects, pixelate-background or "
                 "pixelate-objects")
      ->type_name("EFFECT")
      ->check(CLI::IsMember(std::vector<std::string>(kEffects.begin(), kEffects.end())))
      ->group(group);
  app.add_flag("--label-video", results.label_video,
               "Also write the masks as one lossless video, labels.mkv (FFV1, grey: the IDs)")
      ->group(group);
  app.add_flag("--sound", results.sound, "Copy the clip's sound to overlay.mp4 and effect.mp4")
      ->group(group);
  app.add_option("--rle", results.lines_path,
                 "JSON lines with COCO run lengths, - for standard output [default: "
                 "results.jsonl in the folder]")
      ->type_name("FILE")
      ->group(group);
  const auto add_without = [&](const char* name, bool& wanted, const char* text) {
    app.add_flag_callback(name, [&wanted] { wanted = false; }, text)->group(group);
  };
  add_without("--no-masks", results.masks, "Write no masks/");
  add_without("--no-rle", results.lines, "Write no results.jsonl");
  add_without("--no-overlay", results.overlay, "Write no overlay.mp4");
  app.add_option("--contact-columns", results.contact_columns,
                 "Pictures in a row of contact_sheet.png")
      ->type_name("N")
      ->check(CLI::Range(1, 16))
      ->capture_default_str()
      ->group(group);
  app.add_flag("--quiet", arguments.quiet, "Show no progress")->group(group);
}

void add_range_options(CLI::App& app, TrackArguments& arguments) {
  const char* group = "Range";
  app.add_flag("--both,--backward", arguments.both,
               "Track from the first prompt both ways: back to --start, then on to --end")
      ->group(group);
  app.add_option("--start", arguments.start,
                 "First frame [default: the first prompted one; 0 with --both]")
      ->type_name("FRAME")
      ->group(group);
  app.add_option("--end", arguments.end, "Last frame [default: the video's]")
      ->type_name("FRAME")
      ->group(group);
}

void add_session_options(CLI::App& app, TrackArguments& arguments) {
  const char* group = "Going on later";
  app.add_option("--save-session", arguments.session_path,
                 "Keep everything that is remembered in a file, every minute and at the end")
      ->type_name("FILE")
      ->group(group);
  app.add_flag("--resume", arguments.resume,
               "Go on where the same command was interrupted: what is complete is left alone, a "
               "saved session goes on, all else starts anew")
      ->excludes("--overwrite")
      ->group(group);
  app.add_option("--export-object", arguments.exports,
                 "Write what is known of an object, for --object in another video")
      ->type_name("ID:FILE")
      ->allow_extra_args(false)
      ->group(group);
  app.add_option("--max-memory", arguments.max_memory,
                 "Ceiling of what is remembered in memory, such as 500M or 2G; tracked frames "
                 "beyond a quarter of it go to a temporary file [default: 1G; none with --live]")
      ->type_name("SIZE")
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::PositiveNumber)
      ->group(group);
}

void add_live_options(CLI::App& app, LiveArguments& live) {
  const char* group = "Live";
  app.add_flag("--live", live.live,
               "The clip is a camera (/dev/video0) or address (rtsp, http, udp, srt, tcp): track "
               "until it ends or Ctrl-C. A prompt acts on the first frame tracked from FRAME on")
      ->group(group);
  app.add_option("--queue", live.queue,
                 "Frames that come while one is tracked: latest keeps the newest only, oldest "
                 "keeps four and drops the oldest, block drops none and falls behind")
      ->type_name("RULE")
      ->check(CLI::IsMember({"latest", "oldest", "block"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--duration", live.duration_s, "Stop this long after the first frame")
      ->type_name("SECONDS")
      ->check(CLI::PositiveNumber)
      ->group(group);
  app.add_flag("--no-reconnect", live.no_reconnect,
               "Stop where the stream ends or breaks, instead of connecting again")
      ->group(group);
}

}  // namespace

void TrackArguments::add_to(CLI::App& app) {
  app.footer(kExample);
  app.add_option("clip", clips,
                 "Video files or folders of pictures; the results of several are in folders of "
                 "their names inside --out")
      ->type_name("CLIP");
  add_prompt_options(app, *this);
  add_range_options(app, *this);
  add_result_options(app, *this);
  add_session_options(app, *this);
  add_live_options(app, live);
  add_speed_options(app, speed);
  model.add_to(app);
  app.add_flag("--memories-on-cpu", memories_on_cpu,
               "Keep memories off the GPU: slower, for long videos with many objects")
      ->group("Model");
}

}  // namespace vostrack::cli
