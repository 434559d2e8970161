/// The vostrack command, as a function.
///
///   const char* arguments[] = {"vostrack", "track", "clip.mp4", "--point", "1:320,240",
///                              "--out", "out"};
///   int status = vostrack::cli::run(7, arguments, std::cout, std::cerr);
#pragma once

#include <iosfwd>

namespace vostrack::cli {

inline constexpr int kSuccess = 0;
inline constexpr int kFailure = 1;
inline constexpr int kWrongUsage = 2;
inline constexpr int kInterrupted = 130;

/// Runs one command line.
///
/// @param out  results
/// @param err  progress, and one line for an error; a progress bar is drawn when it is the
///   standard error and that is a terminal
/// @return the exit status; nothing is thrown
int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace vostrack::cli
