#include "apps/vostrack/prompts_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temporary_folder.hpp"
#include "vostrack/error.hpp"

namespace vostrack::cli {
namespace {

using test::TemporaryFolder;
using testing::AllOf;
using testing::HasSubstr;

class PromptsInAFile : public testing::Test {
 protected:
  PromptsFile read(const std::string& json) {
    test::write_bytes(path_, json);
    return read_prompts_file(path_);
  }
  std::string complaint(const std::string& json) {
    try {
      read(json);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_THAT(error.what(), HasSubstr(path_));
      return error.what();
    }
    ADD_FAILURE() << "was taken: " << json;
    return {};
  }
  /// One object with one prompt.
  static std::string prompt(const std::string& text) {
    return R"({"objects": [{"id": 1, "prompts": [{)" + text + "}]}]}";
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "prompts.json";
};

TEST_F(PromptsInAFile, AreReadInFull) {
  const PromptsFile file = read(R"({"objects": [
    {"id": 3, "prompts": [{"frame": 2, "clicks": [[1.5, 2], [3, 4, 0], [5, 6, 1]],
                           "box": [0, 1, 20, 30]},
                          {"time": 1.5, "mask": "later.png"}]},
    {"id": 7, "prompts": [{"clicks": [[9, 8]]}]}]})");
  EXPECT_TRUE(file.videos.empty());
  ASSERT_EQ(file.prompts.clicks.size(), 4u);
  EXPECT_EQ(file.prompts.clicks[0].object, 3);
  EXPECT_EQ(file.prompts.clicks[0].frame.index, 2);
  EXPECT_EQ(file.prompts.clicks[0].click.x, 1.5f);
  EXPECT_TRUE(file.prompts.clicks[0].click.positive);
  EXPECT_FALSE(file.prompts.clicks[1].click.positive);
  EXPECT_TRUE(file.prompts.clicks[2].click.positive);
  EXPECT_EQ(file.prompts.clicks[3].object, 7);
  EXPECT_EQ(file.prompts.clicks[3].frame.index, 0);
  ASSERT_EQ(file.prompts.boxes.size(), 1u);
  EXPECT_EQ(file.prompts.boxes[0].box.y1, 30.f);
  ASSERT_EQ(file.prompts.masks.size(), 1u);
  EXPECT_EQ(file.prompts.masks[0].path, folder_ / "later.png");
  EXPECT_EQ(file.prompts.masks[0].frame.seconds, 1.5);
}

TEST_F(PromptsInAFile, MayBeForSeveralVideos) {
  const PromptsFile file = read(R"({"videos": [
    {"video": "a.mp4", "objects": [{"id": 1, "prompts": [{"clicks": [[1, 2]]}]}]},
    {"video": "/clips/b.mp4", "name": "second",
     "objects": [{"id": 1, "prompts": [{"box": [1, 2, 3, 4]}]}]}]})");
  EXPECT_TRUE(file.prompts.empty());
  ASSERT_EQ(file.videos.size(), 2u);
  EXPECT_EQ(file.videos[0].path, folder_ / "a.mp4");
  EXPECT_EQ(file.videos[0].prompts.clicks.size(), 1u);
  EXPECT_EQ(file.videos[1].path, "/clips/b.mp4");
  EXPECT_EQ(file.videos[1].name, "second");
  EXPECT_EQ(file.videos[1].prompts.boxes.size(), 1u);
}

TEST_F(PromptsInAFile, SayWhatIsWrongAndWhere) {
  EXPECT_THAT(complaint("{"), HasSubstr("no JSON"));
  EXPECT_THAT(complaint("[]"), HasSubstr("got []"));
  EXPECT_THAT(complaint("{}"), HasSubstr("either \"objects\" or \"videos\""));
  EXPECT_THAT(complaint(R"({"objects": []})"),
              HasSubstr("objects: got [], want a list of objects"));
  EXPECT_THAT(complaint(R"({"object": []})"), HasSubstr("'object' is no key here"));
  EXPECT_THAT(complaint(R"({"objects": [{"id": 1}]})"), HasSubstr("objects[0]: got {\"id\":1}"));
  EXPECT_THAT(complaint(R"({"objects": [{"id": 0, "prompts": [{"clicks": [[1, 2]]}]}]})"),
              HasSubstr("objects[0].id: got 0, want a number from 1 to 255"));
  EXPECT_THAT(complaint(prompt(R"("frame": 3)")), HasSubstr("objects[0].prompts[0]: got"));
  EXPECT_THAT(complaint(prompt(R"("clicks": [[1, 2]], "frames": 3)")),
              HasSubstr("objects[0].prompts[0]: 'frames' is no key here"));
  EXPECT_THAT(complaint(prompt(R"("clicks": [[1, 2], [1]])")),
              HasSubstr("objects[0].prompts[0].clicks[1]: got [1], want [x, y]"));
  EXPECT_THAT(complaint(prompt(R"("box": [5, 5, 5, 9])")),
              HasSubstr("objects[0].prompts[0].box: got [5,5,5,9], want x0 < x1"));
  EXPECT_THAT(complaint(R"({"videos": [{"video": "a.mp4", "name": "../b", "objects": []}]})"),
              HasSubstr("videos[0].name: got \"../b\""));
}

TEST_F(PromptsInAFile, RefuseWhatIsNoPrompt) {
  for (const char* text :
       {R"("clicks": [[1, 2, 3]])", R"("clicks": [["a", 2]])", R"("clicks": [[1e99, 2]])",
        R"("clicks": [])", R"("clicks": [[1, 2]], "frame": -1)",
        R"("clicks": [[1, 2]], "frame": 1.5)", R"("clicks": [[1, 2]], "frame": 1e30)",
        R"("clicks": [[1, 2]], "frame": 18446744073709551615)", R"("clicks": [[1, 2]], "time": -1)",
        R"("clicks": [[1, 2]], "time": "1s")", R"("clicks": [[1, 2]], "time": 1, "frame": 1)",
        R"("box": [1, 2, 3])", R"("box": [1, 2, 3, null])", R"("mask": "")", R"("mask": 3)"})
    complaint(prompt(text));
}

TEST_F(PromptsInAFile, TellEverythingThatIsWrongAtOnce) {
  EXPECT_THAT(
      complaint(R"({"objects": [
    {"id": 1, "prompts": [{"clicks": [[1]]}, {"clicks": [[1, 2]]}, {"box": 3}]},
    {"id": 1, "prompts": [{"clicks": [[1, 2]]}]}]})"),
      AllOf(HasSubstr("objects[0].prompts[0].clicks[0]"), HasSubstr("objects[0].prompts[2].box"),
            HasSubstr("objects[1].id: got 1, want a number that no object before")));
}

TEST_F(PromptsInAFile, AreMissingWithoutTheFile) {
  try {
    read_prompts_file(folder_ / "none.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
}

}  // namespace
}  // namespace vostrack::cli
