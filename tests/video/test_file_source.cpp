#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "support/temporary_folder.hpp"
#include "video/file_source.hpp"
#include "video/open.hpp"
#include "video/test_clips.hpp"

namespace vostrack::video {
namespace {

using test::expect_error;
using test::TemporaryFolder;

TEST(FileSource, KeepsTimestampsOfAVariableRate) {
  TemporaryFolder folder;
  const std::vector<double> times = {0.5, 0.54, 0.8, 0.81, 1.5, 3.0, 3.04};
  test::write_clip(folder / "clip.mp4", times);
  auto source = open_file(folder / "clip.mp4");
  ASSERT_EQ(source->frame_count(), 7);
  EXPECT_EQ(source->height(), 96);
  EXPECT_EQ(source->width(), 128);
  EXPECT_EQ(source->name(6), "00006");
  for (int i = 0; i < 7; ++i) EXPECT_NEAR(source->pts_s(i), times[i], 1.0 / 90000) << i;
}

TEST(FileSource, GivesTheSameFrameHoweverItIsReached) {
  TemporaryFolder folder;
  test::write_clip(folder / "clip.mp4", test::steady_times(120, 25));
  auto onwards = open_file(folder / "clip.mp4");
  std::vector<Image> frames;
  for (int i = 0; i < 120; ++i) {
    frames.push_back(onwards->read(i).image);
    ASSERT_LT(test::difference(frames.back(), test::moving_square(96, 128, i)), 3.0) << i;
  }
  auto anywhere = open_file(folder / "clip.mp4", {.threads = 1, .hardware = Hardware::kNone});
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) {
    const int frame = static_cast<int>(random() % 120);
    const Frame got = anywhere->read(frame);
    ASSERT_EQ(got.index, frame);
    ASSERT_TRUE(got.image.rgb == frames[frame].rgb) << "frame " << frame;
  }
  for (int i = 119; i >= 0; --i) ASSERT_TRUE(anywhere->read(i).image.rgb == frames[i].rgb) << i;
}

TEST(FileSource, ReadsIntoMemoryThatCameBack) {
  TemporaryFolder folder;
  test::write_clip(folder / "clip.mp4", test::steady_times(3, 25));
  auto source = open_file(folder / "clip.mp4");
  Frame first = source->read(0);
  const std::uint8_t* place = first.image.rgb.data();
  source->recycle(std::move(first));
  source->recycle({});  // nothing to keep
  const std::vector<std::uint8_t> other(std::size_t{3} * 96 * 128);
  EXPECT_NE(other.data(), place);
  EXPECT_EQ(source->read(1).image.rgb.data(), place);
}

TEST(FileSource, GivesTheSameFramesInMemoryThatCameBack) {
  TemporaryFolder folder;
  test::write_clip(folder / "clip.mp4", test::steady_times(30, 25));
  auto plain = open_file(folder / "clip.mp4");
  for (const int ahead : {0, 4}) {
    auto source =
        open_source(folder / "clip.mp4", {.decode = {}, .folder = {}, .read_ahead_frames = ahead});
    for (int i = 0; i < 30; ++i) {
      Frame frame = source->read(i);
      ASSERT_EQ(frame.image.height, 96);
      ASSERT_EQ(frame.image.width, 128);
      ASSERT_TRUE(frame.image.rgb == plain->read(i).image.rgb) << "frame " << i;
      source->recycle(std::move(frame));
      source->recycle({test::plain(i % 2 ? 200 : 2, 3 * i + 1, 1, 2, 3), 0, 0, ""});  // any size
    }
  }
}

TEST(FileSource, ReadsAFileWhoseNameIsInAnyScript) {
  TemporaryFolder folder;
  const std::string name = "\u0444\u0438\u043b\u044c\u043c \u732b \U0001F431 caf\u00e9.mp4";
  test::write_clip(folder / name, {0, 1, 2});
  EXPECT_EQ(open_source(folder / name)->read(2).index, 2);
  test::write_bytes(folder / ("\u732b" + name), "no video");
  expect_error(ErrorCode::kDecode, "\u732b" + name, [&] { open_file(folder / ("\u732b" + name)); });
}

TEST(FileSource, RefusesAFrameThatIsNotThere) {
  TemporaryFolder folder;
  test::write_clip(folder / "clip.mp4", {0, 1, 2});
  auto source = open_file(folder / "clip.mp4");
  expect_error(ErrorCode::kOutOfRange, "frames 0 to 2", [&] { source->read(3); });
  expect_error(ErrorCode::kOutOfRange, "frames 0 to 2", [&] { source->read(-1); });
  expect_error(ErrorCode::kOutOfRange, "no frame 9", [&] { source->pts_s(9); });
  EXPECT_EQ(source->read(2).index, 2);
}

TEST(FileSource, NamesAFileThatIsNoVideo) {
  TemporaryFolder folder;
  expect_error(ErrorCode::kNotFound, "nowhere.mp4", [&] { open_file(folder / "nowhere.mp4"); });
  expect_error(ErrorCode::kIo, "is a folder", [&] { open_file(folder.path().string()); });
  test::write_bytes(folder / "empty.mp4", "");
  expect_error(ErrorCode::kDecode, "empty.mp4: the file is empty",
               [&] { open_file(folder / "empty.mp4"); });
  test::write_bytes(folder / "text.txt", "not a video\n");
  expect_error(ErrorCode::kDecode, "text.txt", [&] { open_file(folder / "text.txt"); });
  std::string noise(5000, '\0');
  std::mt19937 random(2);
  for (char& byte : noise) byte = static_cast<char>(random());
  test::write_bytes(folder / "noise.mp4", noise);
  expect_error(ErrorCode::kDecode, "noise.mp4", [&] { open_file(folder / "noise.mp4"); });
}

TEST(FileSource, NamesAFileWithSoundOnly) {
  TemporaryFolder folder;
  // One second of silence as a WAV file, by hand: 8-bit mono at 8 kHz.
  std::string wav(
      "RIFF\x64\x1f\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0"
      "data\x40\x1f\0\0",
      44);
  wav.append(8000, '\x80');
  test::write_bytes(folder / "sound.wav", wav);
  expect_error(ErrorCode::kDecode, "sound.wav: holds no video",
               [&] { open_file(folder / "sound.wav"); });
}

TEST(FileSource, NeverTakesANameForAnAddress) {
  expect_error(ErrorCode::kNotFound, "http://localhost/a.mp4",
               [] { open_file("http://localhost/a.mp4"); });
  TemporaryFolder folder;
  test::write_clip(folder / "concat:a.mp4", {0, 1});
  EXPECT_EQ(open_file(folder / "concat:a.mp4")->frame_count(), 2);
}

TEST(FileSource, ReadsWhatIsLeftOfACutFile) {
  TemporaryFolder folder;
  test::write_clip(folder / "whole.mp4", test::steady_times(100, 25));
  const std::string bytes = test::read_bytes(folder / "whole.mp4");
  auto whole = open_file(folder / "whole.mp4");
  for (double part : {0.9, 0.7, 0.5}) {
    test::write_bytes(folder / "cut.mp4",
                      bytes.substr(0, static_cast<std::size_t>(part * bytes.size())));
    auto cut = open_file(folder / "cut.mp4");
    ASSERT_GT(cut->frame_count(), 5);
    ASSERT_LT(cut->frame_count(), 100);
    int decoded = 0;
    for (int i = 0; i < cut->frame_count(); ++i) {
      try {
        cut->read(i);
        ++decoded;
      } catch (const Error& error) {
        EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(ErrorCode::kDecode));
        EXPECT_NE(std::string(error.what()).find("cut.mp4: frame " + std::to_string(i)),
                  std::string::npos);
      }
    }
    EXPECT_GE(decoded, cut->frame_count() - 3);
    EXPECT_TRUE(cut->read(0).image.rgb == whole->read(0).image.rgb);
  }
  test::write_bytes(folder / "cut.mp4", bytes.substr(0, 200));
  expect_error(ErrorCode::kDecode, "cut.mp4", [&] { open_file(folder / "cut.mp4"); });
}

TEST(FileSource, SurvivesDamageAnywhere) {
  TemporaryFolder folder;
  test::write_clip(folder / "whole.mp4", test::steady_times(40, 25));
  const std::string bytes = test::read_bytes(folder / "whole.mp4");
  std::mt19937 random(3);
  for (int round = 0; round < 40; ++round) {
    std::string damaged = bytes;
    for (int i = 0; i < 8; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    test::write_bytes(folder / "damaged.mp4", damaged);
    try {
      auto source = open_file(folder / "damaged.mp4");
      for (int i = 0; i < source->frame_count(); ++i) {
        try {
          source->read(i);
        } catch (const Error&) {
        }
      }
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("damaged.mp4"), std::string::npos);
    }
  }
}

TEST(OpenSource, TellsFilesFoldersAndPicturesApart) {
  TemporaryFolder folder;
  test::write_clip(folder / "clip.mp4", {0, 1});
  EXPECT_EQ(open_source(folder / "clip.mp4")->frame_count(), 2);
  expect_error(ErrorCode::kNotFound, "no pictures", [&] { open_source(folder.path().string()); });
  expect_error(ErrorCode::kNotFound, "gone.png", [&] { open_source(folder / "gone.png"); });
}

}  // namespace
}  // namespace vostrack::video
