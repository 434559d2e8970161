#include "video/edit_list.hpp"

#include <algorithm>
#include <bit>
#include <fstream>
#include <string_view>

namespace vostrack::video {
namespace {

/// More than any editor writes; a list that claims more is damaged.
constexpr std::uint64_t kMaxEdits = 4096;

struct Box {
  std::string type;
  std::int64_t begin = 0;  ///< of what is inside
  std::int64_t end = 0;
};

/// Big-endian numbers and boxes of a file; what is not there reads as 0.
class Reader {
 public:
  explicit Reader(const std::string& path) : file_(path, std::ios::binary) {
    file_.seekg(0, std::ios::end);
    size_ = file_ ? static_cast<std::int64_t>(file_.tellg()) : 0;
  }
  Box whole() const { return {"", 0, size_}; }
  void go(std::int64_t place) {
    file_.clear();
    file_.seekg(place);
  }
  std::uint64_t number(int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) {
      const int byte = file_.get();
      value = value << 8 | (byte < 0 ? 0U : static_cast<std::uint64_t>(byte));
    }
    return value;
  }

  std::vector<Box> children(const Box& parent, std::string_view type) {
    std::vector<Box> found;
    for (std::int64_t at = parent.begin; parent.end - at >= 8;) {
      go(at);
      std::uint64_t size = number(4);
      Box box;
      for (int i = 0; i < 4; ++i) box.type += static_cast<char>(number(1));
      box.begin = at + 8;
      if (size == 1 && parent.end - at >= 16) {
        size = number(8);
        box.begin += 8;
      }
      const auto left = static_cast<std::uint64_t>(parent.end - at);
      if (size == 0) size = left;
      if (size > left || static_cast<std::int64_t>(size) < box.begin - at) break;
      box.end = at + static_cast<std::int64_t>(size);
      at = box.end;
      if (box.type == type) found.push_back(std::move(box));
    }
    return found;
  }
  std::optional<Box> child(const std::optional<Box>& parent, std::string_view type) {
    if (!parent) return std::nullopt;
    std::vector<Box> found = children(*parent, type);
    return found.empty() ? std::nullopt : std::optional<Box>(std::move(found.front()));
  }

  /// A number after the two times of a header (mvhd, mdhd, tkhd), which have 32 or 64 bits.
  std::uint64_t after_times(const std::optional<Box>& header) {
    if (!header) return 0;
    go(header->begin);
    const bool wide = number(1) == 1;
    go(header->begin + 4 + (wide ? 16 : 8));
    return number(4);
  }

 private:
  std::ifstream file_;
  std::int64_t size_ = 0;
};

std::vector<Edit> edits_in(Reader& reader, const Box& list, double movie_scale,
                           double media_scale) {
  reader.go(list.begin);
  const int bytes = reader.number(1) == 1 ? 8 : 4;
  reader.number(3);
  const std::uint64_t count = reader.number(4);
  const auto room = static_cast<std::uint64_t>(list.end - list.begin) / (2 * bytes + 4);
  std::vector<Edit> edits;
  if (count > std::min(kMaxEdits, room)) return edits;
  for (std::uint64_t i = 0; i < count; ++i) {
    Edit edit;
    edit.duration_s = static_cast<double>(reader.number(bytes)) / movie_scale;
    const std::uint64_t start = reader.number(bytes);
    const auto media = bytes == 8 ? std::bit_cast<std::int64_t>(start)
                                  : std::bit_cast<std::int32_t>(static_cast<std::uint32_t>(start));
    if (media >= 0) edit.media_start_s = static_cast<double>(media) / media_scale;
    edit.rate = std::bit_cast<std::int32_t>(static_cast<std::uint32_t>(reader.number(4))) / 65536.;
    edits.push_back(edit);
  }
  return edits;
}

}  // namespace

std::vector<Edit> edit_list_of(const std::string& path, std::int64_t track_id) {
  Reader reader(path);
  const std::optional<Box> movie = reader.child(reader.whole(), "moov");
  if (!movie) return {};
  const auto movie_scale = static_cast<double>(reader.after_times(reader.child(movie, "mvhd")));
  for (const Box& track : reader.children(*movie, "trak")) {
    const std::uint64_t id = reader.after_times(reader.child(track, "tkhd"));
    if (static_cast<std::int64_t>(id) != track_id) continue;
    const std::optional<Box> list = reader.child(reader.child(track, "edts"), "elst");
    const auto media_scale =
        static_cast<double>(reader.after_times(reader.child(reader.child(track, "mdia"), "mdhd")));
    if (!list || movie_scale <= 0 || media_scale <= 0) return {};
    return edits_in(reader, *list, movie_scale, media_scale);
  }
  return {};
}

}  // namespace vostrack::video
