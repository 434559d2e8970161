#include "apps/vostrack/track_results.hpp"

#include <algorithm>
#include <utility>

#include "apps/vostrack/overlay.hpp"
#include "base/check.hpp"
#include "video/drawing.hpp"
#include "video/picture_io.hpp"
#include "video/writer.hpp"

namespace vostrack::cli {
namespace {

/// A contact sheet is a square of this many columns and rows at most.
constexpr int kSheetWidth = 1920;
constexpr int kSheetMargin = 4;
/// Where a source repeats a timestamp, the overlay goes on by this much.
constexpr double kSmallestStep = 0.001;

}  // namespace

std::vector<std::int64_t> spread_frames(std::int64_t first, std::int64_t last, int tiles) {
  const std::int64_t count = std::min<std::int64_t>(last - first + 1, tiles);
  std::vector<std::int64_t> frames;
  for (std::int64_t i = 0; i < count; ++i)
    frames.push_back(count > 1 ? first + (last - first) * i / (count - 1) : first);
  return frames;
}

/// Overlay video and contact sheet: all that needs the pictures.
struct TrackResults::Drawing {
  Drawing(const OutputFolder& folder, const TrackResultOptions& options,
          std::unique_ptr<FrameSource> source, const PromptTable& all_prompts)
      : pictures(std::move(source)),
        prompts(all_prompts),
        sheet_frames(spread_frames(options.first, options.last,
                                   options.contact_columns * options.contact_columns)),
        columns(options.contact_columns) {
    if (!options.overlay) return;
    video::WriterOptions writer_options;
    const std::int64_t count = pictures->frame_count();
    const double length = pictures->pts_s(count - 1) - pictures->pts_s(0);
    if (count > 1 && length > 0)
      writer_options.nominal_fps = static_cast<double>(count - 1) / length;
    writer = std::make_unique<video::VideoWriter>(folder.overlay().string(), pictures->height(),
                                                  pictures->width(), writer_options);
  }

  void draw(const FrameRecord& record, const annotations::LabelImage& labels) {
    const bool on_sheet =
        std::binary_search(sheet_frames.begin(), sheet_frames.end(), record.frame);
    if (!writer && !on_sheet) return;
    Image image = pictures->read(record.frame).image;
    draw_objects(image, labels, record.objects.size() > 1 ? ObjectNames::kIds : ObjectNames::kNone);
    for (const auto& [key, prompt] : prompts) {
      if (key.frame != record.frame) continue;
      if (prompt.box) video::draw_box(image, *prompt.box, video::object_colour(key.object));
      video::draw_clicks(image, prompt.clicks);
    }
    if (writer) {
      if (!first_pts_s) first_pts_s = record.pts_s;
      pts_s = std::max(record.pts_s - *first_pts_s, pts_s + kSmallestStep);
      writer->write(image, pts_s);
    }
    if (on_sheet) {
      const int width =
          std::min((kSheetWidth - kSheetMargin * (columns + 1)) / columns, image.width);
      tiles.push_back(titled_thumbnail(image, width, record.name));
    }
  }

  std::unique_ptr<FrameSource> pictures;
  PromptTable prompts;
  std::vector<std::int64_t> sheet_frames;
  int columns;
  std::unique_ptr<video::VideoWriter> writer;
  std::optional<double> first_pts_s;
  double pts_s = -kSmallestStep;
  std::vector<Image> tiles;
};

TrackResults::TrackResults(OutputFolder folder, TrackResultOptions options,
                           std::unique_ptr<FrameSource> pictures, const PromptTable& prompts)
    : folder_(std::move(folder)),
      options_(options),
      drawing_(std::make_unique<Drawing>(folder_, options_, std::move(pictures), prompts)) {}

TrackResults::~TrackResults() = default;

void TrackResults::keep(FrameRecord record) {
  const std::int64_t frame = record.frame;
  kept_.insert_or_assign(frame, std::move(record));
}

void TrackResults::write_kept(std::optional<std::int64_t> until) {
  for (const auto& [frame, record] : std::exchange(kept_, {}))
    if (!until || frame < *until) write(record);
}

void TrackResults::write(const FrameRecord& record) {
  const annotations::LabelImage labels = labels_of(record);
  if (options_.masks) annotations::write_label_png(folder_.mask(record.name).string(), labels);
  drawing_->draw(record, labels);
  count(record);
}

void TrackResults::finish() {
  write_kept();
  if (frames_ == 0) return;
  if (options_.masks) files_.push_back((folder_.masks() / "").string());
  if (drawing_->writer) {
    drawing_->writer->finish();
    files_.push_back(folder_.overlay().string());
  }
  if (!drawing_->tiles.empty()) {
    video::write_picture(folder_.contact_sheet().string(),
                         grid_of(drawing_->tiles, drawing_->columns, kSheetMargin));
    files_.push_back(folder_.contact_sheet().string());
  }
}

void TrackResults::count(const FrameRecord& record) {
  ++frames_;
  for (const ObjectOnFrame& seen : record.objects) {
    ObjectSummary& object = objects_[seen.object];
    ++object.frames;
    if (!seen.visible) continue;
    if (object.visible_frames++ == 0) {
      object.first_seen = record.frame;
      object.first_seen_s = record.pts_s;
    }
    object.last_seen = record.frame;
    object.last_seen_s = record.pts_s;
    object.score_sum += seen.score;
    object.area_sum += seen.area;
  }
}

}  // namespace vostrack::cli
