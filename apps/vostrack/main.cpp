#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include <iostream>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/interrupt.hpp"

namespace {

/// Keeps the memory of what every frame needs anew, where glibc and not tcmalloc allocates. By
/// default large pieces go back to the system, which clears each page before it comes again.
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  vostrack::cli::watch_interrupts();
  return vostrack::cli::run(argc, argv, std::cout, std::cerr);
}
