#include "apps/vostrack/track_results.hpp"

#include <fmt/format.h>

#include <utility>

namespace vostrack::cli {
namespace {

/// More objects than these are counted instead of named.
constexpr std::size_t kNamedObjects = 4;

}  // namespace

void TrackResults::keep(FrameRecord record) {
  const std::int64_t frame = record.frame;
  kept_.insert_or_assign(frame, std::move(record));
}

void TrackResults::draw(const PromptKey& key, Prompt prompt) {
  tasks_.post([this, key, prompt = std::move(prompt)] { prompts_.insert_or_assign(key, prompt); });
}

void TrackResults::write_kept(std::optional<std::int64_t> until) {
  for (auto& [frame, record] : std::exchange(kept_, {}))
    if (!until || frame < *until) write(std::move(record));
}

void TrackResults::write(FrameRecord record, std::optional<Image> picture) {
  tasks_.post([this, record = std::move(record), picture = std::move(picture)]() mutable {
    write_now(record, picture);
  });
}

void TrackResults::write_now(const FrameRecord& record, std::optional<Image>& picture) {
  const ResultFrame frame(
      record, [&] { return picture ? std::move(*picture) : read_(record); }, prompts_);
  for (const auto& writer : writers_) writer->write(frame);
  count(record);
}

void TrackResults::finish() {
  if (!tasks_.failed()) write_kept();
  flush();
  if (frames_ == 0) return;
  for (const auto& writer : std::exchange(writers_, {}))
    if (std::string file = writer->finish(); !file.empty()) files_.push_back(std::move(file));
}

void TrackResults::count(const FrameRecord& record) {
  ++frames_;
  for (const ObjectOnFrame& seen : record.objects) {
    ObjectSummary& object = objects_[seen.object];
    ++object.frames;
    ++object.frames_by_presence[static_cast<std::size_t>(seen.presence)];
    if (!seen.visible()) continue;
    if (object.visible_frames() == 1) {
      object.first_seen = record.frame;
      object.first_seen_s = record.pts_s;
    }
    object.last_seen = record.frame;
    object.last_seen_s = record.pts_s;
    object.score_sum += seen.object_score;
    object.area_sum += seen.area;
  }
}

std::string presence_text(const FrameRecord& record) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (record.objects.size() == 1) return presence_name(record.objects[0].presence);
  if (record.objects.size() <= kNamedObjects) {
    for (const ObjectOnFrame& object : record.objects)
      add(fmt::format("{}: {}", object.object, presence_name(object.presence)));
    return text;
  }
  for (Presence presence : {Presence::kVisible, Presence::kOccluded, Presence::kLost}) {
    int count = 0;
    for (const ObjectOnFrame& object : record.objects) count += object.presence == presence;
    if (count > 0) add(fmt::format("{} {}", count, presence_name(presence)));
  }
  return text;
}

}  // namespace vostrack::cli
