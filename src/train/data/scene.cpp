#include "train/data/scene.hpp"

#include <torch/torch.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "train/data/colour.hpp"
#include "train/data/jpeg_flaws.hpp"
#include "train/data/pack.hpp"

namespace vostrack::train {
namespace {

/// What is done to every frame of a clip alike.
class Flaws {
 public:
  Flaws(Random& random, const AugmentConfig& config) : colours_(random_colours(random, config)) {
    const double sigma = random.uniform(0.3, config.largest_blur);
    const double noise = random.uniform(0, config.largest_noise);
    const auto quality = static_cast<int>(
        random.uniform(config.lowest_quality, std::max(90, config.lowest_quality)));
    if (random.chance(config.blur)) blur_ = sigma;
    if (random.chance(config.noise)) noise_ = noise;
    if (random.chance(config.jpeg)) quality_ = quality;
  }

  void apply(const Canvas& canvas, std::span<std::uint8_t> planes, Random& random) const {
    change_colours(canvas.rgb, colours_, planes);
    if (blur_) blur(planes, canvas.size, *blur_);
    if (noise_) add_noise(planes, *noise_, random);
    if (quality_) add_jpeg_flaws(planes, canvas.size, *quality_);
  }

 private:
  ColourChange colours_;
  std::optional<double> blur_, noise_;
  std::optional<int> quality_;
};

void draw_frame(const Scene& scene, std::size_t frame, Canvas& canvas) {
  draw_ground(canvas, scene.ground.picture(frame), scene.ground.warps[frame],
              scene.ground.code_of_label);
  for (const CutOut& cut_out : scene.cut_outs)
    draw_cut_out(canvas, cut_out.picture(frame), cut_out.warps[frame], cut_out.opaque, cut_out.code,
                 cut_out.order);
}

/// Which codes are near one another: within a thirty-second of the view, along rows or columns.
class Neighbours {
 public:
  explicit Neighbours(const Canvas& canvas) : near_(256 * 256) {
    const int reach = std::max(1, canvas.size / 32);
    for (int y = 0; y + reach < canvas.size; ++y)
      for (int x = 0; x + reach < canvas.size; ++x) {
        const auto at = static_cast<std::size_t>(y * canvas.size + x);
        const std::uint8_t code = canvas.codes[at];
        mark(code, canvas.codes[at + static_cast<std::size_t>(reach)]);
        mark(code, canvas.codes[at + static_cast<std::size_t>(reach * canvas.size)]);
      }
  }
  bool near(std::uint8_t a, std::uint8_t b) const { return near_[a * std::size_t{256} + b] != 0; }

 private:
  void mark(std::uint8_t a, std::uint8_t b) {
    near_[a * std::size_t{256} + b] = near_[b * std::size_t{256} + a] = 1;
  }
  std::vector<std::uint8_t> near_;
};

/// Empty when the first one is too small.
std::vector<std::uint8_t> choose_objects(const Canvas& canvas, const Scene& scene,
                                         const DataConfig& config, Random& random) {
  std::array<int, 256> pixels{};
  for (const std::uint8_t code : canvas.codes) ++pixels[code];
  const double smallest = config.smallest_object * canvas.size * canvas.size;
  const auto large = [&](std::size_t code) { return pixels[code] >= smallest; };
  if (!large(scene.first_object)) return {};
  std::vector<std::uint8_t> chosen = {scene.first_object}, others;
  for (std::size_t code = 1; code < kIgnoredLabel; ++code)
    if (large(code) && code != scene.first_object)
      others.push_back(static_cast<std::uint8_t>(code));
  const int most = scene.single_picture ? config.picture_objects : config.objects;
  if (others.empty() || most == 1) return chosen;

  const Neighbours neighbours(canvas);
  while (!others.empty() && chosen.size() < static_cast<std::size_t>(most)) {
    std::vector<double> sums;
    for (const std::uint8_t code : others) {
      const bool near = std::any_of(chosen.begin(), chosen.end(), [&](std::uint8_t other) {
        return neighbours.near(code, other);
      });
      sums.push_back((sums.empty() ? 0 : sums.back()) + (near ? 1 + config.neighbours : 1));
    }
    const auto next =
        std::upper_bound(sums.begin(), sums.end(), random.uniform() * sums.back()) - sums.begin();
    chosen.push_back(others[static_cast<std::size_t>(next)]);
    others.erase(others.begin() + next);
  }
  return chosen;
}

}  // namespace

void Layer::fit(int size) {
  constexpr int kSmallest = 32;
  double step = 1e9;
  for (const Warp& warp : warps) step = std::min(step, warp.step(size));
  for (; step >= 2; step /= 2) {
    const LabelledPicture& first = pictures.front();
    if (std::min(first.height, first.width) < 2 * kSmallest) return;
    for (LabelledPicture& picture : pictures) picture = train::halved(picture);
    for (Warp& warp : warps) warp = warp.halved();
  }
}

std::optional<Clip> draw(const Scene& scene, const DataConfig& config, Random& random) {
  const auto frames = static_cast<std::int64_t>(scene.ground.warps.size());
  const std::int64_t size = config.size, pixels = size * size;
  Canvas canvas(config.size);
  draw_frame(scene, 0, canvas);
  const std::vector<std::uint8_t> objects = choose_objects(canvas, scene, config, random);
  if (objects.empty()) return std::nullopt;
  const Flaws flaws(random, config.augment);

  const auto count = static_cast<std::int64_t>(objects.size());
  Clip clip;
  clip.single_picture = scene.single_picture;
  clip.frames = torch::empty({frames, 3, size, size}, torch::kUInt8);
  clip.masks = torch::empty({frames, count, size, size}, torch::kUInt8);
  auto* planes = clip.frames.data_ptr<std::uint8_t>();
  auto* masks = clip.masks.data_ptr<std::uint8_t>();
  for (std::int64_t frame = 0; frame < frames; ++frame) {
    if (frame > 0) draw_frame(scene, static_cast<std::size_t>(frame), canvas);
    flaws.apply(canvas, {planes, static_cast<std::size_t>(3 * pixels)}, random);
    planes += 3 * pixels;
    for (const std::uint8_t object : objects)
      for (const std::uint8_t code : canvas.codes)
        *masks++ = code == kIgnoredLabel ? kIgnoredLabel : code == object ? 1 : 0;
  }
  return clip;
}

}  // namespace vostrack::train
