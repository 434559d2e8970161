#include "train/communicator.hpp"
#include "train/flat_sum.hpp"

#ifdef VOSTRACK_GLOO
#include <cstdlib>

#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif

namespace vostrack::train {

#ifdef VOSTRACK_GLOO

namespace {

class GlooCommunicator : public Communicator {
 public:
  explicit GlooCommunicator(const Place& place) : rank_(place.rank), size_(place.size) {
    const auto store = meeting_store(place);
    or_io_error("the processes did not meet", [&] {
      using Group = c10d::ProcessGroupGloo;
      const auto options = Group::Options::create(kPatience);
      const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
      if (interface != nullptr && *interface != '\0')
        options->devices.push_back(Group::createDeviceForInterface(interface));
      else if (place.host == "127.0.0.1" || place.host == "localhost" || place.host == "::1")
        options->devices.push_back(Group::createDeviceForHostname(place.host));
      else
        options->devices.push_back(Group::createDefaultDevice());
      group_ = c10::make_intrusive<Group>(store, rank_, size_, options);
    });
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  void sum(std::vector<torch::Tensor>& tensors) override {
    sum_flat(tensors, torch::kCPU, [&](torch::Tensor& numbers) {
      std::vector<torch::Tensor> all{numbers};
      group_->allreduce(all)->wait();
    });
  }

 private:
  int rank_, size_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
};

}  // namespace

bool has_gloo() {
  return true;
}
std::shared_ptr<Communicator> meet_by_gloo(const Place& place) {
  return std::make_shared<GlooCommunicator>(place);
}

#else

bool has_gloo() {
  return false;
}
std::shared_ptr<Communicator> meet_by_gloo(const Place&) {
  fail(ErrorCode::kUnsupported, "this LibTorch was built without Gloo");
}

#endif

}  // namespace vostrack::train
