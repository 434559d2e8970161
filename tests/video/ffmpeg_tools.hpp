/// FFmpeg's commands, where they are installed, as judge and as maker of odd files.
#pragma once

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace vostrack::test {

/// What a shell command writes to its standard output.
inline std::string output_of(const std::string& command) {
  std::string output;
  std::array<char, 65536> buffer;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  while (std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe))
    output.append(buffer.data(), got);
  ::pclose(pipe);
  return output;
}

inline bool have_ffmpeg_tools() {
  static const bool have = !output_of("ffprobe -version 2>/dev/null").empty() &&
                           !output_of("ffmpeg -version 2>/dev/null").empty();
  return have;
}

/// Runs `ffmpeg` quietly with these arguments; whether it ended well.
inline bool run_ffmpeg(const std::string& arguments) {
  return std::system(("ffmpeg -v quiet -nostdin -y " + arguments + " 2>/dev/null").c_str()) == 0;
}

}  // namespace vostrack::test
