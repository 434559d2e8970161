#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "parity/fixture.hpp"
#include "support/shared_data.hpp"

namespace vostrack::parity {
namespace {

std::vector<std::filesystem::path> fixtures_in(const std::filesystem::path& root) {
  std::vector<std::filesystem::path> folders;
  if (!root.empty() && std::filesystem::is_directory(root))
    for (const auto& entry : std::filesystem::directory_iterator(root))
      if (std::filesystem::exists(entry.path() / "config.json")) folders.push_back(entry.path());
  return folders;
}

void expect_parity(const std::filesystem::path& folder) {
  torch::set_num_threads(1);
  for (const int objects_per_batch : {1, 8}) {
    std::ostringstream text;
    Report report(text, /*quiet=*/true);
    check_folder(folder, objects_per_batch, report);
    EXPECT_GT(report.compared(), 0) << folder;
    EXPECT_EQ(report.failed(), 0) << folder << ", objects per batch " << objects_per_batch << "\n"
                                  << text.str();
  }
}

TEST(Parity, EqualsTheReferenceOnTheCommittedFixtures) {
  const auto folders = fixtures_in(std::filesystem::path(VOSTRACK_TEST_DATA) / "parity");
  ASSERT_FALSE(folders.empty());
  for (const auto& folder : folders) expect_parity(folder);
}

TEST(Parity, EqualsTheReferenceOnSharedFixtures) {
  const auto folders = fixtures_in(test::shared_data("parity"));
  if (folders.empty()) GTEST_SKIP() << "no shared parity fixtures here";
  for (const auto& folder : folders) expect_parity(folder);
}

TEST(Parity, EqualsTheReferenceOnTheSmallModelsFixture) {
  const auto folder = test::shared_data("nano/fixture");
  if (folder.empty()) GTEST_SKIP() << "no shared fixture of the small model here";
  expect_parity(folder);
}

}  // namespace
}  // namespace vostrack::parity
