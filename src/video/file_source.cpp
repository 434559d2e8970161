#include "video/file_source.hpp"

#include <atomic>
#include <mutex>
#include <set>

#include "base/check.hpp"
#include "video/colour.hpp"
#include "video/frame_index.hpp"
#include "video/stated_orientation.hpp"

namespace vostrack::video {
namespace {

/// Pictures that came back and wait to be filled again: as many as are usually decoded ahead.
constexpr std::size_t kMaxSpare = 4;

/// Decoding this many frames costs less than a seek.
constexpr std::int64_t kSkipBySeeking = 12;

class FileSource final : public TwoStageSource {
 public:
  FileSource(const std::string& path, const DecodeOptions& options)
      : demuxer_(path, log_),
        decoder_(demuxer_, options, log_),
        index_(index_of_packets(demuxer_)) {
    if (index_.pts.empty() || !try_reach_from_start(0)) {
      index_ = index_of_frames(decoder_, demuxer_);
      check(!index_.pts.empty(), ErrorCode::kDecode, "{}: not one frame can be decoded{}", path,
            log_.said());
      missing_.clear();
      check(try_reach_from_start(0), ErrorCode::kDecode, "{}: its first frame decoded only once{}",
            path, log_.said());
    }
    rgb_.emplace(frame_->height, frame_->width, stated_orientation(demuxer_.stream(), *frame_));
  }

  std::int64_t frame_count() const override { return static_cast<std::int64_t>(index_.pts.size()); }
  int height() const override { return rgb_->height(); }
  int width() const override { return rgb_->width(); }
  double pts_s(std::int64_t frame) const override {
    check_range(frame);
    return static_cast<double>(index_.pts[frame]) * av_q2d(demuxer_.stream().time_base);
  }
  std::string name(std::int64_t frame) const override {
    check_range(frame);
    return fmt::format("{:05}", frame);
  }

  std::optional<DecoderInUse> decoder_in_use() const override { return decoder_.in_use(); }
  void cancel() noexcept override { cancelled_ = true; }

  void recycle(Frame&& frame) override {
    Image image = std::move(frame.image);  // freed, if need be, after the lock
    std::lock_guard lock(spare_mutex_);
    if (!image.empty() && spare_.size() < kMaxSpare) spare_.push_back(std::move(image));
  }

  std::unique_ptr<DecodedFrame> decode(std::int64_t frame) override {
    check_range(frame);
    check_not_cancelled();
    if (missing_.contains(frame) || !reach(frame)) {
      missing_.insert(frame);
      fail(ErrorCode::kDecode, "{}: frame {} at {:.3f} s cannot be decoded{}", demuxer_.path(),
           frame, pts_s(frame), log_.said());
    }
    // Concealed damage looks like a picture, and would be tracked like one.
    constexpr int kDamage = FF_DECODE_ERROR_INVALID_BITSTREAM | FF_DECODE_ERROR_CONCEALMENT_ACTIVE;
    check(!(frame_->decode_error_flags & kDamage) && !(frame_->flags & AV_FRAME_FLAG_CORRUPT),
          ErrorCode::kDecode, "{}: frame {} at {:.3f} s is damaged{}", demuxer_.path(), frame,
          pts_s(frame), log_.said());
    FramePtr kept = new_frame();
    check(av_frame_ref(kept.get(), frame_) >= 0, ErrorCode::kOutOfMemory,
          "{}: no memory for frame {}", demuxer_.path(), frame);
    return std::make_unique<Decoded>(*this, frame, std::move(kept));
  }

 private:
  class Decoded final : public DecodedFrame {
   public:
    Decoded(FileSource& source, std::int64_t index, FramePtr frame)
        : source_(source), index_(index), frame_(std::move(frame)) {}
    Frame convert() override { return source_.convert(index_, *frame_); }

   private:
    FileSource& source_;
    std::int64_t index_;
    FramePtr frame_;
  };

  Frame convert(std::int64_t index, const AVFrame& decoded) {
    Frame result;
    try {
      LogSink::Scope scope(log_);
      std::lock_guard lock(rgb_mutex_);
      result.image = rgb_->convert(decoded, spare());
    } catch (const Error& error) {
      fail(error.code(), "{}: frame {} at {:.3f} s: {}{}", demuxer_.path(), index, pts_s(index),
           error.what(), log_.said());
    }
    result.index = index;
    result.pts_s = pts_s(index);
    result.name = name(index);
    return result;
  }

  /// The picture that came back last, or an empty one.
  Image spare() {
    std::lock_guard lock(spare_mutex_);
    if (spare_.empty()) return {};
    Image image = std::move(spare_.back());
    spare_.pop_back();
    return image;
  }

  void check_range(std::int64_t frame) const {
    check(frame >= 0 && frame < frame_count(), ErrorCode::kOutOfRange,
          "{}: there is no frame {}, the video has frames 0 to {}", demuxer_.path(), frame,
          frame_count() - 1);
  }

  void check_not_cancelled() const {
    check(!cancelled_, ErrorCode::kCancelled, "{}: reading was cancelled", demuxer_.path());
  }

  /// Makes `frame` the current one, by reading on or by seeking; false if it is not there.
  bool reach(std::int64_t frame) {
    if (position_ == frame) return true;
    const std::int64_t key = index_.by_timestamp ? index_.key_at_or_before(frame) : -1;
    const bool reads_on =
        position_ >= 0 && position_ < frame &&
        (key < 0 || frame - position_ <= kSkipBySeeking || index_.keys[key] <= position_);
    if (reads_on) {
      if (read_on_to(frame)) return true;
      if (from_start_) return false;  // Everything before was decoded: the frame is not there.
    }
    // Some containers land beside the key frame they were asked for, and some key frames need more
    // than themselves, hence one step further back before the sure way.
    for (std::int64_t step = 0; step < 2 && key - step >= 0; ++step)
      if (try_reach_from_key(index_.keys[key - step], frame)) return true;
    return try_reach_from_start(frame);
  }

  bool try_reach_from_key(std::int64_t key_frame, std::int64_t frame) {
    if (key_frame == 0) return false;  // The start is surer and as near.
    position_ = -1;
    from_start_ = false;
    return decoder_.seek(index_.pts[key_frame]) && read_on_to(frame);
  }

  bool try_reach_from_start(std::int64_t frame) {
    position_ = -1;
    decoder_.restart();
    from_start_ = true;
    return read_on_to(frame);
  }

  /// Decodes until the current frame is `frame` or a later one.
  bool read_on_to(std::int64_t frame) {
    while (position_ < frame) {
      check_not_cancelled();
      frame_ = decoder_.next();
      if (frame_ == nullptr) {
        position_ = frame_count();  // Past the end: only a seek leads back.
        return false;
      }
      const std::int64_t place = index_.by_timestamp ? index_.find(frame_->pts) : position_ + 1;
      if (place >= 0) position_ = place;
    }
    return position_ == frame;
  }

  LogSink log_;  // outlives what writes to it
  Demuxer demuxer_;
  Decoder decoder_;
  FrameIndex index_;
  std::mutex rgb_mutex_;
  std::optional<RgbConverter> rgb_;
  std::mutex spare_mutex_;
  std::vector<Image> spare_;
  const AVFrame* frame_ = nullptr;  ///< the decoder's, current until its next call
  std::int64_t position_ = -1;      ///< the index of `frame_`; -1 before the first
  bool from_start_ = false;         ///< no seek since the beginning
  std::atomic<bool> cancelled_{false};
  std::set<std::int64_t> missing_;  ///< frames that proved undecodable
};

}  // namespace

std::unique_ptr<VideoSource> open_file(const std::string& path, const DecodeOptions& options) {
  return std::make_unique<FileSource>(path, options);
}

}  // namespace vostrack::video
