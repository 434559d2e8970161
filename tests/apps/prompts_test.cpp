#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/vostrack/prompt_table.hpp"
#include "apps/vostrack/usage.hpp"
#include "tests/apps/fake_source.hpp"
#include "tests/support/temporary_folder.hpp"
#include "video/picture_io.hpp"

namespace vostrack::cli {
namespace {

using test::FakeSource;
using test::TemporaryFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

PromptTexts clicks(std::vector<std::string> texts) {
  return {std::move(texts), {}, {}, {}};
}

template <class Exception, class Work>
std::string message_of(Work&& work) {
  try {
    work();
  } catch (const Exception& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

FakeSource ten_frames() {
  std::vector<double> times;
  for (int i = 0; i < 10; ++i) times.push_back(5 + i * 0.1);
  return {100, 200, times};
}

TEST(Prompts, ReadAClickInFull) {
  const PromptArguments arguments = parse_prompts(clicks({"7:12.5,20:0@3"}));
  ASSERT_EQ(arguments.clicks.size(), 1u);
  const ClickArgument& click = arguments.clicks[0];
  EXPECT_EQ(click.object, 7);
  EXPECT_EQ(click.click.x, 12.5f);
  EXPECT_EQ(click.click.y, 20.f);
  EXPECT_FALSE(click.click.positive);
  EXPECT_EQ(click.frame.index, 3);
}

TEST(Prompts, FillInWhatIsLeftOut) {
  const PromptArguments arguments = parse_prompts(clicks({"12,20", "12,20:0", "2:12,20"}));
  ASSERT_EQ(arguments.clicks.size(), 3u);
  EXPECT_EQ(arguments.clicks[0].object, 1);
  EXPECT_TRUE(arguments.clicks[0].click.positive);
  EXPECT_EQ(arguments.clicks[0].frame.index, 0);
  EXPECT_EQ(arguments.clicks[1].object, 1);
  EXPECT_FALSE(arguments.clicks[1].click.positive);
  EXPECT_EQ(arguments.clicks[2].object, 2);
  EXPECT_TRUE(arguments.clicks[2].click.positive);
}

TEST(Prompts, ReadBoxesAndMasks) {
  const PromptArguments arguments = parse_prompts(
      {{}, {"2:1,2,3.5,4@12"}, {"3:a b.png@5", "odd@name.png", "c.png"}, {"d.png@2"}});
  ASSERT_EQ(arguments.boxes.size(), 1u);
  EXPECT_EQ(arguments.boxes[0].object, 2);
  EXPECT_EQ(arguments.boxes[0].box.x1, 3.5f);
  EXPECT_EQ(arguments.boxes[0].frame.index, 12);
  ASSERT_EQ(arguments.masks.size(), 4u);
  EXPECT_EQ(arguments.masks[0].object, 3);
  EXPECT_EQ(arguments.masks[0].path, "a b.png");
  EXPECT_EQ(arguments.masks[0].frame.index, 5);
  EXPECT_EQ(arguments.masks[1].path, "odd@name.png");
  EXPECT_EQ(arguments.masks[2].object, 1);
  EXPECT_FALSE(arguments.masks[2].labels);
  EXPECT_TRUE(arguments.masks[3].labels);
  EXPECT_EQ(arguments.masks[3].frame.index, 2);
}

TEST(Prompts, RefuseWhatIsNoClick) {
  for (const char* text : {"",        "1",       "1,",     "1,2,3",     "1:2",  "a,b",    "1,2:2",
                           "0:1,2",   "256:1,2", "-1:1,2", "1:2,3:1:1", "1,2@", "1,2@x",  "1,2@-1",
                           "1,2@1.5", "nan,1",   "inf,1",  "1,2@nans",  "1, 2", "1e999,2"})
    EXPECT_THROW(parse_prompts(clicks({text})), UsageError) << text;
}

TEST(Prompts, RefuseEmptyBoxes) {
  for (const char* text : {"1,2,1,4", "1,2,3,2", "3,2,1,4", "1,2,3", "1,2,3,nan", "x:1,2,3,4"})
    EXPECT_THROW(parse_prompts({{}, {text}, {}, {}}), UsageError) << text;
}

TEST(Prompts, RefuseAnIdForALabelPicture) {
  EXPECT_THROW(parse_prompts({{}, {}, {}, {"3:labels.png"}}), UsageError);
}

TEST(Prompts, TellEverythingThatIsWrongAtOnce) {
  const std::string message = message_of<UsageError>([] {
    parse_prompts({{"1,2", "300:1,2", "1;2"}, {"5,5,5,9"}, {}, {}});
  });
  EXPECT_THAT(message, AllOf(HasSubstr("--point 300:1,2: object id '300'"),
                             HasSubstr("--point 1;2: "), HasSubstr("--box 5,5,5,9: "),
                             HasSubstr("empty"), Not(HasSubstr("--point 1,2:"))));
}

TEST(Prompts, MayBeNone) {
  EXPECT_TRUE(parse_prompts({}).empty());
}

TEST(Prompts, FindTheFrameShownAtATime) {
  const FakeSource source = ten_frames();
  EXPECT_EQ(resolve_frame(parse_frame("0s"), source), 0);
  EXPECT_EQ(resolve_frame(parse_frame("0.09s"), source), 0);
  EXPECT_EQ(resolve_frame(parse_frame("0.3s"), source), 3);
  EXPECT_EQ(resolve_frame(parse_frame("0.35s"), source), 3);
  EXPECT_EQ(resolve_frame(parse_frame("0.95s"), source), 9);
  EXPECT_THROW(resolve_frame(parse_frame("1.2s"), source), Error);
}

TEST(Prompts, FindTheFrameOfAVariableRate) {
  const FakeSource source(10, 10, {2, 2.5, 2.5, 7});
  EXPECT_EQ(resolve_frame(parse_frame("0.4s"), source), 0);
  EXPECT_EQ(resolve_frame(parse_frame("0.5s"), source), 2);
  EXPECT_EQ(resolve_frame(parse_frame("4.9s"), source), 2);
  EXPECT_EQ(resolve_frame(parse_frame("5s"), source), 3);
}

TEST(Prompts, GoTogetherByObjectAndFrame) {
  const PromptTable table = resolve_prompts(
      parse_prompts({{"1:10,20", "1:30,40:0", "2:5,5", "1:1,1@4"}, {"1:0,0,50,60"}, {}, {}}),
      ten_frames());
  ASSERT_EQ(table.size(), 3u);
  const Prompt& first = table.at({1, 0});
  EXPECT_EQ(first.clicks.size(), 2u);
  EXPECT_TRUE(first.box);
  EXPECT_EQ(table.at({1, 4}).clicks.size(), 1u);
  EXPECT_FALSE(table.at({2, 0}).box);
}

TEST(Prompts, AreCheckedAgainstTheVideoAllAtOnce) {
  const PromptArguments arguments =
      parse_prompts({{"200.5,10", "10,10@10", "200,100"}, {"0,0,10,101"}, {"nowhere.png"}, {}});
  const std::string message = message_of<Error>([&] { resolve_prompts(arguments, ten_frames()); });
  EXPECT_THAT(
      message,
      AllOf(HasSubstr("--point 200.5,10: 200.5,10 lies outside the picture, which is 200x100"),
            HasSubstr("--point 10,10@10: there is no frame 10, the video has 10"),
            HasSubstr("--box 0,0,10,101: "), HasSubstr("--mask nowhere.png: "),
            Not(HasSubstr("--point 200,100: "))));
}

TEST(Prompts, RefuseTwoBoxesForOneObjectOnOneFrame) {
  const auto arguments = parse_prompts({{}, {"0,0,9,9", "1,1,8,8"}, {}, {}});
  EXPECT_THAT(message_of<Error>([&] { resolve_prompts(arguments, ten_frames()); }),
              HasSubstr("--box 1,1,8,8: object 1 already has a box"));
}

class MaskPrompts : public testing::Test {
 protected:
  /// A picture that is white in its left half.
  std::string half_white(int height, int width) {
    Image image{height, width, std::vector<std::uint8_t>(std::size_t(3 * height * width))};
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < 3 * (width / 2); ++x) image.rgb[std::size_t(y * 3 * width + x)] = 255;
    const std::string path = folder_ / "half.png";
    video::write_picture(path, image);
    return path;
  }

  TemporaryFolder folder_;
};

TEST_F(MaskPrompts, TakeWhateverIsNotBlack) {
  const auto arguments = parse_prompts({{}, {}, {"4:" + half_white(100, 200) + "@2"}, {}});
  const PromptTable table = resolve_prompts(arguments, ten_frames());
  const Prompt& prompt = table.at({4, 2});
  ASSERT_TRUE(prompt.mask);
  EXPECT_EQ(prompt.mask->height, 100);
  EXPECT_EQ(prompt.mask->data[99], 1);
  EXPECT_EQ(prompt.mask->data[100], 0);
}

TEST_F(MaskPrompts, RefuseAnotherSize) {
  const auto arguments = parse_prompts({{}, {}, {half_white(50, 200)}, {}});
  EXPECT_THAT(message_of<Error>([&] { resolve_prompts(arguments, ten_frames()); }),
              HasSubstr("the mask is 200x50, want 200x100"));
}

TEST_F(MaskPrompts, RefuseAClickBeside) {
  const auto arguments = parse_prompts({{"1,1"}, {}, {half_white(100, 200)}, {}});
  EXPECT_THAT(message_of<Error>([&] { resolve_prompts(arguments, ten_frames()); }),
              HasSubstr("--point 1,1: object 1 already has a mask"));
}

}  // namespace
}  // namespace vostrack::cli
