/// Stands in for Gloo's headers, which LibTorch's archives leave out although Gloo is inside them.
/// LibTorch's ProcessGroupGloo.hpp is all that is used; it holds Gloo's objects by pointers only,
/// so names are enough. Nothing here is ever called or constructed by us.
#pragma once

#include <chrono>

namespace gloo {

class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};

}  // namespace gloo
