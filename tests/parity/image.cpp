#include "nn/layers.hpp"
#include "parity/fixture.hpp"
#include "tracker/image_segmenter.hpp"

namespace vostrack::parity {

void check_image(const Fixture& fixture, Report& report) {
  torch::InferenceMode guard;
  const auto stored = fixture.tensors("image.safetensors").tensors;
  const Limits limits = fixture.limits("image");
  const nn::Model& model = *fixture.model;
  const auto picture = stored.at("picture");
  const int height = static_cast<int>(picture.size(0));
  const int width = static_cast<int>(picture.size(1));
  const auto input = model.network_input(picture);
  report.compare("network_input", input, stored.at("network_input"), Kind::kEarly, limits,
                 "network_input");
  const auto image = model.encode(input);

  const float w = static_cast<float>(width);
  const float h = static_cast<float>(height);
  const Click on{0.4F * w, 0.55F * h};
  const Box box{0.2F * w, 0.25F * h, 0.7F * w, 0.9F * h};
  struct Case {
    std::string name;
    Prompt prompt;
    bool multimask = false;
    bool refine = false;
  };
  std::vector<Case> cases(5);
  cases[0] = {"point", {{on}, {}, {}}, true, false};
  cases[1] = {"points", {{on, {0.8F * w, 0.2F * h, false}}, {}, {}}, false, false};
  cases[2] = {"box", {{}, box, {}}, false, false};
  cases[3] = {"box_point", {{{0.5F * w, 0.5F * h, false}}, box, {}}, false, false};
  cases[4] = {"refine", {{on, {0.1F * w, 0.1F * h, false}}, {}, {}}, false, true};

  for (const Case& c : cases) {
    if (stored.count(c.name + "/masks") == 0) continue;
    torch::Tensor mask;
    if (c.refine) {
      // From the stored answer, so that this case stands alone.
      const auto best = stored.at("point/iou").argmax().item<std::int64_t>();
      mask = stored.at("point/low_res")[best].unsqueeze(0).unsqueeze(0);
    }
    const auto points = tracker::point_inputs(c.prompt, height, width, fixture.config.image_size);
    const auto out = tracker::segment(model, image, points, mask, c.multimask);
    report.compare(c.name + "/masks", nn::resize_bilinear(out.low_res, height, width)[0],
                   stored.at(c.name + "/masks"), Kind::kMask, limits, "masks");
    report.compare(c.name + "/low_res", out.raw_low_res.clamp(-32, 32)[0],
                   stored.at(c.name + "/low_res"), Kind::kMask, limits, "low_res");
    report.compare(c.name + "/iou", out.iou[0], stored.at(c.name + "/iou"), Kind::kOther, limits,
                   "iou");
  }
}

}  // namespace vostrack::parity
