#include "video/live_source.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <new>
#include <thread>

#include "base/check.hpp"
#include "video/connection.hpp"
#include "video/stated_orientation.hpp"

namespace vostrack::video {
namespace {

void check_seconds(const char* field, double value) {
  check(std::isfinite(value) && value > 0 && value <= 3600, ErrorCode::kInvalidArgument,
        "{}: {} s, want more than 0 and at most 3600", field, value);
}

}  // namespace

void LiveOptions::validate() const {
  check_seconds("open_timeout_s", open_timeout_s);
  check_seconds("read_timeout_s", read_timeout_s);
  check_seconds("first_pause_s", first_pause_s);
  check_seconds("max_pause_s", max_pause_s);
  camera.validate();
  check(max_attempts >= 0, ErrorCode::kInvalidArgument, "max_attempts: {}, want 0 or more",
        max_attempts);
  decode.validate();
}

struct LiveSource::Impl {
  Impl(const std::string& address, const LiveOptions& options)
      : address(address),
        options((options.validate(), options)),
        queue(options.queue_frames, options.policy),
        connection(std::make_unique<Connection>(this->address, this->options, cancelled)) {
    const AVFrame* first = connection->next();
    check(first != nullptr, ErrorCode::kDecode, "{}: ends without a frame", address);
    rgb.emplace(first->height, first->width, stated_orientation(connection->stream(), *first));
    first_arrival = connection->arrival_of(*first);
    decoder_in_use = connection->decoder_in_use();
    deliver(*first);
    worker = std::thread([this] { run(); });
  }

  ~Impl() {
    cancel();
    worker.join();
  }

  void cancel() {
    {
      std::lock_guard lock(mutex);
      cancelled = true;
      woken.notify_all();
    }
    queue.cancel();
  }

  void run() noexcept {
    try {
      do read_connection();
      while (!cancelled && reconnect());
      queue.close();
    } catch (const Error& error) {
      queue.close(QueueFailure{error.code(), error.what()});
    } catch (const std::bad_alloc&) {
      queue.close(QueueFailure{ErrorCode::kOutOfMemory, address + ": out of memory"});
    } catch (const std::exception& error) {
      queue.close(QueueFailure{ErrorCode::kInternal, address + ": " + error.what()});
    }
  }

  /// Delivers frames until the connection ends or breaks.
  void read_connection() {
    const std::int64_t before = undecodable;
    try {
      while (const AVFrame* frame = connection->next()) {
        if (starts_anew) rebase(*frame);
        deliver(*frame);
        undecodable = before + connection->undecodable();
      }
      broken = nullptr;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kIo && error.code() != ErrorCode::kDecode &&
          error.code() != ErrorCode::kCancelled)
        throw;
      broken = std::current_exception();
    }
    undecodable = before + connection->undecodable();
    connection.reset();
  }

  /// False at the end of the stream; throws when every attempt fails.
  bool reconnect() {
    if (!broken && (!options.reconnect_at_end || options.max_attempts == 0)) return false;
    if (options.max_attempts == 0) std::rethrow_exception(broken);
    double pause_s = options.first_pause_s;
    std::string reason = "the stream ended";
    for (int attempt = 0; attempt < options.max_attempts; ++attempt) {
      if (!pause(pause_s)) return false;
      pause_s = std::min(2 * pause_s, options.max_pause_s);
      try {
        connection = std::make_unique<Connection>(address, options, cancelled);
        starts_anew = true;
        ++reconnects;
        return true;
      } catch (const Error& error) {
        if (cancelled) return false;
        reason = error.what();
      }
    }
    fail(ErrorCode::kIo, "{}: {} attempts to connect again failed; the last: {}", address,
         options.max_attempts, reason);
  }

  /// False when cancelled meanwhile.
  bool pause(double seconds) {
    std::unique_lock lock(mutex);
    return !woken.wait_for(lock, std::chrono::duration<double>(seconds),
                           [&] { return cancelled.load(); });
  }

  double stream_time_s(const AVFrame& frame) const {
    const std::int64_t pts = frame.best_effort_timestamp;
    return pts == AV_NOPTS_VALUE
               ? std::chrono::duration<double>(connection->arrival_of(frame) - first_arrival)
                     .count()
               : static_cast<double>(pts) * av_q2d(connection->stream().time_base);
  }

  /// Lets the times of a new connection go on with the time that has passed.
  void rebase(const AVFrame& frame) {
    starts_anew = false;
    const double passed_s =
        std::chrono::duration<double>(connection->arrival_of(frame) - first_arrival).count();
    offset_s = passed_s - stream_time_s(frame);
  }

  void deliver(const AVFrame& frame) {
    if (count == 0) offset_s = -stream_time_s(frame);
    LiveFrame live;
    live.arrival = connection->arrival_of(frame);
    try {
      live.frame.image = rgb->convert(frame);
    } catch (const Error& error) {
      fail(ErrorCode::kUnsupported, "{}: {}", address, error.what());  // no connection cures it
    }
    // Streams that jump back in time exist; who uses the frames needs times that advance.
    constexpr double kSmallestStep_s = 1e-3;
    double time_s = stream_time_s(frame) + offset_s;
    if (count > 0 && time_s <= last_time_s) time_s = last_time_s + kSmallestStep_s;
    last_time_s = time_s;
    live.frame.pts_s = time_s;
    live.frame.index = count;
    live.frame.name = fmt::format("{:05}", count);
    ++count;
    queue.push(std::move(live));
  }

  const std::string address;
  const LiveOptions options;
  std::mutex mutex;
  std::condition_variable woken;
  std::atomic<bool> cancelled{false};
  FrameQueue<LiveFrame> queue;
  std::unique_ptr<Connection> connection;
  std::optional<RgbConverter> rgb;
  Clock::time_point first_arrival;
  DecoderInUse decoder_in_use;
  bool starts_anew = false;
  double offset_s = 0;
  double last_time_s = 0;
  std::exception_ptr broken;
  std::atomic<std::int64_t> count{0};
  std::atomic<std::int64_t> undecodable{0};
  std::atomic<std::int64_t> reconnects{0};
  std::thread worker;
};

LiveSource::LiveSource(const std::string& address, const LiveOptions& options)
    : impl_(std::make_unique<Impl>(address, options)) {}
LiveSource::~LiveSource() = default;

int LiveSource::height() const {
  return impl_->rgb->height();
}
int LiveSource::width() const {
  return impl_->rgb->width();
}
DecoderInUse LiveSource::decoder_in_use() const {
  return impl_->decoder_in_use;
}
std::optional<LiveFrame> LiveSource::next() {
  return impl_->queue.pop();
}
void LiveSource::cancel() {
  impl_->cancel();
}
LiveStatistics LiveSource::statistics() const {
  return {impl_->count, impl_->queue.dropped(), impl_->undecodable, impl_->reconnects};
}

}  // namespace vostrack::video
