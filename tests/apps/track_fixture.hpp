/// `vostrack track` on a moving square.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "annotations/palette_png.hpp"
#include "apps/vostrack/interrupt.hpp"
#include "tests/apps/command_line.hpp"
#include "tests/apps/square_files.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vostrack::test {

class TrackTest : public testing::Test {
 protected:
  void SetUp() override { cli::set_interrupted(false); }
  void TearDown() override { cli::set_interrupted(false); }

  /// Runs on these clips.
  Outcome track_clips(std::vector<std::string> arguments, const std::vector<std::string>& more,
                      const std::string& out = "out") {
    arguments.insert(arguments.begin(), "track");
    arguments.insert(arguments.end(), {"--out", folder_ / out, "--model",
                                       VOSTRACK_SOURCE_DIR "/models/nano.safetensors"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_command(arguments);
  }
  Outcome track(const std::vector<std::string>& more, const std::string& out = "out") {
    return track_clips({clip_}, more, out);
  }

  std::vector<std::string> masks() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "out/masks"))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  /// Of the written mask with the square.
  double iou(int frame, const std::string& out = "out") const {
    return square_.iou(
        annotations::read_label_png(folder_ / fmt::format("{}/masks/{:05}.png", out, frame)).labels,
        frame);
  }

  nlohmann::json summary(const std::string& out = "out") const {
    return nlohmann::json::parse(std::ifstream(folder_ / (out + "/summary.json")));
  }

  TemporaryFolder folder_;
  SquareFiles square_;
  std::string clip_ = square_.write_clip(folder_ / "clip.mp4");
  std::string mask_ = square_.write_mask(folder_ / "first.png", 0);
};

}  // namespace vostrack::test
