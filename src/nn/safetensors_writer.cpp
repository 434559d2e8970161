#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/atomic_file.hpp"
#include "base/check.hpp"
#include "nn/checkpoint.hpp"
#include "nn/safetensors.hpp"
#include "nn/safetensors_types.hpp"

namespace vostrack::nn {
namespace {

/// The header is padded with spaces to this, so that every tensor is aligned in a mapping.
constexpr std::size_t kAlignment = 64;

std::string_view type_name(const std::string& what, torch::ScalarType dtype) {
  for (const auto& [name, type] : kSafetensorsTypes)
    if (type == dtype) return name;
  fail(ErrorCode::kInvalidArgument, "{}: type {} cannot be stored", what, c10::toString(dtype));
}

std::int64_t size_of(const TensorParts& tensor) {
  return c10::multiply_integers(tensor.shape) *
         static_cast<std::int64_t>(c10::elementSize(tensor.dtype));
}

std::string make_header(const std::string& path, const std::map<std::string, std::string>& metadata,
                        const std::vector<TensorParts>& tensors) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[std::string(kSafetensorsMetadata)] = metadata;
  std::int64_t begin = 0;
  for (const TensorParts& tensor : tensors) {
    const std::int64_t end = begin + size_of(tensor);
    header[tensor.name] = {{"dtype", type_name(path + ": " + tensor.name, tensor.dtype)},
                           {"shape", tensor.shape},
                           {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::type_error&) {
    fail(ErrorCode::kInvalidArgument, "{}: a name or metadata text is not UTF-8", path);
  }
  const std::size_t length = sizeof(std::uint64_t) + text.size();
  text.append((kAlignment - length % kAlignment) % kAlignment, ' ');
  check(text.size() <= kMaxSafetensorsHeader, ErrorCode::kInvalidArgument,
        "{}: names and metadata take {} bytes, want at most {}", path, text.size(),
        kMaxSafetensorsHeader);
  return text;
}

/// As stored: on the CPU, contiguous, narrowed if wanted.
torch::Tensor prepare(const std::string& path, const std::string& name, const torch::Tensor& tensor,
                      torch::ScalarType dtype) {
  const torch::Tensor stored = tensor.to(torch::kCPU, dtype).contiguous();
  if (dtype != tensor.scalar_type()) {
    const torch::Tensor lost =
        torch::isinf(stored).logical_and(torch::isinf(tensor.to(torch::kCPU)).logical_not());
    check(!lost.any().item<bool>(), ErrorCode::kInvalidArgument,
          "{}: {} has values beyond float16's range of ±65504", path, name);
  }
  return stored;
}

std::span<const std::uint8_t> bytes_of(const void* data, std::size_t size) {
  return {static_cast<const std::uint8_t*>(data), size};
}

}  // namespace

void write_safetensors(const std::string& path, const std::map<std::string, std::string>& metadata,
                       std::vector<TensorParts> tensors) {
  // Widest types first, so that each starts at a multiple of its own size without padding.
  std::stable_sort(tensors.begin(), tensors.end(), [](const TensorParts& a, const TensorParts& b) {
    return c10::elementSize(a.dtype) > c10::elementSize(b.dtype);
  });
  const std::string header = make_header(path, metadata, tensors);
  AtomicFile file(path);
  const std::uint64_t header_size = header.size();
  file.write(bytes_of(&header_size, sizeof header_size));
  file.write(bytes_of(header.data(), header.size()));
  for (const TensorParts& tensor : tensors) {
    std::int64_t written = 0;
    for (std::int64_t i = 0; i < tensor.parts; ++i) {
      const torch::Tensor part = tensor.part(i);
      file.write(bytes_of(part.const_data_ptr(), part.nbytes()));
      written += static_cast<std::int64_t>(part.nbytes());
    }
    VOSTRACK_ASSERT(written == size_of(tensor));
  }
  file.commit(Durability::kFlushed);
}

void write_safetensors(const std::string& path, const StateDict& state, bool half) {
  std::vector<TensorParts> tensors;
  for (const auto& [name, tensor] : state.tensors) {
    const std::string what = path + ": " + name;
    check(tensor.defined() && tensor.layout() == torch::kStrided, ErrorCode::kInvalidArgument,
          "{}: not a dense tensor", what);
    check(name != kSafetensorsMetadata, ErrorCode::kInvalidArgument, "{}: the name is taken", what);
    check(tensor.dim() <= 32, ErrorCode::kInvalidArgument, "{}: {} dimensions, want at most 32",
          what, tensor.dim());
    type_name(what, tensor.scalar_type());
    const bool narrow = half && tensor.is_floating_point();
    const auto dtype = narrow ? torch::kFloat16 : tensor.scalar_type();
    tensors.push_back({name, dtype, tensor.sizes().vec(), 1,
                       [&path, &name = name, value = tensor.detach(), dtype](std::int64_t) {
                         return prepare(path, name, value, dtype);
                       }});
  }
  write_safetensors(path, state.metadata, std::move(tensors));
}

}  // namespace vostrack::nn
