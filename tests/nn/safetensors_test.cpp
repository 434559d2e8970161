#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "checkpoint_support.hpp"

namespace vostrack::nn::test {
namespace {

/// A file with this header, not necessarily right, and that many bytes of data.
std::string safetensors(const std::string& header, std::size_t data_size) {
  return little<std::uint64_t>(header.size()) + header + std::string(data_size, '\0');
}

std::string one_tensor(const std::string& dtype, const std::string& shape,
                       const std::string& offsets, std::size_t data_size) {
  return safetensors(R"({"weight":{"dtype":")" + dtype + R"(","shape":)" + shape +
                         R"(,"data_offsets":)" + offsets + "}}",
                     data_size);
}

TEST(Safetensors, ReadsWhatTheOfficialLibraryWrote) {
  const StateDict state = read_checkpoint(data_file("types.safetensors"));
  expect_same_tensors(state, counted_state());
  EXPECT_THAT(state.metadata, testing::ElementsAre(testing::Pair("author", "torch"),
                                                   testing::Pair("config", R"({"size": 1})")));
}

TEST(Safetensors, ReadsWhatItWrote) {
  const TemporaryFolder folder;
  StateDict state = counted_state();
  state.tensors["transposed"] = counted({3, 4}).t();
  state.tensors["größe \"1\""] = counted({2});
  state.metadata = {{"config", R"({"image_size": 1024})"}, {"text", "zwei\nZeilen"}};
  write_safetensors(folder / "all.safetensors", state);
  const StateDict got = read_checkpoint(folder / "all.safetensors");
  expect_same_tensors(got, state);
  EXPECT_EQ(got.metadata, state.metadata);
  EXPECT_EQ(folder.count_files(), 1U);
}

TEST(Safetensors, AlignsEveryTensorSoThatNoneIsCopied) {
  const TemporaryFolder folder;
  const StateDict state = counted_state();
  write_safetensors(folder / "all.safetensors", state);
  const std::string file = read_file(folder / "all.safetensors");
  std::uint64_t header_size = 0;
  std::memcpy(&header_size, file.data(), sizeof header_size);
  EXPECT_EQ((8 + header_size) % 64, 0U);
  const auto header = nlohmann::json::parse(file.substr(8, header_size));
  for (const auto& [name, tensor] : state.tensors)
    EXPECT_EQ(header[name]["data_offsets"][0].get<std::size_t>() % tensor.element_size(), 0U);
}

TEST(Safetensors, StoresFloatsAsHalfWhenAsked) {
  const TemporaryFolder folder;
  write_safetensors(folder / "half.safetensors", counted_state(), true);
  const StateDict got = read_checkpoint(folder / "half.safetensors");
  for (const char* name : {"types.f64", "types.f32", "types.bf16", "types.f16", "parameter"})
    EXPECT_EQ(got.tensors.at(name).scalar_type(), torch::kFloat16) << name;
  EXPECT_EQ(got.tensors.at("types.i64").scalar_type(), torch::kInt64);
  EXPECT_TRUE(torch::equal(got.tensors.at("parameter").to(torch::kFloat32), counted({4, 6})));
}

void expect_write_fails(const std::string& path, const StateDict& state, ErrorCode code,
                        const std::string& text, bool half = false) {
  try {
    write_safetensors(path, state, half);
    FAIL() << "was written";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), testing::HasSubstr(text));
  }
}

TEST(Safetensors, RefusesValuesBeyondHalfPrecision) {
  const TemporaryFolder folder;
  StateDict state;
  state.tensors["infinite"] = torch::full({2}, std::numeric_limits<float>::infinity());
  write_safetensors(folder / "file", state, true);
  state.tensors["large"] = torch::full({2}, 70000.0F);
  expect_write_fails(folder / "file", state, ErrorCode::kInvalidArgument, "large", true);
  EXPECT_EQ(read_checkpoint(folder / "file").tensors.size(), 1U);  // what was there stays
  EXPECT_EQ(folder.count_files(), 1U);
}

TEST(Safetensors, RefusesToWriteWhatCannotBeRead) {
  const TemporaryFolder folder;
  const auto with = [](const std::string& name, const torch::Tensor& tensor) {
    StateDict state;
    state.tensors[name] = tensor;
    return state;
  };
  const torch::Tensor one = torch::ones(1);
  expect_write_fails(folder / "f", with("c", one.to(torch::kComplexFloat)),
                     ErrorCode::kInvalidArgument, "ComplexFloat");
  expect_write_fails(folder / "f", with("undefined", {}), ErrorCode::kInvalidArgument, "undefined");
  expect_write_fails(folder / "f", with("__metadata__", one), ErrorCode::kInvalidArgument, "taken");
  expect_write_fails(folder / "f", with("\xff", one), ErrorCode::kInvalidArgument, "UTF-8");
  EXPECT_EQ(folder.count_files(), 0U);
}

TEST(Safetensors, LeavesNothingBehindWhenWritingFails) {
  const TemporaryFolder folder;
  const StateDict state = counted_state();
  expect_write_fails(folder / "missing/file", state, ErrorCode::kNotFound, "missing/file");
  std::filesystem::create_directory(folder / "folder");
  expect_write_fails(folder / "folder", state, ErrorCode::kInvalidArgument, "is a folder");
  EXPECT_EQ(folder.count_files(), 1U);

  // A full disk: files may not grow beyond 100 bytes.
  write_file(folder / "old", "old");
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit tight = before;
  tight.rlim_cur = 100;
  setrlimit(RLIMIT_FSIZE, &tight);
  expect_write_fails(folder / "old", state, ErrorCode::kIo, "writing failed");
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(read_file(folder / "old"), "old");
  EXPECT_EQ(folder.count_files(), 2U);
}

TEST(Safetensors, GivesNewFilesTheUsualPermissions) {
  const TemporaryFolder folder;
  write_safetensors(folder / "file", counted_state());
  const mode_t mask = umask(0);
  umask(mask);
  struct stat info {};
  ASSERT_EQ(stat((folder / "file").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0666 & ~mask);
}

TEST(Safetensors, MayReplaceTheFileThatItsTensorsAreMappedFrom) {
  const TemporaryFolder folder;
  write_safetensors(folder / "file", counted_state());
  const StateDict mapped = read_checkpoint(folder / "file");
  write_safetensors(folder / "file", mapped);
  expect_same_tensors(read_checkpoint(folder / "file"), counted_state());
  expect_same_tensors(mapped, counted_state());
}

TEST(Safetensors, CopiesTensorsThatAreNotAligned) {
  // One byte first, then four floats at an odd offset.
  const std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                             R"("b":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}})";
  const std::string file =
      little<std::uint64_t>(header.size()) + header + "\7" + floats({1.5F, -2.0F});
  const StateDict state = read_bytes(file);
  EXPECT_TRUE(torch::equal(state.tensors.at("b"), torch::tensor({1.5F, -2.0F})));
  EXPECT_EQ(state.tensors.at("a").item<int>(), 7);
}

TEST(Safetensors, RefusesHeadersBeyondTheFileOrTheLimit) {
  EXPECT_REFUSED(little<std::uint64_t>(50) + "{}", ErrorCode::kCorruptFile, "cut short");
  EXPECT_REFUSED(little<std::uint64_t>(UINT64_MAX) + "{}", ErrorCode::kCorruptFile,
                 "want at most 100000000");
}

TEST(Safetensors, RefusesOffsetsThatContradictTheFile) {
  using Case = std::pair<const char*, const char*>;  // shape, offsets; the data are 8 bytes
  for (const auto& [shape, offsets] : {Case{"[2]", "[0,16]"},
                                       {"[2]", "[8,0]"},
                                       {"[2]", "[0]"},
                                       {"[2]", "[0,4,8]"},
                                       {"[2]", "[4,12]"},
                                       {"[1]", "[0,8]"},
                                       {"[3]", "[0,8]"},
                                       {"[0]", "[0,8]"},

                                       {"[1]", "[4,8]"},
                                       {"[4611686018427387905,4]", "[0,8]"},
                                       {"[4294967296,4294967296]", "[0,8]"},
                                       {"[0,4294967296,4294967296]", "[0,8]"}})
    EXPECT_REFUSED(one_tensor("F32", shape, offsets, 8), ErrorCode::kCorruptFile, "weight");
  EXPECT_REFUSED(one_tensor("F32", "[2]", "[0,8]", 12), ErrorCode::kCorruptFile, "the data at 12");
  EXPECT_REFUSED(one_tensor("F32", "[1]", "[0,4]", 8), ErrorCode::kCorruptFile, "the data at 8");
}

TEST(Safetensors, RefusesOverlapsAndHoles) {
  const auto two = [](const std::string& second) {
    return safetensors(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                       R"("b":{"dtype":"U8","shape":[4],"data_offsets":)" +
                           second + "}}",
                       9);
  };
  EXPECT_REFUSED(two("[3,7]"), ErrorCode::kCorruptFile, "overlaps");
  EXPECT_REFUSED(two("[5,9]"), ErrorCode::kCorruptFile, "a hole");
}

TEST(Safetensors, RefusesHeadersOfAnotherForm) {
  const std::string good = R"("dtype":"U8","shape":[],"data_offsets":[0,1])";
  for (const std::string& header : std::vector<std::string>{
           "{",
           "{} x",
           R"({"a":1})",
           R"({"a":[]})",
           R"({"a":{}})",
           R"({"a":{)" + good + R"(,"x":{}}})",
           R"({"a":{"dtype":"U8","dtype":"U8","shape":[],"data_offsets":[0,1]}})",
           R"({"a":{"dtype":"U8","shape":[],"shape":[],"data_offsets":[0,1]}})",
           R"({"a":{)" + good + R"(},"a":{)" + good + "}}",
           R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})",
           R"({"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}})",
           R"({"a":{"dtype":"U8","shape":[true],"data_offsets":[0,1]}})",
           R"({"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,1]}})",
           R"({"a":{"dtype":"U8","shape":[1e400],"data_offsets":[0,1]}})",
           R"({"a":{"dtype":null,"shape":[],"data_offsets":[0,1]}})",
           R"({"__metadata__":{"a":1}})",
           R"({"__metadata__":{"a":"b","a":"c"}})",
           R"({"__metadata__":{},"__metadata__":{}})",
           R"({"__metadata__":{"a":{"b":"c"}}})",
           "{\"\xff\":{" + good + "}}"})
    EXPECT_REFUSED(safetensors(header, 1), ErrorCode::kCorruptFile, "file: ");
  EXPECT_REFUSED(one_tensor("F8_E4M3", "[1]", "[0,1]", 1), ErrorCode::kUnsupported, "F8_E4M3");
  EXPECT_REFUSED(one_tensor("C64", "[1]", "[0,8]", 8), ErrorCode::kUnsupported, "C64");
}

TEST(Safetensors, RefusesDeepNestingAtOnce) {
  EXPECT_REFUSED(safetensors("{\"a\":" + std::string(1 << 22, '['), 0), ErrorCode::kCorruptFile,
                 "an array");
  std::string objects = "{";
  for (int i = 0; i < 1 << 20; ++i) objects += "\"a\":{";
  EXPECT_REFUSED(safetensors(objects, 0), ErrorCode::kCorruptFile, "an object");
  EXPECT_REFUSED(one_tensor("U8", "[" + std::string(1 << 22, '[') + "1]", "[0,1]", 1),
                 ErrorCode::kCorruptFile, "an array");
}

TEST(Safetensors, RefusesBoolsThatAreNeitherZeroNorOne) {
  std::string file = one_tensor("BOOL", "[3]", "[0,3]", 3);
  EXPECT_EQ(read_bytes(file).tensors.size(), 1U);
  file.back() = 2;
  EXPECT_REFUSED(file, ErrorCode::kCorruptFile, "a bool is 2");
}

TEST(Safetensors, RefusesFilesWithoutTensors) {
  EXPECT_REFUSED(safetensors("{}", 0), ErrorCode::kCorruptFile, "no tensors");
}

}  // namespace
}  // namespace vostrack::nn::test
