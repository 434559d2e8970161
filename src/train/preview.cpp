#include "train/preview.hpp"

#include <torch/torch.h>

#include "nn/layers.hpp"
#include "train/clip_forward.hpp"

namespace vostrack::train {
namespace {

std::vector<std::uint8_t> bytes_of(const torch::Tensor& tensor) {
  const auto flat = tensor.to(torch::kCPU, torch::kUInt8).contiguous();
  const auto* data = flat.const_data_ptr<std::uint8_t>();
  return {data, data + flat.numel()};
}

/// @param picture  (3, S, S) uint8
ComparedFrame compared(const torch::Tensor& picture, const Step& step) {
  const auto best = step.ious[0].argmax().item<std::int64_t>();
  const int size = static_cast<int>(picture.size(-1));
  const auto mask = nn::resize_bilinear(
                        step.masks[0][best].view({1, 1, step.masks.size(-2), step.masks.size(-1)}),
                        size, size) > 0;
  return {{size, size, bytes_of(picture.permute({1, 2, 0}))},
          {size, size, bytes_of(step.truth[0])},
          {size, size, bytes_of(mask)}};
}

}  // namespace

std::vector<std::vector<ComparedFrame>> preview(const nn::Model& model,
                                                const std::vector<NumberedClip>& clips,
                                                PromptOptions options) {
  torch::NoGradGuard no_grad;
  options.conditioning_frames = options.corrected_frames = 1;
  options.corrections_per_frame = options.picture_corrections = 0;
  std::vector<std::vector<ComparedFrame>> rows;
  for (const NumberedClip& clip : clips) {
    const BatchOptions one_object{model.config().image_size, 1, 1};
    for (const Batch& on_cpu : collate({clip}, one_object)) {
      const Batch batch = on_device(on_cpu, model.runtime().device);
      const FrameEncoder frames(model, batch, {});
      RandomPrompter prompter(options, batch, /*seed=*/0, /*step=*/0);
      const auto steps = clip_forward(model, frames, batch, options, prompter);
      auto& row = rows.emplace_back();
      for (std::size_t i = 0; i < steps.size(); ++i)
        row.push_back(compared(
            on_cpu.frames[0][batch.single_pictures ? 0 : static_cast<std::int64_t>(i)], steps[i]));
    }
  }
  return rows;
}

}  // namespace vostrack::train
