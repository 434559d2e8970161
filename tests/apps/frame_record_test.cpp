#include "apps/vostrack/frame_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "annotations/rle.hpp"
#include "apps/vostrack/track_results.hpp"
#include "vostrack/error.hpp"

namespace vostrack::cli {
namespace {

ObjectOnFrame object_of(ObjectId id, const Mask& mask, Presence presence = Presence::kVisible) {
  const annotations::Rle rle = annotations::encode_rle(mask);
  return {id,
          presence,
          1.25,
          0.5,
          annotations::area(rle),
          annotations::bounding_box(rle),
          annotations::to_coco_string(rle)};
}

FrameRecord two_objects() {
  FrameRecord record{4, 0.25, "00004", 2, 3, {}};
  record.objects.push_back(object_of(7, {2, 3, {0, 1, 1, 0, 0, 1}}));
  record.objects.push_back(object_of(1, {2, 3, {0, 0, 0, 1, 0, 1}}, Presence::kOccluded));
  return record;
}

TEST(FrameRecord, PutsItsObjectsIntoOnePicture) {
  EXPECT_EQ(labels_of(two_objects()).labels, (std::vector<std::uint8_t>{0, 7, 7, 1, 0, 1}));
}

TEST(FrameRecord, IsTheSameAfterBeingJson) {
  const FrameRecord record = two_objects();
  const Json json = to_json(record);
  EXPECT_EQ(json["objects"][0]["box"], Json({1, 0, 3, 2}));
  EXPECT_EQ(json["objects"][1]["presence"], "occluded");
  const FrameRecord again = record_from_json(Json::parse(json.dump()));
  EXPECT_EQ(to_json(again), json);
  EXPECT_EQ(labels_of(again).labels, labels_of(record).labels);
}

TEST(FrameRecord, RefusesDamagedJson) {
  const Json good = to_json(two_objects());
  for (const char* change : {R"({"frame": "x"})", R"({"size": [2]})", R"({"size": [9, 9]})",
                             R"({"objects": 3})", R"({"objects": [{}]})"}) {
    Json json = good;
    json.merge_patch(Json::parse(change));
    EXPECT_THROW(record_from_json(json), Error) << change;
  }
}

TEST(ContactSheet, SpreadsItsFrames) {
  EXPECT_EQ(spread_frames(10, 19, 4), (std::vector<std::int64_t>{10, 13, 16, 19}));
  EXPECT_EQ(spread_frames(0, 1, 16), (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(spread_frames(5, 5, 16), (std::vector<std::int64_t>{5}));
  EXPECT_EQ(spread_frames(0, 9, 1), (std::vector<std::int64_t>{0}));
}

TEST(PresenceText, NamesFewObjectsAndCountsMany) {
  FrameRecord record = two_objects();
  EXPECT_EQ(presence_text(record), "7: visible, 1: occluded");
  record.objects.pop_back();
  EXPECT_EQ(presence_text(record), "visible");
  for (ObjectId id = 10; id < 15; ++id)
    record.objects.push_back(object_of(id, {2, 3, {0, 0, 0, 0, 0, 0}}, Presence::kLost));
  EXPECT_EQ(presence_text(record), "1 visible, 5 lost");
}

}  // namespace
}  // namespace vostrack::cli
