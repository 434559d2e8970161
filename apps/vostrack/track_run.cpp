#include "apps/vostrack/track_run.hpp"

#include <algorithm>
#include <utility>

#include "apps/vostrack/interrupt.hpp"

namespace vostrack::cli {
namespace {

/// A crash costs about as much; saving costs a twentieth of the time at most.
constexpr std::chrono::seconds kSaveInterval{60};
constexpr int kSavingShare = 20;

}  // namespace

void TrackRun::save_to(const std::string& session_path, TrackJournal& journal) {
  session_path_ = session_path;
  journal_ = &journal;
}

void TrackRun::replay(const std::vector<FrameRecord>& records) {
  for (const FrameRecord& record : records) take(record);
}

void TrackRun::track() {
  if (done_ < backward_frames() && !track_backward()) return;
  track_forward();
}

bool TrackRun::track_backward() {
  // Going back from frame 0 yields nothing, so that what is left is only frame 0 takes one more.
  const std::int64_t next = range_.origin - done_;
  PropagateOptions options;
  options.direction = Direction::kBackward;
  options.start = std::max<std::int64_t>(next, 1);
  options.count = *options.start - range_.first;
  Propagation propagation = session_.start(options);
  while (const auto frame = propagation.next())
    if (frame->frame <= next && !accept(*frame)) return false;
  return true;
}

bool TrackRun::track_forward() {
  PropagateOptions options;
  options.start = range_.origin + done_ - backward_frames();
  options.count = range_.last - *options.start;
  if (*options.count < 0) return true;
  Propagation propagation = session_.start(options);
  while (const auto frame = propagation.next())
    if (!accept(*frame)) return false;
  return true;
}

bool TrackRun::accept(const FrameResult& frame) {
  FrameRecord record = record_of(frame);
  if (journal_) journal_->add(record);
  take(std::move(record));
  if (journal_ && Clock::now() - saved_at_ >
                      std::max<Clock::duration>(kSaveInterval, kSavingShare * saving_took_))
    save();
  return !interrupted();
}

void TrackRun::take(FrameRecord record) {
  const bool backward = ++done_ <= backward_frames();
  // The frame that both directions share is counted once.
  if (!backward || record.frame != range_.origin) progress_.step(presence_text(record));
  if (backward)
    results_.keep(std::move(record));
  else
    results_.write(std::move(record));
  if (backward && done_ == backward_frames()) results_.write_kept(range_.origin);
}

void TrackRun::save() {
  if (!journal_ || done_ == 0) return;
  const auto start = Clock::now();
  session_.save(session_path_);
  journal_->mark();
  saved_at_ = Clock::now();
  saving_took_ = saved_at_ - start;
}

}  // namespace vostrack::cli
