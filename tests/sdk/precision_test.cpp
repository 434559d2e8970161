// The fast path sees what the exact one sees, on real pictures with the model that ships.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "support/shared_data.hpp"
#include "vostrack/vostrack.hpp"

namespace vostrack::test {
namespace {

constexpr std::int64_t kFrames = 12;

/// Anything that is not black is the object.
Mask read_mask(const std::string& path) {
  const Image image = read_image(path);
  Mask mask{image.height, image.width, {}};
  for (std::size_t i = 0; i < image.rgb.size(); i += 3)
    mask.data.push_back(image.rgb[i] || image.rgb[i + 1] || image.rgb[i + 2]);
  return mask;
}

std::vector<Mask> track(const std::string& video, const Mask& first, Precision precision) {
  ModelOptions options;
  options.precision = precision;
  VideoSession session(Model::load_default(options), open_video(video));
  Prompt prompt;
  prompt.mask = first;
  session.add_prompt(1, 0, prompt);
  std::vector<Mask> masks;
  PropagateOptions range;
  range.count = kFrames - 1;
  session.propagate(range, [&](const FrameResult& result) {
    masks.push_back(result.objects[0].mask());
    return true;
  });
  return masks;
}

/// What is computed in when `precision` is asked for; nothing where it is refused.
std::optional<Precision> in_force(Precision precision) {
  ModelOptions options;
  options.precision = precision;
  try {
    return Model::load_default(options).options().precision;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kUnsupported) throw;
    return std::nullopt;
  }
}

void expect_agreement(const std::string& video, const Mask& first, const std::vector<Mask>& exact,
                      Precision precision) {
  const auto fast = track(video, first, precision);
  ASSERT_EQ(exact.size(), static_cast<std::size_t>(kFrames));
  ASSERT_EQ(fast.size(), exact.size());
  double lowest = 1, sum = 0;
  for (std::size_t frame = 0; frame < exact.size(); ++frame) {
    std::int64_t both = 0, any = 0;
    for (std::size_t i = 0; i < exact[frame].data.size(); ++i) {
      both += exact[frame].data[i] && fast[frame].data[i];
      any += exact[frame].data[i] || fast[frame].data[i];
    }
    EXPECT_GT(any, 0) << "the object is lost at frame " << frame;
    const double iou = any ? static_cast<double>(both) / static_cast<double>(any) : 1;
    EXPECT_GE(iou, 0.97) << "frame " << frame;
    lowest = std::min(lowest, iou);
    sum += iou;
  }
  std::cout << "[   IoU    ] at least " << lowest << ", mean " << sum / static_cast<double>(kFrames)
            << '\n';
}

void expect_agreement(const std::string& video, const std::string& first_mask) {
  const Mask first = read_mask(first_mask);
  const auto exact = track(video, first, Precision::kFloat32);
  expect_agreement(video, first, exact, Precision::kBFloat16);
  if (in_force(Precision::kInt8))
    expect_agreement(video, first, exact, Precision::kInt8);
  else
    std::cout << "[ SKIPPED  ] int8, which this processor cannot do\n";
}

TEST(Precision, IsFloat32WhereBfloat16IsNone) {
  ASSERT_EQ(in_force(Precision::kFloat32), Precision::kFloat32);
  if (in_force(Precision::kBFloat16) == Precision::kBFloat16)
    GTEST_SKIP() << "this processor has bfloat16";
  const std::string samples = std::string(VOSTRACK_SOURCE_DIR) + "/samples/";
  const Mask first = read_mask(samples + "dog_mask.png");
  const auto exact = track(samples + "dog.mp4", first, Precision::kFloat32);
  const auto asked = track(samples + "dog.mp4", first, Precision::kBFloat16);
  ASSERT_EQ(exact.size(), asked.size());
  for (std::size_t frame = 0; frame < exact.size(); ++frame)
    EXPECT_EQ(exact[frame].data, asked[frame].data) << "frame " << frame;
}

TEST(Precision, AgreesOnTheSampleClip) {
  const std::string samples = std::string(VOSTRACK_SOURCE_DIR) + "/samples/";
  expect_agreement(samples + "dog.mp4", samples + "dog_mask.png");
}

class PrecisionOnDavis : public ::testing::TestWithParam<const char*> {};

TEST_P(PrecisionOnDavis, Agrees) {
  const auto root = shared_data("data/davis2016");
  if (root.empty()) GTEST_SKIP() << "davis2016 is not here";
  const std::string name = GetParam();
  expect_agreement((root / "JPEGImages/480p" / name).string(),
                   (root / "Annotations/480p" / name / "00000.png").string());
}

INSTANTIATE_TEST_SUITE_P(Sequences, PrecisionOnDavis,
                         ::testing::Values("blackswan", "cows", "soapbox"));

}  // namespace
}  // namespace vostrack::test
