#include "apps/vostrack/frame_record.hpp"

#include <cmath>

#include "annotations/rle.hpp"
#include "base/check.hpp"

namespace vostrack::cli {
namespace {

constexpr Presence kPresences[] = {Presence::kVisible, Presence::kOccluded, Presence::kLost};

/// Four digits tell all that a score says.
double rounded(float score) {
  return std::round(static_cast<double>(score) * 1e4) / 1e4;
}

Presence presence_of(const std::string& name) {
  for (Presence presence : kPresences)
    if (name == presence_name(presence)) return presence;
  fail(ErrorCode::kCorruptFile, "presence '{}', want visible, occluded or lost", name);
}

}  // namespace

const char* presence_name(Presence presence) noexcept {
  switch (presence) {
    case Presence::kVisible:
      return "visible";
    case Presence::kOccluded:
      return "occluded";
    default:
      return "lost";
  }
}

FrameRecord record_of(const FrameResult& result) {
  FrameRecord record{result.frame, result.pts_s, result.name, result.height, result.width, {}};
  for (const ObjectResult& object : result.objects) {
    const annotations::Rle rle = annotations::encode_rle(object.mask());
    record.objects.push_back({object.object_id(), object.presence(), rounded(object.object_score()),
                              rounded(object.predicted_iou()), annotations::area(rle),
                              annotations::bounding_box(rle), annotations::to_coco_string(rle),
                              object.held_from()});
  }
  return record;
}

annotations::LabelImage labels_of(const FrameRecord& record) {
  const auto height = static_cast<std::size_t>(record.height);
  const auto width = static_cast<std::size_t>(record.width);
  annotations::LabelImage image{record.height, record.width, {}};
  image.labels.resize(height * width);
  for (const ObjectOnFrame& object : record.objects) {
    const annotations::Rle rle =
        annotations::from_coco_string(object.counts, record.height, record.width);
    annotations::for_each_stretch(rle, [&](std::int64_t x, std::int64_t first, std::int64_t last) {
      std::uint8_t* pixel = image.labels.data() + static_cast<std::size_t>(first) * width + x;
      for (auto y = first; y < last; ++y, pixel += width)
        *pixel = static_cast<std::uint8_t>(object.object);
    });
  }
  return image;
}

Mask mask_of(const FrameRecord& record, const ObjectOnFrame& object) {
  return annotations::decode_rle(
      annotations::from_coco_string(object.counts, record.height, record.width));
}

Json to_json(const FrameRecord& record) {
  Json json = {{"frame", record.frame},
               {"pts_s", record.pts_s},
               {"name", record.name},
               {"size", {record.height, record.width}},
               {"objects", Json::array()}};
  for (const ObjectOnFrame& object : record.objects) {
    Json entry = {
        {"id", object.object},
        {"presence", presence_name(object.presence)},
        {"object_score", object.object_score},
        {"predicted_iou", object.predicted_iou},
        {"area", object.area},
        {"box", nullptr},
        {"segmentation", {{"size", {record.height, record.width}}, {"counts", object.counts}}}};
    if (object.box) entry["box"] = {object.box->x0, object.box->y0, object.box->x1, object.box->y1};
    if (object.held_from) entry["held_from"] = *object.held_from;
    json["objects"].push_back(std::move(entry));
  }
  return json;
}

FrameRecord record_from_json(const Json& json) try {
  FrameRecord record;
  json.at("frame").get_to(record.frame);
  json.at("pts_s").get_to(record.pts_s);
  json.at("name").get_to(record.name);
  json.at("size").at(0).get_to(record.height);
  json.at("size").at(1).get_to(record.width);
  for (const Json& entry : json.at("objects")) {
    ObjectOnFrame object;
    entry.at("id").get_to(object.object);
    object.presence = presence_of(entry.at("presence").get<std::string>());
    entry.at("object_score").get_to(object.object_score);
    entry.at("predicted_iou").get_to(object.predicted_iou);
    entry.at("segmentation").at("counts").get_to(object.counts);
    if (entry.contains("held_from")) object.held_from = entry["held_from"].get<std::int64_t>();
    const annotations::Rle rle =
        annotations::from_coco_string(object.counts, record.height, record.width);
    object.area = annotations::area(rle);
    object.box = annotations::bounding_box(rle);
    record.objects.push_back(std::move(object));
  }
  return record;
} catch (const Json::exception& error) {
  fail(ErrorCode::kCorruptFile, "no line of results: {}", error.what());
}

}  // namespace vostrack::cli
