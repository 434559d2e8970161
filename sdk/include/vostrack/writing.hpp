/// Results back as video and pictures.
///
///   vostrack::VideoWriter writer("overlay.mp4", 480, 854);
///   for (...) writer.write(image, frame.pts_s);    // the source's own timestamps
///   writer.finish();                               // only now there is an overlay.mp4
///
/// Every file has a temporary name until it is finished, so what has the final name is whole;
/// without finish(), as after an error, nothing is left behind. Times may be anything that rises: a
/// variable rate stays one. Errors of all:
///
/// - a constructor: kInvalidArgument for a size below 1, an option or an unknown suffix; kNotFound
///   without the folder; kIo where nothing can be written; kUnsupported without the encoder;
/// - write(): kInvalidArgument for another size or a time below 0 or before the last; kIo when the
///   disk is full; kFailedState after finish();
/// - finish(): kFailedState without a single frame; kIo. A second call does nothing.
///
/// A library built without video lacks them. Thread safety: one thread at a time per writer.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vostrack/colour.hpp"
#include "vostrack/export.hpp"
#include "vostrack/types.hpp"

namespace vostrack {

/// Which sound goes with a video.
struct SoundSource {
  /// A file with sound, usually the one that the pictures came from.
  std::string path;
  /// What is 0 s in the new video, in seconds of the source's own timestamps. A video whose frames
  /// keep their source's times wants 0.
  double start_s = 0;
  /// Where the sound ends, on the same clock. It never goes on after the video's last frame.
  double end_s = std::numeric_limits<double>::infinity();
};

struct VideoWriterOptions {
  /// Constant rate factor of x264: 0 (lossless) to 51; 20 is hard to tell from the original. Other
  /// encoders get a bit rate of about the same quality.
  int crf = 20;
  /// x264's trade of time for size.
  std::string preset = "veryfast";
  /// What the encoder plans its rates with, and how long a single frame is shown; the frames' times
  /// come from their timestamps.
  double nominal_fps = 30;
  /// Sound to be copied, packet by packet, beside the pictures.
  std::optional<SoundSource> sound = std::nullopt;
};

/// Writes .mp4, .m4v or .mov that plays everywhere: H.264 (x264, else OpenH264, else MPEG-4 part 2)
/// with the index in front, 4:2:0, BT.709 in limited range and tagged so. Timestamps are kept to
/// 1/90000 s; frames closer than that are shown 1/90000 s apart, and none is lost. An odd size gets
/// one more row or column that repeats the last.
///
/// Sound is not encoded again: a .mp4 holds AAC, MP3, AC-3, Opus and the like, a .mov also PCM;
/// sound that the container cannot hold is kUnsupported, a file without any kNotFound.
class VOSTRACK_API VideoWriter {
 public:
  VideoWriter(const std::string& path, int height, int width,
              const VideoWriterOptions& options = {});
  ~VideoWriter();
  VideoWriter(VideoWriter&&) noexcept;
  VideoWriter& operator=(VideoWriter&&) noexcept;

  void write(const Image& image, double pts_s);
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Writes one byte per pixel, such as LabelImage's, as grey FFV1 in .mkv: what is read back is
/// equal to the last bit, and every frame is a key frame. Times are kept to 1/1000 s.
class VOSTRACK_API LabelVideoWriter {
 public:
  LabelVideoWriter(const std::string& path, int height, int width);
  ~LabelVideoWriter();
  LabelVideoWriter(LabelVideoWriter&&) noexcept;
  LabelVideoWriter& operator=(LabelVideoWriter&&) noexcept;

  /// @param labels  height rows of width bytes
  void write(const std::vector<std::uint8_t>& labels, double pts_s);
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct CutOutOptions {
  /// How far VP9 may be from the original: 0 (best) to 63. ProRes and PNG do not look at it.
  int crf = 18;
  /// What encoders plan with, and how long a single frame is shown.
  double nominal_fps = 30;
  /// Whether pictures of a folder may replace earlier ones of the same names.
  bool overwrite = false;
};

/// Writes pictures with transparency, in the format that the path names:
///
/// - .mov: ProRes 4444, for editing programs. 10 bits a colour; the opacity is exact.
/// - .webm: VP9 with alpha, for browsers. Small, but colours and opacity are approximate.
/// - no suffix: a folder of PNG files 00000.png, 00001.png, ...: exact, without times. The folder
///   is made if need be; each picture appears whole.
class VOSTRACK_API CutOutWriter {
 public:
  CutOutWriter(const std::string& path, int height, int width, const CutOutOptions& options = {});
  ~CutOutWriter();
  CutOutWriter(CutOutWriter&&) noexcept;
  CutOutWriter& operator=(CutOutWriter&&) noexcept;

  void write(const RgbaImage& image, double pts_s);
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

enum class PipeFormat {
  kRgb24,  ///< rows of RGB bytes, frame after frame, nothing else
  kGray8,  ///< one byte a pixel: masks, labels
  kY4m,  ///< YUV4MPEG2 with 4:2:0: the size and rate are in its header, so players need no options
};

/// Frames to an open file, pipe or socket, for another program: `program | ffplay -`. None of the
/// formats has timestamps. A reader that is slow is waited for; one that goes away is kIo, never a
/// signal that ends the program. There is nothing to finish.
class VOSTRACK_API PipeWriter {
 public:
  /// @param file  an open descriptor such as STDOUT_FILENO, which stays the caller's
  /// @param name  of the file, for errors
  /// @param fps   stated in a Y4M header
  PipeWriter(int file, std::string name, PipeFormat format, int height, int width, double fps = 30);
  ~PipeWriter();
  PipeWriter(PipeWriter&&) noexcept;
  PipeWriter& operator=(PipeWriter&&) noexcept;

  /// @throws Error kInvalidArgument in kGray8, and for another size
  void write(const Image& image);
  /// @param grey  height rows of width bytes
  /// @throws Error kInvalidArgument unless in kGray8, and for another size
  void write(const std::vector<std::uint8_t>& grey);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Writes a PNG or JPEG (quality 95), by the name's suffix.
///
/// @throws Error kInvalidArgument for another suffix or a buffer of another size; kNotFound
///   without the folder; kIo
VOSTRACK_API void write_image(const std::string& path, const Image& image);
/// Writes a PNG with transparency.
VOSTRACK_API void write_image(const std::string& path, const RgbaImage& image);
/// Writes a mask as a black and white PNG of one bit a pixel.
VOSTRACK_API void write_mask(const std::string& path, const Mask& mask);

}  // namespace vostrack
