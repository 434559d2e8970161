#include "train/data/record_index.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "train/data/scene.hpp"

namespace vostrack::train {
namespace {

/// An object that is this many times as large as it must be on the view is large enough in the
/// picture, whatever resampling does to it.
constexpr double kMargin = 2;

std::vector<Sighting> sightings_in(const RecordInfo& info, double smallest) {
  std::vector<Sighting> found;
  const double pixels = static_cast<double>(info.height) * info.width;
  for (int frame = 0; frame < info.frames; ++frame)
    for (std::size_t i = 0; i < info.ids.size(); ++i)
      if (info.ids[i] <= kLastGroundCode && info.area(frame, i) >= kMargin * smallest * pixels)
        found.push_back({frame, info.ids[i]});
  return found;
}

}  // namespace

void RecordChoice::add(IndexedRecord record) {
  sums_.push_back((sums_.empty() ? 0 : sums_.back()) + record.weight);
  records_.push_back(std::move(record));
}

const IndexedRecord& RecordChoice::choose(Random& random) const {
  VOSTRACK_ASSERT(!records_.empty());
  const auto at = std::upper_bound(sums_.begin(), sums_.end() - 1, random.uniform() * sums_.back());
  return records_[static_cast<std::size_t>(at - sums_.begin())];
}

RecordIndex::RecordIndex(const std::vector<std::string>& paths, const DataConfig& config) {
  check(!paths.empty(), ErrorCode::kInvalidArgument, "no pack file to train on");
  for (const std::string& path : paths) {
    const auto pack = PackReader::open(path);
    for (std::size_t i = 0; i < pack->size(); ++i) {
      const RecordInfo& info = pack->info(i);
      IndexedRecord record{pack, i, sightings_in(info, config.smallest_object), 1};
      const auto weight = config.source_weights.find(info.source);
      if (weight != config.source_weights.end()) record.weight = weight->second;
      if (record.sightings.empty() || record.weight <= 0) continue;
      if (info.kind == RecordKind::kClip) {
        clips.add(std::move(record));
        continue;
      }
      if (info.labels != LabelKind::kRegions) cut_outs.add(record);
      pictures.add(record);
      if (record.sightings.size() > 1) record.weight *= config.several_objects;
      single_pictures.add(std::move(record));
    }
  }
  check(!pictures.empty() || !clips.empty(), ErrorCode::kInvalidArgument,
        "{}: no record has an object of at least {} of the picture and a weight above 0",
        paths.front(), kMargin * config.smallest_object);
}

}  // namespace vostrack::train
