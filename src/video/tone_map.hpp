/// High dynamic range to the range that networks and screens expect.
///
/// Everything happens in linear light: signal to candela per square metre, BT.2020 primaries to
/// BT.709's, highlights rolled off, sRGB's curve. Light of 203 cd/m², which HDR programmes use for
/// white paper, is 1; up to half of that nothing changes but the encoding; above, a curve of slope
/// 1 at its start bends towards 1, which light of 1000 cd/m² reaches. The curve goes by the
/// strongest of red, green and blue and scales all three, so hues stay.
///
/// Sources: ITU-R BT.2100-2, tables 4 and 5 (PQ, HLG); BT.2408-5, table 1 (203 cd/m²); BT.2087-0
/// (primaries); E. Reinhard et al., "Photographic Tone Reproduction for Digital Images", eq. 4
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "video/ffmpeg.hpp"

namespace vostrack::video {

inline constexpr double kDiffuseWhite_nits = 203;
inline constexpr double kPeak_nits = 1000;

/// Whether a transfer characteristic is PQ or HLG.
bool is_hdr(AVColorTransferCharacteristic transfer);

/// Light on the reference screen in cd/m² for a PQ signal of 0 to 1.
double nits_of_pq(double signal);
/// Scene light of 0 to 1 for an HLG signal of 0 to 1.
double scene_light_of_hlg(double signal);
/// @param light  1 is diffuse white
/// @return 0 to 1
double tone_curve(double light);

/// Thread safety: convert() may run on several threads.
class ToneMapper {
 public:
  /// @param transfer   PQ or HLG
  /// @param primaries  BT.709's are kept, all others are taken for BT.2020's
  ToneMapper(AVColorTransferCharacteristic transfer, AVColorPrimaries primaries);
  ~ToneMapper();

  /// One row of `width` pixels, three 16-bit samples each, to three bytes each.
  void convert_row(const std::uint16_t* rgb, int width, std::uint8_t* out) const;

 private:
  struct Tables;
  std::unique_ptr<const Tables> tables_;
};

}  // namespace vostrack::video
