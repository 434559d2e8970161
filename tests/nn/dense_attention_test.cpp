// Blocked attention against the plain form in float64.
#include "nn/dense_attention.hpp"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "support/tensors.hpp"

namespace vostrack::nn {
namespace {

using test::largest;
using test::near;
using test::same;

struct Case {
  const char* name;
  int batch, queries, keys, heads, channels;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

/// softmax(q kᵀ / √c) v in float64, of what the inputs were rounded to.
torch::Tensor plain(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                    std::int64_t heads) {
  const auto split = [&](const torch::Tensor& x) {
    return x.to(torch::kFloat64)
        .reshape({x.size(0), x.size(1), heads, x.size(2) / heads})
        .transpose(1, 2);
  };
  const auto scores =
      split(q).matmul(split(k).transpose(2, 3)) / std::sqrt(static_cast<double>(q.size(2) / heads));
  return torch::softmax(scores, -1).matmul(split(v)).transpose(1, 2).flatten(2);
}

/// Of the largest output. float32: sums of a few hundred products. bfloat16: weights and results
/// are rounded to eight bits.
double tolerance(torch::ScalarType dtype) {
  return dtype == torch::kFloat32 ? 2e-5 : 1e-2;
}

/// What this processor can run.
struct Way {
  torch::ScalarType dtype;
  std::size_t variant;
};

std::vector<Way> ways(std::int64_t channels) {
  torch::InferenceMode guard;
  std::vector<Way> usable;
  for (std::size_t variant = 0; variant < dense_variants().size(); ++variant)
    usable.push_back({torch::kFloat32, variant});
  if (dense_attention_available(torch::empty({1, 1, channels}, torch::kBFloat16), channels))
    usable.push_back({torch::kBFloat16, 0});
  return usable;
}

std::string name_of(const Way& way) {
  return way.dtype == torch::kFloat32 ? dense_variants()[way.variant].name : "bfloat16";
}

class DenseAttentionShapes : public ::testing::TestWithParam<Case> {};

TEST_P(DenseAttentionShapes, EqualsThePlainForm) {
  const auto [name, batch, queries, keys, heads, channels] = GetParam();
  torch::InferenceMode guard;
  torch::manual_seed(5);
  const auto usable = ways(channels);
  if (usable.empty()) GTEST_SKIP() << "this processor has no AVX2";
  for (const auto& way : usable) {
    const auto dtype = way.dtype;
    const auto random = [&](std::int64_t rows) {
      return torch::randn({batch, rows, heads * channels}).to(dtype);
    };
    // Twice as large queries: softmax then prefers some keys by far.
    const auto q = random(queries) * 2, k = random(keys), v = random(keys);
    const auto want = plain(q, k, v, heads);
    EXPECT_TRUE(near(dense_attention(q, k, v, heads, way.variant), want,
                     tolerance(dtype) * largest(want)))
        << name_of(way);
  }
}

INSTANTIATE_TEST_SUITE_P(Small, DenseAttentionShapes,
                         ::testing::Values(Case{"one block", 1, 96, 256, 1, 32},
                                           Case{"tails of all kinds", 2, 101, 283, 3, 48},
                                           Case{"several blocks of keys", 1, 40, 1030, 1, 256},
                                           Case{"one query", 1, 1, 300, 2, 16},
                                           Case{"one key", 1, 70, 1, 2, 96},
                                           Case{"wide heads", 1, 17, 65, 2, 144}),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           std::ranges::replace(name, ' ', '_');
                           return name;
                         });

TEST(DenseAttention, StaysExactWhereScoresAreHuge) {
  torch::InferenceMode guard;
  if (dense_variants().empty()) GTEST_SKIP() << "this processor has no AVX2";
  torch::manual_seed(6);
  // Rising scores: every block of keys beats all before it.
  const auto q = torch::full({1, 7, 32}, 10.0F);
  const auto k = torch::linspace(-30, 30, 700).view({1, 700, 1}).expand({1, 700, 32}).contiguous();
  const auto v = torch::randn({1, 700, 32});
  const auto want = plain(q, k, v, 1);
  for (std::size_t variant = 0; variant < dense_variants().size(); ++variant)
    EXPECT_TRUE(near(dense_attention(q, k, v, 1, variant), want, 1e-4 * largest(want)))
        << dense_variants()[variant].name;
}

TEST(DenseAttention, DoesNotDependOnTheNumberOfThreads) {
  torch::InferenceMode guard;
  if (dense_variants().empty()) GTEST_SKIP() << "this processor has no AVX2";
  torch::manual_seed(7);
  const auto q = torch::randn({1, 500, 128}), k = torch::randn({1, 500, 128});
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto alone = dense_attention(q, k, k, 2);
  at::set_num_threads(3);
  const auto together = dense_attention(q, k, k, 2);
  at::set_num_threads(threads);
  EXPECT_TRUE(same(alone, together));
}

TEST(DenseAttention, IsNotForGradientsNorForOddHeads) {
  EXPECT_FALSE(dense_attention_available(torch::empty({1, 4, 32}), 32));
  torch::InferenceMode guard;
  EXPECT_FALSE(dense_attention_available(torch::empty({1, 4, 24}), 24));
  EXPECT_FALSE(dense_attention_available(torch::empty({1, 4, 32}, torch::kFloat64), 32));
}

struct WindowCase {
  const char* name;
  int rows, columns, window;
  bool pooled;
};

void PrintTo(const WindowCase& c, std::ostream* out) {
  *out << c.name;
}

class WindowAttentionShapes : public ::testing::TestWithParam<WindowCase> {};

TEST_P(WindowAttentionShapes, EqualsThePlainFormOfEachWindow) {
  const auto [name, rows, columns, window, pooled] = GetParam();
  constexpr int kHeads = 2, kChannels = 32, kBatch = 2;
  torch::InferenceMode guard;
  torch::manual_seed(8);
  const auto usable = ways(kChannels);
  if (usable.empty()) GTEST_SKIP() << "this processor has no AVX2";
  const int step = pooled ? 2 : 1;
  for (const auto& way : usable) {
    const auto dtype = way.dtype;
    // Three in one tensor, as a projection makes them.
    const auto all = torch::randn({kBatch, rows, columns, 3 * kHeads * kChannels}).to(dtype);
    const auto parts = all.chunk(3, 3);
    const auto q = pooled ? parts[0].slice(1, 0, rows, 2).slice(2, 0, columns, 2) : parts[0];
    const auto filling_k = torch::randn({kHeads * kChannels}).to(dtype);
    const auto filling_v = torch::randn({kHeads * kChannels}).to(dtype);
    const auto got = window_attention(q, parts[1], parts[2], filling_k, filling_v, kHeads, window,
                                      way.variant);
    ASSERT_EQ(got.sizes(), q.sizes());
    for (int top = 0; top < rows; top += window)
      for (int left = 0; left < columns; left += window) {
        const auto cut = [&](const torch::Tensor& x, int by) {
          return x.slice(1, top / by, std::min(top + window, rows) / by)
              .slice(2, left / by, std::min(left + window, columns) / by);
        };
        const auto filled = [&](const torch::Tensor& x, const torch::Tensor& filling) {
          auto whole = filling.expand({kBatch, window, window, -1}).clone();
          const auto inside = cut(x, 1);
          whole.slice(1, 0, inside.size(1)).slice(2, 0, inside.size(2)).copy_(inside);
          return whole.flatten(1, 2);
        };
        const auto want = plain(cut(q, step).flatten(1, 2), filled(parts[1], filling_k),
                                filled(parts[2], filling_v), kHeads);
        EXPECT_TRUE(near(cut(got, step).flatten(1, 2), want, tolerance(dtype) * largest(want)))
            << name_of(way) << ", window at " << top << ", " << left;
      }
  }
}

INSTANTIATE_TEST_SUITE_P(Small, WindowAttentionShapes,
                         ::testing::Values(WindowCase{"whole windows", 8, 16, 4, false},
                                           WindowCase{"filled up", 10, 17, 7, false},
                                           WindowCase{"larger than the grid", 5, 6, 14, false},
                                           WindowCase{"fewer queries", 12, 20, 8, true}),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           std::ranges::replace(name, ' ', '_');
                           return name;
                         });

}  // namespace
}  // namespace vostrack::nn
