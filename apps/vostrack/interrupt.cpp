#include "apps/vostrack/interrupt.hpp"

#include <atomic>
#include <csignal>

namespace vostrack::cli {
namespace {

std::atomic<int> flag = 0;
static_assert(std::atomic<int>::is_always_lock_free);  // fit for signal handlers
std::atomic<int> looks_left = 0;                       ///< 0: as many as there are

void on_signal(int) {
  flag = 1;
}

}  // namespace

void watch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() noexcept {
  if (looks_left > 0 && --looks_left == 0) flag = 1;
  return flag != 0;
}

void set_interrupted(bool value) noexcept {
  flag = value ? 1 : 0;
  looks_left = 0;
}

void interrupt_after(int looks) noexcept {
  looks_left = looks;
}

}  // namespace vostrack::cli
