#include "nn/archive.hpp"

#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>

#include "base/check.hpp"

namespace vostrack::nn {
namespace {

constexpr const char* kKind = "vostrack_kind";
constexpr const char* kVersion = "vostrack_version";
constexpr const char* kDocument = "vostrack_document";
constexpr const char* kChecksum = "vostrack_crc32";

class Checksum {
 public:
  void add(const void* data, std::size_t size) {
    crc_ = ::crc32_z(crc_, static_cast<const Bytef*>(data), size);
  }
  void add(const std::string& text) {
    add(text.data(), text.size() + 1);  // with the 0 that ends it: "a", "b" is not "ab"
  }
  void add_head(const std::string& name, torch::ScalarType dtype,
                const std::vector<std::int64_t>& shape) {
    add(name);
    add(fmt::format("{} {}", c10::toString(dtype), fmt::join(shape, ",")));
  }
  std::string text() const { return fmt::format("{:08x}", crc_); }

 private:
  uLong crc_ = ::crc32(0, nullptr, 0);
};

void start(Checksum& checksum, const std::string& kind, const std::string& version,
           const std::string& document) {
  checksum.add(kind);
  checksum.add(version);
  checksum.add(document);
}

std::string entry(const StateDict& state, const std::string& path, const char* key) {
  const auto it = state.metadata.find(key);
  check(it != state.metadata.end(), ErrorCode::kCorruptFile,
        "{}: has no {}; it was not written by vostrack", path, key);
  return it->second;
}

}  // namespace

void ArchiveWriter::add(const std::string& name, const torch::Tensor& tensor) {
  auto stored = tensor.detach().to(torch::kCPU).contiguous();
  tensors_.push_back({name, stored.scalar_type(), stored.sizes().vec(), 1,
                      [stored](std::int64_t) { return stored; }});
}

void ArchiveWriter::write(const std::string& path, const std::string& kind, int version) {
  std::ranges::sort(tensors_, {}, &TensorParts::name);
  std::map<std::string, std::string> metadata{
      {kKind, kind}, {kVersion, std::to_string(version)}, {kDocument, document.dump()}};
  Checksum checksum;
  start(checksum, kind, metadata[kVersion], metadata[kDocument]);
  for (const TensorParts& tensor : tensors_) {
    checksum.add_head(tensor.name, tensor.dtype, tensor.shape);
    for (std::int64_t i = 0; i < tensor.parts; ++i) {
      const auto part = tensor.part(i);
      checksum.add(part.const_data_ptr(), part.nbytes());
    }
  }
  metadata[kChecksum] = checksum.text();
  write_safetensors(path, metadata, tensors_);
}

torch::Tensor Archive::tensor(const std::string& name, torch::ScalarType dtype,
                              const std::vector<std::int64_t>& shape) const {
  const auto it = tensors.find(name);
  check(it != tensors.end(), ErrorCode::kCorruptFile, "{}: has no {}", path, name);
  const auto sizes = it->second.sizes();
  const bool fits = it->second.scalar_type() == dtype &&
                    std::ranges::equal(sizes, shape, [](std::int64_t got, std::int64_t want) {
                      return want < 0 || got == want;
                    });
  check(fits, ErrorCode::kCorruptFile, "{}: {} is ({}) of {}, want ({}) of {} (-1: any)", path,
        name, fmt::join(sizes, ", "), c10::toString(it->second.scalar_type()),
        fmt::join(shape, ", "), c10::toString(dtype));
  return it->second;
}

Archive read_archive(const std::string& path, const std::string& kind, int version) {
  const StateDict state = read_safetensors(MappedFile::open(path));
  const std::string got_kind = entry(state, path, kKind);
  check(got_kind == kind, ErrorCode::kCorruptFile, "{}: holds a vostrack {}, want: {}", path,
        got_kind, kind);
  const std::string text = entry(state, path, kVersion);
  Archive archive;
  archive.path = path;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), archive.version);
  check(error == std::errc() && end == text.data() + text.size() && archive.version >= 1,
        ErrorCode::kCorruptFile, "{}: version is {}, want a number", path, text);
  check(archive.version == version, ErrorCode::kUnsupported,
        "{}: version {} of the format, this program reads {}; it was saved by {} one", path,
        archive.version, version, archive.version > version ? "a newer" : "an older");

  const std::string document = entry(state, path, kDocument);
  Checksum checksum;
  start(checksum, kind, text, document);
  for (const auto& [name, tensor] : state.tensors) {
    checksum.add_head(name, tensor.scalar_type(), tensor.sizes().vec());
    checksum.add(tensor.const_data_ptr(), tensor.nbytes());
  }
  const std::string want = entry(state, path, kChecksum);
  check(checksum.text() == want, ErrorCode::kCorruptFile,
        "{}: the checksum is {}, want {}; the file is damaged", path, checksum.text(), want);
  archive.document = nlohmann::json::parse(document, nullptr, /*allow_exceptions=*/false);
  check(archive.document.is_object(), ErrorCode::kCorruptFile, "{}: the document is no JSON object",
        path);
  archive.tensors = state.tensors;
  return archive;
}

}  // namespace vostrack::nn
