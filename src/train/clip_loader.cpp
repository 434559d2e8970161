#include "train/clip_loader.hpp"

#include <utility>

#include "base/check.hpp"

namespace vostrack::train {

ClipLoader::ClipLoader(std::shared_ptr<const ClipSource> source, std::uint64_t seed,
                       std::function<std::int64_t(std::int64_t)> index_of, std::int64_t first,
                       int threads, int ahead)
    : source_(std::move(source)),
      seed_(seed),
      index_of_(std::move(index_of)),
      ahead_(ahead),
      begun_(first),
      handed_out_(first) {
  check(threads >= 1, ErrorCode::kInvalidArgument, "loader_threads is {}, want at least 1",
        threads);
  check(ahead >= 1, ErrorCode::kInvalidArgument, "clips_ahead is {}, want at least 1", ahead);
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

ClipLoader::~ClipLoader() {
  std::lock_guard lock(mutex_);
  closing_ = true;
  room_.notify_all();
}

NumberedClip ClipLoader::next() {
  std::unique_lock lock(mutex_);
  ready_.wait(lock, [this] { return made_.contains(handed_out_); });
  auto made = std::move(made_.extract(handed_out_).mapped());
  const auto index = index_of_(handed_out_++);
  room_.notify_one();
  lock.unlock();
  if (made.failure) std::rethrow_exception(made.failure);
  return {index, std::move(made.clip)};
}

void ClipLoader::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    room_.wait(lock, [this] { return closing_ || begun_ < handed_out_ + ahead_; });
    if (closing_) return;
    const auto number = begun_++;
    lock.unlock();
    Made made;
    try {
      made.clip = source_->sample(seed_, index_of_(number));
    } catch (...) {
      made.failure = std::current_exception();
    }
    lock.lock();
    made_.emplace(number, std::move(made));
    ready_.notify_one();
  }
}

}  // namespace vostrack::train
