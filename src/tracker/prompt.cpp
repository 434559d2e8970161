#include "tracker/prompt.hpp"

#include <cmath>
#include <vector>

#include "base/check.hpp"
#include "nn/layers.hpp"
#include "nn/prompt_encoder.hpp"

namespace vostrack::tracker {
namespace {

void check_point(const char* what, float x, float y, int height, int width) {
  check(std::isfinite(x) && std::isfinite(y), ErrorCode::kInvalidArgument,
        "{} is ({}, {}), want finite numbers", what, x, y);
  check(x >= 0 && x <= static_cast<float>(width) && y >= 0 && y <= static_cast<float>(height),
        ErrorCode::kOutOfRange, "{} is ({}, {}), want 0 to {} for x and 0 to {} for y", what, x, y,
        width, height);
}

}  // namespace

void check_prompt(const Prompt& prompt, int height, int width) {
  constexpr auto kBad = ErrorCode::kInvalidArgument;
  check(prompt.candidate.value_or(0) >= 0, kBad, "candidate is {}, want at least 0",
        prompt.candidate.value_or(0));
  if (prompt.mask) {
    check(prompt.clicks.empty() && !prompt.box, kBad,
          "a mask prompt comes alone, got {} clicks{} with it", prompt.clicks.size(),
          prompt.box ? " and a box" : "");
    check(!prompt.add_to_earlier_clicks, kBad, "a mask cannot be added to earlier clicks");
    const Mask& mask = *prompt.mask;
    check(mask.height == height && mask.width == width, kBad,
          "mask is {}×{} (height × width), want the picture's size, {}×{}", mask.height, mask.width,
          height, width);
    check(mask.data.size() == static_cast<std::size_t>(height) * width, kBad,
          "mask has {} bytes, want height × width, {}", mask.data.size(),
          static_cast<std::size_t>(height) * width);
    return;
  }
  check(!prompt.clicks.empty() || prompt.box, kBad,
        "prompt is empty, want clicks, a box or a mask");
  for (const Click& click : prompt.clicks) check_point("click", click.x, click.y, height, width);
  if (prompt.box) {
    const Box& box = *prompt.box;
    check(!prompt.add_to_earlier_clicks, kBad,
          "a box cannot be added to earlier clicks, since it must come first; replace them");
    check_point("box corner", box.x0, box.y0, height, width);
    check_point("box corner", box.x1, box.y1, height, width);
    check(box.x0 < box.x1 && box.y0 < box.y1, kBad, "box is {},{},{},{}, want x0 < x1 and y0 < y1",
          box.x0, box.y0, box.x1, box.y1);
  }
}

PointInputs point_inputs(const Prompt& prompt, int height, int width, int image_size) {
  std::vector<float> coords;
  std::vector<std::int32_t> labels;
  if (prompt.box) {
    coords = {prompt.box->x0, prompt.box->y0, prompt.box->x1, prompt.box->y1};
    labels = {nn::kBoxTopLeft, nn::kBoxBottomRight};
  }
  for (const Click& click : prompt.clicks) {
    coords.insert(coords.end(), {click.x, click.y});
    labels.push_back(click.positive ? nn::kPositive : nn::kNegative);
  }
  const auto count = static_cast<std::int64_t>(labels.size());
  auto size = torch::tensor({static_cast<float>(width), static_cast<float>(height)});
  return {torch::tensor(coords).view({1, count, 2}) / size * image_size,
          torch::tensor(labels).view({1, count})};
}

PointInputs append(const PointInputs& earlier, const PointInputs& later) {
  return {torch::cat({earlier.coords, later.coords}, 1),
          torch::cat({earlier.labels, later.labels}, 1)};
}

torch::Tensor mask_input(const Mask& mask, int image_size) {
  auto bytes = torch::from_blob(const_cast<std::uint8_t*>(mask.data.data()),
                                {1, 1, mask.height, mask.width}, torch::kUInt8);
  auto full = (bytes != 0).to(torch::kFloat32);
  if (mask.height == image_size && mask.width == image_size) return full;
  return (nn::resize_bilinear_antialias(full, image_size, image_size) >= 0.5).to(torch::kFloat32);
}

}  // namespace vostrack::tracker
