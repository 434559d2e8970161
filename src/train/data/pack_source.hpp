/// Training examples out of pack files.
///
///   auto source = open_packs({"pictures.pack", "videos.pack"}, DataConfig());
///   Clip clip = source->sample(seed, 0);
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "train/clip.hpp"
#include "train/data/data_config.hpp"

namespace vostrack::train {

/// Opens packs to make examples of: clips of videos, clips of pictures that are set in motion with
/// cut-outs of other pictures over them, and single pictures with several objects.
///
/// The first object of a clip has at least `smallest_object` of the view on the first frame, as
/// have the others; later it may be covered or gone. An example has fewer objects than the
/// configuration allows if the picture does not show more.
///
/// @throws Error kInvalidArgument for a configuration that makes no sense, or packs of which
/// nothing
///   can be made; what PackReader::open throws. sample() throws kCorruptFile for a damaged record.
std::unique_ptr<ClipSource> open_packs(const std::vector<std::string>& paths,
                                       const DataConfig& config);

}  // namespace vostrack::train
