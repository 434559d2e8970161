// Several processes on one machine: the test starts itself again, once for each.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

#include "nn/checkpoint.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"
#include "support/tensors.hpp"
#include "train/trainer.hpp"
#include "train_support.hpp"

extern char** environ;

namespace vostrack::train {
namespace {

/// A port that was free a moment ago.
int free_port() {
  const int handle = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(handle, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(handle, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(handle);
  return ntohs(address.sin_port);
}

/// One step's gradients, and the weights after it.
nn::StateDict one_step(const std::string& folder, std::shared_ptr<Communicator> communicator) {
  auto config = test::quick_training();
  config.batch_clips = 4;
  config.optimizer.clip_norm = 0;
  Trainer trainer(test::tiny_network(), test::tiny_config(), config,
                  std::make_shared<TrialClips>(64, 3, 4), folder, torch::kCPU,
                  std::move(communicator));
  const auto report = trainer.step();
  nn::StateDict state;
  for (const auto& parameter : trainer.optimizer().parameters()) {
    const auto& gradient = parameter.value.grad();
    state.tensors["gradient/" + parameter.name] =
        gradient.defined() ? gradient.clone() : torch::zeros_like(parameter.value);
    state.tensors["weight/" + parameter.name] = parameter.value.detach().clone();
  }
  state.tensors["loss"] = torch::full({}, report.losses.at("total"), torch::kFloat64);
  return state;
}

TEST(Processes, TakePartInAStep) {
  const char* folder_name = std::getenv("VOSTRACK_TEST_FOLDER");
  if (!folder_name) GTEST_SKIP() << "run by the tests beside it, in processes of their own";
  const auto place = place_from_environment();
  ASSERT_TRUE(place.has_value());
  const std::string folder = folder_name;
  const std::string way = std::getenv("VOSTRACK_TEST_WAY");
  const auto state =
      one_step(folder, way == "store" ? meet_by_store(*place) : meet_by_gloo(*place));
  nn::write_safetensors(folder + "/" + std::to_string(place->rank) + ".safetensors", state);
}

pid_t start(int rank, int size, int port, const std::string& folder, const std::string& way) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  variables.push_back("RANK=" + std::to_string(rank));
  variables.push_back("WORLD_SIZE=" + std::to_string(size));
  variables.push_back("MASTER_ADDR=127.0.0.1");
  variables.push_back("MASTER_PORT=" + std::to_string(port));
  variables.push_back("VOSTRACK_TEST_FOLDER=" + folder);
  variables.push_back("VOSTRACK_TEST_WAY=" + way);
  std::vector<char*> environment;
  for (auto& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  std::vector<std::string> words{"train_test", "--gtest_filter=Processes.TakePartInAStep"};
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execve("/proc/self/exe", arguments.data(), environment.data());
    ::_exit(127);
  }
  return child;
}

class ProcessesBy : public ::testing::TestWithParam<std::string> {};

TEST_P(ProcessesBy, GiveTheGradientsOfOneWithTheWholeBatch) {
  if (GetParam() == "gloo" && !has_gloo()) GTEST_SKIP() << "this LibTorch was built without Gloo";
  test::TemporaryFolder folder;
  const int port = free_port();
  std::vector<pid_t> children;
  for (int rank = 0; rank < 2; ++rank)
    children.push_back(start(rank, 2, port, folder.path(), GetParam()));
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
  }
  const auto first = nn::read_checkpoint(folder / "0.safetensors");
  const auto second = nn::read_checkpoint(folder / "1.safetensors");
  const auto alone = one_step(folder.path(), make_alone());
  double difference = 0, length = 0;
  for (const auto& [name, tensor] : alone.tensors) {
    EXPECT_TRUE(test::same(second.tensors.at(name), first.tensors.at(name))) << name;
    if (!name.starts_with("gradient/")) continue;
    difference += (first.tensors.at(name) - tensor).square().sum().item<double>();
    length += tensor.square().sum().item<double>();
  }
  EXPECT_GT(length, 0);
  EXPECT_LT(std::sqrt(difference / length), 1e-6);
  EXPECT_NEAR(first.tensors.at("loss").item<double>(), alone.tensors.at("loss").item<double>(),
              1e-6 * alone.tensors.at("loss").item<double>());
}

TEST_P(ProcessesBy, SaySoWhenAnotherOneDies) {
  const bool gloo = std::string(GetParam()) == "gloo";
  if (gloo && !has_gloo()) GTEST_SKIP() << "this LibTorch was built without Gloo";
  test::TemporaryFolder folder;
  const Place place{.size = 2, .host = "127.0.0.1", .port = free_port()};
  const pid_t child = start(1, 2, place.port, folder.path(), GetParam());
  const auto communicator =
      gloo ? meet_by_gloo(place) : meet_by_store(place, std::chrono::seconds(5));
  one_step(folder.path(), communicator);
  ::kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  std::vector<torch::Tensor> sums{torch::ones({3})};
  test::expect_error(ErrorCode::kIo, "another process is gone", [&] { communicator->sum(sums); });
}

INSTANTIATE_TEST_SUITE_P(Ways, ProcessesBy, ::testing::Values("gloo", "store"));

TEST(Processes, SaySoWhenALauncherLeftSomethingOut) {
  ::setenv("WORLD_SIZE", "2", 1);
  test::expect_error(ErrorCode::kInvalidArgument, "RANK is not", [] { place_from_environment(); });
  ::setenv("RANK", "2", 1);
  test::expect_error(ErrorCode::kInvalidArgument, "RANK is 2, want 0 to 1",
                     [] { place_from_environment(); });
  ::unsetenv("RANK");
  ::unsetenv("WORLD_SIZE");
  EXPECT_FALSE(place_from_environment().has_value());
}

TEST(Processes, HaveAPlaceOnTheirMachine) {
  const std::map<std::string, std::string> variables{
      {"WORLD_SIZE", "6"}, {"RANK", "5"}, {"MASTER_ADDR", "there"}, {"MASTER_PORT", "99"}};
  for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
  EXPECT_EQ(place_from_environment()->local_rank, 5);
  ::setenv("LOCAL_RANK", "1", 1);
  EXPECT_EQ(place_from_environment()->local_rank, 1);
  ::setenv("LOCAL_RANK", "6", 1);
  test::expect_error(ErrorCode::kInvalidArgument, "LOCAL_RANK is 6, want 0 to 5",
                     [] { place_from_environment(); });
  ::unsetenv("LOCAL_RANK");
  for (const auto& [name, value] : variables) ::unsetenv(name.c_str());
}

TEST(Processes, TakeAGpuEach) {
  const auto count = static_cast<int>(torch::cuda::device_count());
  const Place place{.rank = count + 1, .size = count + 2, .local_rank = count + 1, .host = ""};
  EXPECT_EQ(device_at("cpu", place), torch::Device("cpu"));
  if (count == 0) {
    test::expect_error(ErrorCode::kUnsupported, "sees 0 CUDA devices",
                       [&] { device_at("cuda", place); });
    return;
  }
  EXPECT_EQ(device_at("cuda:0", place), torch::Device("cuda:0"));
  EXPECT_EQ(device_at("cuda", place), torch::Device(torch::kCUDA, (count + 1) % count));
}

TEST(Processes, CannotMeetByWhatTheBuildLacks) {
  const Place place{.size = 2, .host = "127.0.0.1", .port = free_port()};
  if (!has_nccl())
    test::expect_error(ErrorCode::kUnsupported, "without NCCL",
                       [&] { meet_by_nccl(place, torch::Device("cuda")); });
  if (!has_gloo())
    test::expect_error(ErrorCode::kUnsupported, "without Gloo", [&] { meet_by_gloo(place); });
}

}  // namespace
}  // namespace vostrack::train
