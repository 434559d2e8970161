/// Ctrl-C: the frame being tracked and the files being written are finished.
#pragma once

namespace vostrack::cli {

/// SIGINT and SIGTERM set the flag; a second one ends the program at once.
void watch_interrupts();
/// Whether the flag is set.
bool interrupted() noexcept;
/// Sets or clears it.
void set_interrupted(bool value) noexcept;
/// Sets it when it is looked at for the `looks`-th time from now; for tests.
void interrupt_after(int looks) noexcept;

}  // namespace vostrack::cli
