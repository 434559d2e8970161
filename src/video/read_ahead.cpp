#include "video/read_ahead.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <new>
#include <thread>
#include <variant>

#include "base/check.hpp"

namespace vostrack::video {
namespace {

/// What reading a frame threw. Not an exception, which two threads would share.
struct Failure {
  ErrorCode code = ErrorCode::kInternal;
  std::string text;
};

using Decoded = std::unique_ptr<DecodedFrame>;
using Stage = std::variant<Decoded, Frame, Failure>;

/// What `work` returns or throws.
template <class Work>
Stage stage_of(const Work& work) noexcept {
  try {
    return work();
  } catch (const Error& error) {
    return Failure{error.code(), error.what()};
  } catch (const std::bad_alloc&) {
    return Failure{ErrorCode::kOutOfMemory, "out of memory"};
  } catch (const std::exception& error) {
    return Failure{ErrorCode::kInternal, error.what()};
  } catch (...) {
    return Failure{ErrorCode::kInternal, "reading a frame threw what is no exception"};
  }
}

Frame frame_of(Stage stage) {
  if (const auto* failure = std::get_if<Failure>(&stage)) throw Error(failure->code, failure->text);
  if (const auto* decoded = std::get_if<Decoded>(&stage)) return (*decoded)->convert();
  return std::get<Frame>(std::move(stage));
}

/// The worker decodes until as many frames wait as may, and converts them in the time that is left.
/// A frame that is asked for before that is converted by who asks, while the worker decodes on.
class ReadAhead final : public VideoSource {
 public:
  ReadAhead(std::unique_ptr<FrameSource> source, int frames)
      : source_(std::move(source)),
        video_(dynamic_cast<VideoSource*>(source_.get())),
        two_stages_(dynamic_cast<TwoStageSource*>(source_.get())),
        count_(source_->frame_count()),
        capacity_(static_cast<std::size_t>(frames)) {
    if (capacity_ > 0) worker_ = std::thread([this] { run(); });
  }

  ~ReadAhead() override {
    cancel();
    if (worker_.joinable()) worker_.join();
  }

  std::int64_t frame_count() const override { return count_; }
  int height() const override { return source_->height(); }
  int width() const override { return source_->width(); }
  double pts_s(std::int64_t frame) const override { return source_->pts_s(frame); }
  std::string name(std::int64_t frame) const override { return source_->name(frame); }
  std::optional<DecoderInUse> decoder_in_use() const override {
    return video_ != nullptr ? video_->decoder_in_use() : std::nullopt;
  }

  void cancel() noexcept override {
    if (video_ != nullptr) video_->cancel();
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    changed_.notify_all();
  }

  Frame read(std::int64_t frame) override {
    std::unique_lock lock(mutex_);
    check_not_cancelled();
    const bool follows = frame == last_ + 1;
    last_ = frame;
    if (is_ahead(frame)) return frame_of(take(lock, frame));
    stop(lock);
    lock.unlock();  // the worker rests, so the source is ours
    Frame result = source_->read(frame);
    lock.lock();
    if (follows && capacity_ > 0) start(frame + 1);
    return result;
  }

  void recycle(Frame&& frame) override {
    if (two_stages_ != nullptr) two_stages_->recycle(std::move(frame));
  }

 private:
  struct Waiting {
    Stage stage;
    bool converting = false;  ///< the worker has it
  };

  /// Whether the run has the frame, or will have it after no more than are allowed to wait.
  bool is_ahead(std::int64_t frame) const {
    return running_ && frame >= first_ && frame < count_ &&
           frame < first_ + static_cast<std::int64_t>(capacity_);
  }

  void check_not_cancelled() const {
    check(!cancelled_, ErrorCode::kCancelled, "reading frames was cancelled");
  }

  /// A frame as far as it is, those before it gone. Releases the lock.
  Stage take(std::unique_lock<std::mutex>& lock, std::int64_t frame) {
    std::deque<Waiting> passed_over;  // freed after the lock
    for (; first_ < frame + 1; ++first_) {
      changed_.wait(lock, [&] {
        return cancelled_ || (!waiting_.empty() && (first_ < frame || !waiting_[0].converting));
      });
      check_not_cancelled();
      passed_over.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
      changed_.notify_all();
    }
    if (first_ == count_) running_ = false;
    lock.unlock();
    return std::move(passed_over.back().stage);
  }

  void start(std::int64_t first) {
    if (first >= count_ || cancelled_) return;
    first_ = first;
    running_ = true;
    changed_.notify_all();
  }

  /// Waits until the worker does not use the source, and forgets what it made.
  void stop(std::unique_lock<std::mutex>& lock) {
    running_ = false;
    changed_.wait(lock, [&] { return !working_; });
    waiting_.clear();
    check_not_cancelled();
  }

  bool has_to_decode() const {
    return running_ && waiting_.size() < capacity_ &&
           first_ + static_cast<std::int64_t>(waiting_.size()) < count_;
  }

  /// The first that is decoded only, or the number of those that wait.
  std::size_t to_convert() const {
    std::size_t place = 0;
    while (place < waiting_.size() && !std::holds_alternative<Decoded>(waiting_[place].stage))
      ++place;
    return place;
  }

  void run() noexcept {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] {
        return cancelled_ || has_to_decode() || (running_ && to_convert() < waiting_.size());
      });
      if (cancelled_) return;
      working_ = true;
      if (has_to_decode())
        decode(lock, first_ + static_cast<std::int64_t>(waiting_.size()));
      else
        convert(lock, to_convert());
      working_ = false;
      changed_.notify_all();
    }
  }

  void decode(std::unique_lock<std::mutex>& lock, std::int64_t frame) {
    lock.unlock();
    Stage stage = stage_of([&]() -> Stage {
      if (two_stages_ != nullptr) return two_stages_->decode(frame);
      return source_->read(frame);
    });
    lock.lock();
    if (running_) waiting_.push_back({std::move(stage)});
  }

  void convert(std::unique_lock<std::mutex>& lock, std::size_t place) {
    const std::int64_t frame = first_ + static_cast<std::int64_t>(place);
    const Decoded decoded = std::get<Decoded>(std::move(waiting_[place].stage));
    waiting_[place].converting = true;
    lock.unlock();
    Stage stage = stage_of([&]() -> Stage { return decoded->convert(); });
    lock.lock();
    if (frame < first_) return;  // passed over meanwhile
    Waiting& waiting = waiting_[static_cast<std::size_t>(frame - first_)];
    waiting = {std::move(stage)};
  }

  std::unique_ptr<FrameSource> source_;
  VideoSource* video_;          ///< the source, if it is one
  TwoStageSource* two_stages_;  ///< likewise
  std::int64_t count_;
  std::size_t capacity_;
  std::int64_t last_ = -1;  ///< the frame that was asked for last; the reader's only

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;  ///< frames from `first_` on
  std::int64_t first_ = 0;
  bool running_ = false;  ///< between two frames that the reader asked for out of order
  bool working_ = false;  ///< the worker is in the source
  bool cancelled_ = false;
  std::thread worker_;
};

}  // namespace

std::unique_ptr<VideoSource> read_ahead(std::unique_ptr<FrameSource> source, int frames) {
  check(frames >= 0 && frames <= 256, ErrorCode::kInvalidArgument,
        "frames to read ahead: {}, want 0 (none) to 256", frames);
  return std::make_unique<ReadAhead>(std::move(source), frames);
}

}  // namespace vostrack::video
