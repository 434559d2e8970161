#include "video/stated_orientation.hpp"

namespace vostrack::video {
namespace {

std::span<const std::int32_t, 9> as_matrix(const std::uint8_t* bytes) {
  return std::span<const std::int32_t, 9>(reinterpret_cast<const std::int32_t*>(bytes), 9);
}

}  // namespace

Orientation stated_orientation(const AVStream& stream, const AVFrame& frame) {
  constexpr std::size_t size = 9 * sizeof(std::int32_t);
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
  const AVPacketSideData* data =
      av_packet_side_data_get(stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data,
                              AV_PKT_DATA_DISPLAYMATRIX);
  if (data != nullptr && data->size >= size) return orientation_of(as_matrix(data->data));
#else
  std::size_t got = 0;
  const std::uint8_t* data = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &got);
  if (data != nullptr && got >= size) return orientation_of(as_matrix(data));
#endif
  const AVFrameSideData* in_frame = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
  if (in_frame != nullptr && in_frame->size >= size)
    return orientation_of(as_matrix(in_frame->data));
  return {};
}

}  // namespace vostrack::video
