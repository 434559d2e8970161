// Options that trade accuracy for speed, and what the results say of them.
#include "tests/apps/track_fixture.hpp"

namespace vostrack::test {
namespace {

class TrackSpeed : public TrackTest {
 protected:
  /// Frames and where their masks are from; null where they were tracked.
  std::vector<nlohmann::json> sources(const std::string& out = "out") const {
    std::vector<nlohmann::json> sources;
    std::ifstream file(folder_ / (out + "/results.jsonl"));
    for (std::string line; std::getline(file, line);) {
      const auto object = nlohmann::json::parse(line).at("objects").at(0);
      sources.push_back(object.value("held_from", nlohmann::json()));
    }
    return sources;
  }
};

TEST_F(TrackSpeed, SaysNothingOfFramesThatWereTracked) {
  EXPECT_EQ(track({"--mask", mask_, "--no-overlay"}).status, 0);
  for (const auto& source : sources()) EXPECT_TRUE(source.is_null());
  EXPECT_EQ(summary().at("speed").at("tracked_frames"), square_.frames);
  EXPECT_EQ(summary().at("speed").at("steps").size(), 0U);
}

TEST_F(TrackSpeed, TracksKeyframesAndMovesMasksBetween) {
  const auto outcome = track({"--mask", mask_, "--no-overlay", "--keyframes", "2"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const auto held = sources();
  ASSERT_EQ(held.size(), static_cast<std::size_t>(square_.frames));
  for (int frame = 0; frame < square_.frames; ++frame) {
    EXPECT_EQ(held[static_cast<std::size_t>(frame)],
              frame % 2 == 1 ? nlohmann::json(frame - 1) : nlohmann::json());
    EXPECT_GT(iou(frame), 0.8) << frame;
  }
  EXPECT_EQ(summary().at("speed").at("between_frames"), square_.frames / 2);
  EXPECT_NE(outcome.out.find("lay between keyframes"), std::string::npos) << outcome.out;
}

TEST_F(TrackSpeed, ReportsWhatTheBudgetDid) {
  // No machine tracks a frame in a hundredth of a millisecond.
  const auto outcome = track({"--mask", mask_, "--no-overlay", "--budget", "0.01"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const auto steps = summary().at("speed").at("steps");
  int frames = 0;
  for (const auto& step : steps) frames += step.at("frames").get<int>();
  EXPECT_EQ(frames, square_.frames);
  EXPECT_GT(steps.at(0).at("mean_ms"), 0.01);
  EXPECT_NE(outcome.out.find("all frames, all memories: "), std::string::npos) << outcome.out;
}

TEST_F(TrackSpeed, GoesOnWhereItWasInterrupted) {
  std::vector<std::string> options = {"--mask", mask_, "--no-overlay", "--keyframes", "3"};
  EXPECT_EQ(track(options, "whole").status, 0);
  options.insert(options.end(), {"--save-session", folder_ / "clip.session"});
  cli::interrupt_after(5);  // within a run of held frames
  EXPECT_NE(track(options).status, 0);
  cli::set_interrupted(false);
  options.emplace_back("--resume");
  EXPECT_EQ(track(options).status, 0);
  EXPECT_EQ(read_bytes(folder_ / "out/results.jsonl"), read_bytes(folder_ / "whole/results.jsonl"));

  options.back() = "--overwrite";
  cli::interrupt_after(5);
  track(options);
  cli::set_interrupted(false);
  options.back() = "--resume";
  options[4] = "2";
  const auto outcome = track(options);
  EXPECT_NE(outcome.status, 0);
  EXPECT_NE(outcome.err.find("speed"), std::string::npos) << outcome.err;
}

TEST_F(TrackSpeed, LooksBackToLessOfMemories) {
  const auto results = [&](const std::string& out, std::vector<std::string> options) {
    options.insert(options.end(), {"--mask", mask_, "--no-overlay"});
    EXPECT_EQ(track(options, out).status, 0);
    return read_bytes(folder_ / (out + "/results.jsonl"));
  };
  const auto all = results("all", {});
  for (const auto& options :
       {std::vector<std::string>{"--pooled-memories"}, {"--sparse-memories", "1"}}) {
    const auto out = options[0].substr(2);
    EXPECT_NE(results(out, options), all) << out;
    for (int frame = 0; frame < square_.frames; ++frame) EXPECT_GT(iou(frame, out), 0.8) << out;
  }
}

TEST_F(TrackSpeed, RefusesNumbersThatMakeNoSense) {
  for (const auto& [option, value] :
       std::vector<std::pair<std::string, std::string>>{{"--keyframes", "0"},
                                                        {"--hold-still", "-1"},
                                                        {"--budget", "0"},
                                                        {"--refresh", "0"},
                                                        {"--recent-memories", "-1"},
                                                        {"--sparse-memories", "-1"},
                                                        {"--recent-pointers", "x"}}) {
    const auto outcome = track({"--mask", mask_, option, value});
    EXPECT_NE(outcome.status, 0);
    EXPECT_NE(outcome.err.find(option), std::string::npos) << outcome.err;
  }
}

}  // namespace
}  // namespace vostrack::test
