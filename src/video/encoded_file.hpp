/// The file behind every video writer: encoder, muxer, sound, temporary name.
///
///   EncodedFile file("masks.mkv", 480, 854, {.container = "matroska", .tick = {1, 1000}});
///   CodecContext encoder = file.new_encoder(file.find_encoder({"ffv1"}));
///   encoder->pix_fmt = AV_PIX_FMT_GRAY8;
///   file.open(*encoder, {});
///   file.start(std::move(encoder));
///   frame.pts = file.tick_of(pts_s);          // before any work is spent on the frame
///   file.write(frame);
///   file.finish();
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/atomic_file.hpp"
#include "video/ffmpeg.hpp"
#include "video/ffmpeg_log.hpp"
#include "video/sound.hpp"

namespace vostrack::video {

/// Options of FFmpeg's by their names.
using Settings = std::vector<std::pair<std::string, std::string>>;

struct FileFormat {
  const char* container = "";   ///< FFmpeg's name of the muxer
  AVRational tick = {1, 1000};  ///< seconds; timestamps are rounded to it
  Settings settings = {};       ///< the muxer's
};

/// One video stream, encoded frame by frame, and at most one copied sound stream. The file has a
/// temporary name until finish(); without it, as after an error, nothing is left behind.
///
/// Thread safety: one thread at a time.
class EncodedFile {
 public:
  /// @throws Error kInvalidArgument for a size below 1 or above 16384 or a path without file name;
  ///   kNotFound without the folder; kIo where nothing can be written; kUnsupported without the
  ///   muxer
  EncodedFile(const std::string& path, int height, int width, FileFormat format);
  ~EncodedFile();

  const std::string& path() const noexcept { return file_.path(); }
  LogSink& log() noexcept { return log_; }

  /// The first of these encoders that FFmpeg has.
  ///
  /// @throws Error kUnsupported naming them
  const AVCodec& find_encoder(std::initializer_list<const char*> names) const;

  /// An encoder that is not open yet: size, time base and what the container asks for are set.
  CodecContext new_encoder(const AVCodec& codec);

  /// Opens an encoder; false where it does not take these settings.
  bool try_open(AVCodecContext& encoder, const Settings& settings);

  /// The same, but throws Error kUnsupported with what the encoder says.
  void open(AVCodecContext& encoder, const Settings& settings);

  /// Takes an open encoder and writes the file's header.
  ///
  /// @param frame_s  how long the last frame is shown when no other tells: seconds
  /// @throws Error kIo; as SoundReader; kUnsupported for sound that the container cannot hold
  void start(CodecContext encoder, double frame_s, const std::optional<SoundSource>& sound = {});

  /// The timestamp of the next frame: the nearest tick, or one tick after the last frame where that
  /// one has taken it, so that frames of one time are kept apart and none is lost.
  ///
  /// @throws Error kInvalidArgument for a time below 0 or before the last frame's; kFailedState
  ///   after finish()
  std::int64_t tick_of(double pts_s);

  /// Encodes a frame whose pts came from tick_of().
  ///
  /// @throws Error kIo when the disk is full; then the file is lost
  void write(const AVFrame& frame);

  /// Completes the file and gives it its name. A second call does nothing.
  ///
  /// @throws Error kFailedState without a single frame; kIo
  void finish();

 private:
  /// Closes the file under a muxer before the muxer itself.
  struct Closer {
    void operator()(AVFormatContext* context) const noexcept {
      avio_closep(&context->pb);
      avformat_free_context(context);
    }
  };

  void open_muxer();
  AVStream& new_stream();
  void add_sound(const SoundSource& source);
  void encode(const AVFrame* frame);
  void write_sound(double until_s);
  void write_packet(AVPacket& packet);
  void check_written(int code);

  LogSink log_;       // outlives what writes to it
  PendingFile file_;  // removed, if need be, after the muxer has closed it
  FileFormat format_;
  int height_;
  int width_;
  std::unique_ptr<AVFormatContext, Closer> muxer_;
  CodecContext encoder_;
  AVStream* stream_ = nullptr;  ///< the muxer's, as the next
  AVStream* sound_stream_ = nullptr;
  std::unique_ptr<SoundReader> sound_;
  PacketPtr packet_ = new_packet();
  double last_pts_s_ = 0;
  std::int64_t next_tick_ = 0;  ///< of the frame that tick_of() was asked for last
  double next_pts_s_ = 0;
  std::int64_t last_tick_ = -1;
  std::int64_t last_duration_ = 0;
  bool finished_ = false;
};

}  // namespace vostrack::video
