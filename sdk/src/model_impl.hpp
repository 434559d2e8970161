/// What vostrack::Model hides.
#pragma once

#include <memory>
#include <string>

#include "nn/model.hpp"
#include "vostrack/model.hpp"

namespace vostrack {

struct Model::Impl {
  std::string path;
  ModelOptions options;
  std::shared_ptr<const nn::Model> model;
};

/// Turns LibTorch's own exceptions into ours at the border of the library.
template <class Work>
decltype(auto) translate_errors(Work&& work) {
  try {
    return work();
  } catch (const c10::OutOfMemoryError& error) {
    throw Error(ErrorCode::kOutOfMemory, error.what_without_backtrace());
  } catch (const c10::Error& error) {
    throw Error(ErrorCode::kInternal, error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kOutOfMemory, "out of memory");
  }
}

}  // namespace vostrack
