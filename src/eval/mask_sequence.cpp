#include "eval/mask_sequence.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "annotations/palette_png.hpp"
#include "base/check.hpp"

namespace vostrack::eval {
namespace {

namespace fs = std::filesystem;
using annotations::LabelImage;

constexpr std::uint8_t kLabel255 = 255;
constexpr int kMaxObject = 254;

std::vector<std::string> png_stems(const fs::path& folder) {
  std::vector<std::string> stems;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().extension() == ".png" &&
        entry.path().filename().string().front() != '.')
      stems.push_back(entry.path().stem().string());
  std::sort(stems.begin(), stems.end());
  return stems;
}

/// The number that a name consists of.
std::optional<int> number_of(const std::string& name) {
  int number = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data(), end, number);
  if (error != std::errc() || stop != end || number < 0) return std::nullopt;
  return number;
}

Mask not_zero(LabelImage image) {
  for (std::uint8_t& label : image.labels) label = label != 0;
  return {image.height, image.width, std::move(image.labels)};
}

bool any(const Mask& mask) {
  return std::find(mask.data.begin(), mask.data.end(), 1) != mask.data.end();
}

}  // namespace

Mask FrameMasks::mask(int object) const {
  const auto found = objects.find(object);
  if (found != objects.end()) return found->second;
  return {height, width,
          std::vector<std::uint8_t>(
              static_cast<std::size_t>(height) * static_cast<std::size_t>(width), 0)};
}

MaskSequence::MaskSequence(std::string folder, ObjectRule rule)
    : folder_(std::move(folder)), rule_(rule) {
  check(fs::is_directory(folder_), ErrorCode::kNotFound, "{}: no such folder of masks", folder_);
  try {
    frames_ = png_stems(folder_);
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
      if (!entry.is_directory()) continue;
      if (const auto number = number_of(entry.path().filename().string()))
        add_folder(*number + 1, entry.path().string());
    }
  } catch (const fs::filesystem_error& error) {
    fail(ErrorCode::kIo, "{}: {}", folder_, error.code().message());
  }
  check(frames_.empty() || object_frames_.empty(), ErrorCode::kCorruptFile,
        "{}: holds PNGs beside object folders, want one of the two", folder_);
  if (!object_frames_.empty()) {
    std::set<std::string> all;
    for (const auto& [object, frames] : object_frames_) all.insert(frames.begin(), frames.end());
    frames_.assign(all.begin(), all.end());
  }
  check(!frames_.empty(), ErrorCode::kCorruptFile, "{}: holds no mask, want PNGs", folder_);
  if (rule_ == ObjectRule::kAuto) rule_ = decide();
}

void MaskSequence::add_folder(int object, const std::string& folder) {
  check(object <= kMaxObject, ErrorCode::kUnsupported, "{}: object {}, want at most {}", folder,
        object - 1, kMaxObject - 1);
  if (const auto other = object_folders_.find(object); other != object_folders_.end())
    fail(ErrorCode::kCorruptFile, "{}: is the same object as {}", folder, other->second);
  std::vector<std::string> frames = png_stems(folder);
  check(!frames.empty(), ErrorCode::kCorruptFile, "{}: holds no mask, want PNGs", folder);
  object_folders_[object] = folder;
  object_frames_[object] = std::move(frames);
}

ObjectRule MaskSequence::decide() const {
  if (!object_frames_.empty()) return ObjectRule::kSeparate;
  for (const std::string& frame : frames_) {
    const auto labels = annotations::labels_in(annotations::read_label_png(path(frame)));
    if (labels.empty()) continue;
    return labels.front() == kLabel255 ? ObjectRule::kMerged : ObjectRule::kSeparate;
  }
  return ObjectRule::kSeparate;
}

bool MaskSequence::covers(int object, const std::string& frame) const {
  const auto has = [&](const std::vector<std::string>& frames) {
    return std::binary_search(frames.begin(), frames.end(), frame);
  };
  if (object_frames_.empty() || rule_ == ObjectRule::kMerged) return has(frames_);
  const auto found = object_frames_.find(object);
  return found != object_frames_.end() && has(found->second);
}

std::string MaskSequence::last_frame(int object) const {
  const auto found = object_frames_.find(object);
  return found == object_frames_.end() || rule_ == ObjectRule::kMerged ? frames_.back()
                                                                       : found->second.back();
}

std::string MaskSequence::path(const std::string& frame) const {
  return object_frames_.empty() ? (fs::path(folder_) / (frame + ".png")).string()
                                : (fs::path(folder_) / "*" / (frame + ".png")).string();
}

FrameMasks MaskSequence::read(const std::string& frame) const {
  FrameMasks result;
  const auto add = [&](int object, Mask mask) {
    if (any(mask)) result.objects[object] = std::move(mask);
  };
  check(std::binary_search(frames_.begin(), frames_.end(), frame), ErrorCode::kNotFound,
        "{}: no such mask", path(frame));
  if (object_frames_.empty()) {
    LabelImage image = annotations::read_label_png(path(frame));
    result.height = image.height;
    result.width = image.width;
    if (rule_ == ObjectRule::kMerged) {
      add(1, not_zero(std::move(image)));
      return result;
    }
    for (std::uint8_t label : annotations::labels_in(image))
      if (label == kLabel255)
        result.ignored = annotations::mask_of(image, label);
      else
        result.objects[label] = annotations::mask_of(image, label);
    return result;
  }

  for (const auto& [object, folder] : object_folders_) {
    if (!covers(rule_ == ObjectRule::kMerged ? 1 : object, frame)) continue;
    const std::string file = (fs::path(folder) / (frame + ".png")).string();
    if (!fs::exists(file)) continue;
    Mask mask = not_zero(annotations::read_label_png(file));
    if (result.height == 0) {
      result.height = mask.height;
      result.width = mask.width;
    }
    check(mask.height == result.height && mask.width == result.width, ErrorCode::kCorruptFile,
          "{}: is {}x{}, want {}x{} as the other objects have it", file, mask.width, mask.height,
          result.width, result.height);
    if (rule_ == ObjectRule::kMerged && result.objects.count(1) != 0)
      std::transform(mask.data.begin(), mask.data.end(), result.objects[1].data.begin(),
                     result.objects[1].data.begin(), [](auto a, auto b) { return a | b; });
    else
      add(rule_ == ObjectRule::kMerged ? 1 : object, std::move(mask));
  }
  return result;
}

}  // namespace vostrack::eval
