#include "apps/vostrack/track_live.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <ostream>
#include <set>
#include <stop_token>
#include <thread>
#include <utility>

#include "apps/vostrack/interrupt.hpp"
#include "apps/vostrack/progress.hpp"
#include "apps/vostrack/prompt_table.hpp"
#include "apps/vostrack/speed_arguments.hpp"
#include "apps/vostrack/track_results.hpp"
#include "apps/vostrack/track_summary.hpp"
#include "base/check.hpp"
#include "vostrack/version.hpp"

namespace vostrack::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// The address for a file that may be shown around: without a name and password.
std::string without_credentials(const std::string& address) {
  const std::size_t start = address.find("://");
  if (start == std::string::npos) return address;
  const std::size_t host = start + 3, path = address.find('/', host);
  const std::size_t at = address.substr(0, path).rfind('@');
  if (at == std::string::npos || at < host) return address;
  return address.substr(0, host) + address.substr(at + 1);
}

/// Ends a stream that waits for a frame when the program is interrupted.
class InterruptWatch {
 public:
  explicit InterruptWatch(LiveVideo& video)
      : thread_([&video](std::stop_token stop) {
          constexpr std::chrono::milliseconds kPause{20};
          while (!stop.stop_requested()) {
            if (interrupted()) return video.cancel();
            std::this_thread::sleep_for(kPause);
          }
        }) {}

 private:
  std::jthread thread_;
};

/// Prompts that wait for their frames.
class WaitingPrompts {
 public:
  /// @throws Error kInvalidArgument as resolve_prompts
  WaitingPrompts(const PromptArguments& arguments, int height, int width) {
    std::map<std::pair<bool, double>, PromptArguments> groups;
    const auto group = [&](const FrameReference& frame) -> PromptArguments& {
      const double when = frame.seconds.value_or(static_cast<double>(frame.index));
      return groups[{frame.seconds.has_value(), when}];
    };
    for (const ClickArgument& click : arguments.clicks) group(click.frame).clicks.push_back(click);
    for (const BoxArgument& box : arguments.boxes) group(box.frame).boxes.push_back(box);
    for (const MaskArgument& mask : arguments.masks) group(mask.frame).masks.push_back(mask);
    for (const auto& [when, prompts] : groups)
      waiting_.push_back({when.first, when.second,
                          resolve_prompts(prompts, {height, width, [](const FrameReference&) {
                                                      return std::int64_t{0};
                                                    }})});
  }

  /// Takes those that are due, in the order of their frames.
  ///
  /// @param seconds  from the stream's first frame
  PromptTable take(std::int64_t frame, double seconds) {
    PromptTable due;
    const auto is_due = [&](const Group& group) {
      return (group.timed ? seconds : static_cast<double>(frame)) >= group.when;
    };
    for (const Group& group : waiting_)
      if (is_due(group))
        for (const auto& [key, prompt] : group.prompts)
          due.insert_or_assign({key.object, frame}, prompt);
    std::erase_if(waiting_, is_due);
    return due;
  }

  /// Objects with prompts whose frames have not come yet.
  std::set<ObjectId> objects() const {
    std::set<ObjectId> objects;
    for (const Group& group : waiting_)
      for (const auto& [key, prompt] : group.prompts) objects.insert(key.object);
    return objects;
  }

 private:
  struct Group {
    bool timed;
    double when;
    PromptTable prompts;
  };
  std::vector<Group> waiting_;
};

/// Seconds from a frame's arrival to its masks.
struct Latency {
  double sum_s = 0;
  double max_s = 0;
  std::int64_t frames = 0;

  void add(double seconds) {
    sum_s += seconds;
    max_s = std::max(max_s, seconds);
    ++frames;
  }
  double mean_s() const { return frames > 0 ? sum_s / static_cast<double>(frames) : 0; }
};

/// The loop itself and what it learns.
class LiveRun {
 public:
  LiveRun(const std::string& address, const PromptArguments& prompts, const LiveSettings& settings,
          const Model& model)
      : settings_(settings),
        video_(address, settings.video),
        waiting_(prompts, video_.height(), video_.width()),
        tracker_(model, settings.stream) {
    for (const ObjectFile& object : settings.objects)
      tracker_.import_object(object.path, object.object);
  }

  LiveVideo& video() noexcept { return video_; }
  StreamTracker& tracker() noexcept { return tracker_; }
  const WaitingPrompts& waiting() const noexcept { return waiting_; }
  const Latency& latency() const noexcept { return latency_; }
  const std::map<ObjectId, std::set<std::int64_t>>& prompted() const noexcept { return prompted_; }

  void run(TrackResults& results, Progress& progress) {
    InterruptWatch watch(video_);
    while (std::optional<LivePicture> live = video_.next()) {
      Frame& frame = live->frame;
      if (settings_.duration_s && frame.pts_s >= *settings_.duration_s) return;
      const PromptTable due = waiting_.take(frame.index, frame.pts_s);
      if (prompted_.empty() && due.empty() && settings_.objects.empty()) continue;
      FrameResult result = tracker_.track(frame.image, frame.pts_s);
      for (const auto& [key, prompt] : due) {
        result = tracker_.add_prompt(key.object, prompt);
        prompted_[key.object].insert(frame.index);
        results.draw(key, prompt);
      }
      latency_.add(live->latency_s());
      FrameRecord record = record_of(result);
      record.frame = frame.index;
      record.name = frame.name;
      progress.step(fmt::format("{}; {} dropped, {:.2f} s behind", presence_text(record),
                                video_.statistics().dropped, live->latency_s()));
      results.write(std::move(record), std::move(frame.image));
    }
  }

 private:
  const LiveSettings& settings_;
  LiveVideo video_;
  WaitingPrompts waiting_;
  StreamTracker tracker_;
  Latency latency_;
  std::map<ObjectId, std::set<std::int64_t>> prompted_;
};

}  // namespace

void track_live(const std::string& address, const OutputFolder& folder,
                const PromptArguments& prompts, const LiveSettings& settings, ModelOnDemand& model,
                const Console& console) {
  folder.check_free(settings.overwrite);
  const auto prepare_start = Clock::now();
  LiveRun run(address, prompts, settings, model.get());
  const Footage footage{run.video().height(), run.video().width()};
  TrackResults results(open_writers(settings.results, folder, footage, std::nullopt, console.out),
                       {}, nullptr);
  TrackTimes times;
  times.prepare_s = seconds_since(prepare_start);

  const auto track_start = Clock::now();
  Progress progress("Tracking", 0, console.err,
                    settings.quiet ? ProgressStyle::kNone : console.progress);
  std::exception_ptr failure;
  Json error_text = nullptr;
  try {
    run.run(results, progress);
    results.flush();
  } catch (const Error& error) {
    failure = std::current_exception();
    error_text = error.what();
  }
  progress.finish();
  results.finish();
  times.track_s = seconds_since(track_start);

  const MemoryUsage memory = run.tracker().memory_usage();
  const LiveCounts counts = run.video().statistics();
  write_json(folder.summary().string(),
             {{"vostrack", VOSTRACK_VERSION},
              {"address", without_credentials(address)},
              {"width", footage.width},
              {"height", footage.height},
              {"decoder", run.video().decoder()},
              {"frames",
               {{"decoded", counts.decoded},
                {"dropped", counts.dropped},
                {"undecodable", counts.undecodable},
                {"tracked", results.frames()}}},
              {"reconnects", counts.reconnects},
              {"latency_s", {{"mean", run.latency().mean_s()}, {"max", run.latency().max_s}}},
              {"error", error_text},
              {"model", model_json(model.get(), model.arguments())},
              {"objects", objects_json(results, run.prompted())},
              {"memory", memory_json(memory)},
              {"speed", to_json(run.tracker().speed_report())},
              {"seconds", {{"preparing", times.prepare_s}, {"tracking", times.track_s}}},
              {"frames_per_second", frames_per_second(results.frames(), times)}});
  if (failure) std::rethrow_exception(failure);
  check(results.frames() > 0, ErrorCode::kOutOfRange,
        "{}: ended before the first prompt's frame; {} frames came", address, counts.decoded);
  if (const auto missed = run.waiting().objects(); !missed.empty())
    console.err << fmt::format(
                       "vostrack: {}: ended before the frames of prompts of object {} came\n",
                       without_credentials(address), fmt::join(missed, ", "))
                << std::flush;
  for (const ObjectFile& object : settings.exports)
    run.tracker().export_object(*object.object, object.path);
  std::ostream& out = settings.results.lines_path == "-" ? console.err : console.out;
  print_summary(out, results, times);
  out << fmt::format(
             "  {} frames came, {} dropped; {:.3f} s from arrival to masks, {:.3f} at most\n",
             counts.decoded, counts.dropped, run.latency().mean_s(), run.latency().max_s)
      << "  " << memory_text(memory) << '\n';
  if (const std::string text = speed_text(run.tracker().speed_report()); !text.empty())
    out << "  " << text << '\n';
  for (const ObjectFile& object : settings.exports) out << "  " << object.path << '\n';
  out << "  " << folder.summary().string() << '\n';
}

}  // namespace vostrack::cli
