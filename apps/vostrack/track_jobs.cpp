#include "apps/vostrack/track_jobs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <set>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/interrupt.hpp"
#include "apps/vostrack/json_file.hpp"
#include "base/check.hpp"
#include "vostrack/version.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;

/// The file's name without its suffix; the folder's, for pictures in one.
std::string name_of(const std::string& clip) {
  fs::path path = fs::path(clip).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  const bool pattern = path.filename().string().find_first_of("*?") != std::string::npos;
  const std::string name = pattern                  ? path.parent_path().filename().string()
                           : fs::is_directory(path) ? path.filename().string()
                                                    : path.stem().string();
  return name.empty() || name == "." || name == ".." ? "video" : name;
}

/// How the jobs ended so far.
class Ledger {
 public:
  Ledger(const std::vector<TrackJob>& jobs, fs::path file) : file_(std::move(file)) {
    for (const TrackJob& job : jobs)
      videos_.push_back({{"video", job.clip},
                         {"folder", job.folder.root().filename().string()},
                         {"status", "waiting"},
                         {"frames", 0},
                         {"error", nullptr}});
  }

  /// @param error  empty when there was none
  void set(std::size_t job, const char* status, std::int64_t frames, const std::string& error) {
    videos_[job]["status"] = status;
    videos_[job]["frames"] = frames;
    if (!error.empty()) videos_[job]["error"] = error;
    write_json(file_.string(), {{"vostrack", VOSTRACK_VERSION}, {"videos", videos_}});
  }

  std::size_t count(const std::string& status) const {
    return static_cast<std::size_t>(
        std::count_if(videos_.begin(), videos_.end(),
                      [&](const Json& video) { return video["status"] == status; }));
  }

 private:
  fs::path file_;
  Json videos_ = Json::array();
};

}  // namespace

std::vector<TrackJob> jobs_of(const std::vector<PromptedClip>& clips, const fs::path& out) {
  std::vector<TrackJob> jobs;
  std::set<std::string> names;
  for (const PromptedClip& clip : clips) {
    const std::string wanted = clip.name.empty() ? name_of(clip.path) : clip.name;
    std::string name = wanted;
    for (int number = 2; !names.insert(name).second; ++number)
      name = fmt::format("{}_{}", wanted, number);
    jobs.push_back({clip.path, OutputFolder(out / name), clip.prompts,
                    fmt::format("[{}/{}] {}", jobs.size() + 1, clips.size(), name)});
  }
  return jobs;
}

int track_jobs(const std::vector<TrackJob>& jobs, const fs::path& out,
               const TrackSettings& settings, ModelOnDemand& model, const Console& console) {
  const OutputFolder root(out);
  root.check_free(settings.overwrite || settings.resume);
  std::error_code error;
  fs::create_directories(out, error);
  check(!error, ErrorCode::kIo, "{}: {}", out.string(), error.message());
  Ledger ledger(jobs, root.summary());
  for (std::size_t i = 0; i < jobs.size() && !interrupted(); ++i) {
    std::int64_t frames = 0;
    const char* status = "failed";
    std::string failure;
    try {
      const TrackOutcome outcome = track_video(jobs[i], settings, model, console);
      frames = outcome.frames;
      status = outcome.complete ? "complete" : "interrupted";
    } catch (const std::bad_alloc&) {
      failure = jobs[i].clip + ": out of memory";
    } catch (const std::exception& exception) {
      failure = exception.what();
    }
    if (!failure.empty())
      console.err << "vostrack: " << jobs[i].title << ": " << failure << std::endl;
    ledger.set(i, status, frames, failure);
  }
  const std::size_t failed = ledger.count("failed");
  console.out << fmt::format("{} of {} videos tracked", ledger.count("complete"), jobs.size())
              << (failed > 0 ? fmt::format(", {} failed", failed) : "") << "\n  "
              << root.summary().string() << '\n';
  if (ledger.count("interrupted") + ledger.count("waiting") > 0) return kInterrupted;
  return failed > 0 ? kFailure : kSuccess;
}

}  // namespace vostrack::cli
