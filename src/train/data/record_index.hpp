/// The records that examples are made of, and which of them to take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "train/data/data_config.hpp"
#include "train/data/pack.hpp"
#include "train/data/random.hpp"

namespace vostrack::train {

/// An object that is large enough on a frame.
struct Sighting {
  int frame = 0;
  std::uint8_t label = 0;
};

struct IndexedRecord {
  std::shared_ptr<const PackReader> pack;
  std::size_t number = 0;
  std::vector<Sighting> sightings;  ///< never empty
  double weight = 1;

  const RecordInfo& info() const { return pack->info(number); }
};

/// Records of one use, drawn by their weights.
class RecordChoice {
 public:
  void add(IndexedRecord record);
  bool empty() const { return records_.empty(); }
  std::size_t size() const { return records_.size(); }
  const IndexedRecord& choose(Random& random) const;

 private:
  std::vector<IndexedRecord> records_;
  std::vector<double> sums_;
};

struct RecordIndex {
  RecordChoice pictures;
  RecordChoice single_pictures;  ///< the same pictures, those with several objects rather
  RecordChoice clips;
  RecordChoice cut_outs;  ///< pictures of objects, and of parts that make one

  /// @throws Error as PackReader::open; kInvalidArgument without paths, or when no record has an
  ///   object that is large enough and a weight above 0
  RecordIndex(const std::vector<std::string>& paths, const DataConfig& config);
};

}  // namespace vostrack::train
