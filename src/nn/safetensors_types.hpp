/// The names of tensor types in .safetensors files.
#pragma once

#include <torch/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vostrack::nn {

inline constexpr std::pair<std::string_view, torch::ScalarType> kSafetensorsTypes[] = {
    {"F64", torch::kFloat64},   {"F32", torch::kFloat32}, {"F16", torch::kFloat16},
    {"BF16", torch::kBFloat16}, {"I64", torch::kInt64},   {"I32", torch::kInt32},
    {"I16", torch::kInt16},     {"I8", torch::kInt8},     {"U8", torch::kUInt8},
    {"BOOL", torch::kBool},
};

inline constexpr std::string_view kSafetensorsMetadata = "__metadata__";

/// A header may have this many bytes, as in the format's own implementation.
inline constexpr std::uint64_t kMaxSafetensorsHeader = 100'000'000;

}  // namespace vostrack::nn
