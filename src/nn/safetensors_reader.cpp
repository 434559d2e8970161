#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/byte_reader.hpp"
#include "base/check.hpp"
#include "nn/safetensors.hpp"
#include "nn/safetensors_types.hpp"
#include "nn/shared_bytes.hpp"

// Source: https://huggingface.co/docs/safetensors, "Format".

namespace vostrack::nn {
namespace {

constexpr std::size_t kMaxTensors = 1'000'000;

struct Entry {
  std::string name;
  std::optional<torch::ScalarType> dtype;
  bool has_shape = false;
  bool has_offsets = false;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> offsets;  ///< begin and end
};

/// Takes the header's JSON event by event, and refuses the first that the format does not have.
///
/// A tree of the JSON would let a header of brackets take fifty times its size, and would hide
/// keys that appear twice.
class HeaderHandler {
 public:
  using Json = nlohmann::json;

  explicit HeaderHandler(const std::string& path) : path_(path) {}

  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;

  bool start_object(std::size_t /*elements*/) {
    switch (place_) {
      case Place::kStart:
        place_ = Place::kTop;
        return true;
      case Place::kEntryOpening:
        place_ = Place::kEntry;
        return true;
      case Place::kMetadataOpening:
        place_ = Place::kMetadata;
        return true;
      default:
        return refuse("an object");
    }
  }

  bool key(std::string& name) {
    if (place_ == Place::kTop && name == kSafetensorsMetadata) {
      if (has_metadata_) fail_at("appears twice");
      has_metadata_ = true;
      place_ = Place::kMetadataOpening;
    } else if (place_ == Place::kTop) {
      check(entries.size() < kMaxTensors, ErrorCode::kCorruptFile, "{}: more than {} tensors",
            path_, kMaxTensors);
      entries.emplace_back().name = name;
      place_ = Place::kEntryOpening;
    } else {
      key_ = name;
    }
    return true;
  }

  bool end_object() {
    if (place_ == Place::kEntry) {
      const Entry& entry = entries.back();
      if (!entry.dtype || !entry.has_shape || !entry.has_offsets)
        fail_at("wants dtype, shape and data_offsets");
    }
    place_ = place_ == Place::kTop ? Place::kEnd : Place::kTop;
    return true;
  }

  bool string(std::string& text) {
    if (place_ == Place::kMetadata) {
      if (!metadata.emplace(key_, text).second) fail_at("has a key twice");
      return true;
    }
    if (place_ != Place::kEntry || key_ != "dtype") return refuse("a string");
    if (entries.back().dtype) fail_at("has two dtypes");
    const auto* type = std::find_if(std::begin(kSafetensorsTypes), std::end(kSafetensorsTypes),
                                    [&](const auto& known) { return known.first == text; });
    check(type != std::end(kSafetensorsTypes), ErrorCode::kUnsupported, "{}: {} has the type {}",
          path_, where(), text.substr(0, 20));
    entries.back().dtype = type->second;
    return true;
  }

  bool start_array(std::size_t /*elements*/) {
    if (place_ != Place::kEntry) return refuse("an array");
    const bool is_shape = key_ == "shape";
    if (!is_shape && key_ != "data_offsets") return refuse("an array");
    Entry& entry = entries.back();
    if (std::exchange(is_shape ? entry.has_shape : entry.has_offsets, true))
      fail_at("has a key twice");
    numbers_ = is_shape ? &entry.shape : &entry.offsets;
    place_ = Place::kNumbers;
    return true;
  }

  bool end_array() {
    numbers_ = nullptr;
    place_ = Place::kEntry;
    return true;
  }

  bool number_unsigned(std::uint64_t number) {
    if (place_ != Place::kNumbers) return refuse("a number");
    if (number > INT64_MAX) fail_at("has a number beyond 63 bits");
    if (numbers_->size() >= kMaxDimensions) fail_at("has too many dimensions");
    numbers_->push_back(static_cast<std::int64_t>(number));
    return true;
  }

  bool number_integer(std::int64_t /*number*/) { return refuse("a negative number"); }
  bool number_float(double /*number*/, const std::string& /*text*/) { return refuse("a fraction"); }
  bool boolean(bool /*value*/) { return refuse("a boolean"); }
  bool null() { return refuse("null"); }
  bool binary(std::vector<std::uint8_t>& /*value*/) { return refuse("binary data"); }

  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const Json::exception& /*error*/) {
    fail(ErrorCode::kCorruptFile, "{}: the header is no valid JSON at byte {}", path_, position);
  }

 private:
  enum class Place {
    kStart,
    kTop,
    kEntryOpening,
    kEntry,
    kNumbers,
    kMetadataOpening,
    kMetadata,
    kEnd
  };

  std::string where() const {
    if (place_ == Place::kMetadata || place_ == Place::kMetadataOpening)
      return std::string(kSafetensorsMetadata);
    return entries.empty() ? "the header" : entries.back().name;
  }

  [[noreturn]] void fail_at(const char* problem) const {
    fail(ErrorCode::kCorruptFile, "{}: {} {}", path_, where(), problem);
  }

  bool refuse(const char* what) const {
    fail(ErrorCode::kCorruptFile, "{}: {} has {} where the format has none", path_, where(), what);
  }

  const std::string& path_;
  Place place_ = Place::kStart;
  std::string key_;
  bool has_metadata_ = false;
  std::vector<std::int64_t>* numbers_ = nullptr;
};

HeaderHandler parse_header(const std::string& path, std::span<const std::uint8_t> json) {
  HeaderHandler handler(path);
  // The parser reports every error through the handler, which throws.
  const bool parsed = nlohmann::json::sax_parse(json.begin(), json.end(), &handler);
  VOSTRACK_ASSERT(parsed);
  return handler;
}

/// Sorts by position and checks that the tensors tile the data: no overlaps, no holes.
void check_tiling(const std::string& path, std::vector<Entry>& entries, std::size_t data_size) {
  for (const auto& [name, dtype, has_shape, has_offsets, shape, offsets] : entries)
    check(offsets.size() == 2 && offsets[0] <= offsets[1] &&
              static_cast<std::uint64_t>(offsets[1]) <= data_size,
          ErrorCode::kCorruptFile, "{}: {} has offsets [{}], want [begin, end] within {} bytes",
          path, name, fmt::join(offsets, ", "), data_size);
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.offsets < b.offsets; });
  std::int64_t expected = 0;
  for (const Entry& entry : entries) {
    const std::int64_t begin = entry.offsets[0];
    check(begin >= expected, ErrorCode::kCorruptFile,
          "{}: {} starts at {} and overlaps the tensor before it, which ends at {}", path,
          entry.name, begin, expected);
    check(begin == expected, ErrorCode::kCorruptFile, "{}: a hole from {} to {}, before {}", path,
          expected, begin, entry.name);
    expected = entry.offsets[1];
  }
  check(static_cast<std::uint64_t>(expected) == data_size, ErrorCode::kCorruptFile,
        "{}: the tensors end at {}, the data at {}", path, expected, data_size);
}

torch::Tensor make_tensor(const std::string& what, const Entry& entry, SharedBytes data,
                          CopyBudget& budget) {
  const auto begin = entry.offsets[0];
  const auto size = entry.offsets[1] - begin;
  const auto elements = element_count(entry.shape);
  std::int64_t wanted = 0;
  const bool fits =
      elements.has_value() &&
      !__builtin_mul_overflow(*elements, static_cast<std::int64_t>(c10::elementSize(*entry.dtype)),
                              &wanted) &&
      wanted == size;
  check(fits, ErrorCode::kCorruptFile, "{}: shape [{}] of {} does not fit {} bytes", what,
        fmt::join(entry.shape, ", "), c10::toString(*entry.dtype), size);
  data.bytes = data.bytes.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(size));
  if (!is_aligned(data.bytes.data(), *entry.dtype)) {
    budget.take(what, data.bytes.size());
    data = copy_bytes(data.bytes);
  }
  std::vector<std::int64_t> strides(entry.shape.size(), 1);
  for (std::size_t i = strides.size(); i-- > 1;)
    strides[i - 1] = strides[i] * std::max<std::int64_t>(entry.shape[i], 1);
  return tensor_over(what, data, entry.shape, strides, *entry.dtype);
}

}  // namespace

StateDict read_safetensors(std::shared_ptr<const MappedFile> file) {
  const std::string path = file->path();
  ByteReader reader(path, file->bytes());
  const auto header_size = reader.read<std::uint64_t>();
  check(header_size <= kMaxSafetensorsHeader, ErrorCode::kCorruptFile,
        "{}: a header of {} bytes, want at most {}", path, header_size, kMaxSafetensorsHeader);
  const auto header = reader.take(header_size);
  check(!header.empty() && header[0] == '{', ErrorCode::kCorruptFile,
        "{}: the header does not start with {{", path);
  const SharedBytes data{file, reader.take(reader.remaining())};
  CopyBudget budget(file->bytes().size());

  HeaderHandler parsed = parse_header(path, header);
  check_tiling(path, parsed.entries, data.bytes.size());
  StateDict state;
  state.metadata = std::move(parsed.metadata);
  for (const Entry& entry : parsed.entries) {
    const std::string what = path + ": " + entry.name;
    const bool added =
        state.tensors.emplace(entry.name, make_tensor(what, entry, data, budget)).second;
    check(added, ErrorCode::kCorruptFile, "{}: two tensors have this name", what);
  }
  return state;
}

}  // namespace vostrack::nn
