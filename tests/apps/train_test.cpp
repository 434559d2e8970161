// vostrack train, on clips that are made of nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/apps/command_line.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vostrack {
namespace {

using test::run_command;
using ::testing::HasSubstr;
using ::testing::Not;

/// Of a network that trains in no time.
const char* const kTinyModel = R"({
  "name": "tiny", "image_size": 64,
  "trunk": {"embed_dim": 8, "stages": [1, 1, 2, 1], "global_att_blocks": [3],
            "window_spec": [4, 2, 4, 2], "window_pos_embed_bkg_spatial_size": [7, 7]},
  "neck": {"d_model": 16, "fpn_top_down_levels": [2, 3], "scalp": 1},
  "memory_attention": {"num_layers": 1, "dim_feedforward": 32},
  "memory_encoder": {"out_dim": 8},
  "model": {"use_mask_input_as_output_without_sam": true, "directly_add_no_mem_embed": true,
            "use_obj_ptrs_in_encoder": true, "pred_obj_scores": true,
            "pred_obj_scores_mlp": true, "fixed_no_obj_ptr": true}
})";

class Train : public ::testing::Test {
 protected:
  Train() { std::ofstream(folder_ / "tiny.json") << kTinyModel; }

  test::Outcome train(std::vector<std::string> more) {
    std::vector<std::string> words{
        "train", "--trial",  "--model", path("tiny.json"), "--batch",
        "2",     "--frames", "2",       "--set",           "prompts.corrections_per_frame=0"};
    words.insert(words.end(), more.begin(), more.end());
    return run_command(words);
  }
  std::string path(const std::string& name) const { return folder_ / name; }

  test::TemporaryFolder folder_;
};

TEST_F(Train, WritesWeightsThatOtherCommandsRead) {
  const auto outcome = train({"--steps", "2", "--out", path("run")});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("step 2/2  dice "));
  EXPECT_THAT(outcome.out, HasSubstr("final.safetensors after 2 steps"));
  const auto info = run_command({"info", path("run/final.safetensors")});
  EXPECT_EQ(info.status, 0) << info.err;
}

TEST_F(Train, KeepsLogsOfARun) {
  const auto outcome = train(
      {"--steps", "3", "--out", path("run"), "--log-every", "3", "--set", "examples_every=2"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("step 3/3  dice "));
  EXPECT_THAT(outcome.err, Not(HasSubstr("step 2/3")));
  const std::string csv = test::read_bytes(path("run/metrics.csv"));
  EXPECT_THAT(csv, HasSubstr("step,loss/dice,"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 4);
  for (const char* name : {"run/pictures/000002.png", "run/pictures/000003.png"})
    EXPECT_TRUE(std::filesystem::exists(path(name))) << name;
}

TEST_F(Train, ListsEverySettingInItsHelp) {
  const auto help = run_command({"train", "--help"});
  for (const char* text :
       {"data.augment: blur 0.15", "source_weights {", "loss: blank_absent true"})
    EXPECT_THAT(help.out, HasSubstr(text));
}

TEST_F(Train, ResumesOnlyWhenAskedTo) {
  ASSERT_EQ(train({"--steps", "1", "--out", path("run"), "--quiet"}).status, 0);
  const auto again = train({"--steps", "2", "--out", path("run")});
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.err, HasSubstr("holds a run already; --resume goes on with it"));
  const auto resumed = train({"--steps", "2", "--out", path("run"), "--resume"});
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("step 2/2"));
}

TEST_F(Train, PlansWithoutWritingAnything) {
  const auto plan = train({"--plan", "--set", "parameters.decoder_only=true"});
  ASSERT_EQ(plan.status, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("sam_mask_decoder"));
  EXPECT_THAT(plan.out, HasSubstr("steps an hour"));
  EXPECT_THAT(plan.out, HasSubstr("\"decoder_only\": true"));
  EXPECT_THAT(plan.out, HasSubstr("tensors start from random numbers"));
}

TEST_F(Train, ReadsARunFromJson) {
  std::ofstream(folder_ / "run.json")
      << R"({"model": ")" << path("tiny.json") << R"(", "trial": true, "frames": 1, "folder": ")"
      << path("run") << R"(", "settings": {"steps": 1, "batch_clips": 1}})";
  const auto outcome = run_command({"train", "--config", path("run.json")});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(std::filesystem::exists(path("run/final.safetensors")));
}

TEST_F(Train, SaysWhatIsWrong) {
  EXPECT_EQ(train({"--steps", "1"}).status, 2);
  const auto unknown = train({"--out", path("run"), "--set", "optimizer.rate=1"});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.err, HasSubstr("unknown key /optimizer/rate"));
  const auto no_data = run_command({"train", "--model", path("tiny.json"), "--out", path("run")});
  EXPECT_EQ(no_data.status, 1);
  EXPECT_THAT(no_data.err, HasSubstr("no data to train on"));
}

}  // namespace
}  // namespace vostrack
