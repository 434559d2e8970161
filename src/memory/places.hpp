/// Which cells of an object's memories take part in attention, when not all do.
#pragma once

#include <optional>

#include "memory/selection.hpp"
#include "nn/memory_tokens.hpp"
#include "nn/model.hpp"

namespace vostrack::memory {

/// Makes the grids of `tokens` what `selection.detail` asks for; nothing if it asks for all.
///
/// Pooled, memories and their position encodings are means over 2 × 2 cells, which stand in the
/// middle of these and count for as many keys as there are cells. Sparse, those cells take part in
/// or near which any of the selected memories shows the object, and of each 4 × 4 cells one of the
/// others, which counts for them all. Both: the second of what the first leaves.
///
/// Source: Xiong et al., Efficient Track Anything (arXiv 2411.18933), 3.2; for the cells near the
/// object Efficient-SAM2 (arXiv 2602.08224), sparse memory retrieval, with the masks in memory in
/// place of the first attention to it.
void reduce(nn::MemoryTokens& tokens, const Selection& selection, const nn::Model& model);

}  // namespace vostrack::memory
