/// Errors.
///
///   try {
///     auto model = vostrack::Model::load("sam2.1_hiera_tiny.pt");
///   } catch (const vostrack::Error& error) {
///     if (error.code() == vostrack::ErrorCode::kNotFound) return ask_for_another_path();
///     std::cerr << error.what() << '\n';  // what, where, got and wanted
///   }
#pragma once

#include <stdexcept>
#include <string>

#include "vostrack/export.hpp"

namespace vostrack {

enum class ErrorCode {
  kInvalidArgument,  ///< a prompt, option or size that makes no sense
  kNotFound,         ///< no such file, object or preset
  kOutOfRange,       ///< a frame or coordinate outside what there is
  kIo,               ///< reading or writing failed
  kCorruptFile,      ///< a file that contradicts itself, or is cut short
  kDecode,           ///< a picture or video that cannot be decoded
  kModelMismatch,    ///< weights that do not fit the configuration
  kUnsupported,      ///< valid, but not available in this build or on this machine
  kOutOfMemory,      ///< a configured ceiling, or the machine's
  kFailedState,      ///< a call in an order that cannot work, such as tracking without prompts
  kCancelled,        ///< stopped at the caller's wish
  kInternal,         ///< our bug
};

/// The only exception type that this library throws on purpose. A call that throws has changed
/// nothing.
class VOSTRACK_API Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& what) : std::runtime_error(what), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace vostrack
