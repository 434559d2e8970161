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
  std::string host;  ///< of the first process
  int port = 0;
  /// The launcher keeps the meeting point (torchrun does), else the first process.
  bool launcher_serves = false;
};

/// From the variables that launchers set: RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT.
///
/// @return nothing when WORLD_SIZE is absent or 1
/// @throws Error kInvalidArgument naming a variable that is missing or makes no sense
std::optional<Place> place_from_environment();

/// Meets the other processes in LibTorch's process group of Gloo, or, where LibTorch was built
/// without it, in its TCPStore, which is slower. All processes get the same bits. Tensors on a GPU
/// go by way of the CPU. GLOO_SOCKET_IFNAME names the network interface to use.
///
/// @throws Error kIo when the others do not come
std::shared_ptr<Communicator> meet(const Place& place);

/// The store in which the processes of a place meet, and in which all of them are present.
///
/// @throws Error kIo when the others do not come
c10::intrusive_ptr<c10d::Store> meeting_store(const Place& place);

/// The two ways, see meet.
///
/// @param silence  after which a process that is waited for is taken for dead
std::shared_ptr<Communicator> meet_by_gloo(const Place& place);
std::shared_ptr<Communicator> meet_by_store(const Place& place,
                                            std::chrono::seconds silence = std::chrono::minutes(1));
/// Whether LibTorch has Gloo.
bool has_gloo();

}  // namespace vostrack::train
