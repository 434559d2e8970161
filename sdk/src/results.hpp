/// From the tracker's answers to the public results.
#pragma once

#include <memory>
#include <vector>

#include "tracker/object_tracking.hpp"
#include "vostrack/result.hpp"

namespace vostrack {

/// @param frame  where and when; its objects are filled in
FrameResult make_result(FrameResult frame, tracker::FrameAnswer answer, bool non_overlapping);

/// Answers that are apart from each other, such as proposals.
std::vector<ObjectResult> make_objects(std::vector<tracker::ObjectAnswer> answers, int height,
                                       int width);

std::vector<ObjectRecord> make_records(const tracker::ObjectTracking& tracking);

}  // namespace vostrack
