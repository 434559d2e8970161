/// Numbers that the pack file's reader and writer share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace vostrack::train::pack_format {

/// The line breaks show a file that went through a text-mode copy.
inline constexpr std::array<std::uint8_t, 8> kSignature = {'v', 't', 'p',  'a',
                                                           'c', 'k', '\r', '\n'};
inline constexpr std::array<std::uint8_t, 8> kEnd = {'v', 't', 'p', 'e', 'n', 'd', '\r', '\n'};
inline constexpr std::size_t kHeaderSize = 16;
/// Index offset, index size, records (8 bytes each), the index's and the footer's own CRC-32, kEnd.
inline constexpr std::size_t kFooterSize = 40;
inline constexpr std::size_t kFooterChecked = 28;
/// Kind, labels, three lengths of strings, frames, height, width, number of labels.
inline constexpr std::size_t kSmallestRecord = 22;
/// Offset, stored bytes, CRC-32, deflated.
inline constexpr std::size_t kPlaneSize = 21;
inline constexpr int kMaxSide = 32768;
inline constexpr std::int64_t kMaxPixels = std::int64_t{1} << 28;
inline constexpr std::size_t kMaxText = 4096;
/// Deflate cannot shrink further than this.
inline constexpr std::uint64_t kMaxRatio = 1032;

}  // namespace vostrack::train::pack_format
