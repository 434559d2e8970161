#include "apps/vostrack/track_journal.hpp"

#include <filesystem>

#include "base/check.hpp"

namespace vostrack::cli {
namespace {

/// @throws Error kInvalidArgument
void check_same(const std::string& path, const Json& got, const Json& want) {
  for (const auto& [key, value] : want.items())
    check(got.contains(key) && got[key] == value, ErrorCode::kInvalidArgument,
          "{}: the interrupted run had other {}; give the same, or --overwrite instead of --resume",
          path, key);
}

}  // namespace

TrackJournal::TrackJournal(const std::string& path, const Json& run)
    : path_(path), file_(path, std::ios::binary | std::ios::trunc) {
  write({{"run", run}});
}

TrackJournal::TrackJournal(const std::string& path, std::int64_t frames)
    : path_(path), file_(path, std::ios::binary | std::ios::app), frames_(frames) {}

std::optional<TrackJournal> TrackJournal::resume(const std::string& path, const Json& run,
                                                 std::vector<FrameRecord>& records) {
  std::ifstream file(path, std::ios::binary);
  std::vector<FrameRecord> read;
  std::int64_t saved = 0;
  std::streamoff saved_end = 0, end = 0;
  bool opened = false;
  // The last line may be cut short: the run may have ended at any time.
  for (std::string line; std::getline(file, line) && !file.eof();) {
    end += static_cast<std::streamoff>(line.size()) + 1;
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_discarded() || !json.is_object()) break;
    if (!opened) {
      if (!json.contains("run")) break;
      check_same(path, json["run"], run);
      opened = true;
    } else if (json.contains("saved")) {
      if (json["saved"] != read.size()) break;
      saved = static_cast<std::int64_t>(read.size());
      saved_end = end;
    } else {
      read.push_back(record_from_json(json));
    }
  }
  file.close();
  if (saved == 0) return std::nullopt;
  std::error_code error;
  std::filesystem::resize_file(path, static_cast<std::uintmax_t>(saved_end), error);
  check(!error, ErrorCode::kIo, "{}: {}", path, error.message());
  read.resize(static_cast<std::size_t>(saved));
  records = std::move(read);
  return TrackJournal(path, saved);
}

void TrackJournal::add(const FrameRecord& record) {
  write(to_json(record));
  ++frames_;
}

void TrackJournal::mark() {
  write({{"saved", frames_}});
}

void TrackJournal::write(const Json& json) {
  file_ << json_line(json) << std::flush;
  check(file_.good(), ErrorCode::kIo, "{}: cannot be written", path_);
}

}  // namespace vostrack::cli
