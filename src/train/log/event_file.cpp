#include "train/log/event_file.hpp"

#include <unistd.h>

#include <array>
#include <bit>
#include <filesystem>

#include "base/check.hpp"
#include "train/log/png.hpp"

namespace vostrack::train {
namespace {

template <class T>
std::string little_endian(T value) {
  static_assert(std::endian::native == std::endian::little);
  return {reinterpret_cast<const char*>(&value), sizeof(T)};
}

// Protocol buffers, "Encoding": a field is its number and wire type, then its value.

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7) bytes += static_cast<char>(value | 128);
  return bytes + static_cast<char>(value);
}
std::string whole_field(int number, std::int64_t value) {
  return varint(static_cast<std::uint64_t>(number) << 3) +
         varint(static_cast<std::uint64_t>(value));
}
std::string double_field(int number, double value) {
  return varint(static_cast<std::uint64_t>(number) << 3 | 1) + little_endian(value);
}
std::string float_field(int number, float value) {
  return varint(static_cast<std::uint64_t>(number) << 3 | 5) + little_endian(value);
}
std::string bytes_field(int number, std::string_view bytes) {
  return varint(static_cast<std::uint64_t>(number) << 3 | 2) + varint(bytes.size()) +
         std::string(bytes);
}

constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
constexpr int kValue = 1, kTag = 1, kSimpleValue = 2, kImage = 4;
constexpr int kHeight = 1, kWidth = 2, kColourSpace = 3, kEncoded = 4;
constexpr int kStatus = 1, kStart = 1;

std::string summary_event(const LogTime& time, const std::string& summary) {
  return double_field(kWallTime, time.unix_s) + whole_field(kStep, time.step) +
         bytes_field(kSummary, summary);
}

}  // namespace

std::uint32_t masked_crc32c(std::string_view bytes) {
  static constexpr auto kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      table[i] = i;
      for (int bit = 0; bit < 8; ++bit)
        table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0x82f63b78u : 0u);
    }
    return table;
  }();
  std::uint32_t crc = ~0u;
  for (const char byte : bytes)
    crc = crc >> 8 ^ kTable[(crc ^ static_cast<std::uint8_t>(byte)) & 255];
  return std::rotr(~crc, 15) + 0xa282ead8u;
}

std::string tf_record(std::string_view bytes) {
  const std::string length = little_endian(static_cast<std::uint64_t>(bytes.size()));
  return length + little_endian(masked_crc32c(length)) + std::string(bytes) +
         little_endian(masked_crc32c(bytes));
}

std::string version_event(double unix_s) {
  return double_field(kWallTime, unix_s) + bytes_field(kFileVersion, "brain.Event:2");
}

std::string scalar_event(const LogTime& time, std::span<const Metric> metrics) {
  std::string summary;
  for (const auto& [name, value] : metrics)
    summary += bytes_field(
        kValue, bytes_field(kTag, name) + float_field(kSimpleValue, static_cast<float>(value)));
  return summary_event(time, summary);
}

std::string picture_event(const LogTime& time, const std::string& tag, const Image& picture) {
  const std::string image = whole_field(kHeight, picture.height) +
                            whole_field(kWidth, picture.width) + whole_field(kColourSpace, 3) +
                            bytes_field(kEncoded, encode_png(picture));
  return summary_event(time,
                       bytes_field(kValue, bytes_field(kTag, tag) + bytes_field(kImage, image)));
}

std::string restart_event(const LogTime& time) {
  return double_field(kWallTime, time.unix_s) + whole_field(kStep, time.step) +
         bytes_field(kSessionLog, whole_field(kStatus, kStart));
}

EventFile::EventFile(const std::string& folder, double unix_s) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  path_ = (std::filesystem::path(folder) /
           fmt::format("events.out.tfevents.{:.0f}.{}.vostrack", unix_s, ::getpid()))
              .string();
  file_.open(path_, std::ios::binary | std::ios::app);
  check(file_.is_open(), ErrorCode::kIo, "{}: cannot be created", path_);
  write(version_event(unix_s));
}

void EventFile::add(const LogTime& time, std::span<const Metric> metrics) {
  write(scalar_event(time, metrics));
}

void EventFile::add_picture(const LogTime& time, const std::string& tag, const Image& picture) {
  write(picture_event(time, tag, picture));
}

void EventFile::restart(const LogTime& time) {
  write(restart_event(time));
}

void EventFile::write(const std::string& event) {
  file_ << tf_record(event) << std::flush;
  check(file_.good(), ErrorCode::kIo, "{}: writing failed; is the disk full?", path_);
}

}  // namespace vostrack::train
