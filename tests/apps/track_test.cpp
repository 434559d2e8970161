#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "annotations/palette_png.hpp"
#include "annotations/rle.hpp"
#include "tests/apps/track_fixture.hpp"
#include "vostrack/frame_source.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;
using test::Outcome;
using testing::HasSubstr;
using testing::IsEmpty;

using Track = test::TrackTest;

TEST_F(Track, FollowsASquareFromItsMask) {
  const Outcome outcome = track({"--mask", "3:" + mask_});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("Tracked 1 object through 10 frames"));
  EXPECT_THAT(outcome.err, HasSubstr("Tracking 10/10 frames"));
  ASSERT_EQ(masks().size(), 10u);
  for (int frame = 0; frame < square_.frames; ++frame) EXPECT_GT(iou(frame), 0.8) << frame;

  const std::unique_ptr<FrameSource> overlay = open_video(folder_ / "out/overlay.mp4");
  EXPECT_EQ(overlay->frame_count(), 10);
  EXPECT_EQ(overlay->height(), square_.height);
  EXPECT_EQ(overlay->width(), square_.width);
  const Image sheet = video::read_picture(folder_ / "out/contact_sheet.png");
  EXPECT_GT(sheet.width, 4 * square_.width);

  const nlohmann::json json = summary();
  EXPECT_EQ(json["complete"], true);
  EXPECT_EQ(json["frames"]["tracked"], 10);
  ASSERT_EQ(json["objects"].size(), 1u);
  EXPECT_EQ(json["objects"][0]["id"], 3);
  EXPECT_EQ(json["objects"][0]["visible_frames"], 10);
  EXPECT_EQ(json["objects"][0]["last_seen"]["frame"], 9);
  EXPECT_EQ(json["objects"][0]["prompted_frames"], nlohmann::json({0}));
}

TEST_F(Track, WritesALineForEachFrame) {
  ASSERT_EQ(track({"--mask", "3:" + mask_, "--end", "2"}).status, kSuccess);
  std::ifstream file(folder_ / "out/results.jsonl");
  std::string line;
  for (int frame = 0; frame < 3; ++frame) {
    ASSERT_TRUE(std::getline(file, line));
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json["frame"], frame);
    EXPECT_NEAR(json["pts_s"], frame / 30.0, 1e-3);
    ASSERT_EQ(json["objects"].size(), 1u);
    const auto& object = json["objects"][0];
    EXPECT_EQ(object["id"], 3);
    EXPECT_EQ(object["presence"], "visible");
    EXPECT_GT(object["object_score"], 0);
    EXPECT_GT(object["predicted_iou"], 0);
    const annotations::LabelImage labels =
        annotations::read_label_png(folder_ / fmt::format("out/masks/{:05}.png", frame));
    const annotations::Rle rle = annotations::encode_rle(annotations::mask_of(labels, 3));
    EXPECT_EQ(object["segmentation"]["counts"], annotations::to_coco_string(rle));
    EXPECT_EQ(object["segmentation"]["size"], nlohmann::json({120, 160}));
    EXPECT_EQ(object["area"], annotations::area(rle));
  }
  EXPECT_FALSE(std::getline(file, line));
}

TEST_F(Track, WritesItsLinesToTheStandardOutputAlone) {
  const Outcome outcome = track({"--mask", mask_, "--end", "1", "--rle", "-", "--no-overlay"});
  ASSERT_EQ(outcome.status, kSuccess);
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 2);
  EXPECT_EQ(nlohmann::json::parse(outcome.out.substr(0, outcome.out.find('\n')))["frame"], 0);
  EXPECT_THAT(outcome.err, HasSubstr("Tracked 1 object through 2 frames"));
  EXPECT_FALSE(fs::exists(folder_ / "out/results.jsonl"));
}

TEST_F(Track, WritesAMaskForEachObject) {
  ASSERT_EQ(track({"--mask", "3:" + mask_, "--box", "12:0,0,60,20", "--end", "1", "--no-masks",
                   "--masks-per-object"})
                .status,
            kSuccess);
  EXPECT_EQ(masks(), (std::vector<std::string>{"12", "3"}));
  const annotations::LabelImage mask =
      annotations::read_label_png(folder_ / "out/masks/3/00001.png");
  EXPECT_EQ(annotations::labels_in(mask), (std::vector<std::uint8_t>{255}));
  EXPECT_GT(square_.iou(mask.labels, 1), 0.8);
  EXPECT_TRUE(fs::exists(folder_ / "out/masks/12/00001.png"));
  // They are earlier results like all others.
  ASSERT_EQ(track({"--mask", "3:" + mask_, "--end", "1", "--overwrite"}).status, kSuccess);
  EXPECT_EQ(masks(), (std::vector<std::string>{"00000.png", "00001.png"}));
}

TEST_F(Track, CutsTheObjectOut) {
  for (const char* format : {"mov", "webm", "png"})
    ASSERT_EQ(
        track({"--mask", mask_, "--end", "1", "--no-overlay", "--overwrite", "--cut-out", format})
            .status,
        kSuccess);
  EXPECT_EQ(open_video(folder_ / "out/cut_out")->frame_count(), 2);
  EXPECT_FALSE(fs::exists(folder_ / "out/cut_out.mov"));
  const annotations::LabelImage mask = annotations::read_label_png(folder_ / "out/masks/00001.png");
  const cv::Mat picture = cv::imread(folder_ / "out/cut_out/00001.png", cv::IMREAD_UNCHANGED);
  ASSERT_EQ(picture.channels(), 4);
  for (int y = 0; y < square_.height; ++y)
    for (int x = 0; x < square_.width; ++x)
      ASSERT_EQ(picture.at<cv::Vec4b>(y, x)[3],
                mask.labels[static_cast<std::size_t>(y * square_.width + x)] ? 255 : 0);
}

TEST_F(Track, ChangesOneSideOfTheOutline) {
  // How much neighbouring pixels differ, on the striped object and on the grainy ground, away from
  // the outline, which may be a pixel off.
  struct Roughness {
    double object, ground;
  };
  const auto roughness_of = [&](const Image& image) {
    double sums[2] = {0, 0};
    int counts[2] = {0, 0};
    for (int y = 6; y < square_.height - 6; ++y)
      for (int x = 6; x < square_.width - 6; ++x) {
        const bool object = square_.inside(0, 1, y, x);
        if (square_.inside(0, 1, y - 6, x - 6) != object ||
            square_.inside(0, 1, y + 6, x + 6) != object ||
            square_.inside(0, 1, y - 6, x + 6) != object ||
            square_.inside(0, 1, y + 6, x - 6) != object)
          continue;
        const auto at = static_cast<std::size_t>(3 * (y * square_.width + x));
        sums[object] += std::abs(int{image.rgb[at]} - int{image.rgb[at + 3]});
        ++counts[object];
      }
    return Roughness{sums[1] / counts[1], sums[0] / counts[0]};
  };
  const auto roughness_with = [&](const char* effect) {
    const Outcome outcome =
        track({"--mask", mask_, "--end", "1", "--no-overlay", "--overwrite", "--effect", effect});
    EXPECT_EQ(outcome.status, kSuccess) << outcome.err;
    return roughness_of(open_video(folder_ / "out/effect.mp4")->read(1).image);
  };
  const Roughness original = roughness_of(open_video(clip_)->read(1).image);
  for (const char* effect : {"blur-objects", "pixelate-objects"}) {
    const Roughness changed = roughness_with(effect);
    EXPECT_LT(changed.object, 0.9 * original.object) << effect;
    EXPECT_GT(changed.ground, 0.5 * original.ground) << effect;  // encoding costs grain
  }
  for (const char* effect : {"blur-background", "pixelate-background"}) {
    const Roughness changed = roughness_with(effect);
    EXPECT_GT(changed.object, 0.9 * original.object) << effect;
    EXPECT_LT(changed.ground, 0.1 * original.ground) << effect;
  }
  ASSERT_EQ(track({"--mask", mask_, "--end", "1", "--overwrite"}).status, kSuccess);
  EXPECT_FALSE(fs::exists(folder_ / "out/effect.mp4"));  // an earlier result like all others
  const Outcome wrong = track({"--mask", mask_, "--overwrite", "--effect", "sepia"});
  EXPECT_EQ(wrong.status, kWrongUsage);
  EXPECT_THAT(wrong.err, HasSubstr("blur-background"));
}

TEST_F(Track, WritesMasksAsOneVideo) {
  ASSERT_EQ(track({"--mask", "3:" + mask_, "--end", "1", "--label-video"}).status, kSuccess);
  const std::unique_ptr<FrameSource> video = open_video(folder_ / "out/labels.mkv");
  ASSERT_EQ(video->frame_count(), 2);
  const Image labels = video->read(1).image;
  const annotations::LabelImage mask = annotations::read_label_png(folder_ / "out/masks/00001.png");
  for (std::size_t i = 0; i < mask.labels.size(); ++i)
    ASSERT_EQ(labels.rgb[3 * i], mask.labels[i]) << i;
}

TEST_F(Track, TakesPromptsFromAFile) {
  test::write_bytes(folder_ / "prompts.json",
                    R"({"objects": [{"id": 3, "prompts": [{"frame": 0, "mask": "first.png"}]}]})");
  const Outcome outcome = track({"--prompts", folder_ / "prompts.json", "--end", "1"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_GT(iou(1), 0.8);
  EXPECT_EQ(summary()["objects"][0]["id"], 3);
}

TEST_F(Track, SaysWhichPromptOfAFileIsWrong) {
  test::write_bytes(folder_ / "prompts.json",
                    R"({"objects": [{"id": 3, "prompts": [{"clicks": [[5, 5], [500, 5]]}]}]})");
  const Outcome outcome = track({"--prompts", folder_ / "prompts.json"});
  EXPECT_EQ(outcome.status, kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("prompts.json: objects[0].prompts[0].clicks[1]: 500,5 lies"));
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(Track, CountsHiddenFrames) {
  // An empty mask says that the object is not there.
  annotations::write_label_png(folder_ / "empty.png",
                               {120, 160, std::vector<std::uint8_t>(120 * 160)});
  const Outcome outcome = track({"--mask", folder_ / "empty.png", "--end", "2"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("fps, occluded"));
  const auto object = summary()["objects"][0];
  EXPECT_EQ(object["visible_frames"], 0);
  EXPECT_EQ(object["occluded_frames"], 3);
  EXPECT_EQ(object["lost_frames"], 0);
  EXPECT_THAT(outcome.out, HasSubstr("occluded on 3"));
}

TEST_F(Track, WritesTheObjectsIdAsLabel) {
  ASSERT_EQ(track({"--mask", "3:" + mask_, "--end", "1"}).status, kSuccess);
  const annotations::LabelImage picture =
      annotations::read_label_png(folder_ / "out/masks/00000.png");
  EXPECT_EQ(annotations::labels_in(picture), (std::vector<std::uint8_t>{3}));
}

TEST_F(Track, DrawsTheObjectIntoTheOverlay) {
  ASSERT_EQ(track({"--mask", mask_, "--end", "1"}).status, kSuccess);
  const Image plain = open_video(clip_)->read(0).image;
  const Image drawn = open_video(folder_ / "out/overlay.mp4")->read(0).image;
  const auto difference = [&](int y, int x) {
    int sum = 0;
    for (int c = 0; c < 3; ++c) {
      const auto at = static_cast<std::size_t>(3 * (y * square_.width + x) + c);
      sum += std::abs(int(plain.rgb[at]) - int(drawn.rgb[at]));
    }
    return sum;
  };
  EXPECT_GT(difference(60, 36), 30);
  EXPECT_LT(difference(5, square_.width - 5), 20);
}

TEST_F(Track, KeepsEarlierResults) {
  const std::vector<std::string> options = {"--mask", mask_, "--end", "2", "--no-overlay"};
  ASSERT_EQ(track(options).status, kSuccess);
  const Outcome refused = track(options);
  EXPECT_EQ(refused.status, kFailure);
  EXPECT_THAT(refused.err, HasSubstr("--overwrite"));
  EXPECT_EQ(track({"--mask", mask_, "--end", "1", "--no-overlay", "--overwrite"}).status, kSuccess);
  EXPECT_EQ(masks().size(), 2u);
}

TEST_F(Track, WritesOnlyWhatIsWanted) {
  ASSERT_EQ(track({"--mask", mask_, "--end", "1", "--no-overlay", "--no-masks", "--quiet"}).status,
            kSuccess);
  EXPECT_FALSE(fs::exists(folder_ / "out/masks"));
  EXPECT_FALSE(fs::exists(folder_ / "out/overlay.mp4"));
  EXPECT_TRUE(fs::exists(folder_ / "out/contact_sheet.png"));
}

TEST_F(Track, IsQuietWhenAskedToBe) {
  EXPECT_THAT(track({"--mask", mask_, "--end", "1", "--quiet"}).err, IsEmpty());
}

TEST_F(Track, StaysWithinItsRange) {
  ASSERT_EQ(track({"--mask", mask_ + "@0", "--start", "2", "--end", "4"}).status, kSuccess);
  EXPECT_EQ(masks(), (std::vector<std::string>{"00002.png", "00003.png", "00004.png"}));
}

TEST_F(Track, GoesBothWaysFromALaterFrame) {
  const std::string later = square_.write_mask(folder_ / "later.png", 6);
  const Outcome outcome = track({"--mask", later + "@6", "--both"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  ASSERT_EQ(masks().size(), 10u);
  for (int frame = 0; frame < square_.frames; ++frame) EXPECT_GT(iou(frame), 0.8) << frame;
  EXPECT_EQ(open_video(folder_ / "out/overlay.mp4")->frame_count(), 10);
  EXPECT_EQ(summary()["objects"][0]["frames"], 10);
  EXPECT_EQ(summary()["objects"][0]["first_seen"]["frame"], 0);
}

TEST_F(Track, StartsAtTheFirstPrompt) {
  const std::string later = square_.write_mask(folder_ / "later.png", 6);
  ASSERT_EQ(track({"--mask", later + "@6"}).status, kSuccess);
  EXPECT_EQ(masks().front(), "00006.png");
  EXPECT_EQ(masks().size(), 4u);
}

TEST_F(Track, SaysThatARangeIsEmpty) {
  const Outcome outcome = track({"--point", "40,60@6", "--end", "3"});
  EXPECT_EQ(outcome.status, kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("from frame 6 to 3 is empty"));
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(Track, FinishesItsFilesWhenInterrupted) {
  set_interrupted(true);
  const Outcome outcome = track({"--mask", mask_});
  EXPECT_EQ(outcome.status, kInterrupted);
  EXPECT_THAT(outcome.err, HasSubstr("interrupted after 1 of 10 frames"));
  EXPECT_EQ(masks().size(), 1u);
  EXPECT_EQ(open_video(folder_ / "out/overlay.mp4")->frame_count(), 1);
  EXPECT_EQ(summary()["complete"], false);
}

TEST_F(Track, SaysThatResultsCannotBeWritten) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  for (const char* end : {"0", "9"}) {
    const Outcome outcome =
        track({"--mask", mask_, "--end", end, "--rle", "/dev/full", "--overwrite"});
    EXPECT_EQ(outcome.status, kFailure);
    EXPECT_THAT(outcome.err, HasSubstr("/dev/full: cannot be written"));
    EXPECT_EQ(summary()["error"], "/dev/full: cannot be written");
    EXPECT_EQ(summary()["complete"], false);
  }
}

TEST_F(Track, TakesEveryLabelOfAPictureAsAnObject) {
  annotations::LabelImage labels{square_.height, square_.width, {}};
  labels.labels.resize(static_cast<std::size_t>(square_.height * square_.width));
  for (int y = 0; y < square_.height; ++y)
    for (int x = 0; x < square_.width; ++x)
      labels.labels[static_cast<std::size_t>(y * square_.width + x)] = square_.inside(0, 0, y, x)
                                                                           ? 5
                                                                       : y < 20 ? 9
                                                                                : 0;
  annotations::write_label_png(folder_ / "labels.png", labels);
  ASSERT_EQ(track({"--masks", folder_ / "labels.png", "--end", "1"}).status, kSuccess);
  EXPECT_EQ(annotations::labels_in(annotations::read_label_png(folder_ / "out/masks/00000.png")),
            (std::vector<std::uint8_t>{5, 9}));
  EXPECT_EQ(summary()["objects"].size(), 2u);
}

TEST_F(Track, LeavesNothingBehindWhenAPromptIsWrong) {
  const Outcome outcome = track({"--point", "500,10", "--box", "0,0,10,200"});
  EXPECT_EQ(outcome.status, kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("500,10 lies outside the picture, which is 160x120"));
  EXPECT_THAT(outcome.err, HasSubstr("--box 0,0,10,200"));
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(Track, RefusesADeviceThatIsNotThere) {
  const Outcome outcome = track({"--mask", mask_, "--device", "toaster"});
  EXPECT_EQ(outcome.status, kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("toaster"));
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(Track, RefusesAVideoThatIsNone) {
  std::ofstream(folder_ / "clip.mp4") << "this is no video";
  const Outcome outcome = track({"--mask", mask_});
  EXPECT_EQ(outcome.status, kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("clip.mp4"));
}

}  // namespace
}  // namespace vostrack::cli
