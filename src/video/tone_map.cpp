#include "video/tone_map.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/check.hpp"

namespace vostrack::video {
namespace {

/// Light up to here, with diffuse white as 1, is left alone.
constexpr double kKnee = 0.5;
/// Signals are looked up with 12 bits, the most that any HDR video has.
constexpr int kSignalBits = 12;
/// Fine enough for sRGB's steep start: a fifth of a step of the result.
constexpr int kLightSteps = 1 << 14;
/// The curve's factors are looked up by the square root of light, which is dense where they bend.
constexpr int kFactorSteps = 1 << 14;

constexpr std::array<float, 9> kBt709FromBt2020 = {1.6605F,  -0.5876F, -0.0728F, -0.1246F, 1.1329F,
                                                   -0.0083F, -0.0182F, -0.1006F, 1.1187F};
constexpr std::array<float, 9> kIdentity = {1, 0, 0, 0, 1, 0, 0, 0, 1};

/// HLG's system gamma on a screen of 1000 cd/m².
constexpr double kHlgGamma = 1.2;

double srgb_of(double light) {
  return light <= 0.0031308 ? 12.92 * light : 1.055 * std::pow(light, 1 / 2.4) - 0.055;
}

}  // namespace

bool is_hdr(AVColorTransferCharacteristic transfer) {
  return transfer == AVCOL_TRC_SMPTE2084 || transfer == AVCOL_TRC_ARIB_STD_B67;
}

double nits_of_pq(double signal) {
  constexpr double m1 = 2610. / 16384, m2 = 2523. / 4096 * 128;
  constexpr double c1 = 3424. / 4096, c2 = 2413. / 4096 * 32, c3 = 2392. / 4096 * 32;
  const double root = std::pow(std::clamp(signal, 0., 1.), 1 / m2);
  return 10000 * std::pow(std::max(root - c1, 0.) / (c2 - c3 * root), 1 / m1);
}

double scene_light_of_hlg(double signal) {
  constexpr double a = 0.17883277, b = 1 - 4 * a;
  static const double c = 0.5 - a * std::log(4 * a);
  signal = std::clamp(signal, 0., 1.);
  return signal <= 0.5 ? signal * signal / 3 : (std::exp((signal - c) / a) + b) / 12;
}

double tone_curve(double light) {
  if (light <= kKnee) return std::max(light, 0.);
  // Reinhard's curve with a white point, between the knee and 1 instead of 0 and 1.
  constexpr double white = (kPeak_nits / kDiffuseWhite_nits - kKnee) / (1 - kKnee);
  const double t = std::min((light - kKnee) / (1 - kKnee), white);
  return kKnee + (1 - kKnee) * t * (1 + t / (white * white)) / (1 + t);
}

struct ToneMapper::Tables {
  bool hlg = false;
  std::array<float, 9> to_bt709 = kIdentity;
  /// PQ: light with diffuse white as 1. HLG: scene light.
  std::vector<float> light = std::vector<float>((1 << kSignalBits) + 1);
  /// HLG: what scene luminance of 0 to 1 multiplies scene light with.
  std::vector<float> system = std::vector<float>(kFactorSteps + 1);
  /// What the curve multiplies light with, by the square root of light over the largest.
  std::vector<float> factor = std::vector<float>(kFactorSteps + 1);
  std::vector<std::uint8_t> encoded = std::vector<std::uint8_t>(kLightSteps + 1);
  float largest = 0;
};

ToneMapper::ToneMapper(AVColorTransferCharacteristic transfer, AVColorPrimaries primaries) {
  VOSTRACK_ASSERT(is_hdr(transfer));
  auto tables = std::make_unique<Tables>();
  tables->hlg = transfer == AVCOL_TRC_ARIB_STD_B67;
  if (primaries != AVCOL_PRI_BT709) tables->to_bt709 = kBt709FromBt2020;
  for (int i = 0; i <= 1 << kSignalBits; ++i) {
    const double signal = static_cast<double>(i) / (1 << kSignalBits);
    tables->light[i] = static_cast<float>(tables->hlg ? scene_light_of_hlg(signal)
                                                      : nits_of_pq(signal) / kDiffuseWhite_nits);
  }
  // Light beyond the peak is clipped: 10000 cd/m² of pure BT.2020 red are 1.66 times as much.
  tables->largest = static_cast<float>(2 * 10000 / kDiffuseWhite_nits);
  for (int i = 0; i <= kFactorSteps; ++i) {
    const double root = static_cast<double>(i) / kFactorSteps;
    const double light = root * root * tables->largest;
    tables->factor[i] = static_cast<float>(i == 0 ? 1 : tone_curve(light) / light);
    // This too is steep at black, hence by the root of luminance.
    tables->system[i] =
        static_cast<float>(kPeak_nits / kDiffuseWhite_nits * std::pow(root * root, kHlgGamma - 1));
  }
  for (int i = 0; i <= kLightSteps; ++i)
    tables->encoded[i] =
        static_cast<std::uint8_t>(std::lround(255 * srgb_of(static_cast<double>(i) / kLightSteps)));
  tables_ = std::move(tables);
}

ToneMapper::~ToneMapper() = default;

void ToneMapper::convert_row(const std::uint16_t* rgb, int width, std::uint8_t* out) const {
  const Tables& tables = *tables_;
  const auto light_of = [&](std::uint16_t sample) {
    // 65535 is full signal, which is the table's last entry.
    constexpr int kShift = 16 - kSignalBits;
    return tables.light[(sample + (sample >> 15) + (1 << (kShift - 1))) >> kShift];
  };
  const std::array<float, 9>& m = tables.to_bt709;
  const float per_light = 1 / tables.largest;
  for (int x = 0; x < width; ++x, rgb += 3, out += 3) {
    float r = light_of(rgb[0]), g = light_of(rgb[1]), b = light_of(rgb[2]);
    if (tables.hlg) {
      const float luminance = 0.2627F * r + 0.6780F * g + 0.0593F * b;
      const float gain =
          tables
              .system[static_cast<int>(std::sqrt(std::min(luminance, 1.F)) * kFactorSteps + 0.5F)];
      r *= gain, g *= gain, b *= gain;
    }
    std::array<float, 3> light = {std::max(0.F, m[0] * r + m[1] * g + m[2] * b),
                                  std::max(0.F, m[3] * r + m[4] * g + m[5] * b),
                                  std::max(0.F, m[6] * r + m[7] * g + m[8] * b)};
    const float strongest = std::max({light[0], light[1], light[2]});
    const float factor = strongest <= static_cast<float>(kKnee)
                             ? 1
                             : tables.factor[static_cast<int>(
                                   std::sqrt(std::min(strongest * per_light, 1.F)) * kFactorSteps)];
    for (int c = 0; c < 3; ++c)
      out[c] =
          tables.encoded[static_cast<int>(std::min(light[c] * factor, 1.F) * kLightSteps + 0.5F)];
  }
}

}  // namespace vostrack::video
