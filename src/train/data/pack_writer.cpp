#include "train/data/pack_writer.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "base/check.hpp"
#include "train/data/pack_format.hpp"

namespace vostrack::train {
namespace {

using namespace pack_format;

static_assert(std::endian::native == std::endian::little, "pack files are little-endian");

template <class T>
void put(std::vector<std::uint8_t>& bytes, T value) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(&value);
  bytes.insert(bytes.end(), first, first + sizeof(T));
}

void put_text(std::vector<std::uint8_t>& bytes, const std::string& text) {
  put(bytes, static_cast<std::uint16_t>(text.size()));
  bytes.insert(bytes.end(), text.begin(), text.end());
}

std::uint32_t checksum(std::span<const std::uint8_t> bytes) {
  return static_cast<std::uint32_t>(::crc32_z(0, bytes.data(), bytes.size()));
}

}  // namespace

PackWriter::PackWriter(const std::string& path, PackCompression compression)
    : path_(path), compression_(compression), file_(path) {
  std::vector<std::uint8_t> header(kSignature.begin(), kSignature.end());
  put(header, kPackVersion);
  put(header, std::uint32_t{0});
  write(header);
}

void PackWriter::begin(RecordHead head) {
  check(!head.name.empty() &&
            std::max({head.name.size(), head.source.size(), head.split.size()}) <= kMaxText,
        ErrorCode::kInvalidArgument, "{}: a record's names must have 1 to {} bytes", path_,
        kMaxText);
  record_ = {};
  static_cast<RecordHead&>(record_) = std::move(head);
  plane_entries_.clear();
  histograms_.clear();
}

void PackWriter::add_frame(const Image& picture, std::span<const std::uint8_t> labels) {
  const auto pixels =
      static_cast<std::size_t>(picture.height) * static_cast<std::size_t>(picture.width);
  check(picture.height > 0 && picture.width > 0 && picture.height <= kMaxSide &&
            picture.width <= kMaxSide && pixels <= static_cast<std::size_t>(kMaxPixels) &&
            picture.rgb.size() == 3 * pixels,
        ErrorCode::kInvalidArgument, "{}: a picture of {}x{} with {} bytes", record_.name,
        picture.width, picture.height, picture.rgb.size());
  check(labels.size() == pixels, ErrorCode::kInvalidArgument,
        "{}: its mask has {} pixels, want {}x{} as the picture has", record_.name, labels.size(),
        picture.width, picture.height);
  if (record_.frames == 0) {
    record_.height = picture.height;
    record_.width = picture.width;
  }
  check(picture.height == record_.height && picture.width == record_.width,
        ErrorCode::kInvalidArgument, "{}: frame {} is {}x{}, want {}x{} as the first", record_.name,
        record_.frames, picture.width, picture.height, record_.width, record_.height);
  const std::size_t first = histograms_.size();
  histograms_.resize(first + 256);
  for (const std::uint8_t label : labels) ++histograms_[first + label];
  add_plane(picture.rgb, compression_ == PackCompression::kAll);
  add_plane(labels, true);
  ++record_.frames;
}

void PackWriter::add_plane(std::span<const std::uint8_t> bytes, bool deflate) {
  std::vector<std::uint8_t> deflated;
  if (deflate) {
    uLongf size = ::compressBound(bytes.size());
    deflated.resize(size);
    check(::compress2(deflated.data(), &size, bytes.data(), bytes.size(), 6) == Z_OK,
          ErrorCode::kOutOfMemory, "{}: deflating {} bytes failed", path_, bytes.size());
    deflated.resize(size);
    deflate = size < bytes.size();
    if (deflate) bytes = deflated;
  }
  put(plane_entries_, position_);
  put(plane_entries_, std::uint64_t{bytes.size()});
  put(plane_entries_, checksum(bytes));
  put(plane_entries_, static_cast<std::uint8_t>(deflate));
  write(bytes);
}

void PackWriter::end() {
  check(record_.frames > 0, ErrorCode::kInvalidArgument, "{}: has no frame", record_.name);
  check(record_.frames == 1 || record_.kind == RecordKind::kClip, ErrorCode::kInvalidArgument,
        "{}: a picture with {} frames", record_.name, record_.frames);
  std::array<std::uint64_t, 256> totals{};
  for (std::size_t i = 0; i < histograms_.size(); ++i) totals[i % 256] += histograms_[i];
  check(std::any_of(totals.begin(), totals.end() - 1, [](auto pixels) { return pixels > 0; }),
        ErrorCode::kInvalidArgument, "{}: all of its mask is 255, which means not known",
        record_.name);
  std::vector<std::uint8_t> ids;
  for (int id = 1; id < kIgnoredLabel; ++id)
    if (totals[static_cast<std::size_t>(id)] > 0) ids.push_back(static_cast<std::uint8_t>(id));

  put(index_, static_cast<std::uint8_t>(record_.kind));
  put(index_, static_cast<std::uint8_t>(record_.labels));
  for (const std::string& text : {record_.name, record_.source, record_.split})
    put_text(index_, text);
  put(index_, static_cast<std::uint32_t>(record_.frames));
  put(index_, static_cast<std::uint32_t>(record_.height));
  put(index_, static_cast<std::uint32_t>(record_.width));
  put(index_, static_cast<std::uint16_t>(ids.size()));
  index_.insert(index_.end(), ids.begin(), ids.end());
  for (std::size_t frame = 0; frame < histograms_.size(); frame += 256)
    for (const std::uint8_t id : ids) put(index_, histograms_[frame + id]);
  index_.insert(index_.end(), plane_entries_.begin(), plane_entries_.end());
  ++records_;
  record_ = {};
}

void PackWriter::finish() {
  check(records_ > 0, ErrorCode::kInvalidArgument, "{}: nothing to pack", path_);
  std::vector<std::uint8_t> footer;
  put(footer, position_);
  put(footer, std::uint64_t{index_.size()});
  put(footer, std::uint64_t{records_});
  put(footer, checksum(index_));
  put(footer, checksum(footer));
  footer.insert(footer.end(), kEnd.begin(), kEnd.end());
  write(index_);
  write(footer);
  file_.commit(Durability::kUnflushed);
}

void PackWriter::write(std::span<const std::uint8_t> bytes) {
  file_.write(bytes);
  position_ += bytes.size();
}

}  // namespace vostrack::train
