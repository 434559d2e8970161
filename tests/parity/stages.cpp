#include <set>

#include "memory/conditioning.hpp"
#include "parity/fixture.hpp"
#include "tracker/postprocess.hpp"

namespace vostrack::parity {

void check_stages(const Fixture& fixture, Report& report) {
  torch::InferenceMode guard;
  auto stored = fixture.tensors("stages.safetensors").tensors;
  for (auto& [key, tensor] : stored)
    if (key != "input/picture") tensor = tensor.to(fixture.device);
  const Limits limits = fixture.limits("stages");
  const nn::Model& model = *fixture.model;
  nn::NetworkImpl& network = model.network();
  const auto compare = [&](const std::string& key, const torch::Tensor& ours, Kind kind) {
    const auto it = stored.find(key);
    if (it != stored.end()) report.compare(key, ours, it->second, kind, limits, key);
  };

  // Stored tensors are compared as they are; half-stored ones carry their own rounding, which
  // noise.json contains.
  const auto input = model.network_input(stored.at("input/picture"));
  const auto trunk = network.image_encoder->trunk()->forward(input);
  for (std::size_t i = 0; i < trunk.size(); ++i)
    compare("trunk/stage" + std::to_string(i), trunk[i], Kind::kEarly);
  const auto levels = network.image_encoder->forward(input);
  const auto image = model.encode(input);
  const auto count = levels.size();
  for (std::size_t i = 0; i < count; ++i) {
    const bool projected = !image.high_res.empty() && i + 1 < count;
    compare("image_encoder/level" + std::to_string(i), projected ? image.high_res[i] : levels[i],
            Kind::kEarly);
    compare("image_encoder/pos" + std::to_string(i),
            nn::sine_encoding_2d(fixture.config.neck.position_encoding, fixture.config.neck.d_model,
                                 static_cast<int>(levels[i].size(2)),
                                 static_cast<int>(levels[i].size(3)))
                .unsqueeze(0),
            Kind::kEarly);
  }
  compare("prompt/dense_pe", model.dense_pe(), Kind::kEarly);

  std::set<std::string> cases;
  for (const auto& [key, tensor] : stored)
    if (key.rfind("prompt/", 0) == 0 && key.find("/coords") != std::string::npos)
      cases.insert(key.substr(7, key.rfind('/') - 7));
  auto features = image.coarse + network.no_mem_embed.view({1, -1, 1, 1});
  for (const auto& name : cases) {
    const std::string prompt = "prompt/" + name + "/";
    const auto sparse = network.prompt_encoder->embed_points(stored.at(prompt + "coords"),
                                                             stored.at(prompt + "labels"));
    const auto mask = stored.find(prompt + "mask_input");
    const auto dense = network.prompt_encoder->embed_mask(
        mask == stored.end() ? torch::Tensor() : mask->second, 1);
    compare(prompt + "sparse", sparse, Kind::kEarly);
    compare(prompt + "dense", dense, Kind::kEarly);
    for (const bool multimask : {false, true}) {
      const auto out = network.mask_decoder->forward(features, model.dense_pe(), sparse, dense,
                                                     image.high_res, multimask);
      const std::string decoder = "decoder/" + name + (multimask ? "/multi/" : "/single/");
      compare(decoder + "masks", out.masks, Kind::kMask);
      compare(decoder + "iou", out.iou, Kind::kOther);
      compare(decoder + "tokens", out.tokens, Kind::kOther);
      compare(decoder + "object_score", out.object_score, Kind::kScore);
    }
  }

  if (stored.count("memory_encoder/mask_logits") > 0) {
    // The stored numbers come from both objects in one call, where the reference applies the
    // option; in a session it encodes objects one by one.
    auto logits = stored.at("memory_encoder/mask_logits");
    if (fixture.config.model.non_overlap_masks_for_mem_enc)
      logits = tracker::without_overlaps(logits);
    const auto scores = torch::tensor({2.0F, -1.0F}).view({2, 1}).to(fixture.device);
    const auto side = fixture.config.feature_size();
    const auto pos = nn::sine_encoding_2d(fixture.config.memory_encoder.position_encoding,
                                          fixture.config.memory_encoder.out_dim, side, side)
                         .unsqueeze(0)
                         .expand({2, -1, -1, -1});
    for (const bool prompted : {true, false}) {
      const std::string name = prompted ? "memory_encoder/prompted/" : "memory_encoder/tracked/";
      compare(name + "features", memory::encode_memory(model, image, logits, scores, prompted),
              Kind::kEarly);
      compare(name + "pos", pos, Kind::kEarly);
    }
  }
  if (stored.count("memory_attention/memory") > 0) {
    const auto tokens = image.coarse.flatten(2).transpose(1, 2).expand({2, -1, -1});
    const auto out = network.memory_attention->forward(
        tokens, model.current_pos(), stored.at("memory_attention/memory").transpose(0, 1),
        stored.at("memory_attention/memory_pos").transpose(0, 1), model.rotary(),
        stored.at("memory_attention/num_obj_ptr_tokens").item<std::int64_t>());
    compare("memory_attention/out", out.transpose(0, 1), Kind::kEarly);
  }
}

}  // namespace vostrack::parity
