#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/commands.hpp"
#include "tests/apps/command_line.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vostrack::cli {
namespace {

using nlohmann::json;
using test::Outcome;
using test::run_command;
using test::TemporaryFolder;
using testing::HasSubstr;

/// What bfloat16 is computed in on this processor.
const char* precision_in_force() {
  ModelOptions options;
  options.precision = Precision::kBFloat16;
  return precision_name(Model::load_default(options).options().precision);
}

TEST(BenchCommand, MeasuresEveryPartInAllCombinations) {
  const Outcome outcome =
      run_command({"bench", "--size", "64,96", "--objects", "1,3", "--precision",
                   "float32,bfloat16", "--threads", "1", "--rounds", "1", "--json", "-"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  const auto result = json::parse(outcome.out);
  ASSERT_EQ(result["measurements"].size(), 8u);
  EXPECT_EQ(result["measurements"][0]["ratio"], 1.0);
  for (const auto& row : result["measurements"]) {
    EXPECT_EQ(row["threads"], 1);
    EXPECT_GT(row["peak_resident_mib"], 1.0);
    EXPECT_GT(row["load_ms"], 0.0);
    double sum = 0;
    for (const char* part :
         {"resize", "encode", "memory attention", "mask decoder", "memory encoder", "masks"}) {
      ASSERT_TRUE(row["parts_ms"].contains(part)) << part;
      EXPECT_GT(row["parts_ms"][part], 0.0) << part;
      sum += row["parts_ms"][part].get<double>();
    }
    EXPECT_EQ(row["parts_ms"].size(), 6u);
    EXPECT_NEAR(row["frame_ms"], sum, 1e-6 * sum);
  }
  const auto& last = result["measurements"][7];
  EXPECT_EQ(last["image_size"], 96);
  EXPECT_EQ(last["objects"], 3);
  EXPECT_EQ(last["precision"], precision_in_force());
  EXPECT_EQ(outcome.err.find("no instructions for bfloat16") == std::string::npos,
            last["precision"] == "bfloat16");
}

TEST(BenchCommand, PrintsATableAndWritesJsonBesideIt) {
  TemporaryFolder folder;
  const std::string path = folder / "bench.json";
  const Outcome outcome = run_command({"bench", "--size", "64", "--rounds", "1", "--json", path});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("memory attention"));
  EXPECT_THAT(outcome.out, HasSubstr("float32"));
  std::ifstream file(path);
  EXPECT_EQ(json::parse(file)["rounds"], 1);
}

TEST(BenchCommand, MeasuresInt8WhereItIs) {
  const Outcome outcome = run_command(
      {"bench", "--size", "64", "--precision", "int8", "--rounds", "1", "--json", "-"});
  if (outcome.status != kSuccess) {
    EXPECT_THAT(outcome.err, HasSubstr("AVX-512 VNNI"));
    GTEST_SKIP() << outcome.err;
  }
  EXPECT_EQ(json::parse(outcome.out)["measurements"][0]["precision"], "int8");
}

TEST(BenchCommand, MeasuresWithLessOfMemories) {
  const Outcome outcome =
      run_command({"bench", "--size", "64", "--rounds", "1", "--recent-memories", "2",
                   "--pooled-memories", "--sparse-memories", "1", "--json", "-"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  const auto speed = json::parse(outcome.out)["speed"];
  EXPECT_EQ(speed["recent_memories"], 2);
  EXPECT_EQ(speed["pooled_memories"], true);
  EXPECT_EQ(speed["sparse_memories"], 1);
  EXPECT_EQ(run_command({"bench", "--sparse-memories", "-1"}).status, kWrongUsage);
}

TEST(BenchCommand, SaysWhatIsWrong) {
  EXPECT_EQ(run_command({"bench", "--precision", "int4"}).status, kWrongUsage);
  EXPECT_EQ(run_command({"bench", "--objects", "0"}).status, kWrongUsage);
  EXPECT_EQ(run_command({"bench", "--model", "a.pt", "--preset", "sam2.1_hiera_t"}).status,
            kWrongUsage);
  const Outcome unknown = run_command({"bench", "--preset", "sam9"});
  EXPECT_EQ(unknown.status, kFailure);
  EXPECT_THAT(unknown.err, HasSubstr("sam9"));
  EXPECT_THAT(run_command({"bench", "--size", "100"}).err, HasSubstr("multiple of 32"));
}

}  // namespace
}  // namespace vostrack::cli
