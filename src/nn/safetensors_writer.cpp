#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/atomic_file.hpp"
#include "base/check.hpp"
#include "nn/checkpoint.hpp"
#include "nn/safetensors_types.hpp"

namespace vostrack::nn {
namespace {

/// The header is padded with spaces to this, so that every tensor is aligned in a mapping.
constexpr std::size_t kAlignment = 64;

struct Item {
  const std::string* name;
  torch::Tensor tensor;
  torch::ScalarType dtype;  ///< as stored

  std::size_t item_size() const { return c10::elementSize(dtype); }
};

std::string_view type_name(const std::string& what, torch::ScalarType dtype) {
  for (const auto& [name, type] : kSafetensorsTypes)
    if (type == dtype) return name;
  fail(ErrorCode::kInvalidArgument, "{}: type {} cannot be stored", what, c10::toString(dtype));
}

/// Widest types first, so that each starts at a multiple of its own size without padding.
std::vector<Item> order(const std::string& path, const StateDict& state, bool half) {
  std::vector<Item> items;
  for (const auto& [name, tensor] : state.tensors) {
    const std::string what = path + ": " + name;
    check(tensor.defined() && tensor.layout() == torch::kStrided, ErrorCode::kInvalidArgument,
          "{}: not a dense tensor", what);
    check(name != kSafetensorsMetadata, ErrorCode::kInvalidArgument, "{}: the name is taken", what);
    check(tensor.dim() <= 32, ErrorCode::kInvalidArgument, "{}: {} dimensions, want at most 32",
          what, tensor.dim());
    const bool narrow = half && tensor.is_floating_point();
    const auto dtype = narrow ? torch::kFloat16 : tensor.scalar_type();
    type_name(what, tensor.scalar_type());
    items.push_back({&name, tensor.detach(), dtype});
  }
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& a, const Item& b) { return a.item_size() > b.item_size(); });
  return items;
}

std::string make_header(const std::string& path, const StateDict& state,
                        const std::vector<Item>& items) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!state.metadata.empty()) header[std::string(kSafetensorsMetadata)] = state.metadata;
  std::size_t begin = 0;
  for (const Item& item : items) {
    const std::size_t end =
        begin + static_cast<std::size_t>(item.tensor.numel()) * item.item_size();
    header[*item.name] = {{"dtype", type_name(path + ": " + *item.name, item.dtype)},
                          {"shape", item.tensor.sizes().vec()},
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
torch::Tensor prepare(const std::string& path, const Item& item) {
  const torch::Tensor stored = item.tensor.to(torch::kCPU, item.dtype).contiguous();
  if (item.dtype != item.tensor.scalar_type()) {
    const torch::Tensor lost =
        torch::isinf(stored).logical_and(torch::isinf(item.tensor.to(torch::kCPU)).logical_not());
    check(!lost.any().item<bool>(), ErrorCode::kInvalidArgument,
          "{}: {} has values beyond float16's range of ±65504", path, *item.name);
  }
  return stored;
}

std::span<const std::uint8_t> bytes_of(const void* data, std::size_t size) {
  return {static_cast<const std::uint8_t*>(data), size};
}

}  // namespace

void write_safetensors(const std::string& path, const StateDict& state, bool half) {
  const std::vector<Item> items = order(path, state, half);
  const std::string header = make_header(path, state, items);
  AtomicFile file(path);
  const std::uint64_t header_size = header.size();
  file.write(bytes_of(&header_size, sizeof header_size));
  file.write(bytes_of(header.data(), header.size()));
  for (const Item& item : items) {
    const torch::Tensor stored = prepare(path, item);
    file.write(bytes_of(stored.const_data_ptr(), stored.nbytes()));
  }
  file.commit(Durability::kFlushed);
}

}  // namespace vostrack::nn
