/// Builders for checkpoints, right and wrong, and matchers for what comes of them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>
#include <unistd.h>
#include <zlib.h>

#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nn/checkpoint.hpp"
#include "vostrack/error.hpp"

namespace vostrack::nn::test {

/// A fresh folder that goes away with its files.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vostrack-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::size_t count_files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

inline std::string data_file(const std::string& name) {
  return (std::filesystem::path(VOSTRACK_TEST_DATA) / "checkpoints" / name).string();
}

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// Reads a checkpoint from bytes.
inline StateDict read_bytes(const std::string& bytes) {
  const TemporaryFolder folder;
  write_file(folder / "file", bytes);
  return read_checkpoint(folder / "file");
}

/// The error that reading these bytes ends with.
inline std::optional<Error> error_of(const std::string& bytes) {
  try {
    read_bytes(bytes);
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

#define EXPECT_REFUSED(bytes, expected_code, text)                \
  do {                                                            \
    const auto refused = ::vostrack::nn::test::error_of(bytes);   \
    ASSERT_TRUE(refused.has_value()) << "was accepted";           \
    EXPECT_EQ(refused->code(), expected_code) << refused->what(); \
    EXPECT_THAT(refused->what(), ::testing::HasSubstr(text));     \
  } while (false)

template <class T>
std::string little(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

/// Elements counted up, as tests/data/make_checkpoints.py counts them.
inline torch::Tensor counted(at::IntArrayRef shape, torch::ScalarType dtype = torch::kFloat32) {
  const std::int64_t count = c10::multiply_integers(shape);
  torch::Tensor numbers = torch::arange(count, torch::kInt64) - count / 2;
  if (dtype == torch::kBool || dtype == torch::kUInt8) numbers = torch::remainder(numbers, 2);
  return numbers.to(dtype).reshape(shape);
}

inline const std::vector<std::pair<std::string, torch::ScalarType>>& types() {
  static const std::vector<std::pair<std::string, torch::ScalarType>> all = {
      {"f64", torch::kFloat64},   {"f32", torch::kFloat32}, {"f16", torch::kFloat16},
      {"bf16", torch::kBFloat16}, {"i64", torch::kInt64},   {"i32", torch::kInt32},
      {"i16", torch::kInt16},     {"i8", torch::kInt8},     {"u8", torch::kUInt8},
      {"bool", torch::kBool}};
  return all;
}

/// What make_checkpoints.py's state() holds.
inline StateDict counted_state() {
  StateDict state;
  for (const auto& [name, type] : types()) state.tensors["types." + name] = counted({3, 5}, type);
  state.tensors["scalar"] = torch::tensor(7.5F);
  state.tensors["empty"] = torch::empty({0, 4});
  state.tensors["parameter"] = counted({4, 6});
  return state;
}

inline void expect_same_tensors(const StateDict& got, const StateDict& want) {
  std::vector<std::string> got_names, want_names;
  for (const auto& [name, tensor] : got.tensors) got_names.push_back(name);
  for (const auto& [name, tensor] : want.tensors) want_names.push_back(name);
  ASSERT_EQ(got_names, want_names);
  for (const auto& [name, tensor] : want.tensors) {
    const torch::Tensor& other = got.tensors.at(name);
    EXPECT_EQ(other.scalar_type(), tensor.scalar_type()) << name;
    ASSERT_EQ(other.sizes(), tensor.sizes()) << name;
    EXPECT_TRUE(other.is_contiguous()) << name;
    EXPECT_TRUE(torch::equal(other, tensor)) << name << "\n" << other << "\nwant\n" << tensor;
  }
}

/// What a zip entry's headers shall say instead of the truth.
struct ZipLies {
  std::optional<std::uint32_t> size, packed_size, crc32, header_offset;
  std::uint16_t flags = 0;
  std::optional<std::uint16_t> method;
};

/// Writes zip archives, and lies where a test tells it to.
class ZipBuilder {
 public:
  ZipBuilder& add(const std::string& name, const std::string& data, bool deflated = false,
                  const ZipLies& lies = {}) {
    const std::string packed = deflated ? deflate(data) : data;
    const auto crc = lies.crc32.value_or(static_cast<std::uint32_t>(
        crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size())));
    const std::string common =
        little<std::uint16_t>(20) + little(lies.flags) +
        little<std::uint16_t>(lies.method.value_or(deflated ? 8 : 0)) + little<std::uint32_t>(0) +
        little(crc) + little(lies.packed_size.value_or(static_cast<std::uint32_t>(packed.size()))) +
        little(lies.size.value_or(static_cast<std::uint32_t>(data.size()))) +
        little(static_cast<std::uint16_t>(name.size()));
    const auto offset = static_cast<std::uint32_t>(entries_.size());
    entries_ += "PK\x03\x04" + common + little<std::uint16_t>(0) + name + packed;
    directory_ += std::string("PK\x01\x02") + little<std::uint16_t>(20) + common +
                  little<std::uint16_t>(0) + std::string(10, '\0') +
                  little(lies.header_offset.value_or(offset)) + name;
    ++count_;
    return *this;
  }

  std::string finish(const std::string& comment = {}) const {
    return entries_ + directory_ + "PK\x05\x06" + std::string(4, '\0') + little(count_) +
           little(count_) + little(static_cast<std::uint32_t>(directory_.size())) +
           little(static_cast<std::uint32_t>(entries_.size())) +
           little(static_cast<std::uint16_t>(comment.size())) + comment;
  }

  /// With the directory's place in zip64 records only.
  std::string finish_zip64() const {
    const std::uint64_t count = count_, size = directory_.size(), offset = entries_.size();
    const std::string record = std::string("PK\x06\x06") + little<std::uint64_t>(44) +
                               little<std::uint16_t>(45) + little<std::uint16_t>(45) +
                               std::string(8, '\0') + little(count) + little(count) + little(size) +
                               little(offset);
    const std::string locator = std::string("PK\x06\x07") + little<std::uint32_t>(0) +
                                little<std::uint64_t>(offset + size) + little<std::uint32_t>(1);
    return entries_ + directory_ + record + locator + "PK\x05\x06" + std::string(4, '\0') +
           std::string(12, '\xff') + little<std::uint16_t>(0);
  }

 private:
  static std::string deflate(const std::string& data) {
    z_stream stream{};
    deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    std::string packed(deflateBound(&stream, data.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    stream.avail_in = static_cast<uInt>(data.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    ::deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
  }

  std::string entries_, directory_;
  std::uint16_t count_ = 0;
};

/// Writes pickles, one opcode after the other.
class PickleBuilder {
 public:
  PickleBuilder() : bytes_("\x80\x02") {}

  PickleBuilder& raw(const std::string& bytes) { return bytes_ += bytes, *this; }
  PickleBuilder& text(const std::string& text) {
    return raw("X").raw(little(static_cast<std::uint32_t>(text.size()))).raw(text);
  }
  PickleBuilder& number(std::int64_t number) { return raw("\x8a\x08").raw(little(number)); }
  PickleBuilder& global(const std::string& module, const std::string& name) {
    return raw("c").raw(module).raw("\n").raw(name).raw("\n");
  }
  PickleBuilder& numbers(const std::vector<std::int64_t>& numbers) {
    raw("(");
    for (const auto n : numbers) number(n);
    return raw("t");
  }
  /// A call of _rebuild_tensor_v2.
  PickleBuilder& tensor(const std::string& storage_type, const std::string& key,
                        std::int64_t elements, std::int64_t offset,
                        const std::vector<std::int64_t>& sizes,
                        const std::vector<std::int64_t>& strides) {
    global("torch._utils", "_rebuild_tensor_v2").raw("((");
    text("storage").global("torch", storage_type).text(key).text("cpu").number(elements);
    raw("tQ").number(offset).numbers(sizes).numbers(strides).raw("\x89");
    return global("collections", "OrderedDict").raw(")RtR");
  }
  std::string finish() const {
    std::string finished = bytes_;
    finished += '.';
    return finished;
  }

 private:
  std::string bytes_;
};

/// A pickle of {"model": {"weight": <tensor>}}.
inline std::string weight_pickle(std::int64_t elements, std::int64_t offset,
                                 const std::vector<std::int64_t>& sizes,
                                 const std::vector<std::int64_t>& strides,
                                 const std::string& storage_type = "FloatStorage") {
  return PickleBuilder()
      .raw("}")
      .text("model")
      .raw("}")
      .text("weight")
      .tensor(storage_type, "0", elements, offset, sizes, strides)
      .raw("ss")
      .finish();
}

/// An archive of that pickle and one storage.
inline std::string pt_file(const std::string& pickle, const std::string& storage) {
  return ZipBuilder()
      .add("archive/data.pkl", pickle)
      .add("archive/byteorder", "little")
      .add("archive/data/0", storage)
      .finish();
}

inline std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

}  // namespace vostrack::nn::test
