/// Processes that train one network together.
#pragma once

#include <torch/types.h>

#include <memory>
#include <vector>

namespace vostrack::train {

/// Of one thread at a time.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Replaces each tensor by its sum over all processes, which all call this alike.
  ///
  /// @throws Error kIo when another process is gone
  virtual void sum(std::vector<torch::Tensor>& tensors) = 0;
};

/// A process on its own.
std::shared_ptr<Communicator> make_alone();

}  // namespace vostrack::train
