#include "nn/checkpoint.hpp"

#include <new>
#include <span>
#include <string_view>

#include "base/check.hpp"
#include "base/mapped_file.hpp"
#include "nn/hugging_face_names.hpp"
#include "nn/pt_reader.hpp"
#include "nn/safetensors.hpp"

namespace vostrack::nn {
namespace {

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A safetensors file starts with the header's length, then the header's opening brace. It can thus
/// look like a zip file by accident, but not the other way round: a zip file has its compression
/// method there.
bool is_safetensors(std::string_view bytes) {
  return bytes.size() > 8 && bytes[8] == '{';
}

bool is_zip(std::string_view bytes) {
  using std::string_view_literals::operator""sv;
  return bytes.starts_with("PK\x03\x04"sv) || bytes.starts_with("PK\x05\x06"sv);
}

/// Before 1.6, torch.save wrote a bare sequence of pickles, the first of them a magic number;
/// before 0.4, a tar archive.
bool is_old_torch(std::string_view bytes) {
  using std::string_view_literals::operator""sv;
  constexpr std::string_view kMagicNumber = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"sv;
  return (bytes.starts_with('\x80') && bytes.substr(2, kMagicNumber.size()) == kMagicNumber) ||
         (bytes.size() > 262 && bytes.substr(257, 5) == "ustar");
}

[[noreturn]] void refuse(const std::string& path, std::string_view bytes) {
  check(!is_old_torch(bytes), ErrorCode::kUnsupported,
        "{}: written by torch.save's format of before 1.6; save it again in Python with "
        "torch.save(torch.load(path, weights_only=True), path)",
        path);
  check(!bytes.starts_with("version https://git-lfs"), ErrorCode::kUnsupported,
        "{}: a Git LFS pointer, not the file itself; fetch it with git lfs pull", path);
  check(!bytes.starts_with("<"), ErrorCode::kUnsupported,
        "{}: a web page, not a checkpoint; the download went wrong", path);
  check(bytes.size() > 8, ErrorCode::kCorruptFile, "{}: {} bytes, too short for a checkpoint", path,
        bytes.size());
  fail(ErrorCode::kUnsupported, "{}: neither a .pt (zip) nor a .safetensors file", path);
}

StateDict read_any(const std::string& path) {
  auto file = MappedFile::open(path);
  const std::string_view bytes = text_of(file->bytes());
  if (is_safetensors(bytes)) return read_safetensors(std::move(file));
  if (is_zip(bytes)) return read_pt(std::move(file));
  refuse(path, bytes);
}

}  // namespace

StateDict read_checkpoint(const std::string& path) {
  try {
    StateDict state = read_any(path);
    check(!state.tensors.empty(), ErrorCode::kCorruptFile, "{}: holds no tensors", path);
    return has_hugging_face_names(state) ? from_hugging_face(std::move(state)) : std::move(state);
  } catch (const std::bad_alloc&) {
    fail(ErrorCode::kOutOfMemory, "{}: no memory to read it", path);
  }
}

}  // namespace vostrack::nn
