#include "video/demuxer.hpp"

#include <filesystem>
#include <string_view>

#include "base/check.hpp"

namespace vostrack::video {
namespace {

/// More pixels than any camera has; a header that claims more is damaged or hostile.
constexpr std::int64_t kMaxPixels = std::int64_t{1} << 28;

void check_is_file(const std::string& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  check(status.type() != std::filesystem::file_type::none, ErrorCode::kIo, "{}: {}", path,
        error.message());
  check(std::filesystem::exists(status), ErrorCode::kNotFound, "{}: no such file",
        path.empty() ? "(empty path)" : path);
  check(!std::filesystem::is_directory(status), ErrorCode::kIo, "{}: is a folder, want a file",
        path);
  check(!std::filesystem::is_regular_file(status) || std::filesystem::file_size(path, error) > 0,
        ErrorCode::kDecode, "{}: the file is empty", path);
}

bool is_video(const AVStream& stream) {
  return stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
         !(stream.disposition & AV_DISPOSITION_ATTACHED_PIC);  // a song's cover is no video
}

/// Whether the header alone tells of every stream and each packet of its time, so that looking for
/// streams, which takes longer than all else, need not be done again.
bool states_everything(const AVFormatContext& container) {
  const std::string_view name = container.iformat->name;
  return !(container.ctx_flags & AVFMTCTX_NOHEADER) &&
         (name.starts_with("mov,mp4") || name.starts_with("matroska"));
}

}  // namespace

Demuxer::Demuxer(const std::string& path, LogSink& log) : path_(path), log_(log) {
  check_is_file(path);
  open();
}

void Demuxer::open() {
  LogSink::Scope scope(log_);
  format_.reset();
  AVFormatContext* context = avformat_alloc_context();
  check(context != nullptr, ErrorCode::kOutOfMemory, "{}: no memory to open it", path_);
  context->opaque = &log_;
  AVDictionary* options = nullptr;
  av_dict_set(&options, "protocol_whitelist", "file", 0);
  const int opened = avformat_open_input(&context, ("file:" + path_).c_str(), nullptr, &options);
  av_dict_free(&options);
  check(opened == 0, opened == AVERROR(EACCES) ? ErrorCode::kIo : ErrorCode::kDecode,
        "{}: cannot be opened as video: {}{}", path_, error_text(opened), log_.said());
  format_.reset(context);
  // FFmpeg renders any text file as video.
  check(std::string_view(context->iformat->name) != "tty", ErrorCode::kDecode,
        "{}: a text file, not a video", path_);
  const bool known =
      parameters_ && states_everything(*context) && static_cast<int>(context->nb_streams) > stream_;
  const int probed =
      known ? avcodec_parameters_copy(context->streams[stream_]->codecpar, parameters_.get())
            : avformat_find_stream_info(context, nullptr);
  check(probed >= 0, ErrorCode::kDecode, "{}: its streams cannot be read: {}{}", path_,
        error_text(probed), log_.said());

  if (!known) stream_ = av_find_best_stream(context, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  check(stream_ >= 0 && is_video(*context->streams[stream_]), ErrorCode::kDecode,
        "{}: holds no video (streams: {})", path_, context->nb_streams);
  for (unsigned i = 0; i < context->nb_streams; ++i)
    if (static_cast<int>(i) != stream_) context->streams[i]->discard = AVDISCARD_ALL;
  const AVCodecParameters& codec = *stream().codecpar;
  check(std::int64_t{codec.width} * codec.height <= kMaxPixels, ErrorCode::kDecode,
        "{}: claims to be {}x{}, more than {} pixels", path_, codec.width, codec.height,
        kMaxPixels);
  if (parameters_) return;
  parameters_.reset(avcodec_parameters_alloc());
  check(parameters_ && avcodec_parameters_copy(parameters_.get(), &codec) >= 0,
        ErrorCode::kOutOfMemory, "{}: no memory to open it", path_);
}

bool Demuxer::read(AVPacket& packet) {
  LogSink::Scope scope(log_);
  while (true) {
    av_packet_unref(&packet);
    const int got = av_read_frame(format_.get(), &packet);
    if (got == 0 && packet.stream_index == stream_) return true;
    if (got == 0 || got == AVERROR(EAGAIN)) continue;
    check(got != AVERROR(EIO) && got != AVERROR(ENOMEM), ErrorCode::kIo, "{}: reading failed: {}{}",
          path_, error_text(got), log_.said());
    return false;  // The end, or what cannot be parsed beyond here.
  }
}

bool Demuxer::seek(std::int64_t pts) {
  LogSink::Scope scope(log_);
  return av_seek_frame(format_.get(), stream_, pts, AVSEEK_FLAG_BACKWARD) >= 0;
}

void Demuxer::rewind() {
  open();
}

}  // namespace vostrack::video
