/// Cameras, and what else libavdevice reads.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "video/ffmpeg.hpp"

namespace vostrack::video {

/// What a camera is asked for; unset: what it does by itself.
struct CameraOptions {
  std::optional<int> height{};
  std::optional<int> width{};
  std::optional<double> fps{};
  /// FFmpeg's name of a pixel format or codec that the camera offers, such as yuyv422 or mjpeg.
  std::string pixel_format{};

  bool is_set() const { return height || width || fps || !pixel_format.empty(); }
  /// @throws Error kInvalidArgument naming field, value and rule
  void validate() const;
};

/// Whether an address of a stream means a camera: an absolute path, such as /dev/video0.
bool is_camera_path(const std::string& address);

/// FFmpeg's name of the format that reads cameras on this system.
const char* camera_format();

/// The input of that name: a container's or protocol's, or a device of libavdevice's.
///
/// @throws Error kUnsupported when there is none, with `address` in front
const AVInputFormat* find_input(const std::string& address, const std::string& name);

bool is_device(const AVInputFormat* input);

/// The options as FFmpeg's input `format` wants them.
std::map<std::string, std::string> camera_settings(const CameraOptions& options,
                                                   const std::string& format);

/// Checks that what a device opened with is what it was asked for.
///
/// @param unknown  settings that the device did not take
/// @throws Error kInvalidArgument for an unknown setting, kUnsupported for another size
void check_camera(const std::string& address, const CameraOptions& options,
                  const AVDictionary* unknown, const AVCodecParameters& delivers);

/// Throws what a failure to open a device means.
[[noreturn]] void fail_camera(const std::string& address, int code, const std::string& said);

}  // namespace vostrack::video
