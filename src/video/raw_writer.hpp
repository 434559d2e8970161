/// Frames down a pipe, for another program to read.
///
///   RawWriter pipe(STDOUT_FILENO, "standard output", PipeFormat::kY4m, 480, 854);
///   for (...) pipe.write(image);
///
///   vostrack ... | ffplay -
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "video/to_yuv.hpp"
#include "vostrack/types.hpp"
#include "vostrack/writing.hpp"

namespace vostrack::video {

/// Writes frames to an open file, pipe or socket. None of the formats has timestamps: frames follow
/// each other, and the reader takes them to be evenly spaced. Y4M has no colour tags either, so it
/// is BT.601 in limited range, which readers assume.
///
/// A reader that is slow is waited for. One that goes away is an error, never a SIGPIPE that ends
/// the program, whatever the program does about that signal.
///
/// Thread safety: one thread at a time.
class RawWriter {
 public:
  /// @param file  an open descriptor, which stays the caller's and must outlive the writer
  /// @param name  of the file, for errors
  /// @param fps   stated in a Y4M header
  /// @throws Error kInvalidArgument for a size outside 1 to 16384 or a rate outside 0.01 to 1000
  RawWriter(int file, std::string name, PipeFormat format, int height, int width, double fps = 30);

  /// @throws Error kInvalidArgument for another size or in kGray8; kIo when the reader has closed
  ///   the pipe or the disk is full, kFailedState after that
  void write(const Image& image);

  /// @param grey  height rows of width bytes
  /// @throws Error as above; kInvalidArgument unless in kGray8
  void write(std::span<const std::uint8_t> grey);

  /// Frames that were written whole.
  std::int64_t count() const noexcept { return count_; }

 private:
  void check_open() const;
  void put(std::span<const std::uint8_t> bytes);
  std::vector<std::uint8_t> y4m_frame(const Image& image);

  int file_;
  std::string name_;
  PipeFormat format_;
  int height_;
  int width_;
  double fps_;
  std::unique_ptr<ToYuv> yuv_;  ///< for kY4m
  std::int64_t count_ = 0;
  bool broken_ = false;
};

}  // namespace vostrack::video
