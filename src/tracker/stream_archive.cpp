// Streams to files and back.
#include <algorithm>

#include "base/check.hpp"
#include "memory/store_archive.hpp"
#include "tracker/sketch.hpp"
#include "tracker/stream_tracker.hpp"

namespace vostrack::tracker {

void StreamTracker::save(const std::string& path, nlohmann::json document) const {
  nn::ArchiveWriter writer;
  writer.document = std::move(document);
  writer.document["next_frame"] = next_frame_;
  writer.document["height"] = height_;
  writer.document["width"] = width_;
  auto& times_s = writer.document["times_s"] = nlohmann::json::array();
  for (std::size_t i = 0; i < held_.size(); ++i) {
    const auto& [features, picture, time_s] = held_[i];
    times_s.push_back(time_s);
    if (picture.defined()) {
      writer.add(fmt::format("held.{}.picture", i), picture);
      continue;
    }
    writer.add(fmt::format("held.{}.coarse", i), features.coarse);
    for (std::size_t level = 0; level < features.high_res.size(); ++level)
      writer.add(fmt::format("held.{}.high_res.{}", i, level), features.high_res[level]);
  }
  for (const auto& [frame, sketch] : sketches_) writer.add(fmt::format("sketch.{}", frame), sketch);
  save_objects(writer);
  writer.write(path, kArchiveKind, kArchiveVersion);
}

void StreamTracker::restore(const nn::Archive& archive) {
  torch::InferenceMode guard;
  memory::check_model(archive, model());
  std::vector<double> times_s;  ///< of the held frames
  try {
    archive.document.at("next_frame").get_to(next_frame_);
    archive.document.at("height").get_to(height_);
    archive.document.at("width").get_to(width_);
    archive.document.at("times_s").get_to(times_s);
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kCorruptFile, "{}: the stream cannot be read: {}", archive.path, error.what());
  }
  const std::size_t held = times_s.size();
  check(next_frame_ >= 0 && held <= static_cast<std::size_t>(config().cached_frames) &&
            held <= static_cast<std::size_t>(next_frame_) && (held > 0) == (next_frame_ > 0) &&
            std::ranges::is_sorted(times_s) && (next_frame_ == 0 || (height_ > 0 && width_ > 0)),
        ErrorCode::kCorruptFile, "{}: {} held frames of {} with {}×{} pixels make no stream",
        archive.path, held, next_frame_, height_, width_);
  const nn::ModelConfig& model_config = model().config();
  const std::int64_t side = model_config.feature_size();
  for (std::size_t i = 0; i < held; ++i) {
    if (const auto name = fmt::format("held.{}.picture", i); archive.tensors.contains(name)) {
      held_.push_back(
          {{}, archive.tensor(name, torch::kUInt8, {height_, width_, 3}).clone(), times_s[i]});
      continue;
    }
    nn::ImageFeatures features;
    const auto named = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
      const auto it = archive.tensors.find(name);
      const auto dtype = it == archive.tensors.end() ? torch::kFloat32 : it->second.scalar_type();
      check(c10::isFloatingType(dtype), ErrorCode::kCorruptFile, "{}: {} is of {}", archive.path,
            name, c10::toString(dtype));
      return archive.tensor(name, dtype, shape).clone().to(model().runtime().device);
    };
    features.coarse =
        named(fmt::format("held.{}.coarse", i), {1, model_config.neck.d_model, side, side})
            .to(model().runtime().dtype);
    if (model_config.model.use_high_res_features_in_sam)
      for (const int level : {0, 1}) {
        const std::int64_t divisor = level == 0 ? 8 : 4, scale = level == 0 ? 4 : 2;
        features.high_res.push_back(
            named(fmt::format("held.{}.high_res.{}", i, level),
                  {1, model_config.neck.d_model / divisor, side * scale, side * scale}));
      }
    held_.push_back({std::move(features), {}, times_s[i]});
  }
  read_objects(archive, next_frame_);
  for (const auto& object : objects())
    if (const auto source = object->source_before(next_frame_, /*reverse=*/false))
      if (const auto name = fmt::format("sketch.{}", *source); archive.tensors.contains(name))
        sketches_[*source] =
            archive.tensor(name, torch::kFloat32, {kSketchSide, kSketchSide}).clone();
}

}  // namespace vostrack::tracker
