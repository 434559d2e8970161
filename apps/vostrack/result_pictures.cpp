#include <algorithm>
#include <utility>

#include "apps/vostrack/mask_files.hpp"
#include "apps/vostrack/overlay.hpp"
#include "apps/vostrack/result_writer.hpp"
#include "base/check.hpp"
#include "video/cut_out.hpp"
#include "video/drawing.hpp"
#include "video/effects.hpp"
#include "video/label_video.hpp"
#include "video/picture_io.hpp"
#include "video/writer.hpp"

namespace vostrack::cli {
namespace {

/// A contact sheet is a square of this many columns and rows at most.
constexpr int kSheetWidth = 1920;
constexpr int kSheetMargin = 4;

/// Times for a new video: from 0, and never back.
class Times {
 public:
  double next(double source_pts_s) {
    if (!first_s_) first_s_ = source_pts_s;
    return last_s_ = std::max(source_pts_s - *first_s_, last_s_);
  }

 private:
  std::optional<double> first_s_;
  double last_s_ = 0;
};

/// A video of what is made of each frame.
class PictureVideo : public ResultWriter {
 public:
  using MakePicture = std::function<Image(const ResultFrame&)>;

  PictureVideo(std::string path, const Footage& footage, MakePicture make)
      : path_(std::move(path)),
        writer_(path_, footage.height, footage.width, options_of(footage)),
        make_(std::move(make)) {}
  void write(const ResultFrame& frame) override {
    writer_.write(make_(frame), times_.next(frame.record().pts_s));
  }
  std::string finish() override {
    writer_.finish();
    return path_;
  }

 private:
  static VideoWriterOptions options_of(const Footage& footage) {
    VideoWriterOptions options;
    options.nominal_fps = footage.nominal_fps;
    if (footage.sound)
      options.sound = SoundSource{.path = *footage.sound, .start_s = footage.start_s};
    return options;
  }

  std::string path_;
  video::VideoWriter writer_;
  MakePicture make_;
  Times times_;
};

class LabelVideo : public ResultWriter {
 public:
  LabelVideo(std::string path, const Footage& footage)
      : path_(std::move(path)), writer_(path_, footage.height, footage.width) {}
  void write(const ResultFrame& frame) override {
    writer_.write(frame.labels().labels, times_.next(frame.record().pts_s));
  }
  std::string finish() override {
    writer_.finish();
    return path_;
  }

 private:
  std::string path_;
  video::LabelVideoWriter writer_;
  Times times_;
};

class CutOut : public ResultWriter {
 public:
  CutOut(std::string path, const Footage& footage)
      : path_(std::move(path)),
        writer_(path_, footage.height, footage.width, {.nominal_fps = footage.nominal_fps}) {}
  void write(const ResultFrame& frame) override {
    writer_.write(video::cut_out(frame.picture(), mask_of_all(frame.labels())),
                  times_.next(frame.record().pts_s));
  }
  std::string finish() override {
    writer_.finish();
    return path_;
  }

 private:
  std::string path_;
  video::CutOutWriter writer_;
  Times times_;
};

class ContactSheet : public ResultWriter {
 public:
  ContactSheet(std::string path, int columns, std::optional<std::vector<std::int64_t>> frames)
      : path_(std::move(path)), columns_(columns), frames_(std::move(frames)) {}

  void write(const ResultFrame& frame) override {
    const std::int64_t number = frame.record().frame;
    if (frames_ ? !std::binary_search(frames_->begin(), frames_->end(), number)
                : seen_++ % stride_ != 0)
      return;
    const Image& picture = frame.drawn();
    const int width =
        std::min((kSheetWidth - kSheetMargin * (columns_ + 1)) / columns_, picture.width);
    tiles_.push_back(titled_thumbnail(picture, width, frame.record().name));
    if (!frames_ && tiles_.size() == 2 * room()) thin();
  }

  std::string finish() override {
    if (tiles_.empty()) return "";  // stopped before the first of its frames
    std::vector<Image> shown;
    for (std::int64_t i :
         spread_frames(0, static_cast<std::int64_t>(tiles_.size()) - 1, static_cast<int>(room())))
      shown.push_back(std::move(tiles_[static_cast<std::size_t>(i)]));
    tiles_.clear();
    video::write_picture(path_, grid_of(shown, columns_, kSheetMargin));
    return path_;
  }

 private:
  std::size_t room() const { return static_cast<std::size_t>(columns_) * std::size_t(columns_); }

  /// Keeps every second picture, and from now on takes half as many.
  void thin() {
    for (std::size_t i = 0; i < room(); ++i) tiles_[i] = std::move(tiles_[2 * i]);
    tiles_.resize(room());
    stride_ *= 2;
  }

  std::string path_;
  int columns_;
  std::optional<std::vector<std::int64_t>> frames_;
  std::int64_t seen_ = 0;
  std::int64_t stride_ = 1;
  std::vector<Image> tiles_;
};

}  // namespace

const annotations::LabelImage& ResultFrame::labels() const {
  if (!labels_) labels_ = labels_of(record_);
  return *labels_;
}

const Image& ResultFrame::picture() const {
  if (!picture_) picture_ = read_();
  return *picture_;
}

const Image& ResultFrame::drawn() const {
  if (drawn_) return *drawn_;
  drawn_ = picture();
  draw_objects(*drawn_, labels(),
               record_.objects.size() > 1 ? ObjectNames::kIds : ObjectNames::kNone);
  for (const auto& [key, prompt] : prompts_) {
    if (key.frame != record_.frame) continue;
    if (prompt.box) video::draw_box(*drawn_, *prompt.box, video::object_colour(key.object));
    video::draw_clicks(*drawn_, prompt.clicks);
  }
  return *drawn_;
}

std::unique_ptr<ResultWriter> write_overlay(const std::string& path, const Footage& footage) {
  return std::make_unique<PictureVideo>(path, footage,
                                        [](const ResultFrame& frame) { return frame.drawn(); });
}

std::unique_ptr<ResultWriter> write_effect(const std::string& path, const std::string& effect,
                                           const Footage& footage) {
  const bool blurs = effect.starts_with("blur");
  const video::Region region =
      effect.ends_with("objects") ? video::Region::kObject : video::Region::kBackground;
  return std::make_unique<PictureVideo>(path, footage, [=](const ResultFrame& frame) {
    Image image = frame.picture();
    const Mask mask = mask_of_all(frame.labels());
    // 12 and 16 pixels at 480 rows: what is shown is beyond recognition, where it is still is seen.
    if (blurs)
      video::blur(image, mask, region, image.height / 40.0);
    else
      video::pixelate(image, mask, region, std::max(2, image.height / 30));
    return image;
  });
}

std::unique_ptr<ResultWriter> write_label_video(const std::string& path, const Footage& footage) {
  return std::make_unique<LabelVideo>(path, footage);
}

std::unique_ptr<ResultWriter> write_cut_out(const std::string& path, const Footage& footage) {
  return std::make_unique<CutOut>(path, footage);
}

std::unique_ptr<ResultWriter> write_contact_sheet(const std::string& path, int columns,
                                                  std::optional<std::vector<std::int64_t>> frames) {
  return std::make_unique<ContactSheet>(path, columns, std::move(frames));
}

std::vector<std::int64_t> spread_frames(std::int64_t first, std::int64_t last, int tiles) {
  const std::int64_t count = std::min<std::int64_t>(last - first + 1, tiles);
  std::vector<std::int64_t> frames;
  for (std::int64_t i = 0; i < count; ++i)
    frames.push_back(count > 1 ? first + (last - first) * i / (count - 1) : first);
  return frames;
}

}  // namespace vostrack::cli
