#include <iostream>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/interrupt.hpp"

int main(int argc, char** argv) {
  vostrack::cli::watch_interrupts();
  return vostrack::cli::run(argc, argv, std::cout, std::cerr);
}
