#include "parity/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ostream>

namespace vostrack::parity {
namespace {

constexpr double kAbsent = -1024.0;
constexpr double kSureOfSign = 0.05;
constexpr double kNoiseFactor = 20.0;
constexpr double kEarlyFloor = 1e-4;
constexpr double kRelative = 1e-4;

struct Difference {
  double error = 0;
  double limit = 0;
  std::int64_t wrong_signs = 0;
  std::int64_t wrong_absence = 0;
  bool passed() const { return error <= limit && wrong_signs == 0 && wrong_absence == 0; }
};

Difference difference(const torch::Tensor& ours, const torch::Tensor& reference, double floor,
                      bool signs) {
  Difference result;
  // Enlarging a mask on a GPU moves its -1024 by half a unit in the last place.
  const auto is_absent = [](const torch::Tensor& logits) {
    return (logits - kAbsent).abs() < 1e-4;
  };
  const auto absent = is_absent(reference);
  result.wrong_absence = (is_absent(ours) != absent).sum().item<std::int64_t>();
  const auto a = ours.masked_select(~absent);
  const auto b = reference.masked_select(~absent);
  result.limit = floor;
  if (b.numel() == 0) return result;
  const auto error = (a - b).abs();
  result.error = error.max().item<double>();
  if (!torch::isfinite(a).all().item<bool>()) result.error = INFINITY;
  result.limit = std::max(floor, kRelative * b.abs().max().item<double>());
  if (signs)
    result.wrong_signs =
        (((a > 0) != (b > 0)) & (b.abs() > kSureOfSign)).sum().item<std::int64_t>();
  return result;
}

}  // namespace

double Limits::noise_of(const std::string& key) const {
  const auto it = noise.find(key);
  return it == noise.end() ? 0.0 : it->second;
}

void Report::line(const std::string& name, bool passed, const std::string& text) {
  ++compared_;
  if (!passed) ++failed_;
  if (!quiet_ || !passed)
    out_ << fmt::format("{} {}/{}: {}\n", passed ? "ok  " : "FAIL", section_, name, text);
}

void Report::compare(const std::string& name, const torch::Tensor& ours,
                     const torch::Tensor& reference, Kind kind, const Limits& limits,
                     const std::string& noise_key) {
  if (!ours.defined() || ours.sizes() != reference.sizes()) {
    problem(name, fmt::format("shape ({}), want ({})",
                              ours.defined() ? fmt::format("{}", fmt::join(ours.sizes(), ", "))
                                             : "undefined",
                              fmt::join(reference.sizes(), ", ")));
    return;
  }
  const auto a = ours.to(torch::kCPU).to(torch::kFloat64);
  const auto b = reference.to(torch::kCPU).to(torch::kFloat64);
  const double floor = std::max(kNoiseFactor * limits.noise_of(noise_key),
                                kind == Kind::kEarly  ? kEarlyFloor
                                : kind == Kind::kMask ? limits.mask_floor
                                                      : limits.other_floor);
  const bool signs = kind == Kind::kMask || kind == Kind::kScore;
  const auto slices = kind == Kind::kMask && b.dim() > 0 ? b.size(0) : 1;
  Difference worst;
  bool passed = true;
  for (std::int64_t i = 0; i < slices; ++i) {
    const auto slice = kind == Kind::kMask && b.dim() > 0 ? difference(a[i], b[i], floor, signs)
                                                          : difference(a, b, floor, signs);
    passed = passed && slice.passed();
    if (i == 0 || slice.error / slice.limit > worst.error / worst.limit) {
      worst.error = slice.error;
      worst.limit = slice.limit;
    }
    worst.wrong_signs += slice.wrong_signs;
    worst.wrong_absence += slice.wrong_absence;
  }
  line(name, passed,
       fmt::format("largest error {:.3g}, limit {:.3g}, wrong signs {}{}", worst.error, worst.limit,
                   worst.wrong_signs,
                   worst.wrong_absence > 0
                       ? fmt::format(", wrongly absent or present {}", worst.wrong_absence)
                       : ""));
}

void Report::compare_loosely(const std::string& name, const torch::Tensor& ours,
                             const torch::Tensor& reference) {
  if (ours.sizes() != reference.sizes()) {
    problem(name, "another shape");
    return;
  }
  double worst = 1.0;
  for (std::int64_t i = 0; i < reference.size(0); ++i) {
    const auto a = (ours[i] > 0).to(torch::kCPU);
    const auto b = reference[i] > 0;
    const auto larger = std::max(a.sum().item<std::int64_t>(), b.sum().item<std::int64_t>());
    if (larger < 30) continue;
    worst = std::min(worst, (a & b).sum().item<double>() / (a | b).sum().item<double>());
  }
  line(name, worst >= 0.95, fmt::format("smallest IoU {:.4f}, limit 0.95", worst));
}

void Report::compare_sign(const std::string& name, double ours, double reference) {
  if (std::abs(reference) <= kSureOfSign) return;
  line(name, (ours > 0) == (reference > 0), fmt::format("{:.4f}, want {:.4f}", ours, reference));
}

void Report::problem(const std::string& name, const std::string& what) {
  line(name, false, what);
}

}  // namespace vostrack::parity
