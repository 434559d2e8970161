#include "apps/vostrack/cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/apps/command_line.hpp"
#include "tests/support/temporary_folder.hpp"
#include "vostrack/version.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;
using test::Outcome;
using test::run_command;
using test::TemporaryFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const std::string kNano = VOSTRACK_SOURCE_DIR "/models/nano.safetensors";

/// Errors are one line that begins with the program's name.
void expect_error(const Outcome& outcome, int status, const std::string& part) {
  EXPECT_EQ(outcome.status, status) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(StartsWith("vostrack: "), HasSubstr(part)));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_THAT(outcome.out, IsEmpty());
}

TEST(CommandLine, HelpOpensWithAnExample) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--help"},
                                             {"track", "--help"},
                                             {"segment", "-h"},
                                             {"convert", "-h"},
                                             {"info", "-h"},
                                             {"probe", "-h"},
                                             {"frames", "-h"},
                                             {"bench", "-h"}}) {
    const Outcome outcome = run_command(arguments);
    EXPECT_EQ(outcome.status, kSuccess);
    EXPECT_THAT(outcome.out, StartsWith("Example:\n  vostrack "));
    EXPECT_THAT(outcome.err, IsEmpty());
  }
}

TEST(CommandLine, HelpShowsDefaults) {
  const std::string help = run_command({"track", "--help"}).out;
  EXPECT_THAT(help, AllOf(HasSubstr("=cpu"), HasSubstr("=float32"), HasSubstr("=4")));
}

TEST(CommandLine, VersionNamesTheLibraries) {
  const Outcome outcome = run_command({"--version"});
  EXPECT_EQ(outcome.status, kSuccess);
  EXPECT_THAT(outcome.out, StartsWith("vostrack " VOSTRACK_VERSION "\n"));
  EXPECT_GT(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 2);
}

TEST(CommandLine, WrongUsageEndsWithTwo) {
  expect_error(run_command({}), kWrongUsage, "--help");
  expect_error(run_command({"fly"}), kWrongUsage, "--help");
  expect_error(run_command({"track"}), kWrongUsage, "track --help");
  expect_error(run_command({"track", "a.mp4", "--out", "o"}), kWrongUsage, "nothing to track");
  expect_error(run_command({"track", "a.mp4", "--out", "o", "--point", "x"}), kWrongUsage,
               "--point x: ");
  expect_error(run_command({"track", "a.mp4", "--out", "o", "--point", "1,1", "--start", "-"}),
               kWrongUsage, "--start: ");
  expect_error(run_command({"track", "a.mp4", "--out", "o", "--point", "1,1", "--precision", "x"}),
               kWrongUsage, "precision");
  expect_error(run_command({"segment", "a.jpg", "--point", "1,1"}), kWrongUsage, "no result");
  expect_error(run_command({"segment", "a.jpg", "--json", "-"}), kWrongUsage, "nothing to cut out");
  expect_error(run_command({"segment", "a.jpg", "--json", "-", "--point", "3,1", "--fractions"}),
               kWrongUsage, "3 is no fraction");
  expect_error(run_command({"segment", "a.jpg", "--json", "-", "--point", "1,1", "--masks", "2"}),
               kWrongUsage, "masks");
  expect_error(run_command({"convert", "a.pt", "b.pt"}), kWrongUsage, ".safetensors");
}

TEST(CommandLine, AVideoThatIsMissingEndsWithOne) {
  TemporaryFolder folder;
  expect_error(run_command({"track", folder / "no.mp4", "--point", "1,1", "--out", folder / "out"}),
               kFailure, "no.mp4");
  EXPECT_FALSE(fs::exists(folder / "out"));
}

TEST(CommandLine, APictureThatIsMissingEndsWithOne) {
  TemporaryFolder folder;
  expect_error(run_command({"segment", folder / "no.jpg", "--point", "1,1", "--json", "-"}),
               kFailure, "no.jpg");
}

TEST(CommandLine, AModelThatIsMissingEndsWithOne) {
  expect_error(run_command({"info", "/nowhere/model.pt"}), kFailure, "/nowhere/model.pt");
}

TEST(Info, ListsPartsAndConfiguration) {
  const Outcome text = run_command({"info", kNano});
  EXPECT_EQ(text.status, kSuccess) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("image_encoder"), HasSubstr("efficientnet_lite0")));

  const Outcome outcome = run_command({"info", kNano, "--json"});
  EXPECT_EQ(outcome.status, kSuccess) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["image_size"], 448);
  EXPECT_EQ(json["config"]["image_size"], 448);
  EXPECT_EQ(json["file_bytes"], fs::file_size(kNano));
  std::int64_t sum = 0;
  for (const auto& part : json["parts"]) sum += part.get<std::int64_t>();
  EXPECT_EQ(json["parameters"], sum);
}

TEST(Convert, KeepsTheModelAndItsConfiguration) {
  TemporaryFolder folder;
  const std::string copy = folder / "copy.safetensors";
  const Outcome outcome = run_command({"convert", kNano, copy, "--half"});
  ASSERT_EQ(outcome.status, kSuccess) << outcome.err;
  EXPECT_NEAR(static_cast<double>(fs::file_size(copy)), static_cast<double>(fs::file_size(kNano)),
              2e5);
  const auto json = nlohmann::json::parse(run_command({"info", copy, "--json"}).out);
  const auto original = nlohmann::json::parse(run_command({"info", kNano, "--json"}).out);
  EXPECT_EQ(json["config"], original["config"]);
  EXPECT_EQ(json["parts"], original["parts"]);

  expect_error(run_command({"convert", kNano, copy}), kFailure, "--overwrite");
  EXPECT_EQ(run_command({"convert", kNano, copy, "--overwrite"}).status, kSuccess);
}

}  // namespace
}  // namespace vostrack::cli
