#include "train/data/pack_source.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/check.hpp"
#include "train/data/motion.hpp"
#include "train/data/record_index.hpp"
#include "train/data/scene.hpp"

namespace vostrack::train {
namespace {

/// How often another scene is tried before one without motion and cut-outs, which always shows its
/// object.
constexpr int kAttempts = 12;
/// The camera of a video moves already.
constexpr double kVideoMotion = 0.3;
constexpr std::uint8_t kWhole = 1;
constexpr std::int64_t kMostTwins = 3;

LabelledPicture picture_of(const IndexedRecord& record, int frame) {
  const RecordInfo& info = record.info();
  PackBytes rgb = record.pack->picture(record.number, frame);
  PackBytes labels = record.pack->labels(record.number, frame);
  LabelledPicture picture{info.height, info.width, rgb.bytes.data(), labels.bytes.data(), {}};
  picture.owners = {std::move(rgb.owner), std::move(labels.owner)};
  return picture;
}

using LabelSet = std::array<bool, 256>;

LabelSet set_of(const IndexedRecord& record, std::uint8_t label, bool whole) {
  LabelSet set{};
  set[label] = true;
  if (whole)
    for (const std::uint8_t part : record.info().ids) set[part] = true;
  return set;
}

PixelBox box_of(const LabelledPicture& picture, const LabelSet& set) {
  int left = picture.width, top = picture.height, right = 0, bottom = 0;
  const std::uint8_t* label = picture.labels;
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x)
      if (set[*label++]) {
        left = std::min(left, x);
        right = std::max(right, x + 1);
        top = std::min(top, y);
        bottom = y + 1;
      }
  return {double(left), double(top), double(right), double(bottom)};
}

class PackSource : public ClipSource {
 public:
  PackSource(const std::vector<std::string>& paths, const DataConfig& config)
      : config_(config), index_(paths, config) {}

  Clip sample(std::uint64_t seed, std::int64_t index) const override {
    for (int attempt = 0; attempt <= kAttempts; ++attempt) {
      Random random(seed, index, static_cast<std::uint64_t>(attempt));
      const Scene scene = plan(random, attempt == kAttempts);
      if (std::optional<Clip> clip = draw(scene, config_, random)) return *std::move(clip);
    }
    // Left is an object that lies where the view's few pixels happen not to look.
    fail(ErrorCode::kInvalidArgument,
         "example {} of seed {} shows no object: size {} is too small for objects of {} of it",
         index, seed, config_.size, config_.smallest_object);
  }

 private:
  Scene plan(Random& random, bool plain) const {
    const bool video =
        !index_.clips.empty() && (index_.pictures.empty() || random.chance(config_.video_share));
    const bool single = random.chance(config_.pictures_share);
    const bool of_video = video && !(single && !index_.pictures.empty());
    const IndexedRecord& record =
        (of_video ? index_.clips : single ? index_.single_pictures : index_.pictures)
            .choose(random);
    const int frames = single ? 1 : config_.frames;
    Scene scene;
    scene.single_picture = single;
    plan_ground(random, record, frames, plain, scene);
    const double share =
        single || of_video ? config_.cut_outs.share_on_video : config_.cut_outs.share;
    if (plain || index_.cut_outs.empty() || !random.chance(share)) return scene;
    add_cut_outs(random, frames, scene);
    if (random.chance(config_.cut_outs.second)) add_cut_outs(random, frames, scene);
    return scene;
  }

  void plan_ground(Random& random, const IndexedRecord& record, int frames, bool plain,
                   Scene& scene) const {
    const RecordInfo& info = record.info();
    const Sighting seen =
        record.sightings[static_cast<std::size_t>(random.below(std::ssize(record.sightings)))];
    const bool whole = info.labels == LabelKind::kParts && random.chance(config_.whole_of_parts);
    Ground& ground = scene.ground;
    for (std::size_t label = 1; label < kIgnoredLabel; ++label)
      ground.code_of_label[label] =
          label <= kLastGroundCode ? static_cast<std::uint8_t>(label) : kIgnoredLabel;
    ground.code_of_label[kIgnoredLabel] = kIgnoredLabel;
    if (whole)
      for (const std::uint8_t part : info.ids) ground.code_of_label[part] = kWhole;
    scene.first_object = ground.code_of_label[seen.label];

    MotionConfig motion = config_.motion;
    AugmentConfig augment = config_.augment;
    if (info.frames == 1) {
      ground.pictures = {picture_of(record, 0)};
    } else {
      for (const int frame : times(random, info.frames, seen.frame, frames))
        ground.pictures.push_back(picture_of(record, frame));
      for (double* value : {&motion.shift, &motion.zoom, &motion.turn_degrees, &motion.tilt,
                            &motion.bend, &augment.turn_degrees})
        *value *= kVideoMotion;
    }
    if (plain) {
      ground.warps.assign(static_cast<std::size_t>(frames), whole_picture(info.height, info.width));
    } else {
      ground.warps = view_path(random, motion, augment, frames, info.height, info.width,
                               box_of(ground.pictures.front(), set_of(record, seen.label, whole)));
    }
    ground.fit(config_.size);
  }

  /// Frames of a video at a stride, backwards perhaps, turning round at its ends.
  std::vector<int> times(Random& random, int length, int first, int frames) const {
    const std::int64_t stride = 1 + random.below(config_.largest_stride);
    const std::int64_t step = random.chance(config_.backwards) ? -stride : stride;
    const std::int64_t period = std::max(1, 2 * (length - 1));
    std::vector<int> result;
    for (int i = 0; i < frames; ++i) {
      const std::int64_t time = ((first + i * step) % period + period) % period;
      result.push_back(static_cast<int>(time < length ? time : period - time));
    }
    return result;
  }

  /// One, or several that look the same and are of one size.
  void add_cut_outs(Random& random, int frames, Scene& scene) const {
    const IndexedRecord& record = index_.cut_outs.choose(random);
    const Sighting seen =
        record.sightings[static_cast<std::size_t>(random.below(std::ssize(record.sightings)))];
    CutOut cut_out;
    cut_out.opaque = set_of(record, seen.label, record.info().labels == LabelKind::kParts);
    cut_out.pictures = {picture_of(record, seen.frame)};
    const PixelBox box = box_of(cut_out.pictures.front(), cut_out.opaque);
    CutOutConfig config = config_.cut_outs;
    std::int64_t twins = 0;
    if (config.twins > 0 && random.chance(config.twins)) {
      twins = 1 + random.below(kMostTwins);
      config.smallest = config.largest = random.uniform(config.smallest, config.largest);
    }
    const auto add = [&](CutOut one) {
      one.code = static_cast<std::uint8_t>(kLastGroundCode + 1 + std::ssize(scene.cut_outs));
      one.warps = cut_out_path(random, config_.motion, config_.augment, config, frames, box);
      one.fit(config_.size);
      scene.cut_outs.push_back(std::move(one));
    };
    const bool first = scene.cut_outs.empty();
    add(cut_out);
    CutOut& added = scene.cut_outs.back();
    const bool target = random.chance(config.target);
    if (random.chance(config.behind)) cut_out.order = added.order = CutOutOrder::kBehind;
    if (target && first) scene.first_object = added.code;
    for (std::int64_t i = 0; i < twins; ++i) add(cut_out);
  }

  DataConfig config_;
  RecordIndex index_;
};

}  // namespace

std::unique_ptr<ClipSource> open_packs(const std::vector<std::string>& paths,
                                       const DataConfig& config) {
  config.validate();
  return std::make_unique<PackSource>(paths, config);
}

}  // namespace vostrack::train
