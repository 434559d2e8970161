#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <ostream>
#include <set>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/interrupt.hpp"
#include "apps/vostrack/prompt_table.hpp"
#include "apps/vostrack/usage.hpp"
#include "base/check.hpp"
#include "video/open.hpp"
#include "video/picture_io.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;

struct FramesArguments {
  std::string clip;
  std::string out;
  std::int64_t every = 0;
  std::vector<double> times;
  std::string format = "png";
  bool overwrite = false;
  bool quiet = false;
};

/// Ascending, each once.
std::vector<std::int64_t> chosen_frames(const FramesArguments& arguments,
                                        const FrameSource& source) {
  std::set<std::int64_t> frames;
  for (double seconds : arguments.times)
    frames.insert(resolve_frame({.index = 0, .seconds = seconds}, source));
  if (arguments.times.empty())
    for (std::int64_t i = 0; i < source.frame_count();
         i += std::max<std::int64_t>(1, arguments.every))
      frames.insert(i);
  return {frames.begin(), frames.end()};
}

int frames(const FramesArguments& arguments, const Console& console) {
  if (arguments.every > 0 && !arguments.times.empty())
    throw UsageError("--every and --times: want one of them");
  for (double seconds : arguments.times)
    if (!(seconds >= 0)) throw UsageError(fmt::format("--times {}: want 0 or more", seconds));
  const std::unique_ptr<FrameSource> source = video::open_source(arguments.clip);
  const std::vector<std::int64_t> chosen = chosen_frames(arguments, *source);
  const fs::path folder(arguments.out);
  std::error_code error;
  const fs::file_status there = fs::status(folder, error);
  check(there.type() != fs::file_type::none, ErrorCode::kIo, "{}: {}", arguments.out,
        error.message());
  check(!fs::exists(there) || fs::is_directory(there), ErrorCode::kInvalidArgument,
        "{}: is a file, want a folder for the pictures", arguments.out);
  const auto path_of = [&](std::int64_t frame) {
    return (folder / (source->name(frame) + "." + arguments.format)).string();
  };
  for (std::int64_t frame : chosen)
    check(arguments.overwrite || !fs::exists(path_of(frame)), ErrorCode::kInvalidArgument,
          "{}: exists already; --overwrite replaces it", path_of(frame));
  fs::create_directories(folder, error);
  check(!error, ErrorCode::kIo, "{}: {}", arguments.out, error.message());

  Progress progress("Reading", static_cast<std::int64_t>(chosen.size()), console.err,
                    arguments.quiet ? ProgressStyle::kNone : console.progress);
  for (std::int64_t frame : chosen) {
    if (interrupted()) break;
    video::write_picture(path_of(frame), source->read(frame).image);
    progress.step();
  }
  progress.finish();
  console.out << fmt::format("{}: {} of {} frames\n", arguments.out, progress.done(),
                             source->frame_count());
  return progress.done() == static_cast<std::int64_t>(chosen.size()) ? kSuccess : kInterrupted;
}

}  // namespace

void add_frames(CLI::App& app, Command& command) {
  auto arguments = std::make_shared<FramesArguments>();
  CLI::App* sub =
      app.add_subcommand("frames", "Writes a video's frames, upright, as numbered pictures.");
  sub->footer(
      "  vostrack frames clip.mp4 --out frames/ --every 10\n"
      "  vostrack frames clip.mp4 --out frames/ --times 0.5,2,7.25");
  sub->add_option("clip", arguments->clip, "Video file, or folder of pictures")->required();
  sub->add_option("--out", arguments->out, "Folder for the pictures")
      ->required()
      ->type_name("FOLDER");
  sub->add_option("--every", arguments->every, "Every n-th frame [default: all]")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))
      ->type_name("N");
  sub->add_option("--times", arguments->times,
                  "What is shown at these times, in seconds from the first frame")
      ->delimiter(',')
      ->type_name("T1,T2,...");
  sub->add_option("--format", arguments->format, "png or jpg")
      ->check(CLI::IsMember({"png", "jpg"}))
      ->capture_default_str();
  sub->add_flag("--overwrite", arguments->overwrite, "Replace pictures of the same names");
  sub->add_flag("--quiet", arguments->quiet, "No progress");
  sub->callback([arguments, &command] {
    command = [arguments](const Console& console) { return frames(*arguments, console); };
  });
}

}  // namespace vostrack::cli
