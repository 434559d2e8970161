#include "video/tiff_samples.hpp"

#include "base/check.hpp"

namespace vostrack::video {
namespace {

constexpr std::int64_t kUnsigned = 1, kSigned = 2, kFloatingPoint = 3;  // SampleFormat
constexpr std::uint8_t kAssociated = 1, kUnassociated = 2;              // ExtraSamples

}  // namespace

void check_samples(const TiffDirectory& page, const std::string& name) {
  const std::int64_t bits = page.number(kTiffBitsPerSample).value_or(1);
  const std::int64_t format = page.number(kTiffSampleFormat).value_or(kUnsigned);
  check(bits <= 16 && format != kSigned && format != kFloatingPoint, ErrorCode::kUnsupported,
        "{}: its samples are {}{} of {} bits, want unsigned integers of up to 16", name,
        format == kSigned ? "signed " : "", format == kFloatingPoint ? "floats" : "integers", bits);
}

std::vector<std::uint8_t> with_colours_left_alone(std::span<const std::uint8_t> tiff,
                                                  std::int64_t pages) {
  std::vector<std::uint8_t> changed;
  auto page = TiffDirectory::first(tiff);
  for (std::int64_t i = 0; page && i < pages; ++i, page = page->next()) {
    if (page->number(kTiffExtraSamples) != kUnassociated) continue;
    if (changed.empty()) changed.assign(tiff.begin(), tiff.end());
    // One of the value's bytes is not 0, the first or the last.
    for (std::int64_t at = *page->place_of(kTiffExtraSamples);; ++at)
      if (std::uint8_t& byte = changed[static_cast<std::size_t>(at)]; byte == kUnassociated) {
        byte = kAssociated;
        break;
      }
  }
  return changed;
}

void put_first(std::span<std::uint8_t> tiff, std::int64_t place) {
  const bool big_endian = tiff[0] == 'M';
  for (std::size_t i = 0; i < 4; ++i, place >>= 8)
    tiff[big_endian ? 7 - i : 4 + i] = static_cast<std::uint8_t>(place);
}

}  // namespace vostrack::video
