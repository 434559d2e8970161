#include "train/prompts.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>

#include "base/check.hpp"
#include "eval/interaction.hpp"
#include "nn/parallel.hpp"
#include "nn/prompt_encoder.hpp"

namespace vostrack::train {
namespace {

constexpr double kMostBoxNoise = 20;  ///< pixels
constexpr int kIgnored = 255;
constexpr std::int64_t kCentringSize = 112;  ///< centres are looked for on masks of about this size

struct Point {
  float x = 0, y = 0;
  std::int32_t label = nn::kPositive;
};

/// Masks of which a point may be chosen: (B, S, S) bool, on any device.
using Candidates = std::vector<torch::Tensor>;

/// A pixel for each row, chosen at random from the first of the candidates that has one there; the
/// corner where none has. One look at how many there are, however many rows: on a GPU each look
/// waits for all work that was given to it.
///
/// @param draws  of each row
std::vector<Point> random_pixels(const Candidates& candidates, const std::vector<Draws*>& draws) {
  const auto stacked = torch::stack(candidates).flatten(2);  // (C, B, P)
  const auto counts = stacked.sum(-1, /*keepdim=*/false, torch::kInt32).to(torch::kCPU);
  const auto count = counts.accessor<std::int32_t, 2>();
  const auto rows = static_cast<std::int64_t>(draws.size());
  std::vector<std::int64_t> chosen(rows, 0), rank(rows, 1);
  std::vector<bool> found(rows, false);
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t c = 0; c < counts.size(0) && !found[i]; ++c) {
      if (count[c][i] == 0) continue;
      found[i] = true;
      chosen[i] = c;
      rank[i] = 1 + draws[i]->below(count[c][i]);
    }
  const auto on_device = [&](const std::vector<std::int64_t>& values) {
    return torch::tensor(values).to(stacked.device());
  };
  const auto masks = stacked.index({on_device(chosen), torch::arange(rows, stacked.device())});
  const auto places = torch::searchsorted(masks.cumsum(-1, torch::kInt32),
                                          on_device(rank).to(torch::kInt32).unsqueeze(1))
                          .squeeze(1)
                          .to(torch::kCPU);
  const auto width = candidates.front().size(-1);
  std::vector<Point> points(rows);
  for (std::int64_t i = 0; i < rows; ++i) {
    if (!found[i]) continue;
    const auto place = places[i].item<std::int64_t>();
    points[i].x = static_cast<float>(place % width);
    points[i].y = static_cast<float>(place / width);
  }
  return points;
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

/// First and last index of each row of a (B, S) bool that is set, on the CPU; 0 of an empty row.
std::vector<std::array<double, 2>> extents(const torch::Tensor& lines) {
  const auto cpu = lines.to(torch::kCPU).contiguous();
  const bool* set = cpu.const_data_ptr<bool>();
  const auto length = cpu.size(1);
  std::vector<std::array<double, 2>> result(cpu.size(0), {0, 0});
  for (auto& extent : result) {
    const bool* const end = set + length;
    const bool* const first = std::find(set, end, true);
    if (first != end) {
      const auto last =
          std::find(std::make_reverse_iterator(end), std::make_reverse_iterator(set), true);
      extent = {static_cast<double>(first - set), static_cast<double>(&*last - set)};
    }
    set = end;
  }
  return result;
}

/// (S, S) uint8 on the CPU, as the measures take it: 1 where it has `value`.
Mask mask_of(const torch::Tensor& values, std::uint8_t value) {
  const auto size = static_cast<int>(values.size(0));
  Mask mask{size, size, {}};
  const auto* first = values.const_data_ptr<std::uint8_t>();
  std::transform(first, first + values.numel(), std::back_inserter(mask.data),
                 [value](std::uint8_t v) { return static_cast<std::uint8_t>(v == value); });
  return mask;
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
  check_probability("centred_probability", centred_probability);
  check_probability("box_noise", box_noise);
  check_count("conditioning_frames", conditioning_frames, 1);
  check_count("corrected_frames", corrected_frames, conditioning_frames);
  check_count("corrections_per_frame", corrections_per_frame, 0);
  check_count("picture_corrections", picture_corrections, 0);
}

RandomPrompter::RandomPrompter(const PromptOptions& options, const Batch& batch, std::uint64_t seed,
                               std::uint64_t step)
    : options_(options), seed_(seed), step_(step) {
  const auto clip_of = batch.clip_of.to(torch::kCPU);
  for (std::int64_t i = 0; i < batch.objects(); ++i) {
    clip_of_.push_back(clip_of[i].item<std::int64_t>());
    draws_.push_back(Draws({seed, step, static_cast<std::uint64_t>(batch.indices[clip_of_.back()]),
                            static_cast<std::uint64_t>(batch.object_in_clip[i])}));
  }
}

std::vector<Draws*> RandomPrompter::draws_of(const std::vector<std::int64_t>& objects) {
  std::vector<Draws*> draws;
  for (const auto object : objects) draws.push_back(&draws_[object]);
  return draws;
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
  const auto known = truth != kIgnored;
  const auto on = truth == 1;
  // Wrong pixels, missed or too many; on the background where all is right.
  auto wrong = on;
  if (predicted.defined()) {
    wrong = (on != predicted).logical_and(known);
    std::vector<std::int64_t> from_truth;
    for (const auto object : objects)
      from_truth.push_back(draws_[object].chance(options_.from_truth_probability));
    wrong = torch::where(torch::tensor(from_truth).to(truth.device()).to(torch::kBool).view({-1, 1, 1}),
                         on, wrong);
  }
  const auto points =
      random_pixels({wrong, on.logical_not().logical_and(known), on}, draws_of(objects));
  std::vector<std::int64_t> places;
  for (const Point& point : points)
    places.push_back(static_cast<std::int64_t>(point.y) * truth.size(-1) +
                     static_cast<std::int64_t>(point.x));
  const auto positive =
      on.flatten(1).gather(1, torch::tensor(places).to(truth.device()).unsqueeze(1)).to(torch::kCPU);
  std::vector<std::vector<Point>> rows;
  for (std::size_t i = 0; i < points.size(); ++i) {
    rows.push_back({points[i]});
    rows[i][0].label =
        positive[static_cast<std::int64_t>(i)][0].item<bool>() ? nn::kPositive : nn::kNegative;
  }
  const auto middles = this->middles(objects, truth, predicted);
  for (std::size_t i = 0; i < middles.size(); ++i)
    if (const auto& click = middles[i])
      rows[i][0] = {click->x, click->y, click->positive ? nn::kPositive : nn::kNegative};
  return as_inputs(rows);
}

std::vector<std::optional<Click>> RandomPrompter::middles(const std::vector<std::int64_t>& objects,
                                                          const torch::Tensor& truth,
                                                          const torch::Tensor& predicted) {
  if (options_.centred_probability == 0) return {};
  const auto stride = std::max<std::int64_t>(1, truth.size(-1) / kCentringSize);
  const auto offset = stride / 2;
  const auto smaller = [&](const torch::Tensor& masks) {
    return masks.slice(1, offset, {}, stride)
        .slice(2, offset, {}, stride)
        .to(torch::kCPU, torch::kUInt8)
        .contiguous();
  };
  const auto truths = smaller(truth);
  const auto answers = predicted.defined() ? smaller(predicted) : torch::zeros_like(truths);
  std::vector<std::int64_t> centred;
  for (std::size_t i = 0; i < objects.size(); ++i)
    if (draws_[objects[i]].chance(options_.centred_probability))
      centred.push_back(static_cast<std::int64_t>(i));
  std::vector<std::optional<Click>> clicks(objects.size());
  const auto count = static_cast<std::int64_t>(centred.size());
  at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto n = begin; n < end; ++n) {
      const auto i = centred[n];
      auto& click = clicks[i];
      click = eval::correcting_click(mask_of(answers[i], 1), mask_of(truths[i], 1),
                                     mask_of(truths[i], kIgnored));
      if (!click) continue;
      for (float* place : {&click->x, &click->y})
        *place = *place * static_cast<float>(stride) + static_cast<float>(offset);
    }
  });
  return clicks;
}

tracker::PointInputs RandomPrompter::box(const std::vector<std::int64_t>& objects,
                                         const torch::Tensor& truth) {
  const auto on = truth == 1;
  // Of an absent object: an empty box in the corner.
  const auto columns = extents(on.any(1)), lines = extents(on.any(2));
  const auto last = static_cast<double>(truth.size(-1) - 1);
  std::vector<std::vector<Point>> rows;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    Draws& draws = draws_[objects[i]];
    const auto disturbed = [&](std::array<double, 2> sides) {
      const double most = std::min(options_.box_noise * (sides[1] - sides[0]), kMostBoxNoise);
      for (double& side : sides)
        side = std::clamp(side + most * (2 * draws.uniform() - 1), 0.0, last);
      return sides;
    };
    const auto x = disturbed(columns[i]);
    const auto y = disturbed(lines[i]);
    rows.push_back({{static_cast<float>(x[0]), static_cast<float>(y[0]), nn::kBoxTopLeft},
                    {static_cast<float>(x[1]), static_cast<float>(y[1]), nn::kBoxBottomRight}});
  }
  return as_inputs(rows);
}

tracker::PointInputs RandomPrompter::clicks_with_background(
    const Batch& batch, const std::vector<std::int64_t>& objects) {
  const auto first = batch.masks.select(1, 0);
  const auto index = [&](const std::vector<std::int64_t>& rows) {
    return first.index_select(0, torch::tensor(rows).to(first.device()));
  };
  const auto own = index(objects);
  const auto on = own == 1;
  const auto off = own == 0;
  const auto draws = draws_of(objects);
  std::vector<std::vector<Point>> rows;
  for (const Point& point : random_pixels({on}, draws)) rows.push_back({point});
  std::vector<std::vector<std::int64_t>> neighbours;
  for (const auto object : objects) {
    auto& own_neighbours = neighbours.emplace_back();
    for (std::int64_t other = 0; other < batch.objects(); ++other)
      if (other != object && clip_of_[other] == clip_of_[object]) own_neighbours.push_back(other);
    // An object without neighbours has itself, of which nothing is off it.
    if (own_neighbours.empty()) own_neighbours.push_back(object);
  }
  for (int i = 0; i < 2; ++i) {
    std::vector<std::int64_t> others;
    for (std::size_t row = 0; row < objects.size(); ++row)
      others.push_back(
          neighbours[row][draws_[objects[row]].below(std::ssize(neighbours[row]))]);
    const auto points =
        random_pixels({(index(others) == 1).logical_and(off), off, on}, draws);
    const auto filled = off.flatten(1).any(1).logical_not().to(torch::kCPU);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      rows[row].push_back(points[row]);
      // Where the object fills the picture, the click is on it.
      rows[row].back().label =
          filled[static_cast<std::int64_t>(row)].item<bool>() ? nn::kPositive : nn::kNegative;
    }
  }
  return as_inputs(rows);
}

}  // namespace vostrack::train
