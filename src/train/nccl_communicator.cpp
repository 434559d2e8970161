#include "train/communicator.hpp"
#include "train/flat_sum.hpp"

#ifdef VOSTRACK_NCCL
#define USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace vostrack::train {

#ifdef VOSTRACK_NCCL

namespace {

class NcclCommunicator : public Communicator {
 public:
  NcclCommunicator(const Place& place, torch::Device device)
      : rank_(place.rank), size_(place.size), device_(device) {
    const auto store = meeting_store(place);
    or_io_error("the processes' GPUs did not meet (each process needs one of its own)", [&] {
      const auto options = Group::Options::create();
      options->timeout = kPatience;
      group_ = c10::make_intrusive<Group>(store, rank_, size_, options);
      // NCCL connects at the first call.
      auto present = torch::ones({1}, device_);
      sum_row(present);
    });
  }
  ~NcclCommunicator() override {
    try {
      if (lost_)
        group_->abort();
      else
        group_->shutdown();
    } catch (const std::exception&) {
      // The others are gone; nothing is left to do together.
    }
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  void sum(std::vector<torch::Tensor>& tensors) override {
    sum_flat(tensors, device_, [&](torch::Tensor& numbers) { sum_row(numbers); });
  }

 private:
  using Group = c10d::ProcessGroupNCCL;

  void sum_row(torch::Tensor& numbers) {
    std::vector<torch::Tensor> all{numbers};
    lost_ = true;  // stays so where waiting throws
    group_->allreduce(all)->wait(kPatience);
    lost_ = false;
  }

  int rank_, size_;
  torch::Device device_;
  bool lost_ = false;
  c10::intrusive_ptr<Group> group_;
};

}  // namespace

bool has_nccl() {
  return true;
}
std::shared_ptr<Communicator> meet_by_nccl(const Place& place, torch::Device device) {
  return std::make_shared<NcclCommunicator>(place, device);
}

#else

bool has_nccl() {
  return false;
}
std::shared_ptr<Communicator> meet_by_nccl(const Place&, torch::Device) {
  fail(ErrorCode::kUnsupported, "this build is without NCCL");
}

#endif

}  // namespace vostrack::train
