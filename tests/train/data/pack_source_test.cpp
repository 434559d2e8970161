#include "train/data/pack_source.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <thread>
#include <vector>

#include "support/errors.hpp"
#include "support/temporary_folder.hpp"
#include "support/tensors.hpp"
#include "train/data/pack_writer.hpp"

namespace vostrack::train {
namespace {

using test::expect_error;

/// Packs of squares: the label of each is its brightness, so that a picture tells its mask.
class PackSource : public testing::Test {
 protected:
  static constexpr int kHeight = 60, kWidth = 80;

  void add_frame(PackWriter& writer, int shift, int squares, bool ignored = false) {
    Image image{kHeight, kWidth, std::vector<std::uint8_t>(3 * kHeight * kWidth, 10)};
    std::vector<std::uint8_t> labels(kHeight * kWidth, 0);
    for (int k = 0; k < squares; ++k)
      for (int y = 10; y < 40; ++y)
        for (int x = 5 + shift + 24 * k; x < 22 + shift + 24 * k && x < kWidth; ++x) {
          const auto at = static_cast<std::size_t>(y * kWidth + x);
          labels[at] = static_cast<std::uint8_t>(k + 1);
          for (std::size_t c = 0; c < 3; ++c)
            image.rgb[3 * at + c] = static_cast<std::uint8_t>(100 + 50 * k);
        }
    if (ignored)
      for (int i = 0; i < kWidth; ++i) labels[static_cast<std::size_t>(i)] = kIgnoredLabel;
    writer.add_frame(image, labels);
  }
  std::string pictures(LabelKind kind = LabelKind::kObjects, int squares = 3) {
    const std::string path = folder_ / "pictures.pack";
    PackWriter writer(path, PackCompression::kLabels);
    for (const char* name : {"a", "b"}) {
      writer.begin({RecordKind::kPicture, kind, name, "squares", "train"});
      add_frame(writer, 0, squares, true);
      writer.end();
    }
    writer.finish();
    return path;
  }
  std::string videos() {
    const std::string path = folder_ / "videos.pack";
    PackWriter writer(path, PackCompression::kLabels);
    writer.begin({RecordKind::kClip, LabelKind::kObjects, "moving", "videos", "train"});
    for (int i = 0; i < 7; ++i) add_frame(writer, 4 * i, 1);
    writer.end();
    writer.finish();
    return path;
  }
  static DataConfig small() {
    DataConfig config;
    config.size = 48;
    return config;
  }
  /// Nothing is done to colours.
  static DataConfig plain() {
    DataConfig config = small();
    AugmentConfig& augment = config.augment;
    augment.brightness = augment.contrast = augment.saturation = augment.hue_degrees = 0;
    augment.gamma = 1;
    augment.grey = augment.blur = augment.noise = augment.jpeg = 0;
    return config;
  }

  test::TemporaryFolder folder_;
};

TEST_F(PackSource, GivesTheSameClipForTheSameNumbers) {
  const std::vector<std::string> paths = {pictures(), videos()};
  const auto source = open_packs(paths, small()), again = open_packs(paths, small());
  int different = 0;
  for (int i = 0; i < 20; ++i) {
    const Clip clip = source->sample(5, i), same = again->sample(5, i),
               other = source->sample(6, i);
    EXPECT_TRUE(test::same(clip.frames, same.frames));
    EXPECT_TRUE(test::same(clip.masks, same.masks));
    EXPECT_EQ(clip.single_picture, same.single_picture);
    different += !clip.frames.equal(other.frames);
  }
  EXPECT_EQ(different, 20);
}

TEST_F(PackSource, GivesTheSameClipInEveryThread) {
  const auto source = open_packs({pictures(), videos()}, small());
  std::vector<Clip> clips(16);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (std::size_t i = t; i < clips.size(); i += 4)
          clips[i] = source->sample(1, static_cast<std::int64_t>(i));
      });
  }
  for (std::size_t i = 0; i < clips.size(); ++i)
    EXPECT_TRUE(
        test::same(clips[i].frames, source->sample(1, static_cast<std::int64_t>(i)).frames));
}

TEST_F(PackSource, KeepsShapesAndValuesOfTheContract) {
  const DataConfig config = small();
  const auto source = open_packs({pictures(), videos()}, config);
  int singles = 0, ignored = 0;
  for (int i = 0; i < 60; ++i) {
    const Clip clip = source->sample(2, i);
    singles += clip.single_picture;
    const auto frames = clip.single_picture ? 1 : config.frames;
    const auto objects = clip.masks.size(1);
    EXPECT_EQ(clip.frames.sizes(), (std::vector<std::int64_t>{frames, 3, 48, 48}));
    EXPECT_EQ(clip.masks.sizes(), (std::vector<std::int64_t>{frames, objects, 48, 48}));
    EXPECT_LE(objects, clip.single_picture ? config.picture_objects : config.objects);
    EXPECT_EQ(clip.frames.scalar_type(), torch::kUInt8);
    EXPECT_TRUE(((clip.masks == 0) | (clip.masks == 1) | (clip.masks == 255)).all().item<bool>());
    ignored += (clip.masks == 255).any().item<bool>();
    // Every object is on the first frame, and no pixel is two objects'.
    for (std::int64_t k = 0; k < objects; ++k)
      EXPECT_GE((clip.masks[0][k] == 1).sum().item<std::int64_t>(),
                config.smallest_object * 48 * 48);
    EXPECT_LE((clip.masks == 1).sum(1).max().item<std::int64_t>(), 1);
  }
  EXPECT_GT(singles, 3);
  EXPECT_LT(singles, 30);
  EXPECT_GT(ignored, 10);
}

TEST_F(PackSource, MovesPicturesAndMasksTogether) {
  DataConfig config = plain();
  config.cut_outs.share = config.cut_outs.share_on_video = 0;
  const auto source = open_packs({pictures(), videos()}, config);
  for (int i = 0; i < 30; ++i) {
    const Clip clip = source->sample(3, i);
    for (std::int64_t k = 0; k < clip.masks.size(1); ++k)
      for (std::int64_t t = 0; t < clip.frames.size(0); ++t) {
        // The object is lighter than the ground; edges are blends of both.
        const auto on = clip.masks[t][k] == 1;
        if (on.any().item<bool>()) {
          EXPECT_GE(clip.frames[t][0].masked_select(on).min().item<int>(), 30);
        }
      }
    // And where nothing is on and everything is known, only other squares are light.
    const auto known = (clip.masks != 255).all(1);
    EXPECT_TRUE(known.any().item<bool>());
  }
}

TEST_F(PackSource, ShowsVideosInTheirOrder) {
  DataConfig config = plain();
  config.video_share = 1;
  config.pictures_share = config.cut_outs.share_on_video = config.augment.flip = 0;
  config.backwards = 0;
  config.largest_stride = 1;
  config.motion.still_share = 1;
  config.augment.turn_degrees = 0;
  config.motion.tilt = config.motion.bend = 0;
  const auto source = open_packs({videos()}, config);
  int rightwards = 0, leftwards = 0;
  for (int i = 0; i < 30; ++i) {
    const Clip clip = source->sample(4, i);
    const auto column = [&](std::int64_t t) {
      const auto at = (clip.masks[t][0] == 1).nonzero();
      return at.size(0) == 0 ? 0.0 : at.select(1, 1).to(torch::kDouble).mean().item<double>();
    };
    if (column(1) > column(0)) ++rightwards;
    if (column(1) < column(0)) ++leftwards;
  }
  // A clip may begin on the last frame and turn round there.
  EXPECT_GT(rightwards, 20);
  EXPECT_LT(leftwards, 10);
}

TEST_F(PackSource, TakesPartsAsOneThingOrApart) {
  DataConfig config = plain();
  config.pictures_share = 1;
  config.cut_outs.share_on_video = 0;
  const std::string path = pictures(LabelKind::kParts);
  config.whole_of_parts = 1;
  const Clip whole = open_packs({path}, config)->sample(1, 1);
  EXPECT_EQ(whole.masks.size(1), 1);
  config.whole_of_parts = 0;
  int several = 0;
  const auto source = open_packs({path}, config);
  for (int i = 0; i < 10; ++i) several += source->sample(1, i).masks.size(1) > 1;
  EXPECT_GT(several, 5);
}

TEST_F(PackSource, PastesCutOutsThatCanBeTheObject) {
  DataConfig config = plain();
  config.pictures_share = 0;
  config.cut_outs.share = config.cut_outs.target = 1;
  config.cut_outs.behind = 0;
  config.objects = 1;
  const auto pasted = open_packs({pictures()}, config);
  config.cut_outs.share = 0;
  const auto bare = open_packs({pictures()}, config);
  int different = 0;
  for (int i = 0; i < 10; ++i)
    different += !pasted->sample(1, i).masks.equal(bare->sample(1, i).masks);
  EXPECT_EQ(different, 10);
}

TEST_F(PackSource, PastesTwinsOfOneSize) {
  DataConfig config = plain();
  config.pictures_share = config.cut_outs.behind = config.cut_outs.second = 0;
  config.cut_outs.share = config.cut_outs.target = 1;
  config.objects = 8;
  const auto objects = [&](double twins) {
    config.cut_outs.twins = twins;
    const auto source = open_packs({pictures(LabelKind::kObjects, 1)}, config);
    std::vector<torch::Tensor> masks;
    for (int i = 0; i < 20; ++i) masks.push_back(source->sample(1, i).masks[0]);
    return masks;
  };
  for (const auto& masks : objects(0)) EXPECT_LE(masks.size(0), 2);  // the ground's and the pasted
  int several = 0, alike = 0;
  for (const auto& masks : objects(1)) {
    EXPECT_LE(masks.size(0), 5);
    if (masks.size(0) < 3) continue;
    ++several;
    const auto areas = (masks == 1).flatten(1).sum(1).to(torch::kDouble);
    alike += ((areas - areas[0]).abs() < 0.3 * areas[0]).sum().item<int>() >= 2;
  }
  EXPECT_GT(several, 12);
  EXPECT_GT(alike, several / 2);
}

TEST_F(PackSource, RefusesWhatMakesNoSense) {
  DataConfig config = small();
  config.size = 0;
  expect_error(ErrorCode::kInvalidArgument, "size is 0, want 16 to 4096",
               [&] { open_packs({pictures()}, config); });
  config = small();
  expect_error(ErrorCode::kInvalidArgument, "no pack file", [&] { open_packs({}, config); });
  config.source_weights["squares"] = 0;
  expect_error(ErrorCode::kInvalidArgument, "no record has an object",
               [&] { open_packs({pictures()}, config); });
}

TEST_F(PackSource, ShowsSeveralObjectsOnSinglePicturesRather) {
  const std::string path = folder_ / "mixed.pack";
  PackWriter writer(path, PackCompression::kLabels);
  for (int squares : {1, 3}) {
    writer.begin({RecordKind::kPicture, LabelKind::kObjects, std::to_string(squares), "squares",
                  "train"});
    add_frame(writer, 0, squares);
    writer.end();
  }
  writer.finish();
  DataConfig config = plain();
  config.pictures_share = 1;
  config.cut_outs.share_on_video = 0;
  config.augment.smallest_crop = config.augment.largest_crop = 1;  // all squares are in view
  config.several_objects = 0;
  const auto alone = open_packs({path}, config);
  config.several_objects = 1e6;
  const auto several = open_packs({path}, config);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(alone->sample(1, i).masks.size(1), 1) << i;
    EXPECT_GT(several->sample(1, i).masks.size(1), 1) << i;
  }
}

}  // namespace
}  // namespace vostrack::train
