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

using Outcome = std::variant<Frame, Failure>;

class ReadAhead final : public VideoSource {
 public:
  ReadAhead(std::unique_ptr<FrameSource> source, int frames)
      : source_(std::move(source)),
        video_(dynamic_cast<VideoSource*>(source_.get())),
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
    if (is_ahead(frame)) return take(lock, frame);
    stop(lock);
    lock.unlock();  // the worker rests, so the source is ours
    Frame result = source_->read(frame);
    lock.lock();
    if (follows && capacity_ > 0) start(frame + 1);
    return result;
  }

 private:
  /// Whether the run has the frame, or will have it after no more than are allowed to wait.
  bool is_ahead(std::int64_t frame) const {
    return running_ && frame >= first_ && frame < count_ &&
           frame < first_ + static_cast<std::int64_t>(capacity_);
  }

  void check_not_cancelled() const {
    check(!cancelled_, ErrorCode::kCancelled, "reading frames was cancelled");
  }

  Frame take(std::unique_lock<std::mutex>& lock, std::int64_t frame) {
    std::deque<Outcome> passed_over;  // freed after the lock
    for (; first_ < frame + 1; ++first_) {
      changed_.wait(lock, [&] { return cancelled_ || !waiting_.empty(); });
      check_not_cancelled();
      passed_over.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
      changed_.notify_all();
    }
    if (first_ == count_) running_ = false;
    lock.unlock();
    Outcome& outcome = passed_over.back();
    if (const auto* failure = std::get_if<Failure>(&outcome))
      throw Error(failure->code, failure->text);
    return std::get<Frame>(std::move(outcome));
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
    changed_.wait(lock, [&] { return !reading_; });
    waiting_.clear();
    check_not_cancelled();
  }

  bool has_work() const {
    return running_ && waiting_.size() < capacity_ &&
           first_ + static_cast<std::int64_t>(waiting_.size()) < count_;
  }

  void run() noexcept {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return cancelled_ || has_work(); });
      if (cancelled_) return;
      const std::int64_t frame = first_ + static_cast<std::int64_t>(waiting_.size());
      reading_ = true;
      lock.unlock();
      Outcome outcome = outcome_of(frame);
      lock.lock();
      reading_ = false;
      if (running_) waiting_.push_back(std::move(outcome));
      changed_.notify_all();
    }
  }

  Outcome outcome_of(std::int64_t frame) noexcept {
    try {
      return source_->read(frame);
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

  std::unique_ptr<FrameSource> source_;
  VideoSource* video_;  ///< the source, if it is one
  std::int64_t count_;
  std::size_t capacity_;
  std::int64_t last_ = -1;  ///< the frame that was asked for last; the reader's only

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Outcome> waiting_;  ///< frames from `first_` on
  std::int64_t first_ = 0;
  bool running_ = false;  ///< between two frames that the reader asked for out of order
  bool reading_ = false;  ///< the worker is in the source
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
