/// The tags of a TIFF file, or of EXIF data, which has the same form.
///
///   if (const auto page = TiffDirectory::first(bytes)) use(page->number(0x0112));
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace vostrack::video {

inline constexpr int kTiffWidth = 0x0100;
inline constexpr int kTiffHeight = 0x0101;
inline constexpr int kTiffBitsPerSample = 0x0102;
inline constexpr int kTiffOrientation = 0x0112;
inline constexpr int kTiffExtraSamples = 0x0152;
inline constexpr int kTiffSampleFormat = 0x0153;

/// One directory, which is a page. The bytes must outlive it; whatever they hold, nothing beyond
/// their end is read.
///
/// Source: TIFF revision 6.0, section 2. BigTIFF is not read.
class TiffDirectory {
 public:
  /// Nothing when these bytes are no TIFF.
  static std::optional<TiffDirectory> first(std::span<const std::uint8_t> tiff);
  /// Nothing after the last.
  std::optional<TiffDirectory> next() const;

  /// A tag's first value; nothing when it is not there or is no whole number.
  std::optional<std::int64_t> number(int tag) const;
  /// Where that value lies in the bytes, perhaps beyond their end.
  std::optional<std::int64_t> place_of(int tag) const;
  /// Where the directory itself lies.
  std::int64_t place() const noexcept { return place_; }

 private:
  TiffDirectory(std::span<const std::uint8_t> tiff, bool big_endian, std::int64_t at);
  static std::optional<TiffDirectory> at(std::span<const std::uint8_t> tiff, bool big_endian,
                                         std::int64_t offset_place);
  std::int64_t entry(int index) const { return place_ + 2 + std::int64_t{12} * index; }
  std::optional<std::int64_t> find(int tag) const;
  int size_of_values(std::int64_t entry) const;

  std::span<const std::uint8_t> tiff_;
  bool big_endian_;
  std::int64_t place_;
  int entries_ = 0;
};

}  // namespace vostrack::video
