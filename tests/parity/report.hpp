/// Comparing tensors with what the reference computed.
///
/// A quantity passes when its largest absolute error is at most its limit, no sign is wrong where
/// the reference is sure of it, and absent masks (−1024) are absent in both.
#pragma once

#include <torch/types.h>

#include <iosfwd>
#include <map>
#include <string>

namespace vostrack::parity {

/// How far rounding alone moves the reference's own numbers, and what follows from it.
struct Limits {
  std::map<std::string, double> noise;
  /// Well-conditioned (trained) weights are held to tighter floors.
  double mask_floor = 5e-3;
  double other_floor = 2e-3;

  double noise_of(const std::string& key) const;
};

enum class Kind {
  kEarly,  ///< up to the decoder: floor 1e-4
  kMask,   ///< mask logits: each object's slice has its own limit, signs count
  kScore,  ///< object scores: signs count
  kOther,
};

class Report {
 public:
  /// @param quiet  prints only what fails
  Report(std::ostream& out, bool quiet) : out_(out), quiet_(quiet) {}

  void section(const std::string& name) { section_ = name; }
  /// Compares; along dimension 0 of masks each slice is an object.
  ///
  /// @param noise_key  the entry of noise.json
  void compare(const std::string& name, const torch::Tensor& ours, const torch::Tensor& reference,
               Kind kind, const Limits& limits, const std::string& noise_key);
  /// Masks of a run that the reference made in another precision: IoU of each object at least 0.95,
  /// or both under 30 pixels.
  void compare_loosely(const std::string& name, const torch::Tensor& ours,
                       const torch::Tensor& reference);
  void compare_sign(const std::string& name, double ours, double reference);
  /// Records something that went wrong beside numbers.
  void problem(const std::string& name, const std::string& what);

  int compared() const { return compared_; }
  int failed() const { return failed_; }

 private:
  void line(const std::string& name, bool passed, const std::string& text);

  std::ostream& out_;
  bool quiet_;
  std::string section_;
  int compared_ = 0;
  int failed_ = 0;
};

}  // namespace vostrack::parity
