/// Decoding by the graphics processor.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "video/ffmpeg.hpp"

namespace vostrack::video {

enum class Hardware {
  kNone,          ///< the processor's own cores
  kAuto,          ///< the first below that this machine has
  kCuda,          ///< NVIDIA's NVDEC
  kVaapi,         ///< Intel's and AMD's on Linux
  kVideoToolbox,  ///< Apple's
};

/// @param name  none, auto, cuda, vaapi or videotoolbox
/// @throws Error kInvalidArgument naming these
Hardware hardware_from_name(std::string_view name);
const char* name_of(Hardware hardware);

/// What decodes a stream.
struct DecoderInUse {
  std::string codec;  ///< FFmpeg's name, such as h264
  Hardware hardware = Hardware::kNone;
  /// Why it is not the hardware that was asked for; empty where it is.
  std::string note;
};

/// "h264", "h264 (cuda)", or "h264: " and why it is not the hardware that was asked for.
std::string text_of(const DecoderInUse& in_use);

using HardwareDevice = std::unique_ptr<AVBufferRef, CDeleter<av_buffer_unref>>;

/// Sets a decoder up for hardware, where there is some, and brings its pictures into memory. Where
/// there is none, or not for this codec or profile, decoding goes on without; in_use() and one line
/// in FFmpeg's log, at the level of warnings, say so.
///
/// Thread safety: one thread at a time, beside the decoder's own; in_use() on any.
class HardwareDecoder {
 public:
  /// @param name  of the file or stream, for the log
  HardwareDecoder(Hardware wanted, std::string name) : wanted_(wanted), name_(std::move(name)) {}
  HardwareDecoder(const HardwareDecoder&) = delete;
  HardwareDecoder& operator=(const HardwareDecoder&) = delete;

  /// To be called between avcodec_alloc_context3 and avcodec_open2; must outlive the context, whose
  /// get_format it uses.
  void attach(AVCodecContext& context);

  /// The frame itself, or a copy in memory of one that lies on the graphics processor; valid until
  /// the next call.
  ///
  /// @throws Error kDecode, without the file's name, when it cannot be fetched
  AVFrame* in_memory(AVFrame& frame);

  DecoderInUse in_use() const;

 private:
  static AVPixelFormat choose_format(AVCodecContext* context, const AVPixelFormat* offered);
  bool try_device(AVCodecContext& context, Hardware kind);
  void find_device(AVCodecContext& context);
  void fall_back(const std::string& why);

  Hardware wanted_;
  std::string name_;
  std::string codec_;
  HardwareDevice device_;
  Hardware kind_ = Hardware::kNone;
  AVPixelFormat format_ = AV_PIX_FMT_NONE;  ///< of frames on the graphics processor
  std::atomic<bool> refused_{false};        ///< the device does not decode this stream
  mutable std::mutex mutex_;
  std::string note_;  ///< written under the mutex, by the one thread
  FramePtr fetched_;
};

}  // namespace vostrack::video
