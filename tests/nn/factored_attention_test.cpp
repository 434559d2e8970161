// Factored attention against the plain form in float64.
#include "nn/factored_attention.hpp"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "nn/memory_attention.hpp"
#include "support/tensors.hpp"

namespace vostrack::nn {
namespace {

using test::largest;
using test::near;
using test::same;

struct Case {
  const char* name;
  int channels, width;  // of queries and of memories
  int columns, rows;    // of the grid
  int objects, slots, pointers;
  torch::ScalarType stored = torch::kFloat32;
  bool placed = false;  // keys stand on places of their own, between cells too
};

constexpr double kTheta = 10000;

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

/// A layer's cross-attention and objects to look back at, with scores spread enough that the
/// softmax prefers some keys by far.
struct Scene {
  explicit Scene(const Case& c, std::uint64_t seed = 3) : shape(c) {
    torch::manual_seed(seed);
    torch::NoGradGuard no_grad;
    attention = RotaryAttention(c.channels, 1, 1, c.width);
    attention->eval();
    for (auto& parameter : attention->parameters())
      parameter.normal_(0, parameter.dim() == 1 ? 0.3 : 1.5 / std::sqrt(parameter.size(1)));
    table = rotary_table(c.channels, c.columns, c.rows, kTheta);
    query = torch::randn({c.objects, c.columns * c.rows, c.channels});
    pos = torch::randn({1, c.columns * c.rows, c.width});
    for (int i = 0; i < c.objects; ++i) {
      auto& tokens = objects.emplace_back();
      if (c.placed) tokens.places = random_places(7 + 5 * i);
      for (int slot = 0; slot < c.slots; ++slot) {
        auto grid = c.placed ? torch::randn({1, c.width, 7 + 5 * i})
                             : torch::randn({1, c.width, c.rows, c.columns});
        tokens.grids.push_back(grid.to(c.stored));
        tokens.times.push_back(torch::randn({1, 1, c.width}));
      }
      if (c.pointers > 0) {
        tokens.pointers = torch::randn({1, c.pointers, c.width});
        tokens.pointer_times = torch::randn({1, c.pointers, c.width});
      }
    }
  }

  MemoryPlaces random_places(int count) const {
    const auto half_cells = [count](int cells) {
      return torch::randint(2 * cells - 1, {count}, torch::kInt32);
    };
    return {half_cells(shape.columns), half_cells(shape.rows),
            torch::randint(1, 17, {count}).to(torch::kFloat32),
            torch::randn({1, count, shape.width})};
  }

  std::vector<PackedMemory> packed(bool encode = true) const {
    std::vector<PackedMemory> packed;
    for (const auto& tokens : objects) packed.emplace_back(tokens, pos, encode);
    return packed;
  }

  FactoredAttention factored() const {
    const auto part = [&](const char* name) -> torch::nn::LinearImpl& {
      return *attention->named_children()[name]->as<torch::nn::LinearImpl>();
    };
    return {part("k_proj"), part("v_proj"), part("out_proj"), table, shape.columns, shape.rows,
            kTheta};
  }

  /// The plain form, in float64.
  torch::Tensor plain(bool encode = true) const {
    torch::NoGradGuard no_grad;
    auto exact = RotaryAttention(shape.channels, 1, 1, shape.width);
    exact->to(torch::kFloat64);
    for (const auto& item : attention->named_parameters())
      exact->named_parameters()[item.key()].copy_(item.value());
    const auto f64 = [](const torch::Tensor& x) { return x.to(torch::kFloat64); };
    std::vector<torch::Tensor> out;
    for (std::size_t i = 0; i < objects.size(); ++i) {
      std::vector<torch::Tensor> keys, values;
      const auto& places = objects[i].places;
      const auto& grid_pos = places ? places->pos : pos;
      for (std::size_t slot = 0; slot < objects[i].grids.size(); ++slot) {
        values.push_back(f64(objects[i].grids[slot]).flatten(2).transpose(1, 2));
        keys.push_back(encode ? values.back() + f64(grid_pos) + f64(objects[i].times[slot])
                              : values.back());
      }
      if (shape.pointers > 0) {
        values.push_back(f64(objects[i].pointers));
        keys.push_back(encode ? values.back() + f64(objects[i].pointer_times) : values.back());
      }
      const auto at = static_cast<std::int64_t>(i);
      out.push_back(attend_exactly(*exact, f64(query.slice(0, at, at + 1)), torch::cat(keys, 1),
                                   torch::cat(values, 1), places));
    }
    return torch::cat(out);
  }

  /// RotaryAttention's forward without its rounding of turned tokens to float32.
  torch::Tensor attend_exactly(RotaryAttentionImpl& exact, const torch::Tensor& q,
                               const torch::Tensor& keys, const torch::Tensor& values,
                               const std::optional<MemoryPlaces>& places) const {
    const auto project = [&](const char* name, const torch::Tensor& x) {
      return exact.named_children()[name]->as<torch::nn::LinearImpl>()->forward(x);
    };
    const auto turn = [](const torch::Tensor& x, const RotaryTable& by) {
      const auto repeats = x.size(1) / by.cos.size(0);
      const auto cos = by.cos.repeat({repeats, 1}), sin = by.sin.repeat({repeats, 1});
      const auto even = x.slice(2, 0, x.size(2), 2), odd = x.slice(2, 1, x.size(2), 2);
      return torch::stack({even * cos - odd * sin, even * sin + odd * cos}, -1).flatten(2);
    };
    auto k = project("k_proj", keys);
    const auto turned = k.size(1) - shape.pointers;
    const auto key_table = places ? rotary_table(shape.channels, places->x.to(torch::kFloat32) / 2,
                                                 places->y.to(torch::kFloat32) / 2, kTheta)
                                  : table;
    if (turned > 0) k = torch::cat({turn(k.slice(1, 0, turned), key_table), k.slice(1, turned)}, 1);
    auto scores =
        turn(project("q_proj", q), table).matmul(k.transpose(1, 2)) / std::sqrt(shape.channels);
    if (places && turned > 0)
      scores.slice(2, 0, turned) += places->counts.log().repeat({turned / places->counts.size(0)});
    return project("out_proj", torch::softmax(scores, -1).matmul(project("v_proj", values)));
  }

  Case shape;
  RotaryAttention attention{nullptr};
  RotaryTable table;
  torch::Tensor query, pos;
  std::vector<MemoryTokens> objects;
};

torch::Tensor projected(const Scene& scene) {
  return scene.attention->named_children()["q_proj"]->as<torch::nn::LinearImpl>()->forward(
      scene.query);
}

class FactoredAttentionShapes : public ::testing::TestWithParam<Case> {};

// The reference is exact, so what is left is float32's rounding: sums of a few hundred products
// (1e-6 of a score, scores up to about 30), and through the softmax the same share of the output.
constexpr double kRounding = 3e-5;

TEST_P(FactoredAttentionShapes, EqualThePlainFormInEveryVariant) {
  const Scene scene(GetParam());
  torch::InferenceMode guard;
  const auto factored = scene.factored();
  for (const bool encode : {true, false}) {
    const auto want = scene.plain(encode);
    const auto packed = scene.packed(encode);
    for (const auto& variant : attend_variants())
      EXPECT_TRUE(near(factored.forward(projected(scene), packed, &variant), want,
                       kRounding * largest(want)))
          << variant.name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Small, FactoredAttentionShapes,
    ::testing::Values(
        Case{"published widths", 256, 64, 6, 6, 1, 7, 64},
        Case{"nano's widths", 128, 64, 8, 8, 2, 7, 16}, Case{"one query", 16, 8, 1, 1, 1, 1, 0},
        Case{"one query, one pointer", 16, 8, 1, 1, 1, 1, 1},
        Case{"memories only", 32, 8, 5, 3, 1, 3, 0}, Case{"pointers only", 32, 8, 7, 5, 2, 0, 12},
        Case{"odd sizes", 20, 7, 9, 4, 3, 5, 13}, Case{"tall grid", 16, 5, 3, 11, 1, 2, 4},
        Case{"eight slots", 16, 8, 5, 7, 1, 8, 3}, Case{"nine slots", 16, 8, 5, 7, 1, 9, 3},
        Case{"many slots", 16, 8, 4, 4, 1, 23, 64}, Case{"several squares", 16, 8, 20, 18, 1, 3, 5},
        Case{"halved memories", 64, 16, 6, 7, 2, 6, 8, torch::kBFloat16},
        Case{"places of their own", 64, 16, 6, 7, 3, 6, 8, torch::kFloat32, true},
        Case{"halved memories on places", 16, 8, 5, 9, 2, 9, 0, torch::kBFloat16, true}),
    [](const auto& info) {
      std::string name = info.param.name;
      std::erase_if(name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); });
      return name;
    });

class TiledAttentionShapes : public ::testing::TestWithParam<Case> {};

TEST_P(TiledAttentionShapes, EqualThePlainFormWithinBfloat16) {
  Scene scene(GetParam());
  if (!TiledAttention::available(scene.shape.channels, scene.shape.width))
    GTEST_SKIP() << "this processor does not multiply bfloat16 fast";
  torch::InferenceMode guard;
  // The same rounded weights and queries for both, so that only the inner rounding differs.
  for (auto& parameter : scene.attention->parameters())
    parameter.copy_(parameter.to(torch::kBFloat16).to(torch::kFloat32));
  const auto part = [&](const char* name) -> torch::nn::LinearImpl& {
    return *scene.attention->named_children()[name]->as<torch::nn::LinearImpl>();
  };
  const auto table_of = [&](const MemoryTokens& tokens) {
    if (!tokens.places) return RotaryTable();
    return rotary_table(scene.shape.channels, 0.5 * tokens.places->x, 0.5 * tokens.places->y,
                        kTheta);
  };
  const TiledAttention tiled(part("k_proj"), part("v_proj"), part("out_proj"), scene.table);
  for (const bool encode : {true, false}) {
    const auto want = scene.plain(encode);
    std::vector<TiledMemory> memories;
    for (const auto& tokens : scene.objects)
      memories.emplace_back(tokens, scene.pos, encode, table_of(tokens));
    const auto got = tiled.forward(projected(scene), memories).to(torch::kFloat64);
    // bfloat16 rounds to 2^-9: of a score of 10 that is 0.02, so weights are off by a few percent
    // each; in the mean over an output these cancel to about one.
    const double error = (got - want).pow(2).mean().sqrt().item<double>();
    const double scale = want.pow(2).mean().sqrt().item<double>();
    EXPECT_LT(error, 0.03 * scale) << "encode " << encode;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Small, TiledAttentionShapes,
    ::testing::Values(Case{"published widths", 256, 64, 24, 24, 1, 3, 64},
                      Case{"nano's widths", 128, 64, 8, 8, 2, 7, 16},
                      Case{"one query", 64, 32, 1, 1, 1, 1, 0},
                      Case{"memories only", 32, 32, 5, 3, 2, 3, 0},
                      Case{"pointers only", 32, 32, 7, 5, 2, 0, 12},
                      Case{"odd sizes", 64, 32, 9, 17, 3, 5, 13},
                      Case{"blocks across grids", 32, 32, 19, 21, 1, 9, 3},
                      Case{"halved memories", 64, 32, 6, 7, 2, 6, 8, torch::kBFloat16},
                      Case{"places of their own", 64, 32, 6, 7, 3, 6, 8, torch::kFloat32, true},
                      Case{"many places", 32, 32, 9, 7, 40, 7, 5, torch::kBFloat16, true}),
    [](const auto& info) {
      std::string name = info.param.name;
      std::erase_if(name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); });
      return name;
    });

const Case kSeveral{"several objects", 32, 8, 9, 7, 5, 3, 6};

TEST(FactoredAttention, GivesAnObjectTheSameBitsInAnyBatchAndOnAnyNumberOfThreads) {
  const Scene scene(kSeveral);
  torch::InferenceMode guard;
  const auto factored = scene.factored();
  const auto queries = projected(scene);
  const auto packed = scene.packed();
  const auto together = factored.forward(queries, packed);
  const int threads = at::get_num_threads();
  for (const int count : {1, 3}) {
    at::set_num_threads(count);
    for (std::int64_t i = 0; i < 5; ++i) {
      const auto alone = factored.forward(
          queries.slice(0, i, i + 1), std::span(packed).subspan(static_cast<std::size_t>(i), 1));
      // The output projection is LibTorch's and may round a batch's rows differently.
      EXPECT_TRUE(near(alone[0], together[i], 1e-6 * largest(together)));
    }
    EXPECT_TRUE(same(factored.forward(queries, packed), together)) << count << " threads";
  }
  at::set_num_threads(threads);
}

TEST(FactoredAttention, SharesOneSetOfQueriesBetweenObjects) {
  torch::InferenceMode guard;
  const int threads = at::get_num_threads();
  // The larger grid is enough for each object's tables to be shared too, on one thread.
  for (const auto& shape : {kSeveral, Case{"large grid", 32, 8, 16, 13, 5, 3, 9}})
    for (const int count : {1, threads}) {
      at::set_num_threads(count);
      Scene scene(shape);
      const auto factored = scene.factored();
      const auto packed = scene.packed();
      const auto shared = projected(scene).slice(0, 0, 1);
      EXPECT_TRUE(same(factored.forward(shared, packed),
                       factored.forward(shared.expand({5, -1, -1}).contiguous(), packed)))
          << shape.name << ", " << count << " threads";
    }
  at::set_num_threads(threads);
}

TEST(FactoredAttention, PassesOnWhatIsNotANumber) {
  Scene scene(kSeveral);
  torch::InferenceMode guard;
  scene.objects[1].grids[2].index_put_({0, 3, 4, 5}, NAN);
  const auto factored = scene.factored();
  const auto packed = scene.packed();
  for (const auto& variant : attend_variants()) {
    const auto out = factored.forward(projected(scene), packed, &variant);
    EXPECT_TRUE(torch::isnan(out[1]).all().item<bool>()) << variant.name;
    EXPECT_FALSE(torch::isnan(out[0]).any().item<bool>()) << variant.name;
  }
}

ModelConfig small_config() {
  ModelConfig config = *preset("sam2.1_hiera_t");
  config.neck.d_model = 32;
  config.memory_encoder.out_dim = 8;
  config.memory_attention.num_layers = 2;
  config.memory_attention.dim_feedforward = 64;
  return config;
}

/// Memory attention before and after it is prepared.
void expect_same_after_preparing(const ModelConfig& config, double tolerance, bool placed = false) {
  Scene scene({"", 32, 8, 6, 6, 3, 4, 8, torch::kFloat32, placed});
  torch::NoGradGuard no_grad;
  MemoryAttention attention(config);
  attention->eval();
  const auto current = torch::randn({1, 36, 32}), current_pos = torch::randn({1, 36, 32});
  const auto run = [&] {
    return attention->forward(current, current_pos, scene.objects, scene.pos, scene.table);
  };
  scene.table = rotary_table(attention->inner_channels(), 6, 6, 10000);
  const auto plain = run();
  attention->prepare_for_inference(scene.table, 6, 6);
  const auto got = run();
  EXPECT_TRUE(near(got, plain, tolerance * largest(plain)));
  if (tolerance > 0) {
    EXPECT_FALSE(same(got, plain)) << "the plain form was used";
  }
}

TEST(MemoryAttention, GivesTheSameWhenPrepared) {
  expect_same_after_preparing(small_config(), 1e-5);
  auto config = small_config();
  config.memory_attention.pos_enc_at_cross_attn_keys = false;
  config.memory_attention.pos_enc_at_cross_attn_queries = true;
  expect_same_after_preparing(config, 1e-5);
}

TEST(MemoryAttention, GivesTheSameWhenPreparedForKeysOnPlaces) {
  expect_same_after_preparing(small_config(), 1e-5, /*placed=*/true);
}

// Of the plain form, with objects that have different numbers of keys.
TEST(MemoryAttention, TakesEveryCellAsAPlaceForTheGrid) {
  Scene scene({"", 32, 8, 6, 6, 2, 4, 8});
  torch::NoGradGuard no_grad;
  MemoryAttention attention(small_config());
  attention->eval();
  scene.table = rotary_table(attention->inner_channels(), 6, 6, kTheta);
  const auto current = torch::randn({1, 36, 32}), current_pos = torch::randn({1, 36, 32});
  const auto run = [&] {
    return attention->forward(current, current_pos, scene.objects, scene.pos, scene.table);
  };
  const auto want = run();
  // The first object's cells, and the second one's twice over, each of which counts for half.
  const auto cell = torch::arange(36, torch::kInt32);
  const MemoryPlaces all{2 * (cell % 6), 2 * cell.floor_divide(6), torch::ones({36}), scene.pos};
  for (auto& tokens : scene.objects) {
    tokens.places = all;
    for (auto& grid : tokens.grids) grid = grid.flatten(2);
  }
  auto& doubled = scene.objects[1];
  doubled.places = {all.x.repeat(2), all.y.repeat(2), all.counts.repeat(2) / 2,
                    all.pos.repeat({1, 2, 1})};
  for (auto& grid : doubled.grids) grid = grid.repeat({1, 1, 2});
  EXPECT_TRUE(near(run(), want, 1e-5 * largest(want)));
  attention->prepare_for_inference(scene.table, 6, 6);
  EXPECT_TRUE(near(run(), want, 1e-5 * largest(want)));
}

TEST(MemoryAttention, StaysPlainWhereItCannotBeFactored) {
  auto config = small_config();
  config.memory_attention.num_heads = 2;
  expect_same_after_preparing(config, 0);
  config = small_config();
  config.memory_attention.rope_k_repeat = false;
  expect_same_after_preparing(config, 0);
}

}  // namespace
}  // namespace vostrack::nn
