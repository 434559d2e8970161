#include "nn/archive.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "support/errors.hpp"
#include "support/temporary_folder.hpp"
#include "support/tensors.hpp"

namespace vostrack::nn {
namespace {

using test::expect_error;
using test::same;
using test::TemporaryFolder;

ArchiveWriter example() {
  torch::manual_seed(3);
  ArchiveWriter writer;
  writer.document = {{"frame", 12}, {"name", "a dog"}};
  writer.add("mask", torch::randn({1, 1, 4, 4}));
  writer.add("counts", torch::tensor({3, 5, 7}, torch::kInt64));
  writer.add("memory", torch::randn({2, 3}).to(torch::kBFloat16));
  writer.add({"rows", torch::kFloat32, {5, 2}, 5, [](std::int64_t row) {
                return torch::full({1, 2}, static_cast<float>(row));
              }});
  return writer;
}

TEST(Archive, GivesBackWhatWasWritten) {
  const TemporaryFolder folder;
  example().write(folder / "a", "session", 2);
  const auto archive = read_archive(folder / "a", "session", 2);
  EXPECT_EQ(archive.version, 2);
  EXPECT_EQ(archive.document, example().document);
  torch::manual_seed(3);
  EXPECT_TRUE(
      same(archive.tensor("mask", torch::kFloat32, {1, 1, 4, 4}), torch::randn({1, 1, 4, 4})));
  EXPECT_EQ(archive.tensor("counts", torch::kInt64, {-1}).sum().item<int>(), 15);
  const auto rows = archive.tensor("rows", torch::kFloat32, {5, 2});
  for (int row = 0; row < 5; ++row) EXPECT_EQ(rows[row][1].item<float>(), static_cast<float>(row));
  EXPECT_EQ(folder.names().size(), 1U);
}

TEST(Archive, RefusesAnythingThatWasChanged) {
  const TemporaryFolder folder;
  example().write(folder / "a", "session", 1);
  const std::string bytes = test::read_bytes(folder / "a");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i % 8)));
    test::write_bytes(folder / "b", damaged);
    try {
      // Only the spaces that fill the header up may change: they mean nothing.
      const auto archive = read_archive(folder / "b", "session", 1);
      EXPECT_EQ(bytes[i], ' ') << "byte " << i;
      EXPECT_EQ(archive.document, example().document);
    } catch (const Error&) {
    }
  }
  for (std::size_t size = 0; size < bytes.size(); size += 7) {
    test::write_bytes(folder / "b", bytes.substr(0, size));
    EXPECT_THROW(read_archive(folder / "b", "session", 1), Error) << size << " bytes";
  }
}

TEST(Archive, SaysWhatItIsInstead) {
  const TemporaryFolder folder;
  example().write(folder / "a", "session", 3);
  expect_error(ErrorCode::kCorruptFile, "holds a vostrack session, want: object",
               [&] { read_archive(folder / "a", "object", 3); });
  expect_error(ErrorCode::kUnsupported, "version 3 of the format, this program reads 2; it was "
               "saved by a newer one", [&] { read_archive(folder / "a", "session", 2); });
  expect_error(ErrorCode::kUnsupported, "saved by an older one",
               [&] { read_archive(folder / "a", "session", 4); });
  expect_error(ErrorCode::kNotFound, "missing",
               [&] { read_archive(folder / "missing", "session", 3); });
  write_safetensors(folder / "w", {}, {});
  expect_error(ErrorCode::kCorruptFile, "not written by vostrack",
               [&] { read_archive(folder / "w", "session", 3); });
  const auto archive = read_archive(folder / "a", "session", 3);
  expect_error(ErrorCode::kCorruptFile, "has no score",
               [&] { archive.tensor("score", torch::kFloat32, {1}); });
  expect_error(ErrorCode::kCorruptFile, "want (1, 1, 8, 8)", [&] {
    archive.tensor("mask", torch::kFloat32, {1, 1, 8, 8});
  });
  expect_error(ErrorCode::kCorruptFile, "of Long",
               [&] { archive.tensor("counts", torch::kFloat32, {3}); });
}

TEST(Archive, KeepsTheEarlierFileWhenWritingFails) {
  const TemporaryFolder folder;
  example().write(folder / "a", "session", 1);
  const std::string before = test::read_bytes(folder / "a");
  ArchiveWriter writer = example();
  int calls = 0;
  writer.add({"fails", torch::kFloat32, {2, 1}, 2, [&calls](std::int64_t) {
                // All parts are read for the checksum first; then it breaks in the middle.
                if (++calls == 4) throw Error(ErrorCode::kIo, "the disk is gone");
                return torch::zeros({1, 1});
              }});
  expect_error(ErrorCode::kIo, "the disk is gone",
               [&] { writer.write(folder / "a", "session", 1); });
  EXPECT_EQ(test::read_bytes(folder / "a"), before);
  EXPECT_EQ(folder.names().size(), 1U);
}

}  // namespace
}  // namespace vostrack::nn
