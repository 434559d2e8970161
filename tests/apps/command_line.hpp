/// Runs a command line and keeps what it said.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "apps/vostrack/cli.hpp"

namespace vostrack::test {

struct Outcome {
  int status = 0;
  std::string out;
  std::string err;
};

inline Outcome run_command(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "vostrack");
  std::vector<const char*> texts;
  for (const std::string& argument : arguments) texts.push_back(argument.c_str());
  std::ostringstream out, err;
  Outcome outcome;
  outcome.status = cli::run(static_cast<int>(texts.size()), texts.data(), out, err);
  outcome.out = out.str();
  outcome.err = err.str();
  return outcome;
}

}  // namespace vostrack::test
