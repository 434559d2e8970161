/// The names that the Hugging Face transformers library gives to the same networks.
#pragma once

#include "nn/state_dict.hpp"

namespace vostrack::nn {

/// Whether the tensors are named as those of transformers' `Sam2Model` or `Sam2VideoModel`.
bool has_hugging_face_names(const StateDict& state);

/// Renames tensors to the official names, and splits those that transformers joins. Names that are
/// not known stay as they are, so that whoever loads them can list them. Metadata stays.
///
/// `Sam2Model` has the image networks only; what tracking needs is then simply missing.
///
/// @throws Error kModelMismatch when two tensors get the same official name
StateDict from_hugging_face(StateDict state);

}  // namespace vostrack::nn
