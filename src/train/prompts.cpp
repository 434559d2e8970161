#include "train/prompts.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "base/check.hpp"
#include "nn/prompt_encoder.hpp"

namespace vostrack::train {
namespace {

// As the reference disturbs boxes: a part of the side, at most so many pixels.
constexpr double kBoxNoise = 0.1;
constexpr double kMostBoxNoise = 20;
constexpr int kIgnored = 255;

struct Point {
  float x = 0, y = 0;
  std::int32_t label = nn::kPositive;
};

/// A random pixel of a (S, S) bool mask on the CPU; nothing when it is empty.
bool random_pixel(const torch::Tensor& mask, Draws& draws, Point& point) {
  const auto pixels = mask.flatten().nonzero();
  if (pixels.size(0) == 0) return false;
  const auto chosen = pixels[draws.below(pixels.size(0))][0].item<std::int64_t>();
  point.x = static_cast<float>(chosen % mask.size(1));
  point.y = static_cast<float>(chosen / mask.size(1));
  return true;
}

/// A click on one of the wrong pixels, missed or too many; on the background where all is right.
Point correcting_click(const torch::Tensor& truth, const torch::Tensor& predicted, Draws& draws) {
  const auto known = truth != kIgnored;
  const auto on = truth == 1;
  auto wrong = on;
  if (predicted.defined()) wrong = (on != predicted).logical_and(known);
  Point point;
  if (!random_pixel(wrong, draws, point) &&
      !random_pixel(on.logical_not().logical_and(known), draws, point))
    random_pixel(on, draws, point);
  const bool positive =
      on[static_cast<std::int64_t>(point.y)][static_cast<std::int64_t>(point.x)].item<bool>();
  point.label = positive ? nn::kPositive : nn::kNegative;
  return point;
}

/// (B, N) points as the networks take them.
tracker::PointInputs as_inputs(const std::vector<std::vector<Point>>& rows) {
  const auto batch = static_cast<std::int64_t>(rows.size());
  const auto count = static_cast<std::int64_t>(rows.front().size());
  std::vector<float> coords;
  std::vector<std::int32_t> labels;
  for (const auto& row : rows)
    for (const Point& point : row) {
      coords.insert(coords.end(), {point.x, point.y});
      labels.push_back(point.label);
    }
  return {torch::tensor(coords).view({batch, count, 2}),
          torch::tensor(labels).view({batch, count})};
}

/// First and last index of a (S,) bool that is set somewhere.
std::array<double, 2> extent(const torch::Tensor& line) {
  const auto set = line.nonzero();
  return {static_cast<double>(set[0][0].item<std::int64_t>()),
          static_cast<double>(set[-1][0].item<std::int64_t>())};
}

void check_probability(const char* name, double value) {
  check(value >= 0 && value <= 1, ErrorCode::kInvalidArgument, "prompts.{} is {}, want 0 to 1",
        name, value);
}

void check_count(const char* name, int value, int least) {
  check(value >= least, ErrorCode::kInvalidArgument, "prompts.{} is {}, want at least {}", name,
        value, least);
}

}  // namespace

void PromptOptions::validate() const {
  check_probability("point_probability", point_probability);
  check_probability("box_probability", box_probability);
  check_probability("from_truth_probability", from_truth_probability);
  check_count("conditioning_frames", conditioning_frames, 1);
  check_count("corrected_frames", corrected_frames, conditioning_frames);
  check_count("corrections_per_frame", corrections_per_frame, 0);
  check_count("picture_corrections", picture_corrections, 0);
}

RandomPrompter::RandomPrompter(const PromptOptions& options, const Batch& batch, std::uint64_t seed,
                               std::uint64_t step)
    : options_(options), seed_(seed), step_(step) {
  for (std::int64_t i = 0; i < batch.objects(); ++i)
    draws_.push_back(
        Draws({seed, step,
               static_cast<std::uint64_t>(batch.indices[batch.clip_of[i].item<std::int64_t>()]),
               static_cast<std::uint64_t>(batch.object_in_clip[i])}));
}

std::vector<PromptPlan> RandomPrompter::plan(const Batch& batch) {
  std::array<PromptPlan, 3> plans;
  for (std::int64_t i = 0; i < batch.objects(); ++i) {
    PromptKind kind = PromptKind::kMask;
    if (draws_[i].chance(options_.point_probability))
      kind = draws_[i].chance(options_.box_probability) ? PromptKind::kBox : PromptKind::kClick;
    plans[static_cast<int>(kind)].objects.push_back(i);
  }
  std::vector<PromptPlan> used;
  for (int k = 0; k < 3; ++k) {
    PromptPlan& plan = plans[k];
    if (plan.objects.empty()) continue;
    plan.kind = static_cast<PromptKind>(k);
    // Shared by all objects of a kind, and so drawn from the step alone.
    Draws draws({seed_, step_, ~static_cast<std::uint64_t>(k)});
    const auto count = [&](int least, int most) {
      return options_.random_frame_counts ? draws.between(least, most) : most;
    };
    const std::int64_t length = batch.length();
    std::vector<std::int64_t> later(length - 1);
    std::iota(later.begin(), later.end(), 1);
    const auto conditioning = std::min(count(1, options_.conditioning_frames), length);
    plan.conditioning = draws.choose(later, conditioning - 1);
    std::erase_if(later, [&](auto t) { return std::ranges::count(plan.conditioning, t) > 0; });
    plan.conditioning.insert(plan.conditioning.begin(), 0);
    if (plan.kind != PromptKind::kMask || options_.correct_after_mask) {
      const auto corrected = count(static_cast<int>(conditioning), options_.corrected_frames);
      if (plan.kind != PromptKind::kMask) plan.corrected = plan.conditioning;
      for (const auto frame : draws.choose(later, corrected - conditioning))
        plan.corrected.push_back(frame);
    }
    used.push_back(std::move(plan));
  }
  return used;
}

tracker::PointInputs RandomPrompter::click(const std::vector<std::int64_t>& objects,
                                           const torch::Tensor& truth,
                                           const torch::Tensor& predicted) {
  const auto masks = truth.to(torch::kCPU);
  const auto answers = predicted.defined() ? predicted.to(torch::kCPU) : predicted;
  std::vector<std::vector<Point>> rows;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    Draws& draws = draws_[objects[i]];
    torch::Tensor answer;
    if (answers.defined() && !draws.chance(options_.from_truth_probability)) answer = answers[i];
    rows.push_back({correcting_click(masks[i], answer, draws)});
  }
  return as_inputs(rows);
}

tracker::PointInputs RandomPrompter::box(const std::vector<std::int64_t>& objects,
                                         const torch::Tensor& truth) {
  const auto on = truth.to(torch::kCPU) == 1;
  const auto last = static_cast<double>(truth.size(-1) - 1);
  std::vector<std::vector<Point>> rows;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    Draws& draws = draws_[objects[i]];
    std::array<double, 2> x{0, 0}, y{0, 0};  // of an absent object: an empty box in the corner
    if (on[i].any().item<bool>()) {
      x = extent(on[i].any(0));
      y = extent(on[i].any(1));
    }
    const auto disturb = [&](std::array<double, 2>& sides) {
      const double most = std::min(kBoxNoise * (sides[1] - sides[0]), kMostBoxNoise);
      for (double& side : sides)
        side = std::clamp(side + most * (2 * draws.uniform() - 1), 0.0, last);
    };
    disturb(x);
    disturb(y);
    rows.push_back({{static_cast<float>(x[0]), static_cast<float>(y[0]), nn::kBoxTopLeft},
                    {static_cast<float>(x[1]), static_cast<float>(y[1]), nn::kBoxBottomRight}});
  }
  return as_inputs(rows);
}

tracker::PointInputs RandomPrompter::clicks_with_background(
    const Batch& batch, const std::vector<std::int64_t>& objects) {
  const auto first = batch.masks.select(1, 0).to(torch::kCPU);
  std::vector<std::vector<Point>> rows;
  for (const std::int64_t object : objects) {
    Draws& draws = draws_[object];
    const auto on = first[object] == 1;
    const auto off = first[object] == 0;
    std::vector<std::int64_t> neighbours;
    const auto clip = batch.clip_of[object].item<std::int64_t>();
    for (std::int64_t i = 0; i < batch.objects(); ++i)
      if (i != object && batch.clip_of[i].item<std::int64_t>() == clip) neighbours.push_back(i);
    std::vector<Point> row(1);
    random_pixel(on, draws, row[0]);
    for (int i = 0; i < 2; ++i) {
      Point point;
      point.label = nn::kNegative;
      bool found = false;
      if (!neighbours.empty()) {
        const auto other = neighbours[draws.below(static_cast<std::int64_t>(neighbours.size()))];
        found = random_pixel((first[other] == 1).logical_and(off), draws, point);
      }
      if (!found && !random_pixel(off, draws, point)) {
        random_pixel(on, draws, point);  // the object fills the picture
        point.label = nn::kPositive;
      }
      row.push_back(point);
    }
    rows.push_back(std::move(row));
  }
  return as_inputs(rows);
}

}  // namespace vostrack::train
