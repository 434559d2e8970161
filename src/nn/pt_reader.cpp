#include "nn/pt_reader.hpp"

#include <vector>

#include "base/check.hpp"
#include "nn/parallel.hpp"
#include "nn/pickle_reader.hpp"
#include "nn/zip_reader.hpp"

namespace vostrack::nn {
namespace {

constexpr std::string_view kPickle = "/data.pkl";

using NamedTensors = std::map<std::string, const pickle::Tensor*>;

/// The archive's one folder, without a slash at the end.
std::string find_folder(const ZipReader& zip) {
  const std::string* found = nullptr;
  for (const auto& [name, entry] : zip.entries()) {
    if (!name.ends_with(kPickle) || name.find('/') != name.size() - kPickle.size()) continue;
    check(found == nullptr, ErrorCode::kCorruptFile, "{}: has both {} and {}", zip.file().path(),
          found ? *found : "", name);
    found = &name;
  }
  check(found != nullptr, ErrorCode::kUnsupported,
        "{}: a zip archive without a data.pkl, so torch.save did not write it", zip.file().path());
  return found->substr(0, found->size() - kPickle.size());
}

void check_byte_order(const ZipReader& zip, const std::string& folder, CopyBudget& budget) {
  const std::string name = folder + "/byteorder";
  if (!zip.entries().contains(name)) return;  // before torch 2.1, always little
  budget.take(zip.file().path() + ": " + name, zip.memory_needed(name));
  const SharedBytes content = zip.read(name);
  const auto bytes = content.bytes;
  const std::string_view order(reinterpret_cast<const char*>(bytes.data()),
                               std::min<std::size_t>(bytes.size(), 8));
  check(order == "little", ErrorCode::kUnsupported, "{}: byte order is '{}', want 'little'",
        zip.file().path(), order);
}

const pickle::Value* find(const pickle::Dict& dict, std::string_view key) {
  const pickle::Value* found = nullptr;
  for (const auto& [name, value] : dict.items)
    if (const auto* text = name->as<std::string>(); text != nullptr && *text == key) found = value;
  return found;
}

/// The state dict's tensors: under `model`, else `state_dict`, else at the top level.
NamedTensors find_tensors(const std::string& path, const pickle::Document& document) {
  const auto* top = document.top->as<pickle::Dict>();
  check(top != nullptr, ErrorCode::kUnsupported, "{}: holds {}, want a dict of tensors", path,
        pickle::describe(*document.top));
  const pickle::Dict* state = top;
  for (const char* key : {"model", "state_dict"}) {
    const pickle::Value* inner = find(*top, key);
    if (inner == nullptr || inner->as<pickle::Dict>() == nullptr) continue;
    state = inner->as<pickle::Dict>();
    break;
  }
  NamedTensors tensors;
  for (const auto& [key, value] : state->items) {
    const auto* name = key->as<std::string>();
    const auto* tensor = value->as<pickle::Tensor>();
    if (name != nullptr && tensor != nullptr) tensors[*name] = tensor;
    // Beside a bare state dict's tensors there may be anything, such as an epoch's number.
    else if (state != top)
      fail(ErrorCode::kUnsupported, "{}: '{}' in the state dict is {}, want a tensor", path,
           name ? *name : pickle::describe(*key), pickle::describe(*value));
  }
  check(!tensors.empty(), ErrorCode::kCorruptFile,
        "{}: holds no tensors at its top level, under 'model' or under 'state_dict'", path);
  return tensors;
}

std::int64_t item_size(torch::ScalarType dtype) {
  return static_cast<std::int64_t>(c10::elementSize(dtype));
}

/// Reads each storage that a tensor needs once, and checks that it is as large as declared.
class Storages {
 public:
  Storages(const ZipReader& zip, std::string folder, CopyBudget& budget)
      : zip_(zip), folder_(std::move(folder)), budget_(budget) {}

  void read(const NamedTensors& tensors) {
    for (const auto& [name, tensor] : tensors) {
      const std::string entry = entry_name(*tensor);
      check_size(entry, *tensor->storage);
      if (storages_.emplace(entry, SharedBytes{}).second)
        budget_.take(zip_.file().path() + ": " + entry, zip_.memory_needed(entry));
    }
    std::vector<std::pair<const std::string, SharedBytes>*> jobs;
    for (auto& storage : storages_) jobs.push_back(&storage);
    // Checksums and inflation cost more than reading.
    at::parallel_for(0, static_cast<std::int64_t>(jobs.size()), 1,
                     [&](std::int64_t begin, std::int64_t end) {
                       for (std::int64_t i = begin; i < end; ++i) {
                         auto& [entry, bytes] = *jobs[static_cast<std::size_t>(i)];
                         bytes = zip_.read(entry);
                       }
                     });
  }

  const SharedBytes& of(const pickle::Tensor& tensor) const {
    return storages_.at(entry_name(tensor));
  }

 private:
  std::string entry_name(const pickle::Tensor& tensor) const {
    return folder_ + "/data/" + tensor.storage->key;
  }

  void check_size(const std::string& entry, const pickle::Storage& storage) const {
    const auto found = zip_.entries().find(entry);
    check(found != zip_.entries().end(), ErrorCode::kCorruptFile, "{}: has no entry {}",
          zip_.file().path(), entry);
    const std::int64_t item = storage.is_typed ? item_size(storage.dtype) : 1;
    std::int64_t bytes = 0;
    const bool fits = !__builtin_mul_overflow(storage.elements, item, &bytes) &&
                      static_cast<std::uint64_t>(bytes) == found->second.size;
    check(fits, ErrorCode::kCorruptFile, "{}: {} has {} bytes, but is declared as {} items of {}",
          zip_.file().path(), entry, found->second.size, storage.elements, item);
  }

  const ZipReader& zip_;
  std::string folder_;
  CopyBudget& budget_;
  std::map<std::string, SharedBytes> storages_;
};

torch::Tensor make_tensor(const std::string& what, const pickle::Tensor& view, SharedBytes storage,
                          CopyBudget& budget) {
  const std::int64_t item = item_size(view.dtype);
  if (*element_count(view.sizes) == 0)
    return torch::empty(view.sizes, torch::TensorOptions().dtype(view.dtype));
  std::int64_t last = view.offset;
  for (std::size_t i = 0; i < view.sizes.size(); ++i) last += (view.sizes[i] - 1) * view.strides[i];
  storage.bytes = storage.bytes.subspan(static_cast<std::size_t>(view.offset * item),
                                        static_cast<std::size_t>((last + 1 - view.offset) * item));
  if (!is_aligned(storage.bytes.data(), view.dtype)) {
    budget.take(what, storage.bytes.size());
    storage = copy_bytes(storage.bytes);
  }
  const torch::Tensor tensor = tensor_over(what, storage, view.sizes, view.strides, view.dtype);
  if (tensor.is_contiguous()) return tensor;
  // An expanded view of one number may claim any size.
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(*element_count(view.sizes), item, &bytes)) bytes = INT64_MAX;
  budget.take(what, static_cast<std::uint64_t>(bytes));
  return tensor.contiguous();
}

}  // namespace

StateDict read_pt(std::shared_ptr<const MappedFile> file) {
  const std::string path = file->path();
  const ZipReader zip(std::move(file));
  CopyBudget budget(zip.file().bytes().size());
  const std::string folder = find_folder(zip);
  check_byte_order(zip, folder, budget);

  const std::string pickle_name = folder + std::string(kPickle);
  budget.take(path + ": " + pickle_name, zip.memory_needed(pickle_name));
  const SharedBytes pickled = zip.read(pickle_name);
  const pickle::Document document = pickle::read(path + ": " + pickle_name, pickled.bytes);
  const NamedTensors tensors = find_tensors(path, document);

  Storages storages(zip, folder, budget);
  storages.read(tensors);
  StateDict state;
  for (const auto& [name, view] : tensors)
    state.tensors.emplace(name, make_tensor(path + ": " + name, *view, storages.of(*view), budget));
  return state;
}

}  // namespace vostrack::nn
