#include "video/hardware.hpp"

#include <array>

#include "video/ffmpeg_log.hpp"

namespace vostrack::video {
namespace {

struct Kind {
  Hardware hardware;
  const char* name;
  AVHWDeviceType type;
};

constexpr std::array<Kind, 3> kKinds = {{
    {Hardware::kCuda, "cuda", AV_HWDEVICE_TYPE_CUDA},
    {Hardware::kVaapi, "vaapi", AV_HWDEVICE_TYPE_VAAPI},
    {Hardware::kVideoToolbox, "videotoolbox", AV_HWDEVICE_TYPE_VIDEOTOOLBOX},
}};

/// The pixel format in which a codec gives frames on such a device; none where it cannot.
AVPixelFormat format_on(const AVCodec& codec, AVHWDeviceType type) {
  for (int i = 0; const AVCodecHWConfig* config = avcodec_get_hw_config(&codec, i); ++i)
    if ((config->methods & AV_CODEC_HW_CONFIG_METHOD_HW_DEVICE_CTX) && config->device_type == type)
      return config->pix_fmt;
  return AV_PIX_FMT_NONE;
}

}  // namespace

Hardware hardware_from_name(std::string_view name) {
  if (name == "none") return Hardware::kNone;
  if (name == "auto") return Hardware::kAuto;
  for (const Kind& kind : kKinds)
    if (name == kind.name) return kind.hardware;
  fail(ErrorCode::kInvalidArgument,
       "hardware decoding: \"{}\", want none, auto, cuda, vaapi or videotoolbox", name);
}

const char* name_of(Hardware hardware) {
  for (const Kind& kind : kKinds)
    if (hardware == kind.hardware) return kind.name;
  return hardware == Hardware::kAuto ? "auto" : "none";
}

bool HardwareDecoder::try_device(AVCodecContext& context, Hardware hardware) {
  for (const Kind& kind : kKinds) {
    if (kind.hardware != hardware) continue;
    format_ = format_on(*context.codec, kind.type);
    if (format_ == AV_PIX_FMT_NONE) {
      note_ = fmt::format("{} does not decode {}", kind.name, codec_);
      return false;
    }
    AVBufferRef* device = nullptr;
    const int code = av_hwdevice_ctx_create(&device, kind.type, nullptr, nullptr, 0);
    if (code < 0) {
      note_ = fmt::format("no {} device: {}", kind.name, error_text(code));
      return false;
    }
    device_.reset(device);
    // The context's own `opaque` belongs to the log.
    reinterpret_cast<AVHWDeviceContext*>(device->data)->user_opaque = this;
    kind_ = hardware;
    return true;
  }
  return false;
}

void HardwareDecoder::find_device(AVCodecContext& context) {
  codec_ = context.codec->name;
  if (wanted_ == Hardware::kNone) return;
  bool found = false;
  if (wanted_ == Hardware::kAuto)
    for (const Kind& kind : kKinds) found = found || try_device(context, kind.hardware);
  else
    found = try_device(context, wanted_);
  if (found) return;
  fall_back(wanted_ == Hardware::kAuto ? fmt::format("no device of this machine decodes {}", codec_)
                                       : note_);
}

void HardwareDecoder::attach(AVCodecContext& context) {
  if (codec_.empty()) find_device(context);
  if (!device_) return;
  context.hw_device_ctx = av_buffer_ref(device_.get());
  check(context.hw_device_ctx != nullptr, ErrorCode::kOutOfMemory, "{}: no memory to decode",
        name_);
  context.get_format = choose_format;
}

AVPixelFormat HardwareDecoder::choose_format(AVCodecContext* context,
                                             const AVPixelFormat* offered) {
  auto* self = static_cast<HardwareDecoder*>(
      reinterpret_cast<AVHWDeviceContext*>(context->hw_device_ctx->data)->user_opaque);
  for (const AVPixelFormat* format = offered; *format != AV_PIX_FMT_NONE; ++format)
    if (*format == self->format_) {
      self->refused_ = false;
      return *format;
    }
  self->refused_ = true;
  return avcodec_default_get_format(context, offered);
}

void HardwareDecoder::fall_back(const std::string& why) {
  {
    std::lock_guard lock(mutex_);
    note_ = why;
  }
  log_warning(fmt::format("{}: {}; decoding without hardware", name_, why));
}

AVFrame* HardwareDecoder::in_memory(AVFrame& frame) {
  if (refused_ && note_.empty())
    fall_back(fmt::format("{} does not decode this kind of {}", name_of(kind_), codec_));
  if (!device_ || frame.format != format_) return &frame;
  fetched_ = new_frame();
  int code = av_hwframe_transfer_data(fetched_.get(), &frame, 0);
  if (code >= 0) code = av_frame_copy_props(fetched_.get(), &frame);
  check(code >= 0, ErrorCode::kDecode, "a picture cannot be fetched from the {} device: {}",
        name_of(kind_), error_text(code));
  return fetched_.get();
}

std::string text_of(const DecoderInUse& in_use) {
  std::string text = in_use.codec;
  if (in_use.hardware != Hardware::kNone) text += fmt::format(" ({})", name_of(in_use.hardware));
  if (!in_use.note.empty()) text += ": " + in_use.note;
  return text;
}

DecoderInUse HardwareDecoder::in_use() const {
  std::lock_guard lock(mutex_);
  return {codec_, device_ && !refused_ ? kind_ : Hardware::kNone, note_};
}

}  // namespace vostrack::video
