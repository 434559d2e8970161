/// Processes that train one network together.
#pragma once

#include <torch/types.h>

#include <memory>
#include <optional>
#include <string>
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

/// Meets the other processes. Sums go through LibTorch's TCPStore: every process adds up its share
/// of the numbers, in the order of ranks, so all get the same bits. That needs no headers beyond
/// LibTorch's own, which Gloo's and NCCL's process groups do; tensors on a GPU go by way of the
/// CPU.
///
/// @throws Error kIo when the others do not come
std::shared_ptr<Communicator> meet(const Place& place);

}  // namespace vostrack::train
