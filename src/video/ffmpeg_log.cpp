#include "video/ffmpeg_log.hpp"

#include <cstdarg>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "video/ffmpeg.hpp"

namespace vostrack::video {
namespace {

// Never destroyed: FFmpeg's threads may speak while the program ends.
struct Registry {
  std::mutex mutex;
  std::map<const void*, std::string> last_message;
};

Registry& registry() {
  static auto* instance = new Registry;
  return *instance;
}

thread_local LogSink* current_sink = nullptr;

/// The sink that a context belongs to by its `opaque`, which FFmpeg's worker threads copy.
const void* opaque_of(void* context) {
  if (context == nullptr) return nullptr;
  const AVClass* type = *static_cast<const AVClass**>(context);
  if (type == nullptr) return nullptr;
  if (type == avcodec_get_class()) return static_cast<AVCodecContext*>(context)->opaque;
  if (type == avformat_get_class()) return static_cast<AVFormatContext*>(context)->opaque;
  return nullptr;
}

void on_message(void* context, int level, const char* format, va_list arguments) {
  {
    Registry& known = registry();
    std::lock_guard lock(known.mutex);
    auto sink = known.last_message.find(current_sink ? current_sink : opaque_of(context));
    if (sink != known.last_message.end()) {
      if (level > AV_LOG_ERROR) return;
      char text[512];
      std::vsnprintf(text, sizeof text, format, arguments);
      text[std::strcspn(text, "\r\n")] = '\0';
      if (text[0] != '\0') sink->second = text;
      return;
    }
  }
  av_log_default_callback(context, level, format, arguments);
}

}  // namespace

LogSink::LogSink() {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_callback(on_message); });
  Registry& known = registry();
  std::lock_guard lock(known.mutex);
  known.last_message[this];
}

LogSink::~LogSink() {
  Registry& known = registry();
  std::lock_guard lock(known.mutex);
  known.last_message.erase(this);
}

std::string LogSink::said() const {
  Registry& known = registry();
  std::lock_guard lock(known.mutex);
  const std::string& message = known.last_message.at(this);
  return message.empty() ? std::string() : " (FFmpeg: " + message + ")";
}

LogSink::Scope::Scope(LogSink& sink) : outer_(current_sink) {
  current_sink = &sink;
}
LogSink::Scope::~Scope() {
  current_sink = outer_;
}

void log_warning(const std::string& line) {
  LogSink* const outer = std::exchange(current_sink, nullptr);
  av_log(nullptr, AV_LOG_WARNING, "vostrack: %s\n", line.c_str());
  current_sink = outer;
}

}  // namespace vostrack::video
