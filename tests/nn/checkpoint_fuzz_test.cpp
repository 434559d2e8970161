/// Damaged checkpoints end in an error or in whole tensors, never in a crash.
#include <fmt/format.h>
#include <sys/resource.h>

#include <functional>
#include <random>

#include "checkpoint_support.hpp"

namespace vostrack::nn::test {
namespace {

long peak_memory_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

struct Outcome {
  int accepted = 0;
  int refused = 0;
};

/// Reads it and, if it was accepted, touches every byte of every tensor.
void try_reading(const std::string& path, const std::string& bytes, Outcome& outcome) {
  // Truncating a file in place makes some file systems flush it each time.
  std::filesystem::remove(path);
  write_file(path, bytes);
  try {
    const StateDict state = read_checkpoint(path);
    for (const auto& [name, tensor] : state.tensors) {
      ASSERT_TRUE(tensor.is_contiguous());
      ASSERT_LE(tensor.dim(), 32);
      static_cast<void>(
          crc32_z(0, static_cast<const Bytef*>(tensor.const_data_ptr()), tensor.nbytes()));
      static_cast<void>(tensor.clone());
    }
    ++outcome.accepted;
  } catch (const Error& error) {
    ASSERT_NE(error.code(), ErrorCode::kInternal) << error.what();
    ++outcome.refused;
  }
}

/// Calls `damage` on copies of the file, each with its own seed.
Outcome fuzz(const std::string& name, int cases,
             const std::function<void(std::string&, std::mt19937&)>& damage) {
  const TemporaryFolder folder;
  const std::string original = read_file(data_file(name));
  const long before = peak_memory_kib();
  Outcome outcome;
  for (int seed = 0; seed < cases; ++seed) {
    SCOPED_TRACE(fmt::format("{}, seed {}", name, seed));
    std::mt19937 random(static_cast<unsigned>(seed));
    std::string bytes = original;
    damage(bytes, random);
    try_reading(folder / "file", bytes, outcome);
    if (::testing::Test::HasFatalFailure()) break;
  }
  // A damaged file of a few kilobytes gets the budget of CopyBudget at most; address sanitizer
  // keeps freed memory for a while, hence the distance.
  EXPECT_LT(peak_memory_kib() - before, 600 * 1024) << name;
  return outcome;
}

const std::vector<std::string>& files() {
  static const std::vector<std::string> names = {"types.safetensors", "types.pt",
                                                 "types_deflated.pt", "types_protocol4.pt",
                                                 "training.pt",       "views.pt"};
  return names;
}

std::size_t below(std::mt19937& random, std::size_t end) {
  return std::uniform_int_distribution<std::size_t>(0, end - 1)(random);
}

TEST(CheckpointFuzz, SurvivesFlippedBits) {
  for (const auto& name : files()) {
    const Outcome outcome = fuzz(name, 400, [](std::string& bytes, std::mt19937& random) {
      for (std::size_t flips = 1 + below(random, 4); flips > 0; --flips)
        bytes[below(random, bytes.size())] ^= static_cast<char>(1U << below(random, 8));
    });
    EXPECT_GT(outcome.refused, 0) << name;
  }
}

TEST(CheckpointFuzz, SurvivesTruncation) {
  for (const auto& name : files()) {
    const Outcome outcome = fuzz(name, 200, [](std::string& bytes, std::mt19937& random) {
      bytes.resize(below(random, bytes.size()));
    });
    EXPECT_EQ(outcome.accepted, 0) << name;
  }
}

TEST(CheckpointFuzz, SurvivesRunsOfExtremeBytes) {
  for (const auto& name : files())
    fuzz(name, 200, [](std::string& bytes, std::mt19937& random) {
      const std::size_t begin = below(random, bytes.size());
      const std::size_t size = std::min(1 + below(random, 9), bytes.size() - begin);
      const char values[] = {'\0', '\xff', '\x7f', '\x80'};
      bytes.replace(begin, size, size, values[below(random, 4)]);
    });
}

TEST(CheckpointFuzz, SurvivesMovedPieces) {
  for (const auto& name : files())
    fuzz(name, 200, [](std::string& bytes, std::mt19937& random) {
      const std::string piece = bytes.substr(below(random, bytes.size()), 1 + below(random, 64));
      const std::size_t at = below(random, bytes.size());
      if (below(random, 2) == 0)
        bytes.insert(at, piece);
      else
        bytes.replace(at, piece.size(), piece);
    });
}

/// Checksums would stop most of the damage before the pickle reader sees it, so this one gets
/// damaged pickles in sound archives.
TEST(CheckpointFuzz, SurvivesDamagedPicklesInSoundArchives) {
  const TemporaryFolder folder;
  const std::string archive = read_file(data_file("training.pt"));
  const std::size_t begin = archive.find("\x80\x02}");
  const std::size_t end = archive.find("PK\x07\x08", begin);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::string training = archive.substr(begin, end - begin);
  const std::string simple = weight_pickle(6, 1, {2, 2}, {2, 1});
  const std::string storage = floats({0, 1, 2, 3, 4, 5});
  const long before = peak_memory_kib();
  Outcome outcome;
  for (int seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(static_cast<unsigned>(seed));
    std::string pickle = seed % 3 == 0 ? training : simple;
    for (std::size_t flips = 1 + below(random, 3); flips > 0; --flips) {
      const std::size_t at = below(random, pickle.size());
      if (below(random, 2) == 0)
        pickle[at] = static_cast<char>(below(random, 256));
      else
        pickle[at] ^= static_cast<char>(1U << below(random, 8));
    }
    try_reading(folder / "file", pt_file(pickle, storage), outcome);
    ASSERT_FALSE(::testing::Test::HasFatalFailure());
  }
  EXPECT_GT(outcome.accepted, 0);
  EXPECT_GT(outcome.refused, 0);
  EXPECT_LT(peak_memory_kib() - before, 600 * 1024);
}

}  // namespace
}  // namespace vostrack::nn::test
