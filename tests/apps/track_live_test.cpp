#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include "apps/vostrack/cli.hpp"
#include "tests/apps/track_fixture.hpp"
#include "tests/video/stream_server.hpp"
#include "vostrack/frame_source.hpp"

namespace vostrack::cli {
namespace {

using test::Outcome;
using test::StreamServer;
using testing::HasSubstr;

/// The clip over HTTP on the loopback interface.
class TrackLive : public test::TrackTest {
 protected:
  void serve(StreamServer::Client& client) const {
    const std::string clip = test::read_bytes(clip_);
    client.send("HTTP/1.0 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: " +
                std::to_string(clip.size()) + "\r\n\r\n" + clip);
  }
  Outcome track_live(std::vector<std::string> more) {
    more.insert(more.end(), {"--live", "--queue", "block", "--no-reconnect"});
    return track_clips({server_.address()}, more);
  }
  /// Numbers of the frames in results.jsonl; the last line may be half written.
  std::vector<int> frames() const {
    std::ifstream file(folder_ / "out/results.jsonl");
    std::vector<int> numbers;
    for (std::string line; std::getline(file, line);) {
      const auto json = nlohmann::json::parse(line, nullptr, false);
      if (json.is_discarded()) break;
      numbers.push_back(json["frame"]);
    }
    return numbers;
  }

  bool stall_ = false;  ///< the stream hangs after the clip instead of ending
  StreamServer server_{[this](StreamServer::Client& client, int) {
    serve(client);
    if (stall_) client.stall(120);
  }};
};

TEST_F(TrackLive, WritesEveryFrameOfAStream) {
  const Outcome outcome = track_live({"--mask", "3:" + mask_, "--cut-out", "png"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  ASSERT_EQ(masks().size(), 10u);
  for (int frame = 0; frame < square_.frames; ++frame) EXPECT_GT(iou(frame), 0.8) << frame;
  EXPECT_EQ(frames(), (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(open_video(folder_ / "out/overlay.mp4")->frame_count(), 10);
  EXPECT_EQ(open_video(folder_ / "out/cut_out")->frame_count(), 10);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out/contact_sheet.png"));
  const auto json = summary();
  EXPECT_EQ(json["frames"]["decoded"], 10);
  EXPECT_EQ(json["frames"]["dropped"], 0);
  EXPECT_EQ(json["frames"]["tracked"], 10);
  EXPECT_GE(json["latency_s"]["max"], json["latency_s"]["mean"]);
  EXPECT_GT(json["latency_s"]["mean"], 0);
  EXPECT_EQ(json["objects"][0]["prompted_frames"], nlohmann::json({0}));
  EXPECT_THAT(outcome.out, HasSubstr("10 frames came, 0 dropped"));
}

TEST_F(TrackLive, FollowsAnObjectFromAnotherVideo) {
  const std::string object = folder_ / "square.object", again = folder_ / "again.object";
  const Outcome exported = track({"--mask", "3:" + mask_, "--end", "2", "--no-overlay",
                                  "--export-object", "3:" + object},
                                 "first");
  ASSERT_EQ(exported.status, kSuccess) << exported.err;
  const Outcome outcome =
      track_live({"--object", "8:" + object, "--export-object", "8:" + again});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_EQ(frames(), (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  for (int frame = 0; frame < square_.frames; ++frame) EXPECT_GT(iou(frame), 0.7) << frame;
  const auto objects = summary()["objects"];
  ASSERT_EQ(objects.size(), 1u);
  EXPECT_EQ(objects[0]["id"], 8);
  EXPECT_EQ(objects[0]["frames"], 10);
  EXPECT_EQ(objects[0]["prompted_frames"], nlohmann::json::array());
  EXPECT_EQ(test::read_bytes(again).size(), test::read_bytes(object).size());
}

TEST_F(TrackLive, RefusesAnObjectThatIsNone) {
  test::write_bytes(folder_ / "no.object", "nothing of the kind");
  const Outcome outcome = track_live({"--object", folder_ / "no.object"});
  EXPECT_EQ(outcome.status, kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("no.object"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out"));
}

TEST_F(TrackLive, StartsWithTheFirstPromptAndStopsInTime) {
  const std::string later = square_.write_mask(folder_ / "later.png", 3);
  const Outcome outcome =
      track_live({"--mask", later + "@0.1s", "--box", "2:0,0,60,20@4", "--duration", "0.2"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_EQ(frames(), (std::vector<int>{3, 4, 5}));
  EXPECT_GT(iou(3), 0.8);
  EXPECT_EQ(summary()["objects"][0]["prompted_frames"], nlohmann::json({3}));
  EXPECT_EQ(summary()["objects"][1]["prompted_frames"], nlohmann::json({4}));
  EXPECT_EQ(summary()["objects"][1]["frames"], 2);
}

TEST_F(TrackLive, FinishesItsFilesWhenInterrupted) {
  stall_ = true;
  std::jthread interrupter([this](std::stop_token stop) {
    while (!stop.stop_requested() && frames().size() < 3)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    set_interrupted(true);
  });
  const Outcome outcome = track_live({"--mask", mask_});
  EXPECT_EQ(outcome.status, kSuccess) << outcome.err;
  ASSERT_GE(frames().size(), 3u);
  EXPECT_EQ(open_video(folder_ / "out/overlay.mp4")->frame_count(),
            static_cast<std::int64_t>(frames().size()));
  EXPECT_EQ(summary()["frames"]["tracked"], frames().size());
}

TEST_F(TrackLive, SaysThatAPromptNeverCameDue) {
  const Outcome some = track_live({"--mask", mask_, "--box", "2:0,0,60,20@10", "--no-overlay"});
  EXPECT_EQ(some.status, kSuccess);
  EXPECT_THAT(some.err, HasSubstr("ended before the frames of prompts of object 2 came"));
  std::filesystem::remove_all(folder_ / "out");
  const Outcome outcome = track_live({"--mask", mask_ + "@10"});
  EXPECT_EQ(outcome.status, kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("ended before the first prompt's frame; 10 frames came"));
}

TEST_F(TrackLive, ChecksPromptsBeforeAnythingIsWritten) {
  const Outcome outcome = track_live({"--point", "500,5"});
  EXPECT_EQ(outcome.status, kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("500,5 lies outside the picture"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out"));
}

TEST_F(TrackLive, RefusesWhatAStreamCannotDo) {
  for (const char* option : {"--both", "--sound", "--end=3"}) {
    const Outcome outcome = track_live({"--mask", mask_, option});
    EXPECT_EQ(outcome.status, kWrongUsage) << option;
    EXPECT_THAT(outcome.err, HasSubstr("--live: "));
  }
  EXPECT_EQ(track_clips({"/dev/nothing"}, {"--live", "--mask", mask_}).status, kFailure);
}

}  // namespace
}  // namespace vostrack::cli
