#include "train/communicator.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "base/check.hpp"
#include "nn/model.hpp"
#include "train/flat_sum.hpp"

namespace vostrack::train {
namespace {

constexpr std::chrono::minutes kMeeting{5};

class Alone : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void sum(std::vector<torch::Tensor>&) override {}
};

const char* variable(const char* name) {
  const char* value = std::getenv(name);
  check(value != nullptr && *value != '\0', ErrorCode::kInvalidArgument,
        "WORLD_SIZE is set, but {} is not; start the processes with a launcher such as torchrun",
        name);
  return value;
}

int whole_number(const char* name, int least, int most) {
  const std::string_view text = variable(name);
  int value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  check(result.ec == std::errc() && result.ptr == text.data() + text.size() && value >= least &&
            value <= most,
        ErrorCode::kInvalidArgument, "{} is {}, want {} to {}", name, text, least, most);
  return value;
}

}  // namespace

std::shared_ptr<Communicator> make_alone() {
  return std::make_shared<Alone>();
}

std::optional<Place> place_from_environment() {
  if (std::getenv("WORLD_SIZE") == nullptr) return std::nullopt;
  Place place;
  place.size = whole_number("WORLD_SIZE", 1, 65536);
  if (place.size == 1) return std::nullopt;
  place.rank = whole_number("RANK", 0, place.size - 1);
  place.port = whole_number("MASTER_PORT", 1, 65535);
  place.host = variable("MASTER_ADDR");
  place.local_rank = std::getenv("LOCAL_RANK") == nullptr
                         ? place.rank
                         : whole_number("LOCAL_RANK", 0, place.size - 1);
  const char* agent = std::getenv("TORCHELASTIC_USE_AGENT_STORE");
  place.launcher_serves = agent != nullptr && std::string_view(agent) == "True";
  return place;
}

c10::intrusive_ptr<c10d::Store> meeting_store(const Place& place) {
  return or_io_error("the processes did not meet", [&] {
    c10d::TCPStoreOptions options;
    options.port = static_cast<std::uint16_t>(place.port);
    options.isServer = place.rank == 0 && !place.launcher_serves;
    options.waitWorkers = false;
    options.timeout = kMeeting;
    const auto store = c10::make_intrusive<c10d::TCPStore>(place.host, options);
    const std::string here = "vostrack/here/";
    store->set(here + std::to_string(place.rank), std::vector<std::uint8_t>{1});
    std::vector<std::string> all;
    for (int rank = 0; rank < place.size; ++rank) all.push_back(here + std::to_string(rank));
    store->wait(all, kMeeting);
    store->setTimeout(kPatience);
    return c10::intrusive_ptr<c10d::Store>(store);
  });
}

torch::Device device_at(const std::string& name, const Place& place) {
  auto device = nn::parse_device(name);
  const auto count = static_cast<int>(torch::cuda::device_count());
  if (name == "cuda") device.set_index(static_cast<torch::DeviceIndex>(place.local_rank % count));
  return device;
}

std::shared_ptr<Communicator> meet(const Place& place, torch::Device device) {
  if (device.is_cuda() && has_nccl()) return meet_by_nccl(place, device);
  return has_gloo() ? meet_by_gloo(place) : meet_by_store(place);
}

}  // namespace vostrack::train
