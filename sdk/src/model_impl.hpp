/// What vostrack::Model hides.
#pragma once

#include <memory>
#include <string_view>
#include <string>

#include "nn/model.hpp"
#include "vostrack/model.hpp"

namespace vostrack {

struct Model::Impl {
  std::string path;
  ModelOptions options;
  std::shared_ptr<const nn::Model> model;
};

/// LibTorch has an exception for a GPU's memory that ran out, but none for the computer's.
inline bool says_out_of_memory(const c10::Error& error) {
  return std::string_view(error.what_without_backtrace()).find("DefaultCPUAllocator") !=
         std::string_view::npos;
}

/// Turns LibTorch's own exceptions into ours at the border of the library.
template <class Work>
decltype(auto) translate_errors(Work&& work) {
  try {
    return work();
  } catch (const c10::OutOfMemoryError& error) {
    throw Error(ErrorCode::kOutOfMemory, error.what_without_backtrace());
  } catch (const c10::Error& error) {
    throw Error(says_out_of_memory(error) ? ErrorCode::kOutOfMemory : ErrorCode::kInternal,
                error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kOutOfMemory, "out of memory");
  }
}

}  // namespace vostrack
