#include "tracker/masks_at_size.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "nn/layers.hpp"
#include "tracker/postprocess.hpp"

namespace vostrack::tracker {
namespace {

struct Size {
  int from_height, from_width, height, width;
};
/// Larger, smaller, unchanged, and of one row or column.
constexpr Size kSizes[] = {{24, 24, 120, 213}, {24, 24, 17, 11}, {9, 7, 9, 7},
                           {1, 8, 5, 40},      {8, 1, 3, 1},     {96, 96, 480, 854}};

/// Blobs rather than noise, so that most of the picture is neither.
torch::Tensor blobs(const Size& size) {
  return nn::resize_bilinear(torch::randn({1, 1, 3, 3}) * 8 - 3, size.from_height,
                             size.from_width);
}

torch::Tensor as_tensor(const Mask& mask) {
  return torch::tensor(mask.data).view({mask.height, mask.width});
}

/// How many pixels differ where rounding does not decide.
std::int64_t differences(const torch::Tensor& got, const torch::Tensor& want,
                         const torch::Tensor& margin) {
  return ((got != want) & (margin > 1e-4)).sum().item<std::int64_t>();
}

TEST(MaskAtSize, IsWhereResizedLogitsAreAboveTheThreshold) {
  torch::manual_seed(3);
  for (const Size& size : kSizes)
    for (const float threshold : {0.0F, -1.5F, 2.0F}) {
      const auto logits = blobs(size);
      const auto mask = mask_at_size(logits, size.height, size.width, threshold);
      const auto exact = nn::resize_bilinear(logits, size.height, size.width)[0][0];
      ASSERT_EQ(mask.height, size.height);
      ASSERT_EQ(mask.width, size.width);
      EXPECT_EQ(differences(as_tensor(mask), (exact > threshold).to(torch::kUInt8),
                            (exact - threshold).abs()),
                0);
    }
}

TEST(MaskAtSize, ReachesEveryEdge) {
  for (const float logit : {-1.0F, 1.0F})
    for (const std::uint8_t value : mask_at_size(torch::full({1, 1, 6, 6}, logit), 31, 47).data)
      ASSERT_EQ(value, logit > 0);
}

TEST(LabelsAtSize, GiveEachPixelToTheHighestLogit) {
  torch::manual_seed(4);
  for (const Size& size : kSizes) {
    std::vector<torch::Tensor> planes, exact;
    for (int i = 0; i < 5; ++i) {
      planes.push_back(blobs(size));
      exact.push_back(nn::resize_bilinear(planes.back(), size.height, size.width));
    }
    const auto joint = torch::cat(exact);
    const auto sorted = std::get<0>(joint.sort(0, /*descending=*/true));
    const auto margin = torch::minimum(sorted[0].abs(), sorted[0] - sorted[1])[0];
    const auto labels = labels_at_size(planes, size.height, size.width);
    const auto got = torch::tensor(std::vector<std::int64_t>(labels.begin(), labels.end()))
                         .view({size.height, size.width});
    const auto apart = without_overlaps(joint) > 0;
    for (std::int64_t i = 0; i < 5; ++i)
      EXPECT_EQ(differences(got == i + 1, apart[i][0], margin), 0) << "object " << i;
  }
}

TEST(LabelsAtSize, GiveEqualLogitsToTheFirstAndNothingToAbsentObjects) {
  const auto present = torch::full({1, 1, 4, 4}, 2.0F), absent = torch::full({1, 1, 4, 4}, -1024.0F);
  const std::vector<torch::Tensor> planes = {{}, absent, present, present};
  for (const auto label : labels_at_size(planes, 10, 10)) ASSERT_EQ(label, 3);
  for (const auto label : labels_at_size(std::span(planes).first(2), 10, 10)) ASSERT_EQ(label, 0);
  for (const auto label : labels_at_size({}, 10, 10)) ASSERT_EQ(label, 0);
}

}  // namespace
}  // namespace vostrack::tracker
