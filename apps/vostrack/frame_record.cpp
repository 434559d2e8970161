#include "apps/vostrack/frame_record.hpp"

#include "base/check.hpp"

namespace vostrack::cli {

FrameRecord record_of(const FrameResult& result) {
  FrameRecord record{result.frame, result.pts_s, result.name, result.height, result.width, {}, {}};
  const auto pixels =
      static_cast<std::size_t>(result.height) * static_cast<std::size_t>(result.width);
  std::vector<std::uint8_t> labels(pixels, 0);
  for (const ObjectResult& object : result.objects) {
    const Mask mask = object.mask();
    VOSTRACK_ASSERT(mask.data.size() == pixels);
    std::int64_t area = 0;
    for (std::size_t i = 0; i < pixels; ++i) {
      if (!mask.data[i]) continue;
      labels[i] = static_cast<std::uint8_t>(object.object_id());
      ++area;
    }
    record.objects.push_back({object.object_id(), object.object_score(), object.visible(), area});
  }
  for (std::uint8_t label : labels) {
    if (record.runs.empty() || record.runs.back().first != label) record.runs.push_back({label, 0});
    ++record.runs.back().second;
  }
  return record;
}

annotations::LabelImage labels_of(const FrameRecord& record) {
  annotations::LabelImage image{record.height, record.width, {}};
  image.labels.reserve(static_cast<std::size_t>(record.height) *
                       static_cast<std::size_t>(record.width));
  for (const auto& [label, length] : record.runs)
    image.labels.insert(image.labels.end(), length, label);
  return image;
}

}  // namespace vostrack::cli
