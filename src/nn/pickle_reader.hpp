/// The part of Python's pickle format that a checkpoint needs, and no more.
///
/// A pickle is a program that may name and call any function. This reader knows the handful of
/// names with which torch.save describes tensors, gives each a fixed meaning, and refuses the file
/// at the first other name: nothing is ever looked up or run.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vostrack::nn::pickle {

struct Value;

struct None {};

/// A list, tuple or set.
struct Sequence {
  std::vector<const Value*> items;
  bool is_tuple = false;
};

/// A dict or OrderedDict: pairs in order of insertion. Of equal keys the last counts.
struct Dict {
  std::vector<std::pair<const Value*, const Value*>> items;
  bool is_ordered = false;
};

struct Bytes {
  std::string content;
};

/// A name that stands for itself until it is called.
struct Global {
  enum class Kind {
    kOrderedDict,
    kRebuildTensor,
    kRebuildTypedTensor,
    kRebuildParameter,
    kSize,
    kTypedStorage,
    kUntypedStorage,
    kDtype
  };
  Kind kind;
  torch::ScalarType dtype = torch::kByte;  ///< of typed storages and dtypes
};

/// Memory that tensors are views of: the archive's entry `data/<key>`.
struct Storage {
  std::string key;
  torch::ScalarType dtype;
  bool is_typed = true;
  std::int64_t elements = 0;  ///< of `dtype`
};

/// A view of a storage; it has been checked to lie within the elements the storage declares.
struct Tensor {
  const Storage* storage;
  torch::ScalarType dtype;
  std::int64_t offset;  ///< in elements
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> strides;
};

struct Value {
  std::variant<None, bool, std::int64_t, double, std::string, Bytes, Sequence, Dict, Global,
               Storage, Tensor>
      content;

  template <class T>
  const T* as() const {
    return std::get_if<T>(&content);
  }
};

/// What a value is, for messages: "a dict".
const char* describe(const Value& value);

/// A pickle's values. They refer to each other, possibly in circles, so the pool owns them all.
struct Document {
  std::deque<Value> pool;
  const Value* top = nullptr;
};

/// Reads a pickle of protocol 2 to 5.
///
/// @param what  file and entry, for messages
/// @throws Error kCorruptFile when it is cut short, malformed or unreasonably large, kUnsupported
///   when it names or calls anything that no checkpoint needs; the message gives the name
Document read(const std::string& what, std::span<const std::uint8_t> bytes);

}  // namespace vostrack::nn::pickle
