#include <fstream>

#include "checkpoint_support.hpp"
#include "support/shared_data.hpp"

namespace vostrack::nn::test {
namespace {

const std::string kSixFloats = floats({0, 1, 2, 3, 4, 5});

TEST(PtReader, ReadsEveryTypeThatTorchSaved) {
  expect_same_tensors(read_checkpoint(data_file("types.pt")), counted_state());
}

TEST(PtReader, ReadsABareStateDict) {
  expect_same_tensors(read_checkpoint(data_file("types_bare.pt")), counted_state());
}

TEST(PtReader, ReadsProtocolFourUnderStateDict) {
  expect_same_tensors(read_checkpoint(data_file("types_protocol4.pt")), counted_state());
}

TEST(PtReader, ReadsDeflatedEntries) {
  expect_same_tensors(read_checkpoint(data_file("types_deflated.pt")), counted_state());
}

TEST(PtReader, MakesViewsOfAStorageContiguous) {
  const torch::Tensor whole = counted({6, 8});
  StateDict want;
  want.tensors = {{"whole", whole},
                  {"tied", whole},
                  {"row", whole[2]},
                  {"transposed", whole.t()},
                  {"column", whole.select(1, 3)},
                  {"inner", whole.slice(0, 1, 3).slice(1, 2, 5)},
                  {"expanded", whole.slice(0, 0, 1).expand({3, 8})}};
  const StateDict got = read_checkpoint(data_file("views.pt"));
  expect_same_tensors(got, want);
  EXPECT_EQ(got.tensors.at("whole").data_ptr(), got.tensors.at("tied").data_ptr());
}

TEST(PtReader, IgnoresOptimisersAndCountersBesideTheModel) {
  const StateDict state = read_checkpoint(data_file("training.pt"));
  ASSERT_EQ(state.tensors.size(), 7U);
  EXPECT_TRUE(torch::equal(state.tensors.at("0.weight"), torch::zeros({2, 3})));
  EXPECT_TRUE(torch::equal(state.tensors.at("0.bias"), torch::ones({2})));
  EXPECT_EQ(state.tensors.at("1.num_batches_tracked").item<std::int64_t>(), 6);
}

TEST(PtReader, RefusesAModuleByNamingItsClass) {
  EXPECT_REFUSED(read_file(data_file("whole_module.pt")), ErrorCode::kUnsupported,
                 "torch.nn.modules.container.Sequential");
}

TEST(PtReader, SaysHowToSaveAnOldFileAgain) {
  EXPECT_REFUSED(read_file(data_file("legacy.pt")), ErrorCode::kUnsupported, "torch.save(");
}

TEST(PtReader, ReadsTheParityModelsAsPythonDoes) {
  const auto folder = vostrack::test::shared_data("parity");
  if (folder.empty()) GTEST_SKIP() << "the shared parity fixtures are not here";
  std::ifstream lines(data_file("parity_checksums.tsv"));
  std::string name;
  std::size_t tensors = 0;
  std::uint32_t want = 0;
  int compared = 0;
  while (lines >> name >> tensors >> want) {
    if (!std::filesystem::exists(folder / name / "model.pt")) continue;
    const StateDict state = read_checkpoint((folder / name / "model.pt").string());
    EXPECT_EQ(state.tensors.size(), tensors) << name;
    unsigned long checksum = 0;
    for (const auto& [key, tensor] : state.tensors)
      checksum =
          crc32_z(checksum, static_cast<const Bytef*>(tensor.const_data_ptr()), tensor.nbytes());
    EXPECT_EQ(checksum, want) << name;
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

TEST(PtReader, ReadsAHandMadeArchive) {
  const auto state = read_bytes(pt_file(weight_pickle(6, 1, {2, 2}, {2, 1}), kSixFloats));
  EXPECT_TRUE(
      torch::equal(state.tensors.at("weight"), torch::tensor({{1.0F, 2.0F}, {3.0F, 4.0F}})));
}

TEST(PtReader, KeepsTheFileAliveAsLongAsATensor) {
  torch::Tensor weight =
      read_bytes(pt_file(weight_pickle(6, 0, {6}, {1}), kSixFloats)).tensors.at("weight");
  EXPECT_TRUE(torch::equal(weight, torch::arange(6, torch::kFloat32)));  // the file is deleted
}

TEST(PtReader, ReadsZip64DirectoriesAndComments) {
  ZipBuilder zip;
  zip.add("archive/data.pkl", weight_pickle(6, 0, {6}, {1})).add("archive/data/0", kSixFloats);
  EXPECT_EQ(read_bytes(zip.finish_zip64()).tensors.size(), 1U);
  EXPECT_EQ(read_bytes(zip.finish("a comment")).tensors.size(), 1U);
}

TEST(PtReader, RefusesBigEndianFiles) {
  const std::string file = ZipBuilder()
                               .add("archive/data.pkl", weight_pickle(6, 0, {6}, {1}))
                               .add("archive/byteorder", "big")
                               .add("archive/data/0", kSixFloats)
                               .finish();
  EXPECT_REFUSED(file, ErrorCode::kUnsupported, "'big'");
}

// Zip archives that lie.

std::string zip_with_storage(const ZipLies& lies, bool deflated = false,
                             const std::string& storage = kSixFloats) {
  return ZipBuilder()
      .add("archive/data.pkl", weight_pickle(6, 0, {6}, {1}))
      .add("archive/data/0", storage, deflated, lies)
      .finish();
}

TEST(PtReader, RefusesADamagedStorage) {
  std::string file = zip_with_storage({});
  file[file.find(kSixFloats) + 6] ^= 1;
  EXPECT_REFUSED(file, ErrorCode::kCorruptFile, "checksum");
}

TEST(PtReader, RefusesEntriesThatInflateToAnotherSize) {
  for (const std::size_t size : {20U, 28U, 0U}) {
    const std::string longer_or_shorter(size, '\1');
    ZipLies lies;
    lies.size = 24;
    EXPECT_REFUSED(zip_with_storage(lies, true, longer_or_shorter), ErrorCode::kCorruptFile,
                   "does not inflate to the 24 bytes");
  }
}

TEST(PtReader, RefusesZipBombsBeforeAllocating) {
  ZipLies impossible;
  impossible.size = 0xfffffffe;
  EXPECT_REFUSED(zip_with_storage(impossible, true), ErrorCode::kCorruptFile, "claims to inflate");

  // 288 MiB of zeros in 288 KiB: possible, but out of proportion to the file.
  constexpr std::int64_t kElements = 72 << 20;
  const std::string bomb =
      ZipBuilder()
          .add("archive/data.pkl", weight_pickle(kElements, 0, {kElements}, {1}))
          .add("archive/data/0", std::string(kElements * sizeof(float), '\0'), true)
          .finish();
  ASSERT_LT(bomb.size(), 1U << 20);
  EXPECT_REFUSED(bomb, ErrorCode::kCorruptFile, "out of proportion");
}

TEST(PtReader, RefusesOverlappingEntries) {
  ZipLies lies;
  lies.header_offset = 0;
  const std::string file = ZipBuilder()
                               .add("archive/data.pkl", weight_pickle(6, 0, {6}, {1}))
                               .add("archive/data.pkl", weight_pickle(6, 0, {6}, {1}), false, lies)
                               .finish();
  EXPECT_REFUSED(file, ErrorCode::kCorruptFile, "overlap");
}

TEST(PtReader, RefusesDuplicateEntries) {
  const std::string file = ZipBuilder()
                               .add("archive/data.pkl", weight_pickle(6, 0, {6}, {1}))
                               .add("archive/data/0", kSixFloats)
                               .add("archive/data/0", kSixFloats)
                               .finish();
  EXPECT_REFUSED(file, ErrorCode::kCorruptFile, "two entries");
}

TEST(PtReader, RefusesEntriesBeyondTheFile) {
  ZipLies far;
  far.header_offset = 1'000'000;
  EXPECT_REFUSED(zip_with_storage(far), ErrorCode::kCorruptFile, "behind the entries");
  ZipLies large;
  large.size = large.packed_size = 1'000'000;
  EXPECT_REFUSED(zip_with_storage(large), ErrorCode::kCorruptFile, "cut short");
}

TEST(PtReader, RefusesEncryptedEntriesAndOtherCompression) {
  ZipLies encrypted;
  encrypted.flags = 1;
  EXPECT_REFUSED(zip_with_storage(encrypted), ErrorCode::kUnsupported, "encrypted");
  ZipLies lzma;
  lzma.method = 14;
  EXPECT_REFUSED(zip_with_storage(lzma), ErrorCode::kUnsupported, "compression method 14");
}

TEST(PtReader, RefusesArchivesOfOtherPrograms) {
  EXPECT_REFUSED(ZipBuilder().add("readme.txt", "hello").finish(), ErrorCode::kUnsupported,
                 "data.pkl");
}

// Tensors that lie.

struct View {
  std::int64_t elements, offset;
  std::vector<std::int64_t> sizes, strides;
};

TEST(PtReader, RefusesViewsThatLeaveTheirStorage) {
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  const View views[] = {{6, 0, {7}, {1}},
                        {6, 1, {6}, {1}},
                        {6, 7, {0}, {1}},
                        {6, 0, {2, 2}, {6, 1}},
                        {6, -1, {2}, {1}},
                        {6, 0, {-2}, {1}},
                        {6, 5, {6}, {-1}},
                        {6, 0, {3}, {kHuge}},
                        {6, 0, {kHuge, kHuge}, {1, 1}},
                        {6, 0, {kHuge, 4}, {0, 0}},
                        {6, kHuge, {1}, {1}},
                        {6, 0, {0, kHuge, kHuge}, {1, 1, 1}},
                        {6, 0, {2}, {1, 1}},
                        {6, 0, std::vector<std::int64_t>(40, 1), std::vector<std::int64_t>(40, 1)}};
  for (const View& view : views) {
    const std::string pickle = weight_pickle(view.elements, view.offset, view.sizes, view.strides);
    EXPECT_REFUSED(pt_file(pickle, kSixFloats), ErrorCode::kCorruptFile, "data.pkl at byte");
  }
}

TEST(PtReader, RefusesAnExpandedViewThatWouldFillTheMemory) {
  constexpr std::int64_t kMany = std::int64_t{1} << 40;
  EXPECT_REFUSED(pt_file(weight_pickle(6, 0, {kMany}, {0}), kSixFloats), ErrorCode::kCorruptFile,
                 "out of proportion");
}

TEST(PtReader, RefusesStoragesOfAnotherSizeThanDeclared) {
  for (const std::int64_t elements : {5, 7, 1 << 30})
    EXPECT_REFUSED(pt_file(weight_pickle(elements, 0, {1}, {1}), kSixFloats),
                   ErrorCode::kCorruptFile, "is declared as");
  EXPECT_REFUSED(pt_file(weight_pickle(INT64_MAX, 0, {1}, {1}), kSixFloats),
                 ErrorCode::kCorruptFile, "is declared as");
}

TEST(PtReader, RefusesBoolsThatAreNeitherZeroNorOne) {
  EXPECT_REFUSED(pt_file(weight_pickle(3, 0, {3}, {1}, "BoolStorage"), std::string("\0\1\2", 3)),
                 ErrorCode::kCorruptFile, "a bool is 2");
}

// Pickles that do more than describe tensors.

std::string refused_pickle(const std::string& operations) {
  return pt_file(PickleBuilder().raw(operations).finish(), kSixFloats);
}

TEST(PtReader, RefusesPicklesThatNameAFunction) {
  EXPECT_REFUSED(refused_pickle("cos\nsystem\nN\x85R"), ErrorCode::kUnsupported, "os.system");
  EXPECT_REFUSED(refused_pickle(std::string("X\2\0\0\0osX\6\0\0\0system\x93", 19)),
                 ErrorCode::kUnsupported, "os.system");
  EXPECT_REFUSED(refused_pickle("cbuiltins\neval\n"), ErrorCode::kUnsupported, "builtins.eval");
  EXPECT_REFUSED(refused_pickle("ctorch\nload\n"), ErrorCode::kUnsupported, "torch.load");
  EXPECT_REFUSED(refused_pickle("ctorch.storage\n_load_from_bytes\n"), ErrorCode::kUnsupported,
                 "_load_from_bytes");
}

TEST(PtReader, RefusesOpcodesThatMakeObjects) {
  using std::string_literals::operator""s;
  const std::pair<std::string, const char*> cases[] = {
      {"(ios\nsystem\n", "INST"}, {"(o", "OBJ"},       {")\x81", "NEWOBJ"},  {"\x82\1", "EXT1"},
      {"\x83\1\0"s, "EXT2"},      {"Pid\n", "PERSID"}, {"\x92", "NEWOBJ_EX"}};
  for (const auto& [operations, name] : cases)
    EXPECT_REFUSED(refused_pickle(operations), ErrorCode::kUnsupported, name);
  EXPECT_REFUSED(refused_pickle("}}b"), ErrorCode::kUnsupported, "BUILD");
  EXPECT_REFUSED(refused_pickle("N)R"), ErrorCode::kUnsupported, "no function");
  EXPECT_REFUSED(refused_pickle("ctorch\nfloat32\n)R"), ErrorCode::kUnsupported, "calls a type");
}

TEST(PtReader, RefusesMalformedPickles) {
  for (const char* operations :
       {"0", "t", "h\5", "(K\1", "K\1K\2a", "}K\1K\2K\3u", "\x87", "K\1K\2s", "Q", "NQ", "\xff",
        "\x8a\x09\1\1\1\1\1\1\1\1\1", "X\xff\xff\xff\x7f"})
    EXPECT_REFUSED(refused_pickle(operations), ErrorCode::kCorruptFile, "data.pkl");
}

TEST(PtReader, RefusesPicklesThatGrowWithoutEnd) {
  EXPECT_REFUSED(refused_pickle(std::string(2000, '(')), ErrorCode::kCorruptFile, "nesting");
  EXPECT_REFUSED(refused_pickle(std::string(1 << 21, ']')), ErrorCode::kCorruptFile,
                 "too many values");
  EXPECT_REFUSED(refused_pickle(std::string(1, 'N').append(1 << 21, '2')), ErrorCode::kCorruptFile,
                 "too deep a stack");
}

TEST(PtReader, SurvivesContainersThatHoldThemselves) {
  // A list within itself, deeply nested tuples: nothing recurses, neither to read nor to free.
  EXPECT_REFUSED(refused_pickle("]q\1h\1a"), ErrorCode::kUnsupported, "holds a list");
  std::string nested = "N";
  for (int i = 0; i < 200'000; ++i) nested += '\x85';
  EXPECT_REFUSED(refused_pickle(nested), ErrorCode::kUnsupported, "holds a list");
}

TEST(PtReader, RefusesFilesWithoutTensors) {
  EXPECT_REFUSED(refused_pickle("}"), ErrorCode::kCorruptFile, "no tensors");
  EXPECT_REFUSED(pt_file(PickleBuilder().raw("}").text("model").number(1).raw("s").finish(), ""),
                 ErrorCode::kCorruptFile, "no tensors");
}

TEST(PtReader, RefusesAStateDictWithSomethingElse) {
  const std::string pickle =
      PickleBuilder().raw("}").text("model").raw("}").text("epoch").number(3).raw("ss").finish();
  EXPECT_REFUSED(pt_file(pickle, kSixFloats), ErrorCode::kUnsupported, "'epoch'");
}

TEST(Checkpoint, SaysWhatAFileIsInstead) {
  EXPECT_REFUSED("", ErrorCode::kCorruptFile, "too short");
  EXPECT_REFUSED("version https://git-lfs.github.com/spec/v1\n", ErrorCode::kUnsupported,
                 "git lfs pull");
  EXPECT_REFUSED("<!DOCTYPE html><html></html>", ErrorCode::kUnsupported, "web page");
  EXPECT_REFUSED("just some text, nothing else", ErrorCode::kUnsupported, "neither");
}

TEST(Checkpoint, ReportsAMissingFile) {
  const TemporaryFolder folder;
  try {
    read_checkpoint(folder / "none.pt");
    FAIL() << "was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_THAT(error.what(), testing::HasSubstr("none.pt"));
  }
}

}  // namespace
}  // namespace vostrack::nn::test
