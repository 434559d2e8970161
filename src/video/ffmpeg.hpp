/// FFmpeg's headers, owners for its handles, and its error codes as text.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

#include "base/check.hpp"
#include "base/handle.hpp"

namespace vostrack::video {

using FormatInput = std::unique_ptr<AVFormatContext, CDeleter<avformat_close_input>>;
using CodecContext = std::unique_ptr<AVCodecContext, CDeleter<avcodec_free_context>>;
using FramePtr = std::unique_ptr<AVFrame, CDeleter<av_frame_free>>;
using PacketPtr = std::unique_ptr<AVPacket, CDeleter<av_packet_free>>;
using Dictionary = std::unique_ptr<AVDictionary, CDeleter<av_dict_free>>;
using ScalerPtr = std::unique_ptr<SwsContext, CDeleter<sws_freeContext>>;

inline std::string error_text(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof text);
  return text;
}

/// An empty frame.
///
/// @throws Error kOutOfMemory
inline FramePtr new_frame() {
  FramePtr frame(av_frame_alloc());
  check(frame != nullptr, ErrorCode::kOutOfMemory, "no memory for a video frame");
  return frame;
}

/// An empty packet.
///
/// @throws Error kOutOfMemory
inline PacketPtr new_packet() {
  PacketPtr packet(av_packet_alloc());
  check(packet != nullptr, ErrorCode::kOutOfMemory, "no memory for a video packet");
  return packet;
}

}  // namespace vostrack::video
