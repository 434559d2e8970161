/// Sound copied beside new pictures.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "support/temporary_folder.hpp"
#include "video/ffmpeg.hpp"
#include "video/ffmpeg_tools.hpp"
#include "video/file_source.hpp"
#include "video/test_clips.hpp"
#include "video/writer.hpp"

namespace vostrack::video {
namespace {

using test::expect_error;
using test::TemporaryFolder;

struct SoundPacket {
  double pts_s;
  std::string bytes;
};

/// The sound packets of a file as they lie there.
std::vector<SoundPacket> sound_of(const std::string& path) {
  AVFormatContext* context = nullptr;
  std::vector<SoundPacket> packets;
  if (avformat_open_input(&context, path.c_str(), nullptr, nullptr) < 0) return packets;
  FormatInput format(context);
  avformat_find_stream_info(context, nullptr);
  const int stream = av_find_best_stream(context, AVMEDIA_TYPE_AUDIO, -1, -1, nullptr, 0);
  if (stream < 0) return packets;
  PacketPtr packet = new_packet();
  while (av_read_frame(context, packet.get()) >= 0) {
    if (packet->stream_index == stream)
      packets.push_back(
          {static_cast<double>(packet->pts) * av_q2d(context->streams[stream]->time_base),
           std::string(packet->data, packet->data + packet->size)});
    av_packet_unref(packet.get());
  }
  return packets;
}

class Sound : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::have_ffmpeg_tools()) GTEST_SKIP() << "no ffmpeg to make sound with";
  }

  /// Two seconds: pictures at 25 a second and a tone, in the given codec.
  std::string clip(const std::string& name, const std::string& options) {
    EXPECT_TRUE(test::run_ffmpeg(
        "-f lavfi -i testsrc2=s=64x48:r=25:d=2 -f lavfi -i sine=frequency=440:r=44100:d=2 "
        "-c:v libx264 " +
        options + " " + folder_ / name));
    return folder_ / name;
  }

  void write(const std::string& name, const SoundSource& sound, double first_s, double last_s) {
    VideoWriter writer(folder_ / name, 48, 64, {.sound = sound});
    for (int i = 0; first_s + i * 0.04 <= last_s + 1e-9; ++i)
      writer.write(test::moving_square(48, 64, i), first_s + i * 0.04);
    writer.finish();
  }

  TemporaryFolder folder_;
};

TEST_F(Sound, IsCopiedPacketByPacketAtItsTimes) {
  const std::string source = clip("source.mp4", "-c:a aac");
  write("a.mp4", {.path = source}, 0, 1.96);
  const auto want = sound_of(source), got = sound_of(folder_ / "a.mp4");
  ASSERT_GT(want.size(), 80u);
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].bytes, want[i].bytes) << i;
    ASSERT_NEAR(got[i].pts_s, want[i].pts_s, 1e-4) << i;
  }
  EXPECT_EQ(open_file(folder_ / "a.mp4")->frame_count(), 50);
}

TEST_F(Sound, StaysInStepWhereTheVideoStartsLaterOrTimesAreShifted) {
  const std::string source = clip("source.mp4", "-c:a aac");
  const auto all = sound_of(source);
  // Pictures at 0.5 s on the source's own clock.
  write("late.mp4", {.path = source}, 0.5, 1.0);
  const auto late = sound_of(folder_ / "late.mp4");
  ASSERT_GT(late.size(), 30u);
  EXPECT_EQ(late[20].bytes, all[20].bytes);
  EXPECT_NEAR(late[20].pts_s, all[20].pts_s, 1e-4);
  EXPECT_LT(late.back().pts_s, 1.04);
  // The new clock's 0 is the source's 0.7 s.
  write("shifted.mp4", {.path = source, .start_s = 0.7, .end_s = 1.2}, 0, 1.0);
  const auto shifted = sound_of(folder_ / "shifted.mp4");
  ASSERT_GT(shifted.size(), 20u);
  for (const SoundPacket& packet : shifted) {
    const auto same = std::find_if(all.begin(), all.end(), [&](const SoundPacket& other) {
      return other.bytes == packet.bytes && std::abs(other.pts_s - 0.7 - packet.pts_s) < 1e-4;
    });
    ASSERT_NE(same, all.end()) << packet.pts_s;
    EXPECT_GT(packet.pts_s, -0.05);
    EXPECT_LT(packet.pts_s, 0.5);
  }
}

TEST_F(Sound, OfATransportStreamFitsMp4) {
  // Its AAC has headers of its own, and its clock starts at 1.4 s.
  const std::string source = clip("source.ts", "-c:a aac");
  const double start = open_file(source)->pts_s(0);
  ASSERT_GT(start, 1);
  write("a.mp4", {.path = source, .start_s = start}, 0, 1.96);
  const auto want = sound_of(source), got = sound_of(folder_ / "a.mp4");
  ASSERT_GT(got.size(), 80u);
  EXPECT_NEAR(got[40].pts_s, want[40].pts_s - start, 0.05);
}

TEST_F(Sound, LiesBesideItsPicturesInTheFile) {
  const std::string source = clip("source.mp4", "-c:a aac");
  write("a.mp4", {.path = source}, 0, 1.96);
  AVFormatContext* context = nullptr;
  ASSERT_GE(avformat_open_input(&context, (folder_ / "a.mp4").c_str(), nullptr, nullptr), 0);
  FormatInput format(context);
  PacketPtr packet = new_packet();
  std::vector<double> newest(2, 0);
  while (av_read_frame(context, packet.get()) >= 0) {
    newest.at(packet->stream_index) = static_cast<double>(packet->dts) *
                                      av_q2d(context->streams[packet->stream_index]->time_base);
    EXPECT_LT(std::abs(newest[0] - newest[1]), 0.5);
    av_packet_unref(packet.get());
  }
}

TEST_F(Sound, ThatTheContainerCannotHoldIsNamed) {
  const std::string source = clip("source.mkv", "-c:a pcm_s16le");
  expect_error(ErrorCode::kUnsupported, "mp4 cannot hold the pcm_s16le sound",
               [&] { write("a.mp4", {.path = source}, 0, 1); });
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"source.mkv"});
  write("a.mov", {.path = source}, 0, 1);
  EXPECT_GT(sound_of(folder_ / "a.mov").size(), 10u);
}

TEST_F(Sound, ThatIsNotThereIsAnError) {
  const std::string silent = folder_ / "silent.mp4";
  test::write_clip(silent, test::steady_times(3, 25));
  expect_error(ErrorCode::kNotFound, "silent.mp4: holds no sound",
               [&] { write("a.mp4", {.path = silent}, 0, 1); });
  expect_error(ErrorCode::kNotFound, "gone.mp4: no such file",
               [&] { write("a.mp4", {.path = folder_ / "gone.mp4"}, 0, 1); });
  std::ofstream(folder_ / "text.mp4") << "no clip at all";
  expect_error(ErrorCode::kDecode, "text.mp4: cannot be opened",
               [&] { write("a.mp4", {.path = folder_ / "text.mp4"}, 0, 1); });
  expect_error(ErrorCode::kInvalidArgument, "sound.end_s: 1",
               [&] { write("a.mp4", {.path = silent, .start_s = 2, .end_s = 1}, 0, 1); });
}

TEST_F(Sound, OfADamagedFileNeverBreaksTheVideo) {
  const std::string source = clip("source.ts", "-c:a mp2");
  std::string bytes = test::read_bytes(source);
  for (std::size_t at = 2000; at < bytes.size(); at += 331) bytes[at] ^= 0x55;
  test::write_bytes(source, bytes);
  write("a.mp4", {.path = source}, 0, 1.96);
  EXPECT_EQ(open_file(folder_ / "a.mp4")->frame_count(), 50);
}

}  // namespace
}  // namespace vostrack::video
