/// Attention in blocks that stay in the cache, on CPUs with AVX2 or AVX-512; in bfloat16 on those
/// with avx512_bf16.
///
/// Keys are packed for each head, so that both products run at the processor's full width, and
/// scores live for one block of queries and keys only. Tokens are read and written where they lie,
/// so windows of a grid are neither cut out nor padded. Softmax and sums are float32; in bfloat16
/// queries, keys and weights are rounded as the plain form rounds them. What comes out for a query
/// does not depend on the number of threads.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <span>

#include "nn/matrix_kernel.hpp"

namespace vostrack::nn {

/// Whether this processor and these tensors fit; otherwise the plain form is to be used.
///
/// @param channels  of a head
bool dense_attention_available(const torch::Tensor& queries, std::int64_t channels);

/// softmax(q kᵀ / √c) v for each head.
///
/// @param q  (B, N, heads · c)
/// @param k, v  (B, M, heads · c) of the same dtype
/// @param variant  of dense_variants(), in float32
/// @return (B, N, heads · c)
torch::Tensor dense_attention(const torch::Tensor& q, const torch::Tensor& k,
                              const torch::Tensor& v, int heads, std::size_t variant = 0);

/// The same within windows of a grid. Beyond the right and bottom edge windows are filled up with
/// tokens that are keys too.
///
/// @param q  (B, h, w, heads · c): the grid's queries, or those of a grid of half its size
/// @param k, v  (B, H, W, heads · c)
/// @param filling_k, filling_v  (heads · c): a token beyond the edge
/// @param window  side of a window of keys; even where there are fewer queries
/// @return (B, h, w, heads · c)
torch::Tensor window_attention(const torch::Tensor& q, const torch::Tensor& k,
                               const torch::Tensor& v, const torch::Tensor& filling_k,
                               const torch::Tensor& filling_v, int heads, int window,
                               std::size_t variant = 0);

/// The variants that this processor can run in float32, fastest first.
std::span<const MatrixKernels<float>> dense_variants();

}  // namespace vostrack::nn
