#include <fmt/format.h>

#include <fstream>

#include "parity/fixture.hpp"
#include "tracker/video_tracker.hpp"

namespace vostrack::parity {
namespace {

using nlohmann::json;

/// The script's pictures, already at the network's size; prompts and masks use the video's.
class Pictures : public tracker::FrameSource {
 public:
  Pictures(torch::Tensor pictures, int height, int width)
      : pictures_(std::move(pictures)), height_(height), width_(width) {}
  std::int64_t frame_count() const override { return pictures_.size(0); }
  int height() const override { return height_; }
  int width() const override { return width_; }
  double time_s(std::int64_t frame) const override { return static_cast<double>(frame); }
  torch::Tensor read(std::int64_t frame) override { return pictures_[frame]; }

 private:
  torch::Tensor pictures_;
  int height_, width_;
};

Prompt prompt_of(const json& step) {
  Prompt prompt;
  prompt.add_to_earlier_clicks = !step.value("clear_old", true);
  if (step.contains("points"))
    for (std::size_t i = 0; i < step["points"].size(); ++i)
      prompt.clicks.push_back(
          {step["points"][i][0], step["points"][i][1], step["labels"][i].get<int>() == 1});
  if (step.contains("box") && !step["box"].is_null())
    prompt.box = Box{step["box"][0], step["box"][1], step["box"][2], step["box"][3]};
  return prompt;
}

Mask mask_of(const torch::Tensor& tensor) {
  const auto bytes = (tensor != 0).to(torch::kUInt8).contiguous();
  Mask mask{static_cast<int>(bytes.size(0)), static_cast<int>(bytes.size(1)), {}};
  mask.data.assign(bytes.const_data_ptr<std::uint8_t>(),
                   bytes.const_data_ptr<std::uint8_t>() + bytes.numel());
  return mask;
}

/// Gives pixels that two objects claim with the same logit to the one that the reference chose:
/// rounding decides such a tie, and the loser's logit then falls to −10.
///
/// @param masks  without overlaps, (objects, 1, H, W)
/// @param logits  the same before overlaps were resolved
/// @param tie  logits this near are the same
torch::Tensor settle_ties(const torch::Tensor& masks, const torch::Tensor& logits,
                          const torch::Tensor& reference, double tie) {
  const auto chosen = reference.argmax(0, /*keepdim=*/true);
  const auto winner = logits.argmax(0, true);
  const auto tied =
      (winner != chosen) & (logits.gather(0, chosen) >= logits.gather(0, winner) - tie);
  const auto own = torch::arange(logits.size(0), winner.options()).view({-1, 1, 1, 1});
  return torch::where(tied, torch::where(chosen == own, logits, logits.clamp_max(-10.0)), masks);
}

tracker::TrackerConfig tracker_config(const nn::Model& model, int objects_per_batch) {
  auto config = tracker::TrackerConfig::from(model);
  config.objects_per_batch = objects_per_batch;
  return config;
}

/// Replays a script step by step and compares what each step answers.
class Replay {
 public:
  Replay(const Fixture& fixture, std::shared_ptr<const nn::Model> model, const json& script,
         std::map<std::string, torch::Tensor> inputs, std::map<std::string, torch::Tensor> wanted,
         int objects_per_batch, bool loosely, Report& report)
      : inputs_(std::move(inputs)),
        wanted_(std::move(wanted)),
        loosely_(loosely),
        report_(report),
        limits_(fixture.limits("video")),
        source_(inputs_.at("pictures"), script["video_size"][0], script["video_size"][1]),
        config_(tracker_config(*model, objects_per_batch)),
        tracker_(model, source_, config_) {}

  void step(const json& step) {
    const std::string prefix = fmt::format("step{}/", step["step"].get<int>());
    const std::string op = step["op"];
    if (op == "add_points") {
      compare(prefix, tracker_.add_prompt(step["obj"], step["frame"], prompt_of(step)), step);
    } else if (op == "add_mask") {
      Prompt prompt;
      prompt.mask = mask_of(inputs_.at(prefix + "mask_input"));
      compare(prefix, tracker_.add_prompt(step["obj"], step["frame"], prompt), step);
    } else if (op == "clear_prompts") {
      compare(prefix, tracker_.clear_prompts(step["obj"], step["frame"]), step);
    } else if (op == "remove") {
      tracker_.remove_object(step["obj"]);
    } else if (op == "reset") {
      tracker_.reset();
    } else if (op == "propagate") {
      propagate(prefix, step);
    } else {
      report_.problem(prefix + op, "unknown operation");
    }
  }

 private:
  void propagate(const std::string& prefix, const json& step) {
    tracker::Range range;
    if (step.contains("start") && !step["start"].is_null()) range.start = step["start"];
    if (step.contains("max") && !step["max"].is_null()) range.count = step["max"];
    range.reverse = step.value("reverse", false);
    std::vector<std::int64_t> frames;
    tracker_.propagate(range, [&](const tracker::FrameAnswer& answer) {
      frames.push_back(answer.frame);
      compare(prefix, answer, step);
      for (const auto& object : answer.objects) {
        const std::string name = fmt::format("frame{}/obj{}/", answer.frame, object.id);
        compare_value(prefix + name + "pointer", object.output->pointer, Kind::kOther, "pointer");
        compare_value(prefix + name + "object_score", object.output->object_score, Kind::kScore,
                      "object_score");
      }
      return true;
    });
    if (step.contains("frames") && frames != step["frames"].get<std::vector<std::int64_t>>())
      report_.problem(prefix + "frames", "other frames were tracked");
  }

  void compare(const std::string& prefix, const tracker::FrameAnswer& answer, const json& step) {
    const std::string name = fmt::format("{}frame{}/masks", prefix, answer.frame);
    if (step.contains("obj_ids")) {
      std::vector<std::int64_t> ids;
      for (const auto& object : answer.objects) ids.push_back(object.id);
      if (ids != step["obj_ids"].get<std::vector<std::int64_t>>())
        report_.problem(name, "other objects, or in another order");
    }
    const auto it = wanted_.find(name);
    if (it == wanted_.end()) {
      report_.problem(name, "the reference has nothing for it");
      return;
    }
    auto ours =
        tracker::logits_at_size(answer, source_.height(), source_.width(), config_.non_overlapping)
            .to(torch::kCPU);
    if (config_.non_overlapping && ours.sizes() == it->second.sizes())
      ours = settle_ties(ours,
                         tracker::logits_at_size(answer, source_.height(), source_.width(), false).to(torch::kCPU),
                         it->second, 2 * limits_.noise_of("masks"));
    if (loosely_)
      report_.compare_loosely(name, ours, it->second);
    else
      report_.compare(name, ours, it->second, Kind::kMask, limits_, "masks");
  }

  void compare_value(const std::string& name, const torch::Tensor& ours, Kind kind,
                     const std::string& noise_key) {
    const auto it = wanted_.find(name);
    if (it == wanted_.end()) return;
    if (!loosely_)
      report_.compare(name, ours, it->second, kind, limits_, noise_key);
    else if (kind == Kind::kScore)
      report_.compare_sign(name, ours.item<double>(), it->second.item<double>());
  }

  std::map<std::string, torch::Tensor> inputs_, wanted_;
  bool loosely_;
  Report& report_;
  Limits limits_;
  Pictures source_;
  tracker::TrackerConfig config_;
  tracker::VideoTracker tracker_;
};

}  // namespace

void check_video(const Fixture& fixture, int objects_per_batch, Report& report) {
  torch::InferenceMode guard;
  std::ifstream file(fixture.folder / "script.json");
  const json script = json::parse(file);
  const auto stored = fixture.tensors("video.safetensors").tensors;
  Replay exact(fixture, fixture.model, script, stored, stored, objects_per_batch,
               /*loosely=*/false, report);
  for (const auto& step : script["steps"]) exact.step(step);

  constexpr const char* kBFloat16 = "video_bfloat16_memory.safetensors";
  if (!fixture.has(kBFloat16)) return;
  report.section(fixture.folder.filename().string() + "/video_bfloat16_memory");
  Replay loose(fixture, fixture.model_with_memory(torch::kBFloat16), script, stored,
               fixture.tensors(kBFloat16).tensors, objects_per_batch, /*loosely=*/true, report);
  for (const auto& step : script["steps"]) loose.step(step);
}

}  // namespace vostrack::parity
