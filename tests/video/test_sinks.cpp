/// What every writer of video does with places and sizes that make no sense.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <limits>

#include "support/errors.hpp"
#include "support/temporary_folder.hpp"
#include "video/cut_out.hpp"
#include "video/label_video.hpp"
#include "video/writer.hpp"

namespace vostrack::video {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::TemporaryFolder;

struct Sink {
  const char* name;  ///< of the file
  /// Opens it and, where there was no error, finishes it without a frame.
  std::function<void(const std::string& path, int height, int width)> use;
};

template <class Writer>
void open_and_finish(const std::string& path, int height, int width) {
  Writer(path, height, width).finish();
}

const std::vector<Sink> kSinks = {
    {"a.mp4", open_and_finish<VideoWriter>},      {"a.mov", open_and_finish<VideoWriter>},
    {"a.mkv", open_and_finish<LabelVideoWriter>}, {"cut.mov", open_and_finish<CutOutWriter>},
    {"cut.webm", open_and_finish<CutOutWriter>},
};

TEST(VideoSinks, NameAPlaceThatCannotBeWritten) {
  TemporaryFolder folder;
  for (const Sink& sink : kSinks) {
    const std::string name = sink.name;
    expect_error(ErrorCode::kNotFound, name + ": there is no folder",
                 [&] { sink.use(folder / "gone/" + name, 16, 16); });
    expect_error(ErrorCode::kInvalidArgument, "want the name of a file", [&] {
      fs::create_directory(folder / name);
      sink.use(folder / name, 16, 16);
    });
    fs::remove(folder / name);
    // Nobody, not even root, may create a file there.
    if (fs::is_directory("/proc/self"))
      expect_error(ErrorCode::kIo, "/proc/self/" + name + ": cannot be created",
                   [&] { sink.use("/proc/self/" + name, 16, 16); });
  }
  EXPECT_TRUE(folder.names().empty());
}

TEST(VideoSinks, NameAFolderThatMayNotBeWritten) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  for (const Sink& sink : kSinks)
    expect_error(ErrorCode::kIo, "Permission denied",
                 [&] { sink.use(folder / sink.name, 16, 16); });
  fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST(VideoSinks, RefuseAbsurdSizesAndNoFrames) {
  TemporaryFolder folder;
  constexpr int kHuge = std::numeric_limits<int>::max();
  for (const Sink& sink : kSinks) {
    for (const auto& [height, width] :
         {std::pair{0, 16}, {16, -1}, {kHuge, 16}, {16, kHuge}, {16385, 16385}})
      expect_error(ErrorCode::kInvalidArgument, std::to_string(width) + "x",
                   [&] { sink.use(folder / sink.name, height, width); });
    expect_error(ErrorCode::kFailedState, std::string(sink.name) + ": no frame was written",
                 [&] { sink.use(folder / sink.name, 16, 16); });
  }
  EXPECT_TRUE(folder.names().empty());
}

}  // namespace
}  // namespace vostrack::video
