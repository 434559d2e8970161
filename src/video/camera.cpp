#include "video/camera.hpp"

#include <cmath>
#include <mutex>
#include <string_view>

#ifdef VOSTRACK_WITH_AVDEVICE
extern "C" {
#include <libavdevice/avdevice.h>
}
#endif

namespace vostrack::video {
namespace {

#ifdef VOSTRACK_WITH_AVDEVICE
constexpr bool kHaveDevices = true;
void register_devices() {
  static std::once_flag once;
  std::call_once(once, avdevice_register_all);
}
#else
constexpr bool kHaveDevices = false;
void register_devices() {}
#endif

}  // namespace

void CameraOptions::validate() const {
  for (const auto& [field, value] : {std::pair{"height", height}, {"width", width}})
    check(!value || (*value >= 1 && *value <= 16384), ErrorCode::kInvalidArgument,
          "camera.{}: {} pixels, want 1 to 16384", field, value.value_or(0));
  check(height.has_value() == width.has_value(), ErrorCode::kInvalidArgument,
        "camera.{} is set without camera.{}, want both or neither", height ? "height" : "width",
        height ? "width" : "height");
  check(!fps || (std::isfinite(*fps) && *fps > 0 && *fps <= 1000), ErrorCode::kInvalidArgument,
        "camera.fps: {}, want more than 0 and at most 1000", fps.value_or(0));
}

bool is_camera_path(const std::string& address) {
  return address.starts_with('/');
}

const char* camera_format() {
#ifdef __APPLE__
  return "avfoundation";
#else
  return "v4l2";
#endif
}

const AVInputFormat* find_input(const std::string& address, const std::string& name) {
  register_devices();
  const AVInputFormat* input = av_find_input_format(name.c_str());
  check(input != nullptr || kHaveDevices || name != camera_format(), ErrorCode::kUnsupported,
        "{}: this build reads no cameras, libavdevice was missing", address);
  check(input != nullptr, ErrorCode::kUnsupported, "{}: this FFmpeg has no format {}", address,
        name);
  return input;
}

bool is_device(const AVInputFormat* input) {
  return input != nullptr && input->priv_class != nullptr &&
         AV_IS_INPUT_DEVICE(input->priv_class->category);
}

std::map<std::string, std::string> camera_settings(const CameraOptions& options,
                                                   const std::string& format) {
  std::map<std::string, std::string> settings;
  if (options.height)
    settings["video_size"] = fmt::format("{}x{}", *options.width, *options.height);
  if (options.fps) settings["framerate"] = fmt::format("{}", *options.fps);
  if (!options.pixel_format.empty())
    settings[format == "v4l2" || format == "video4linux2" ? "input_format" : "pixel_format"] =
        options.pixel_format;
  return settings;
}

void check_camera(const std::string& address, const CameraOptions& options,
                  const AVDictionary* unknown, const AVCodecParameters& delivers) {
  const AVDictionaryEntry* entry = av_dict_get(unknown, "", nullptr, AV_DICT_IGNORE_SUFFIX);
  check(entry == nullptr, ErrorCode::kInvalidArgument, "{}: this device has no setting {}={}",
        address, entry ? entry->key : "", entry ? entry->value : "");
  check(!options.height || (delivers.height == *options.height && delivers.width == *options.width),
        ErrorCode::kUnsupported, "{}: the camera offers {}x{}, want {}x{}", address, delivers.width,
        delivers.height, options.width.value_or(0), options.height.value_or(0));
}

void fail_camera(const std::string& address, int code, const std::string& said) {
  switch (code) {
    case AVERROR(ENOENT):
      fail(ErrorCode::kNotFound, "{}: no such camera", address);
    case AVERROR(EACCES):
    case AVERROR(EPERM):
      fail(ErrorCode::kIo, "{}: no permission to use it; add this user to the group of the device",
           address);
    case AVERROR(EBUSY):
      fail(ErrorCode::kIo, "{}: another program uses it", address);
    case AVERROR(ENOTTY):
    case AVERROR(ENODEV):
    case AVERROR(ENOSYS):
      fail(ErrorCode::kIo, "{}: is no camera{}", address, said);
    default:
      fail(ErrorCode::kIo, "{}: cannot be opened as a camera: {}{}", address, error_text(code),
           said);
  }
}

}  // namespace vostrack::video
