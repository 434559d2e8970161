#include "nn/zip_reader.hpp"

#include <zlib.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/byte_reader.hpp"
#include "base/check.hpp"

// Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 (records) and 4.5.3 (zip64 extra field).

namespace vostrack::nn {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kDirectoryHeader = 0x02014b50;
constexpr std::uint32_t kEndOfDirectory = 0x06054b50;
constexpr std::uint32_t kEndOfDirectory64 = 0x06064b50;
constexpr std::uint32_t kEndLocator64 = 0x07064b50;
constexpr std::size_t kEndOfDirectorySize = 22;
constexpr std::size_t kEndLocator64Size = 20;
constexpr std::size_t kDirectoryHeaderSize = 46;
constexpr std::uint16_t kSaturated16 = 0xffff;
constexpr std::uint32_t kSaturated32 = 0xffffffff;
constexpr std::uint16_t kZip64Field = 0x0001;
constexpr std::uint16_t kEncrypted = 1U << 0;
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;
// Deflate cannot do better than 1032 to 1.
constexpr std::uint64_t kMaxRatio = 1100;

using Bytes = std::span<const std::uint8_t>;

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t entries = 0;
};

struct Header {
  std::string name;
  ZipReader::Entry entry;
  std::uint16_t method = 0;
  std::uint64_t header_offset = 0;
};

std::uint32_t number_at(Bytes bytes, std::size_t position) {
  std::uint32_t value;
  std::memcpy(&value, bytes.data() + position, sizeof value);
  return value;
}

/// Where the end-of-directory record starts. It is followed by a comment of at most 64 KiB that
/// reaches to the end of the file.
std::size_t find_end(const std::string& path, Bytes bytes) {
  check(bytes.size() >= kEndOfDirectorySize, ErrorCode::kCorruptFile,
        "{}: {} bytes, too short for a zip archive", path, bytes.size());
  const std::size_t last = bytes.size() - kEndOfDirectorySize;
  const std::size_t first = last > kSaturated16 ? last - kSaturated16 : 0;
  for (std::size_t at = last + 1; at-- > first;) {
    const std::size_t comment = bytes[at + 20] | bytes[at + 21] << 8;
    if (number_at(bytes, at) == kEndOfDirectory &&
        at + kEndOfDirectorySize + comment == bytes.size())
      return at;
  }
  fail(ErrorCode::kCorruptFile, "{}: a zip archive without a directory, it may be cut short", path);
}

std::optional<Directory> read_zip64_end(const std::string& path, Bytes bytes, std::size_t end) {
  if (end < kEndLocator64Size) return std::nullopt;
  ByteReader locator(path + ": zip64 locator", bytes, end - kEndLocator64Size);
  if (locator.read<std::uint32_t>() != kEndLocator64) return std::nullopt;
  const auto first_disk = locator.read<std::uint32_t>();
  const auto offset = locator.read<std::uint64_t>();
  check(first_disk == 0 && offset <= end, ErrorCode::kCorruptFile,
        "{}: the zip64 directory's end is at byte {} of {}", path, offset, bytes.size());
  ByteReader record(path + ": zip64 directory's end", bytes, static_cast<std::size_t>(offset));
  check(record.read<std::uint32_t>() == kEndOfDirectory64, ErrorCode::kCorruptFile,
        "{}: no zip64 directory's end at byte {}", path, offset);
  record.take(8 + 2 + 2);  // the record's size, versions
  const auto disk = record.read<std::uint32_t>();
  const auto directory_disk = record.read<std::uint32_t>();
  check(disk == 0 && directory_disk == 0, ErrorCode::kUnsupported, "{}: a split zip archive", path);
  Directory directory;
  record.take(8);  // entries on this disk
  directory.entries = record.read<std::uint64_t>();
  directory.size = record.read<std::uint64_t>();
  directory.offset = record.read<std::uint64_t>();
  return directory;
}

Directory find_directory(const std::string& path, Bytes bytes) {
  const std::size_t end = find_end(path, bytes);
  ByteReader record(path + ": directory's end", bytes, end + 4);
  const auto disk = record.read<std::uint16_t>();
  const auto directory_disk = record.read<std::uint16_t>();
  record.take(2);  // entries on this disk
  Directory directory;
  directory.entries = record.read<std::uint16_t>();
  directory.size = record.read<std::uint32_t>();
  directory.offset = record.read<std::uint32_t>();
  const bool single = (disk == 0 || disk == kSaturated16) &&
                      (directory_disk == 0 || directory_disk == kSaturated16);
  check(single, ErrorCode::kUnsupported, "{}: a split zip archive", path);
  if (const auto large = read_zip64_end(path, bytes, end)) {
    if (directory.entries == kSaturated16) directory.entries = large->entries;
    if (directory.size == kSaturated32) directory.size = large->size;
    if (directory.offset == kSaturated32) directory.offset = large->offset;
  }
  check(directory.offset <= end && directory.size <= end - directory.offset,
        ErrorCode::kCorruptFile, "{}: the directory is bytes {} + {} of {}", path, directory.offset,
        directory.size, bytes.size());
  check(directory.entries <= directory.size / kDirectoryHeaderSize, ErrorCode::kCorruptFile,
        "{}: {} entries in a directory of {} bytes", path, directory.entries, directory.size);
  return directory;
}

/// Replaces the numbers that did not fit 32 bits.
void read_zip64_field(const std::string& what, Bytes extra, Header& header) {
  ByteReader fields(what, extra);
  while (fields.remaining() >= 4) {
    const auto id = fields.read<std::uint16_t>();
    const auto size = fields.read<std::uint16_t>();
    const Bytes content = fields.take(size);
    if (id != kZip64Field) continue;
    ByteReader numbers(what + ": zip64 field", content);
    for (std::uint64_t* number :
         {&header.entry.size, &header.entry.packed_size, &header.header_offset})
      if (*number == kSaturated32) *number = numbers.read<std::uint64_t>();
    return;
  }
}

Header read_directory_header(const std::string& path, ByteReader& directory) {
  Header header;
  check(directory.read<std::uint32_t>() == kDirectoryHeader, ErrorCode::kCorruptFile,
        "{}: the zip directory has no entry at byte {}", path, directory.position() - 4);
  directory.take(2 + 2);  // versions
  const auto flags = directory.read<std::uint16_t>();
  header.method = directory.read<std::uint16_t>();
  directory.take(2 + 2);  // time, date
  header.entry.crc32 = directory.read<std::uint32_t>();
  header.entry.packed_size = directory.read<std::uint32_t>();
  header.entry.size = directory.read<std::uint32_t>();
  const auto name_size = directory.read<std::uint16_t>();
  const auto extra_size = directory.read<std::uint16_t>();
  const auto comment_size = directory.read<std::uint16_t>();
  directory.take(2 + 2 + 4);  // disk, attributes
  header.header_offset = directory.read<std::uint32_t>();
  header.name = directory.take_string(name_size);
  const std::string what = path + ": " + header.name;
  read_zip64_field(what, directory.take(extra_size), header);
  directory.take(comment_size);

  check((flags & kEncrypted) == 0, ErrorCode::kUnsupported, "{}: encrypted", what);
  check(header.method == kStored || header.method == kDeflated, ErrorCode::kUnsupported,
        "{}: compression method {}, want 0 (stored) or 8 (deflated)", what, header.method);
  header.entry.deflated = header.method == kDeflated;
  const auto& [deflated, crc, offset, packed, size] = header.entry;
  if (!deflated)
    check(packed == size, ErrorCode::kCorruptFile, "{}: {} bytes stored as {}", what, size, packed);
  else
    check(size / kMaxRatio <= packed, ErrorCode::kCorruptFile,
          "{}: claims to inflate from {} to {} bytes", what, packed, size);
  return header;
}

/// Finds the entry's data behind its local header, which repeats the name and the method.
void locate_data(const std::string& path, Bytes before_directory, Header& header) {
  const std::string what = path + ": " + header.name;
  check(header.header_offset <= before_directory.size(), ErrorCode::kCorruptFile,
        "{}: its header is at byte {}, behind the entries", what, header.header_offset);
  ByteReader local(what, before_directory, static_cast<std::size_t>(header.header_offset));
  check(local.read<std::uint32_t>() == kLocalHeader, ErrorCode::kCorruptFile,
        "{}: no entry at byte {}", what, header.header_offset);
  local.take(2 + 2);  // version, flags
  check(local.read<std::uint16_t>() == header.method, ErrorCode::kCorruptFile,
        "{}: the directory names another method than the entry", what);
  local.take(2 + 2 + 4 + 4 + 4);  // time, date; checksum and sizes may follow the data instead
  const auto name_size = local.read<std::uint16_t>();
  const auto extra_size = local.read<std::uint16_t>();
  check(local.take_string(name_size) == header.name, ErrorCode::kCorruptFile,
        "{}: the directory and the entry disagree on the name", what);
  local.take(extra_size);
  header.entry.data_offset = local.position();
  local.take(header.entry.packed_size);
}

void check_disjoint(const std::string& path, std::vector<Header>& headers) {
  std::sort(headers.begin(), headers.end(),
            [](const Header& a, const Header& b) { return a.header_offset < b.header_offset; });
  for (std::size_t i = 1; i < headers.size(); ++i) {
    const auto& entry = headers[i - 1].entry;
    check(entry.data_offset + entry.packed_size <= headers[i].header_offset,
          ErrorCode::kCorruptFile, "{}: {} and {} overlap", path, headers[i - 1].name,
          headers[i].name);
  }
}

class Inflater {
 public:
  explicit Inflater(const std::string& what) {
    // Negative window bits: raw deflate without zlib's own header.
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK)
      fail(ErrorCode::kOutOfMemory, "{}: no memory to inflate it", what);
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Whether `packed` is one deflate stream of exactly `out.size()` bytes.
  bool inflate_all(Bytes packed, std::span<std::uint8_t> out) {
    constexpr std::size_t kStep = 1U << 30;  // zlib counts in 32 bits
    stream_.next_in = const_cast<std::uint8_t*>(packed.data());
    std::size_t packed_left = packed.size();
    // One byte more than declared is offered, so that an entry which is longer is noticed.
    std::uint8_t excess = 0;
    std::size_t out_left = out.size();
    stream_.next_out = out_left > 0 ? out.data() : &excess;
    bool in_excess = out_left == 0;
    stream_.avail_out = in_excess ? 1 : 0;
    for (;;) {
      if (stream_.avail_in == 0 && packed_left > 0) {
        stream_.avail_in = static_cast<uInt>(std::min(packed_left, kStep));
        packed_left -= stream_.avail_in;
      }
      if (stream_.avail_out == 0 && !in_excess) {
        if (out_left > 0) {
          stream_.avail_out = static_cast<uInt>(std::min(out_left, kStep));
          out_left -= stream_.avail_out;
        } else {
          stream_.next_out = &excess;
          stream_.avail_out = 1;
          in_excess = true;
        }
      }
      const int result = inflate(&stream_, Z_NO_FLUSH);
      const bool all_out =
          in_excess ? stream_.avail_out == 1 : out_left == 0 && stream_.avail_out == 0;
      if (result == Z_STREAM_END) return all_out && stream_.avail_in == 0 && packed_left == 0;
      if (result != Z_OK || (in_excess && stream_.avail_out == 0)) return false;
    }
  }

 private:
  z_stream stream_{};
};

}  // namespace

ZipReader::ZipReader(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {
  const std::string& path = file_->path();
  const Bytes bytes = file_->bytes();
  const Directory directory = find_directory(path, bytes);
  ByteReader reader(path + ": zip directory",
                    bytes.first(static_cast<std::size_t>(directory.offset + directory.size)),
                    static_cast<std::size_t>(directory.offset));
  std::vector<Header> headers;
  headers.reserve(static_cast<std::size_t>(directory.entries));
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    Header header = read_directory_header(path, reader);
    locate_data(path, bytes.first(static_cast<std::size_t>(directory.offset)), header);
    headers.push_back(std::move(header));
  }
  check_disjoint(path, headers);
  for (auto& header : headers) {
    const bool added = entries_.emplace(header.name, header.entry).second;
    check(added, ErrorCode::kCorruptFile, "{}: two entries are called {}", path, header.name);
  }
}

const ZipReader::Entry& ZipReader::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  check(found != entries_.end(), ErrorCode::kCorruptFile, "{}: has no entry {}", file_->path(),
        name);
  return found->second;
}

std::uint64_t ZipReader::memory_needed(const std::string& name) const {
  const Entry& packed = entry(name);
  return packed.deflated ? packed.size : 0;
}

SharedBytes ZipReader::read(const std::string& name) const {
  const Entry& packed = entry(name);
  SharedBytes result{file_, file_->bytes().subspan(static_cast<std::size_t>(packed.data_offset),
                                                   static_cast<std::size_t>(packed.packed_size))};
  const std::string what = file_->path() + ": " + name;
  if (packed.deflated) {
    const auto size = static_cast<std::size_t>(packed.size);
    std::shared_ptr<std::uint8_t[]> buffer(new std::uint8_t[std::max<std::size_t>(size, 1)]);
    check(Inflater(what).inflate_all(result.bytes, {buffer.get(), size}), ErrorCode::kCorruptFile,
          "{}: does not inflate to the {} bytes that it declares", what, size);
    result = {buffer, {buffer.get(), size}};
  }
  const auto sum = crc32_z(0, result.bytes.data(), result.bytes.size());
  check(sum == packed.crc32, ErrorCode::kCorruptFile,
        "{}: its checksum is {:08x}, want {:08x}: the file is damaged", what, sum, packed.crc32);
  return result;
}

}  // namespace vostrack::nn
