#include "apps/vostrack/eval_clicks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <utility>

#include "annotations/contours.hpp"
#include "annotations/palette_png.hpp"
#include "base/check.hpp"
#include "eval/clicks.hpp"
#include "eval/interaction.hpp"
#include "vostrack/version.hpp"

namespace vostrack::cli {
namespace {

using annotations::LabelImage;

constexpr std::uint8_t kUnknown = 255;

/// One object's truth.
struct Target {
  Mask mask;
  Mask others;
  Mask ignored;

  Target(const LabelImage& labels, std::uint8_t label) {
    mask = others =
        ignored = {labels.height, labels.width, std::vector<std::uint8_t>(labels.labels.size())};
    for (std::size_t i = 0; i < labels.labels.size(); ++i) {
      const std::uint8_t there = labels.labels[i];
      mask.data[i] = there == label;
      others.data[i] = there != label && there != 0 && there != kUnknown;
      ignored.data[i] = there == kUnknown;
    }
  }
  PromptScore score(const Mask& predicted) const {
    return {eval::known_similarity(predicted, mask, ignored),
            eval::leakage(predicted, others, ignored)};
  }
};

void click(ImageSegmenter& segmenter, const Target& target, int clicks, ClickedObject& object) {
  Prompt prompt;
  prompt.clicks = eval::inner_clicks(target.mask, 1);
  PredictOptions options;
  for (int i = 0; i < clicks; ++i) {
    const std::vector<MaskCandidate> answers = segmenter.predict(prompt, options);
    const Mask mask = answers.front().mask();
    object.clicks.push_back(target.score(mask));
    if (i == 0)
      for (const MaskCandidate& answer : answers) {
        const PromptScore score = target.score(answer.mask());
        if (score.iou >= object.best_of_three.iou) object.best_of_three = score;
      }
    const auto next = eval::correcting_click(mask, target.mask, target.ignored);
    if (!next) break;
    prompt.clicks.push_back(*next);
    options.previous = answers.front().low_res_logits();
    options.masks = MaskCount::kOne;
  }
  // Nothing is left to correct.
  object.clicks.resize(static_cast<std::size_t>(clicks), object.clicks.back());
}

/// Means over objects.
struct Means {
  std::size_t count = 0;
  PromptScore box, best_of_three;
  std::vector<PromptScore> clicks;

  void add(const ClickedObject& object) {
    const auto sum = [](PromptScore& total, const PromptScore& one) {
      total.iou += one.iou;
      total.leakage += one.leakage;
    };
    ++count;
    sum(box, object.box);
    sum(best_of_three, object.best_of_three);
    clicks.resize(object.clicks.size());
    for (std::size_t i = 0; i < clicks.size(); ++i) sum(clicks[i], object.clicks[i]);
  }
  void finish() {
    const auto divide = [&](PromptScore& score) {
      score.iou /= static_cast<double>(count);
      score.leakage /= static_cast<double>(count);
    };
    divide(box);
    divide(best_of_three);
    for (PromptScore& score : clicks) divide(score);
  }
};

/// By source; all of them under the empty name.
std::map<std::string, Means> means_of(const ClickReport& report) {
  std::map<std::string, Means> means;
  for (const ClickedObject& object : report.objects) {
    means[object.source].add(object);
    if (!object.source.empty()) means[""].add(object);
  }
  for (auto& [source, mean] : means) mean.finish();
  return means;
}

Json score_json(const PromptScore& score) {
  return {{"iou", score.iou}, {"leakage", score.leakage}};
}

Json means_json(const Means& means) {
  Json json = {{"objects", means.count},
               {"box", score_json(means.box)},
               {"best_of_three", score_json(means.best_of_three)},
               {"clicks", Json::array()}};
  for (const PromptScore& score : means.clicks) json["clicks"].push_back(score_json(score));
  return json;
}

}  // namespace

std::vector<ClickedObject> click_through(ImageSegmenter& segmenter, const std::string& picture,
                                         const std::string& mask, bool merged, int clicks,
                                         double smallest) {
  LabelImage labels = annotations::read_label_png(mask);
  if (merged)
    for (std::uint8_t& label : labels.labels) label = label != 0;
  const Image image = read_image(picture);
  check(labels.height == image.height && labels.width == image.width, ErrorCode::kCorruptFile,
        "{}: is {}x{}, want {}x{} as the picture is", mask, labels.width, labels.height,
        image.width, image.height);
  const std::string name = std::filesystem::path(picture).stem().string();
  const std::string source = name.substr(0, std::min(name.find('_'), name.size()));
  segmenter.set_image(image);
  std::vector<ClickedObject> objects;
  for (const std::uint8_t label : annotations::labels_in(labels)) {
    if (label == kUnknown) continue;
    const Target target(labels, label);
    const auto area = std::count(target.mask.data.begin(), target.mask.data.end(), 1);
    ClickedObject object{name, source, label, 0, {}, {}, {}};
    object.share = static_cast<double>(area) / static_cast<double>(labels.labels.size());
    if (object.share < smallest) continue;
    Prompt box;
    box.box = annotations::bounding_box(target.mask);
    object.box = target.score(segmenter.predict(box).front().mask());
    click(segmenter, target, clicks, object);
    objects.push_back(std::move(object));
  }
  return objects;
}

std::string table_text(const ClickReport& report) {
  const std::map<std::string, Means> means = means_of(report);
  if (means.empty()) return "";
  std::string text =
      fmt::format("{:<12}  {:>7}  {:>6}  {:>6} {:>6}", "source", "objects", "box", "1", "best/3");
  const std::size_t clicks = means.begin()->second.clicks.size();
  for (std::size_t i = 1; i < clicks; ++i) text += fmt::format(" {:>6}", i + 1);
  text += fmt::format("  {:>8} {:>6} {:>6}\n", "leak box", "1", clicks > 2 ? "3" : "last");
  const auto line = [&](const std::string& name, const Means& mean) {
    text += fmt::format("{:<12}  {:>7}  {:>6.1f}  {:>6.1f} {:>6.1f}", name, mean.count,
                        100 * mean.box.iou, 100 * mean.clicks.front().iou,
                        100 * mean.best_of_three.iou);
    for (std::size_t i = 1; i < clicks; ++i)
      text += fmt::format(" {:>6.1f}", 100 * mean.clicks[i].iou);
    text += fmt::format("  {:>8.1f} {:>6.1f} {:>6.1f}\n", 100 * mean.box.leakage,
                        100 * mean.clicks.front().leakage,
                        100 * mean.clicks[std::min<std::size_t>(2, clicks - 1)].leakage);
  };
  for (const auto& [source, mean] : means)
    if (!source.empty()) line(source, mean);
  line("all", means.at(""));
  return text;
}

Json report_json(const ClickReport& report) {
  Json json = {{"vostrack", VOSTRACK_VERSION},
               {"root", report.root},
               {"protocol", "clicks"},
               {"smallest_share", report.smallest},
               {"complete", report.complete},
               {"model",
                {{"path", report.run.model_path},
                 {"name", report.run.model_name},
                 {"image_size", report.run.image_size},
                 {"device", report.run.device},
                 {"precision", report.run.precision}}},
               {"pictures", report.pictures},
               {"seconds", report.seconds},
               {"all", nullptr},
               {"sources", Json::object()},
               {"objects", Json::array()}};
  for (const auto& [source, mean] : means_of(report))
    (source.empty() ? json["all"] : json["sources"][source]) = means_json(mean);
  for (const ClickedObject& object : report.objects) {
    Json entry = {{"picture", object.picture},
                  {"label", object.label},
                  {"share", object.share},
                  {"box", score_json(object.box)},
                  {"best_of_three", score_json(object.best_of_three)},
                  {"clicks", Json::array()}};
    for (const PromptScore& score : object.clicks) entry["clicks"].push_back(score_json(score));
    json["objects"].push_back(std::move(entry));
  }
  return json;
}

std::string report_csv(const ClickReport& report) {
  std::string text = "picture,label,share,box_iou,box_leakage,best_of_three_iou";
  const std::size_t clicks = report.objects.empty() ? 0 : report.objects.front().clicks.size();
  for (std::size_t i = 1; i <= clicks; ++i)
    text += fmt::format(",clicks{}_iou,clicks{}_leakage", i, i);
  text += '\n';
  for (const ClickedObject& object : report.objects) {
    text +=
        fmt::format("{},{},{:.6f},{:.6f},{:.6f},{:.6f}", csv_field(object.picture), object.label,
                    object.share, object.box.iou, object.box.leakage, object.best_of_three.iou);
    for (const PromptScore& score : object.clicks)
      text += fmt::format(",{:.6f},{:.6f}", score.iou, score.leakage);
    text += '\n';
  }
  return text;
}

}  // namespace vostrack::cli
