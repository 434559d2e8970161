#include "apps/vostrack/interrupt.hpp"

#include <csignal>

namespace vostrack::cli {
namespace {

volatile std::sig_atomic_t flag = 0;

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
  return flag != 0;
}

void set_interrupted(bool value) noexcept {
  flag = value ? 1 : 0;
}

}  // namespace vostrack::cli
