#include "bench/frame_bench.hpp"

#include <ATen/Parallel.h>
#include <torch/cuda.h>

#include <algorithm>
#include <fstream>
#include <optional>

#include "base/check.hpp"
#include "bench/random_model.hpp"
#include "bench/timing.hpp"
#include "memory/conditioning.hpp"
#include "tracker/mask_heads.hpp"
#include "tracker/masks_at_size.hpp"
#include "tracker/postprocess.hpp"
#include "tracker/tracker_config.hpp"

namespace vostrack::bench {
namespace {

std::shared_ptr<const nn::Model> load(const BenchModel& what) {
  nn::RuntimeOptions runtime;
  const auto device = nn::parse_device(what.device);
  check(what.precision == "float32" || what.precision == "bfloat16" || what.precision == "int8",
        ErrorCode::kInvalidArgument, "precision is {}, want float32, bfloat16 or int8",
        what.precision);
  if (what.precision == "int8") runtime = nn::int8_options(device);
  if (what.precision == "bfloat16") runtime.dtype = torch::kBFloat16;
  runtime.device = device;
  if (!what.path.empty()) return nn::Model::load(what.path, runtime, what.config, what.image_size);
  check(!what.config.empty(), ErrorCode::kInvalidArgument,
        "neither a model nor a configuration is given");
  auto config = nn::resolve_config({}, what.config, what.config);
  if (what.image_size != 0) config.image_size = what.image_size;
  config.validate();
  return random_model(std::move(config), runtime);
}

/// As many memories and pointers as a frame can look back at, the first of them prompted.
memory::Selection full_bank(const nn::Model& model, const SpeedOptions& speed) {
  const auto& config = model.config();
  const int side = config.feature_size();
  const auto device = model.runtime().device;
  const auto with_prompted = [](int recent, std::optional<int> most) {
    return 1 + std::min(recent, most.value_or(recent));
  };
  const int memories = with_prompted(config.model.num_maskmem - 1, speed.recent_memories);
  const int most_pointers = std::max(1, config.model.max_obj_ptrs_in_encoder);
  const int pointers = config.model.use_obj_ptrs_in_encoder
                           ? with_prompted(most_pointers - 1, speed.recent_pointers)
                           : 0;
  memory::Selection selection;
  selection.pointer_span = std::max(1, most_pointers - 1);
  selection.detail = {speed.pooled_memories, speed.sparse_memories};
  for (int i = 0; i < std::max(pointers, memories); ++i) {
    auto output = std::make_shared<memory::FrameOutput>();
    output->pointer = torch::randn({1, config.neck.d_model}, device);
    output->memory = torch::randn({1, config.memory_encoder.out_dim, side, side}, device)
                         .to(model.runtime().memory_dtype);
    output->mask_logits = torch::full({1, 1, 4 * side, 4 * side}, -1.0, device);
    const int object = 4 * side / 3;
    const int left = std::min(side + i, 4 * side - object);
    output->mask_logits.narrow(2, side, object).narrow(3, left, object).fill_(1);
    if (i < memories) selection.memories.push_back({i, i, output});
    if (i < pointers) selection.pointers.push_back({i, static_cast<double>(i), output});
  }
  return selection;
}

}  // namespace

struct FrameBench::Impl {
  std::shared_ptr<const nn::Model> model;
  double load_ms = 0;
  int height, width;
};

FrameBench::FrameBench(const BenchModel& model, int height, int width)
    : impl_(std::make_unique<Impl>()) {
  impl_->height = height;
  impl_->width = width;
  impl_->load_ms = milliseconds([&] { impl_->model = load(model); }, /*processor_time=*/false);
}

FrameBench::~FrameBench() = default;

int FrameBench::image_size() const {
  return impl_->model->config().image_size;
}

std::string FrameBench::precision() const {
  const nn::RuntimeOptions& runtime = impl_->model->runtime();
  if (runtime.int8) return "int8";
  return runtime.dtype == torch::kBFloat16 ? "bfloat16" : "float32";
}

double FrameBench::load_ms() const {
  return impl_->load_ms;
}

std::vector<std::pair<std::string, double>> FrameBench::measure(int objects, int rounds,
                                                                bool processor_time,
                                                                const SpeedOptions& speed) {
  check(objects >= 1 && rounds >= 1, ErrorCode::kInvalidArgument,
        "{} objects and {} rounds, want at least 1 of each", objects, rounds);
  torch::InferenceMode guard;
  const nn::Model& model = *impl_->model;
  const auto& base = model.config().model;
  const auto options = tracker::TrackerConfig::from(model);
  const auto picture = torch::randint(256, {impl_->height, impl_->width, 3}, torch::kUInt8);
  const auto together = static_cast<std::size_t>(
      tracker::objects_together(model, options.objects_per_batch));
  std::vector<std::vector<memory::Selection>> batches;
  for (int i = 0; i < objects; ++i) {
    if (batches.empty() || batches.back().size() == together) batches.emplace_back();
    batches.back().push_back(full_bank(model, speed));
  }

  enum Part : std::size_t { kResize, kEncode, kAttend, kDecode, kRemember, kMasks };
  const std::vector<std::string> names = {"resize",       "encode",         "memory attention",
                                          "mask decoder", "memory encoder", "masks"};
  std::vector<std::vector<double>> times(names.size());
  const auto device = model.runtime().device;
  for (int round = 0; round <= rounds; ++round) {
    std::vector<double> taken(names.size());
    const auto time = [&](Part part, const auto& work) {
      taken[part] += milliseconds(
          [&] {
            work();
            if (device.is_cuda()) torch::cuda::synchronize(device.index());
          },
          processor_time);
    };
    torch::Tensor input;
    nn::ImageFeatures image;
    time(kResize, [&] { input = model.network_input(picture); });
    time(kEncode, [&] { image = model.encode(input); });
    std::vector<torch::Tensor> logits;
    for (const auto& selections : batches) {
      torch::Tensor conditioned;
      tracker::HeadOutput head;
      time(kAttend, [&] { conditioned = memory::features_with_memory(model, image, selections); });
      time(kDecode, [&] {
        head = tracker::decode(model, conditioned, image.high_res, std::nullopt, {},
                               tracker::proposes_three(base, /*initial_frame=*/false, 0));
      });
      time(kRemember, [&] {
        if (base.num_maskmem > 0)
          memory::encode_memory(model, image, head.high_res, head.object_score, false);
      });
      logits.push_back(head.low_res);
    }
    time(kMasks, [&] {
      // As a frame's masks are made: without overlaps of several objects.
      const auto filled =
          tracker::fill_holes(torch::cat(logits), options.fill_hole_area, 0, 0.1);
      if (objects == 1)
        tracker::mask_at_size(filled, impl_->height, impl_->width);
      else
        tracker::labels_at_size(filled.split(1), impl_->height, impl_->width);
    });
    if (round == 0) continue;
    for (std::size_t part = 0; part < names.size(); ++part) times[part].push_back(taken[part]);
  }
  std::vector<std::pair<std::string, double>> medians;
  for (std::size_t part = 0; part < names.size(); ++part)
    medians.emplace_back(names[part], median(times[part]));
  return medians;
}

double peak_resident_mib() {
  return status_mib("VmHWM");
}

void reset_peak_resident() {
  std::ofstream("/proc/self/clear_refs") << '5';
}

int use_threads(int threads) {
  if (threads > 0) at::set_num_threads(threads);
  return at::get_num_threads();
}

}  // namespace vostrack::bench
