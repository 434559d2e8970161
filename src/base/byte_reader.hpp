/// A cursor over bytes that cannot run past their end.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "base/check.hpp"

namespace vostrack {

static_assert(std::endian::native == std::endian::little,
              "our files are little-endian and are mapped as they are");

class ByteReader {
 public:
  /// @param what  file and part, for messages
  ByteReader(std::string what, std::span<const std::uint8_t> bytes, std::size_t position = 0)
      : what_(std::move(what)), bytes_(bytes), position_(position) {
    check(position <= bytes.size(), ErrorCode::kCorruptFile, "{}: points to byte {} of {}", what_,
          position, bytes.size());
  }

  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }

  /// @throws Error kCorruptFile when fewer than `size` bytes are left
  std::span<const std::uint8_t> take(std::uint64_t size) {
    check(size <= remaining(), ErrorCode::kCorruptFile,
          "{}: cut short, has {} bytes from {}, want {}", what_, remaining(), position_, size);
    const auto taken = bytes_.subspan(position_, static_cast<std::size_t>(size));
    position_ += taken.size();
    return taken;
  }

  std::string take_string(std::uint64_t size) {
    const auto taken = take(size);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }

  /// The next little-endian number.
  template <class T>
  T read() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

 private:
  std::string what_;
  std::span<const std::uint8_t> bytes_;
  std::size_t position_;
};

}  // namespace vostrack
