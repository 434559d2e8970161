/// Keeps FFmpeg's complaints for our error messages instead of printing them.
///
///   LogSink log;
///   context->opaque = &log;                      // complaints of FFmpeg's own threads
///   LogSink::Scope scope(log);                   // complaints of calls made by this thread
///   if (avformat_open_input(...) < 0) fail(..., "{}{}", error_text(code), log.said());
#pragma once

#include <string>

namespace vostrack::video {

/// The last complaint about one file. Thread-safe.
///
/// The first sink replaces FFmpeg's log callback, which is global to the process; what FFmpeg says
/// to a program that uses it beside us goes to FFmpeg's default callback.
class LogSink {
 public:
  LogSink();
  ~LogSink();
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;

  /// ` (FFmpeg: …)`, ready to be appended to a message; empty when nothing was said.
  std::string said() const;

  /// While it lives, what FFmpeg says on this thread goes to the sink.
  class Scope {
   public:
    explicit Scope(LogSink& sink);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    LogSink* outer_;
  };
};

/// One line in FFmpeg's log, at its level of warnings, whatever sinks there are.
void log_warning(const std::string& line);

}  // namespace vostrack::video
