/// Reading and writing of weights.
///
///   StateDict state = read_checkpoint("sam2.1_hiera_tiny.pt");
///   state.metadata["config"] = config.to_json();
///   write_safetensors("tiny.safetensors", state, /*half=*/true);
#pragma once

#include <string>

#include "nn/state_dict.hpp"

namespace vostrack::nn {

/// Reads a .pt (zip and pickle, as torch.save writes it) or a .safetensors file.
///
/// The format is told by the content, not by the name. Hugging Face names (`Sam2Model`,
/// `Sam2VideoModel`) are turned into the official ones. Of a .pt the entry `model`, else
/// `state_dict`, else the top level itself is read; optimisers and counters beside it are ignored.
/// Nothing that a file holds is ever run, and no size in it is believed before it is compared with
/// the file.
///
/// @return contiguous CPU tensors. Most are views over the mapped file, which they keep alive: they
///   lie in read-only pages, so clone a tensor before writing to it, and the file must not be
///   shortened in place meanwhile (replacing it by a rename is fine).
/// @throws Error kNotFound or kIo when the file cannot be read, kCorruptFile when it contradicts
///   itself, holds no tensors or is cut short, kUnsupported for other formats, for types that no
///   weights have, and for pickles that name anything but tensors and plain containers
StateDict read_checkpoint(const std::string& path);

/// Writes a .safetensors file, all of it or nothing: into a temporary file in the same folder,
/// which is flushed to the disk and renamed into place. If anything fails, the temporary file is
/// removed and whatever was at `path` stays.
///
/// @param state  tensors on any device, with any strides; names and metadata are UTF-8
/// @param half   store floating tensors as float16
/// @throws Error kInvalidArgument for a tensor that cannot be stored (its type; or a finite value
///   beyond float16's range with `half`; or `path` is a folder), kNotFound when there is no such
///   folder, kIo when writing fails
void write_safetensors(const std::string& path, const StateDict& state, bool half = false);

}  // namespace vostrack::nn
