#include "apps/vostrack/pack_datasets.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "annotations/coco.hpp"
#include "base/check.hpp"
#include "eval/mask_sequence.hpp"
#include "video/picture_io.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNamed = 5;

/// The first few of them.
std::string some_of(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(kNamed, names.size());
  std::string text = fmt::format("{}", fmt::join(std::span(names).first(shown), ", "));
  if (shown < names.size()) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

void check_folder(const fs::path& folder, const char* of_what) {
  check(fs::is_directory(folder), ErrorCode::kNotFound, "{}: no such folder, want the {}",
        folder.string(), of_what);
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> paths;
  try {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
      paths.push_back(entry.path());
  } catch (const fs::filesystem_error& error) {
    fail(ErrorCode::kIo, "{}: {}", folder.string(), error.code().message());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// Pictures by stem.
std::map<std::string, std::string> pictures_by_name(const fs::path& folder) {
  std::map<std::string, std::string> found;
  for (const fs::path& path : entries_of(folder)) {
    if (!video::is_picture_name(path.string())) continue;
    const auto [at, fresh] = found.emplace(path.stem().string(), path.string());
    check(fresh, ErrorCode::kCorruptFile, "{}: has the name of {}, want each once", path.string(),
          at->second);
  }
  return found;
}

train::RecordHead head_of(train::RecordKind kind, const std::string& name, const fs::path& root,
                          const HeadRules& rules) {
  train::RecordHead head;
  head.kind = kind;
  head.name = name;
  head.split = rules.split;
  head.source = rules.source;
  if (head.source.empty() && name.find('_') != std::string::npos)
    head.source = name.substr(0, name.find('_'));
  if (head.source.empty()) head.source = fs::weakly_canonical(root).filename().string();
  const auto labels = rules.labels_of_source.find(head.source);
  head.labels = labels == rules.labels_of_source.end() ? rules.labels : labels->second;
  return head;
}

/// A video's labels as one picture a frame.
annotations::LabelImage labels_of(const eval::FrameMasks& masks) {
  annotations::LabelImage image{masks.height, masks.width, {}};
  image.labels.assign(
      static_cast<std::size_t>(masks.height) * static_cast<std::size_t>(masks.width), 0);
  const auto paint = [&](const Mask& mask, std::uint8_t label) {
    for (std::size_t i = 0; i < mask.data.size(); ++i)
      if (mask.data[i]) image.labels[i] = label;
  };
  for (const auto& [object, mask] : masks.objects) paint(mask, static_cast<std::uint8_t>(object));
  paint(masks.ignored, train::kIgnoredLabel);
  return image;
}

PackItem clip_of(train::RecordHead head, const std::string& pictures,
                 const std::string& annotations, eval::ObjectRule objects) {
  const auto truth = std::make_shared<const eval::MaskSequence>(annotations, objects);
  check_folder(pictures, "pictures of a clip");
  auto by_name =
      std::make_shared<const std::map<std::string, std::string>>(pictures_by_name(pictures));
  for (const std::string& frame : truth->frames())
    check(by_name->count(frame) != 0, ErrorCode::kNotFound, "{}: there is no such picture in {}",
          truth->path(frame), pictures);
  const int frames = static_cast<int>(truth->frames().size());
  return {
      std::move(head), frames, [truth, by_name](int index) {
        const std::string& frame = truth->frames()[static_cast<std::size_t>(index)];
        return PackFrame{video::read_picture(by_name->at(frame)), labels_of(truth->read(frame))};
      }};
}

/// The videos that a meta.json lists; none without that file.
std::vector<std::string> videos_of_meta(const fs::path& path) {
  std::vector<std::string> names;
  if (!fs::exists(path)) return names;
  try {
    const auto meta = nlohmann::json::parse(std::ifstream(path));
    for (const auto& [name, video] : meta.at("videos").items()) names.push_back(name);
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kCorruptFile, "{}: lists no videos: {}", path.string(), error.what());
  }
  return names;
}

}  // namespace

std::vector<PackItem> pictures_in(const std::string& root, const HeadRules& rules) {
  const fs::path images = fs::path(root) / "images", masks = fs::path(root) / "masks";
  check_folder(images, "pictures");
  check_folder(masks, "masks of the pictures");
  std::vector<PackItem> items;
  std::vector<std::string> without;
  for (const auto& [name, picture] : pictures_by_name(images)) {
    const std::string mask = (masks / (name + ".png")).string();
    if (!fs::exists(mask)) without.push_back(name);
    items.push_back(
        {head_of(train::RecordKind::kPicture, name, root, rules), 1,
         [picture = picture, mask, objects = rules.objects](int) {
           PackFrame frame{video::read_picture(picture), annotations::read_label_png(mask)};
           if (objects == eval::ObjectRule::kMerged)
             for (std::uint8_t& label : frame.labels.labels) label = label != 0;
           return frame;
         }});
  }
  check(without.empty(), ErrorCode::kNotFound, "{}: no mask for {}", masks.string(),
        some_of(without));
  return items;
}

std::vector<PackItem> clips_in(const std::string& root, const HeadRules& rules) {
  check_folder(root, "clips");
  std::vector<PackItem> items;
  for (const fs::path& clip : entries_of(root))
    if (fs::is_directory(clip))
      items.push_back(
          clip_of(head_of(train::RecordKind::kClip, clip.filename().string(), root, rules),
                  (clip / "images").string(), (clip / "masks").string(), rules.objects));
  return items;
}

std::vector<PackItem> sequences_in(eval::Dataset dataset, const std::string& root,
                                   const std::string& resolution, const HeadRules& rules) {
  HeadRules named = rules;
  // Names of videos tell nothing of their dataset.
  if (named.source.empty()) named.source = fs::weakly_canonical(root).filename().string();
  std::vector<PackItem> items;
  for (const eval::Sequence& sequence : eval::find_sequences(
           dataset, root, resolution, videos_of_meta(fs::path(root) / "meta.json")))
    items.push_back(clip_of(head_of(train::RecordKind::kClip, sequence.name, root, named),
                            sequence.pictures, sequence.annotations, rules.objects));
  return items;
}

std::vector<PackItem> coco_in(const std::string& root, const std::string& annotations,
                              const HeadRules& rules) {
  check_folder(root, "pictures");
  HeadRules named = rules;
  if (named.source.empty()) named.source = "coco";
  std::vector<PackItem> items;
  std::vector<std::string> without;
  for (annotations::CocoPicture& entry : annotations::read_coco(annotations)) {
    if (entry.objects.empty()) continue;
    const std::string path = (fs::path(root) / entry.file).string();
    if (!fs::exists(path)) without.push_back(entry.file);
    auto head =
        head_of(train::RecordKind::kPicture, fs::path(entry.file).stem().string(), root, named);
    auto picture = std::make_shared<const annotations::CocoPicture>(std::move(entry));
    items.push_back(
        {std::move(head), 1, [path, picture](int) {
           return PackFrame{video::read_picture(path), annotations::labels_of(*picture)};
         }});
  }
  check(without.empty(), ErrorCode::kNotFound, "{}: no picture {}", root, some_of(without));
  return items;
}

}  // namespace vostrack::cli
