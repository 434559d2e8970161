/// Clips made ahead by threads of their own.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "train/batch.hpp"
#include "train/clip.hpp"

namespace vostrack::train {

/// Hands out clips in order, whatever the threads' order. Makes at most `ahead` clips that nobody
/// has asked for yet; its threads wait when they are ready. next() is for one thread.
class ClipLoader {
 public:
  /// @param index_of  number in the run of the n-th clip that is handed out
  ClipLoader(std::shared_ptr<const ClipSource> source, std::uint64_t seed,
             std::function<std::int64_t(std::int64_t)> index_of, std::int64_t first, int threads,
             int ahead);
  /// Waits for clips that are being made.
  ~ClipLoader();
  ClipLoader(const ClipLoader&) = delete;
  ClipLoader& operator=(const ClipLoader&) = delete;

  /// @throws what the source threw for this clip
  NumberedClip next();

 private:
  struct Made {
    Clip clip;
    std::exception_ptr failure;
  };
  void work();

  std::shared_ptr<const ClipSource> source_;
  std::uint64_t seed_;
  std::function<std::int64_t(std::int64_t)> index_of_;
  std::int64_t ahead_;

  std::mutex mutex_;
  std::condition_variable room_, ready_;
  std::map<std::int64_t, Made> made_;
  std::int64_t begun_, handed_out_;
  bool closing_ = false;
  std::vector<std::jthread> threads_;  // last: joined before anything they use goes
};

}  // namespace vostrack::train
