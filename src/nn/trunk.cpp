#include "nn/trunk.hpp"

#include "base/check.hpp"
#include "nn/efficientnet_lite.hpp"
#include "nn/hiera.hpp"

namespace vostrack::nn {

std::shared_ptr<Trunk> make_trunk(const TrunkConfig& config) {
  if (config.type == "hiera") return make_hiera(config);
  if (config.type == "efficientnet_lite0") return make_efficientnet_lite0(config);
  fail(ErrorCode::kInvalidArgument, "trunk.type is {}, want hiera or efficientnet_lite0",
       config.type);
}

}  // namespace vostrack::nn
