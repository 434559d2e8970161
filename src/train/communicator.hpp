/// Processes that train one network together.
#pragma once

#include <torch/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>
#include <vector>

namespace vostrack::train {

/// Of one thread at a time.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Adds up each tensor over all processes, in place; all call this alike.
  ///
  /// @param tensors  of one floating dtype
  /// @throws Error kIo when another process is gone
  virtual void sum(std::vector<torch::Tensor>& tensors) = 0;
};

/// A process on its own.
std::shared_ptr<Communicator> make_alone();

/// Where a process stands among others.
struct Place {
  int rank = 0;
  int size = 1;
  int local_rank = 0;  ///< among the processes of one machine
  std::string host;    ///< of the first process
  int port = 0;
  /// The launcher keeps the meeting point (torchrun does), else the first process.
  bool launcher_serves = false;
};

/// From the variables that launchers set: RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT and
/// LOCAL_RANK; without the last, RANK is taken for it.
///
/// @return nothing when WORLD_SIZE is absent or 1
/// @throws Error kInvalidArgument naming a variable that is missing or makes no sense
std::optional<Place> place_from_environment();

/// The device that a process trains on: "cuda" without a number is another GPU for each process of
/// a machine, in turn.
///
/// @param name  as nn::parse_device takes it, and with its errors
torch::Device device_at(const std::string& name, const Place& place);

/// Meets the other processes in one of LibTorch's process groups: NCCL's on GPUs, where the build
/// has it, else Gloo's, or, where LibTorch was built without that too, in its TCPStore, which is
/// slower. All processes get the same bits. GLOO_SOCKET_IFNAME and NCCL_SOCKET_IFNAME name the
/// network interface to use.
///
/// @param device  of this process's network
/// @throws Error kIo when the others do not come
std::shared_ptr<Communicator> meet(const Place& place, torch::Device device);

/// The store in which the processes of a place meet, and in which all of them are present.
///
/// @throws Error kIo when the others do not come
c10::intrusive_ptr<c10d::Store> meeting_store(const Place& place);

/// The ways, see meet. Except with NCCL, tensors on a GPU go by way of the CPU.
///
/// With NCCL every process needs a GPU of its own, and LibTorch ends a process, with a message,
/// that waits for another in vain.
///
/// @param silence  after which a process that is waited for is taken for dead
/// @throws Error kUnsupported when the way is not in this build
std::shared_ptr<Communicator> meet_by_nccl(const Place& place, torch::Device device);
std::shared_ptr<Communicator> meet_by_gloo(const Place& place);
std::shared_ptr<Communicator> meet_by_store(const Place& place,
                                            std::chrono::seconds silence = std::chrono::minutes(1));
/// Whether the build has them.
bool has_nccl();
bool has_gloo();

}  // namespace vostrack::train
