#include "annotations/coco.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "annotations/polygon.hpp"
#include "base/check.hpp"
#include "base/mapped_file.hpp"

// Source: https://cocodataset.org/#format-data, object detection.

namespace vostrack::annotations {
namespace {

using Json = nlohmann::json;

constexpr int kMaxSide = 32768;
constexpr std::uint8_t kUnknown = 255;

Rle runs_of(const Json& shape, const CocoPicture& picture) {
  const auto& size = shape.at("size");
  const int height = size.at(0).get<int>(), width = size.at(1).get<int>();
  check(height == picture.height && width == picture.width, ErrorCode::kCorruptFile,
        "runs for {}x{}, want {}x{} as the picture is", width, height, picture.width,
        picture.height);
  const auto& counts = shape.at("counts");
  if (counts.is_string()) return from_coco_string(counts.get<std::string>(), height, width);
  Rle rle{height, width, counts.get<std::vector<std::uint32_t>>()};
  rle.validate();
  return rle;
}

CocoObject object_of(const Json& entry, const CocoPicture& picture) {
  CocoObject object;
  const auto& shape = entry.at("segmentation");
  if (shape.is_object())
    object.shape = runs_of(shape, picture);
  else
    object.shape = shape.get<std::vector<std::vector<double>>>();
  const auto crowd = entry.find("iscrowd");
  object.crowd = crowd != entry.end() && crowd->get<int>() != 0;
  return object;
}

std::vector<CocoPicture> pictures_of(const Json& root) {
  std::vector<CocoPicture> pictures;
  std::map<std::int64_t, std::size_t> by_id;
  for (const Json& entry : root.at("images")) {
    CocoPicture picture;
    picture.file = entry.at("file_name").get<std::string>();
    picture.height = entry.at("height").get<int>();
    picture.width = entry.at("width").get<int>();
    check(picture.height > 0 && picture.width > 0 && picture.height <= kMaxSide &&
              picture.width <= kMaxSide,
          ErrorCode::kCorruptFile, "picture {} of {}x{}", picture.file, picture.width,
          picture.height);
    check(by_id.emplace(entry.at("id").get<std::int64_t>(), pictures.size()).second,
          ErrorCode::kCorruptFile, "picture {}: its id is another's too", picture.file);
    pictures.push_back(std::move(picture));
  }
  for (const Json& entry : root.at("annotations")) {
    const auto id = entry.at("image_id").get<std::int64_t>();
    const auto found = by_id.find(id);
    check(found != by_id.end(), ErrorCode::kCorruptFile,
          "an object of picture {}, which is not listed", id);
    CocoPicture& picture = pictures[found->second];
    try {
      picture.objects.push_back(object_of(entry, picture));
    } catch (const Error& error) {
      fail(ErrorCode::kCorruptFile, "picture {}: {}", picture.file, error.what());
    }
  }
  return pictures;
}

}  // namespace

std::vector<CocoPicture> read_coco(const std::string& path) {
  const auto file = MappedFile::open(path);
  try {
    return pictures_of(Json::parse(file->bytes().begin(), file->bytes().end()));
  } catch (const Json::exception& error) {
    fail(ErrorCode::kCorruptFile, "{}: is no COCO annotation: {}", path, error.what());
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", path, error.what());
  }
}

Mask mask_of(const CocoPicture& picture, const CocoObject& object) {
  try {
    if (const Rle* runs = std::get_if<Rle>(&object.shape)) return decode_rle(*runs);
    Mask mask{picture.height, picture.width,
              std::vector<std::uint8_t>(static_cast<std::size_t>(picture.height) *
                                        static_cast<std::size_t>(picture.width))};
    for (const auto& outline : std::get<0>(object.shape)) fill_polygon(mask, outline);
    return mask;
  } catch (const Error& error) {
    fail(ErrorCode::kCorruptFile, "{}: {}", picture.file, error.what());
  }
}

LabelImage labels_of(const CocoPicture& picture) {
  std::vector<Mask> masks;
  std::vector<std::int64_t> areas;
  for (const CocoObject& object : picture.objects) {
    masks.push_back(mask_of(picture, object));
    areas.push_back(
        std::accumulate(masks.back().data.begin(), masks.back().data.end(), std::int64_t{0}));
    // Crowds first, under everything.
    if (object.crowd) areas.back() = std::numeric_limits<std::int64_t>::max();
  }
  std::vector<std::size_t> order(masks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return areas[a] > areas[b]; });
  LabelImage image{picture.height, picture.width,
                   std::vector<std::uint8_t>(static_cast<std::size_t>(picture.height) *
                                             static_cast<std::size_t>(picture.width))};
  int next = 1;
  for (const std::size_t i : order) {
    const bool known = !picture.objects[i].crowd && next < kUnknown;
    const std::uint8_t label = known ? static_cast<std::uint8_t>(next++) : kUnknown;
    for (std::size_t p = 0; p < image.labels.size(); ++p)
      if (masks[i].data[p]) image.labels[p] = label;
  }
  return image;
}

}  // namespace vostrack::annotations
