#include "nn/pickle_reader.hpp"

#include <map>
#include <optional>
#include <unordered_map>

#include "base/byte_reader.hpp"
#include "base/check.hpp"
#include "nn/shared_bytes.hpp"

// Source: CPython's Lib/pickletools.py (opcodes); PyTorch's torch/_utils.py and
// torch/serialization.py (what torch.save writes).

namespace vostrack::nn::pickle {
namespace {

// A large official checkpoint has a pickle of 200 KB with 10 000 values.
constexpr std::size_t kMaxBytes = 16U << 20;
constexpr std::size_t kMaxValues = 1U << 18;
constexpr std::size_t kMaxStack = 1U << 20;
constexpr std::size_t kMaxMarks = 1000;
constexpr std::uint64_t kMaxString = 1U << 20;
constexpr std::size_t kMaxName = 256;

enum Opcode : std::uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kPersistentId = 'Q',
  kReduce = 'R',
  kBinUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyTuple = ')',
  kEmptyList = ']',
  kEmptyDict = '}',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kProtocol = 0x80,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kTrue = 0x88,
  kFalse = 0x89,
  kLong1 = 0x8a,
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinBytes8 = 0x8e,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

/// Names of the opcodes that call or name things outside the format, for messages.
const char* name_of_refused(std::uint8_t opcode) {
  switch (opcode) {
    case 'i':
      return "INST";
    case 'o':
      return "OBJ";
    case 'P':
      return "PERSID";
    case 0x81:
      return "NEWOBJ";
    case 0x82:
      return "EXT1";
    case 0x83:
      return "EXT2";
    case 0x84:
      return "EXT4";
    case 0x92:
      return "NEWOBJ_EX";
    default:
      return nullptr;
  }
}

std::optional<Global> find_global(const std::string& module, const std::string& name) {
  using Kind = Global::Kind;
  static const std::map<std::string, Global> known = [] {
    std::map<std::string, Global> globals = {
        {"collections.OrderedDict", {Kind::kOrderedDict}},
        {"torch._utils._rebuild_tensor_v2", {Kind::kRebuildTensor}},
        {"torch._utils._rebuild_tensor_v3", {Kind::kRebuildTypedTensor}},
        {"torch._utils._rebuild_parameter", {Kind::kRebuildParameter}},
        {"torch.Size", {Kind::kSize}},
        {"torch.storage.UntypedStorage", {Kind::kUntypedStorage}},
        {"torch.UntypedStorage", {Kind::kUntypedStorage}},
    };
    const std::tuple<const char*, const char*, torch::ScalarType> types[] = {
        {"Double", "float64", torch::kFloat64}, {"Float", "float32", torch::kFloat32},
        {"Half", "float16", torch::kFloat16},   {"BFloat16", "bfloat16", torch::kBFloat16},
        {"Long", "int64", torch::kInt64},       {"Int", "int32", torch::kInt32},
        {"Short", "int16", torch::kInt16},      {"Char", "int8", torch::kInt8},
        {"Byte", "uint8", torch::kUInt8},       {"Bool", "bool", torch::kBool},
    };
    for (const auto& [storage, dtype, type] : types) {
      globals["torch." + std::string(storage) + "Storage"] = {Kind::kTypedStorage, type};
      globals["torch." + std::string(dtype)] = {Kind::kDtype, type};
    }
    return globals;
  }();
  const auto found = known.find(module + "." + name);
  if (found == known.end()) return std::nullopt;
  return found->second;
}

class Machine {
 public:
  Machine(const std::string& what, std::span<const std::uint8_t> bytes)
      : what_(what), reader_(what, bytes) {}

  Document run() {
    check_format(reader_.read<std::uint8_t>() == kProtocol, "it does not start with a protocol");
    const int protocol = reader_.read<std::uint8_t>();
    check(protocol >= 2 && protocol <= 5, ErrorCode::kUnsupported,
          "{}: pickle protocol {}, want 2 to 5", what_, protocol);
    for (;;) {
      start_ = reader_.position();
      const auto opcode = reader_.read<std::uint8_t>();
      if (opcode == kStop) break;
      step(opcode);
    }
    check_format(marks_.empty(), "it ends within a tuple, list or dict");
    document_.top = pop();
    return std::move(document_);
  }

 private:
  void step(std::uint8_t opcode) {
    switch (opcode) {
      case kFrame:
        reader_.take(8);
        break;  // a hint for readers of streams
      case kMark:
        push_mark();
        break;
      case kPop:
        stack_.size() > floor() ? void(pop()) : void(pop_mark());
        break;
      case kPopMark:
        pop_mark();
        break;
      case kDup:
        push_again(peek());
        break;

      case kNone:
        push(None{});
        break;
      case kTrue:
        push(true);
        break;
      case kFalse:
        push(false);
        break;
      case kBinInt:
        push(std::int64_t{reader_.read<std::int32_t>()});
        break;
      case kBinInt1:
        push(std::int64_t{reader_.read<std::uint8_t>()});
        break;
      case kBinInt2:
        push(std::int64_t{reader_.read<std::uint16_t>()});
        break;
      case kLong1:
        push(read_long());
        break;
      case kBinFloat:
        push(read_big_endian_double());
        break;
      case kShortBinUnicode:
        push(read_text(reader_.read<std::uint8_t>()));
        break;
      case kBinUnicode:
        push(read_text(reader_.read<std::uint32_t>()));
        break;
      case kBinUnicode8:
        push(read_text(reader_.read<std::uint64_t>()));
        break;
      case kShortBinBytes:
        push(Bytes{read_text(reader_.read<std::uint8_t>())});
        break;
      case kBinBytes:
        push(Bytes{read_text(reader_.read<std::uint32_t>())});
        break;
      case kBinBytes8:
        push(Bytes{read_text(reader_.read<std::uint64_t>())});
        break;

      case kEmptyTuple:
        push(Sequence{{}, true});
        break;
      case kTuple:
        push(Sequence{pop_mark(), true});
        break;
      case kTuple1:
        push_tuple(1);
        break;
      case kTuple2:
        push_tuple(2);
        break;
      case kTuple3:
        push_tuple(3);
        break;
      case kEmptyList:
      case kEmptySet:
        push(Sequence{});
        break;
      case kAppend:
        append({pop()});
        break;
      case kAppends:
      case kAddItems:
        append(pop_mark());
        break;
      case kEmptyDict:
        push(Dict{});
        break;
      case kSetItem:
        set_one_item();
        break;
      case kSetItems:
        set_items(pop_mark());
        break;

      case kBinPut:
        memo_[reader_.read<std::uint8_t>()] = peek();
        break;
      case kLongBinPut:
        memo_[reader_.read<std::uint32_t>()] = peek();
        break;
      case kMemoize:
        memo_[static_cast<std::uint32_t>(memo_.size())] = peek();
        break;
      case kBinGet:
        push_again(recall(reader_.read<std::uint8_t>()));
        break;
      case kLongBinGet:
        push_again(recall(reader_.read<std::uint32_t>()));
        break;

      case kGlobal: {
        const std::string module = read_line();
        push_global(module, read_line());
        break;
      }
      case kStackGlobal:
        stack_global();
        break;
      case kPersistentId:
        push_storage(*pop());
        break;
      case kReduce:
        reduce();
        break;
      case kBuild:
        build();
        break;
      default:
        refuse(opcode);
    }
  }

  [[noreturn]] void refuse(std::uint8_t opcode) {
    if (const char* name = name_of_refused(opcode))
      fail(ErrorCode::kUnsupported,
           "{} at byte {}: opcode {} makes objects that no checkpoint needs; refused", what_,
           start_, name);
    fail(ErrorCode::kCorruptFile, "{} at byte {}: unknown opcode {:#04x}", what_, start_, opcode);
  }

  void check_format(bool condition, const char* problem) const {
    check(condition, ErrorCode::kCorruptFile, "{} at byte {}: {}", what_, start_, problem);
  }

  // The stack. Values below the last mark belong to what is being built around the current one.

  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  template <class T>
  void push(T content) {
    check_format(document_.pool.size() < kMaxValues, "too many values");
    push_again(&document_.pool.emplace_back(Value{std::move(content)}));
  }

  void push_again(Value* value) {
    check_format(stack_.size() < kMaxStack, "too deep a stack");
    stack_.push_back(value);
  }

  Value* peek() const {
    check_format(stack_.size() > floor(), "the stack is empty");
    return stack_.back();
  }

  Value* pop() {
    Value* value = peek();
    stack_.pop_back();
    return value;
  }

  void push_mark() {
    check_format(marks_.size() < kMaxMarks, "too deep a nesting");
    marks_.push_back(stack_.size());
  }

  std::vector<const Value*> pop_mark() {
    check_format(!marks_.empty(), "no mark on the stack");
    std::vector<const Value*> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()),
                                    stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }

  Value* recall(std::uint32_t index) const {
    const auto found = memo_.find(index);
    check_format(found != memo_.end(), "recalls what was never put into the memo");
    return found->second;
  }

  // Literals.

  std::int64_t read_long() {
    const auto size = reader_.read<std::uint8_t>();
    check_format(size <= 8, "an integer of more than 64 bits");
    const auto bytes = reader_.take(size);
    if (bytes.empty()) return 0;
    std::uint64_t value = (bytes.back() & 0x80U) != 0 ? ~std::uint64_t{0} : 0;  // sign
    for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
    return static_cast<std::int64_t>(value);
  }

  double read_big_endian_double() {
    const auto bytes = reader_.take(8);
    std::uint64_t bits = 0;
    for (const std::uint8_t byte : bytes) bits = bits << 8 | byte;
    return std::bit_cast<double>(bits);
  }

  std::string read_text(std::uint64_t size) {
    check_format(size <= kMaxString, "a string of more than 1 MiB");
    return reader_.take_string(size);
  }

  std::string read_line() {
    std::string line;
    for (char c; (c = static_cast<char>(reader_.read<std::uint8_t>())) != '\n';) {
      check_format(line.size() < kMaxName, "a name of more than 256 characters");
      line += c;
    }
    return line;
  }

  // Containers.

  void push_tuple(std::size_t size) {
    check_format(stack_.size() - floor() >= size, "the stack is empty");
    Sequence tuple{{stack_.end() - static_cast<std::ptrdiff_t>(size), stack_.end()}, true};
    stack_.resize(stack_.size() - size);
    push(std::move(tuple));
  }

  void append(const std::vector<const Value*>& items) {
    auto* list = std::get_if<Sequence>(&peek()->content);
    check_format(list != nullptr && !list->is_tuple, "appends to something that is no list");
    list->items.insert(list->items.end(), items.begin(), items.end());
  }

  void set_one_item() {
    const Value* value = pop();
    const Value* key = pop();
    set_items({key, value});
  }

  void set_items(const std::vector<const Value*>& items) {
    auto* dict = std::get_if<Dict>(&peek()->content);
    check_format(dict != nullptr, "sets items of something that is no dict");
    check_format(items.size() % 2 == 0, "a key without a value");
    for (std::size_t i = 0; i < items.size(); i += 2)
      dict->items.emplace_back(items[i], items[i + 1]);
  }

  // Names and calls: the fixed meanings.

  void push_global(const std::string& module, const std::string& name) {
    const auto global = find_global(module, name);
    check(global.has_value(), ErrorCode::kUnsupported,
          "{} at byte {}: names {}.{}, which no checkpoint of tensors needs; refused", what_,
          start_, module, name);
    push(*global);
  }

  void stack_global() {
    const auto* name = pop()->as<std::string>();
    const auto* module = pop()->as<std::string>();
    check_format(name != nullptr && module != nullptr && name->size() <= kMaxName &&
                     module->size() <= kMaxName,
                 "a name that is no text");
    push_global(*module, *name);
  }

  void reduce() {
    const auto* arguments = pop()->as<Sequence>();
    const auto* callee = pop()->as<Global>();
    check_format(arguments != nullptr && arguments->is_tuple, "a call without arguments");
    check(callee != nullptr, ErrorCode::kUnsupported,
          "{} at byte {}: calls something that is no function; refused", what_, start_);
    const auto& items = arguments->items;
    switch (callee->kind) {
      case Global::Kind::kOrderedDict:
        check_format(items.empty(), "an OrderedDict made from arguments");
        return push(Dict{{}, true});
      case Global::Kind::kSize: {
        const auto* sizes = items.size() == 1 ? items[0]->as<Sequence>() : nullptr;
        check_format(sizes != nullptr && sizes->items.size() <= kMaxDimensions,
                     "a torch.Size of something that is no short tuple");
        return push(Sequence{sizes->items, true});
      }
      case Global::Kind::kRebuildParameter:
        check_format(items.size() == 3 && items[0]->as<Tensor>() != nullptr,
                     "a parameter of something that is no tensor");
        return push(Tensor(*items[0]->as<Tensor>()));
      case Global::Kind::kRebuildTensor:
      case Global::Kind::kRebuildTypedTensor:
        return push(rebuild_tensor(items, callee->kind == Global::Kind::kRebuildTypedTensor));
      case Global::Kind::kTypedStorage:
      case Global::Kind::kUntypedStorage:
      case Global::Kind::kDtype:
        break;
    }
    fail(ErrorCode::kUnsupported, "{} at byte {}: calls a type of tensors; refused", what_, start_);
  }

  /// Attributes of a state dict (torch's `_metadata`) mean nothing to us; of all else they are
  /// refused.
  void build() {
    const auto* state = pop()->as<Dict>();
    const auto* dict = peek()->as<Dict>();
    check(state != nullptr && dict != nullptr && dict->is_ordered, ErrorCode::kUnsupported,
          "{} at byte {}: BUILD on something that is no OrderedDict; refused", what_, start_);
  }

  void push_storage(const Value& id) {
    const auto* tuple = id.as<Sequence>();
    check_format(tuple != nullptr && tuple->items.size() == 5, "an unknown persistent id");
    const auto& items = tuple->items;
    const auto* kind = items[0]->as<std::string>();
    const auto* type = items[1]->as<Global>();
    const auto* key = items[2]->as<std::string>();
    const auto* elements = items[4]->as<std::int64_t>();
    check_format(kind != nullptr && *kind == "storage", "an unknown persistent id");
    check_format(type != nullptr && (type->kind == Global::Kind::kTypedStorage ||
                                     type->kind == Global::Kind::kUntypedStorage),
                 "a storage without a type");
    check_format(key != nullptr && key->size() <= kMaxName && elements != nullptr && *elements >= 0,
                 "a storage without a key or size");
    push(Storage{*key, type->dtype, type->kind == Global::Kind::kTypedStorage, *elements});
  }

  std::vector<std::int64_t> read_sizes(const Value& value) const {
    const auto* tuple = value.as<Sequence>();
    check_format(tuple != nullptr && tuple->items.size() <= kMaxDimensions,
                 "a tensor with bad sizes or strides");
    std::vector<std::int64_t> sizes;
    for (const Value* item : tuple->items) {
      const auto* size = item->as<std::int64_t>();
      check_format(size != nullptr && *size >= 0, "a tensor with a negative size or stride");
      sizes.push_back(*size);
    }
    return sizes;
  }

  /// (storage, offset, sizes, strides, requires_grad, hooks[, dtype][, metadata])
  Tensor rebuild_tensor(const std::vector<const Value*>& items, bool has_dtype) const {
    const std::size_t wanted = has_dtype ? 7 : 6;
    check_format(items.size() == wanted || items.size() == wanted + 1,
                 "a tensor with another number of arguments");
    const auto* storage = items[0]->as<Storage>();
    const auto* offset = items[1]->as<std::int64_t>();
    check_format(storage != nullptr && offset != nullptr && *offset >= 0,
                 "a tensor without a storage or offset");
    if (items.size() > wanted) {
      // Metadata says that numbers are to be read negated or conjugated.
      const auto* metadata = items.back()->as<Dict>();
      check_format(
          items.back()->as<None>() != nullptr || (metadata != nullptr && metadata->items.empty()),
          "a tensor with metadata");
    }
    Tensor tensor{storage, storage->dtype, *offset, read_sizes(*items[2]), read_sizes(*items[3])};
    std::int64_t elements = storage->elements;
    if (has_dtype) {
      const auto* dtype = items[6]->as<Global>();
      check_format(dtype != nullptr && dtype->kind == Global::Kind::kDtype && !storage->is_typed,
                   "a tensor without a dtype");
      tensor.dtype = dtype->dtype;
      elements /= static_cast<std::int64_t>(c10::elementSize(dtype->dtype));
    } else {
      check_format(storage->is_typed, "a tensor over a storage without a dtype");
    }
    check_within(tensor, elements);
    return tensor;
  }

  void check_within(const Tensor& tensor, std::int64_t elements) const {
    check_format(
        tensor.sizes.size() == tensor.strides.size() && element_count(tensor.sizes).has_value(),
        "a tensor with bad sizes");
    std::int64_t last = tensor.offset;
    bool empty = false;
    for (std::size_t i = 0; i < tensor.sizes.size(); ++i) {
      std::int64_t reach = 0;
      empty = empty || tensor.sizes[i] == 0;
      const auto steps = std::max<std::int64_t>(tensor.sizes[i] - 1, 0);
      const bool overflows = __builtin_mul_overflow(steps, tensor.strides[i], &reach) ||
                             __builtin_add_overflow(last, reach, &last);
      check_format(!overflows, "a tensor with bad strides");
    }
    check(empty ? tensor.offset <= elements : last < elements, ErrorCode::kCorruptFile,
          "{} at byte {}: a tensor reaches to element {} of a storage that has {}", what_, start_,
          last, elements);
  }

  std::string what_;
  ByteReader reader_;
  std::size_t start_ = 0;  ///< of the current opcode, for messages
  Document document_;
  std::vector<Value*> stack_;
  std::vector<std::size_t> marks_;  ///< stack heights
  std::unordered_map<std::uint32_t, Value*> memo_;
};

}  // namespace

const char* describe(const Value& value) {
  constexpr const char* kNames[] = {"None",   "a bool", "an int", "a float",   "a string", "bytes",
                                    "a list", "a dict", "a name", "a storage", "a tensor"};
  static_assert(std::size(kNames) == std::variant_size_v<decltype(Value::content)>);
  return kNames[value.content.index()];
}

Document read(const std::string& what, std::span<const std::uint8_t> bytes) {
  check(bytes.size() <= kMaxBytes, ErrorCode::kCorruptFile, "{}: {} bytes, want at most {}", what,
        bytes.size(), kMaxBytes);
  return Machine(what, bytes).run();
}

}  // namespace vostrack::nn::pickle
