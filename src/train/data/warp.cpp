#include "train/data/warp.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "train/data/pack.hpp"

namespace vostrack::train {
namespace {

constexpr int kOne = 256;  ///< of the weights that pixels are blended with

/// The pixel that mirroring at the edges leads to.
int mirrored(int i, int count) {
  const int period = 2 * count;
  i %= period;
  if (i < 0) i += period;
  return i < count ? i : period - 1 - i;
}

/// Four neighbours and their weights.
struct Bilinear {
  int x0, x1, y0, y1, wx, wy;

  Bilinear(float x, float y, int width, int height) {
    const float left = std::floor(x - 0.5f), top = std::floor(y - 0.5f);
    wx = static_cast<int>((x - 0.5f - left) * kOne);
    wy = static_cast<int>((y - 0.5f - top) * kOne);
    x0 = static_cast<int>(left);
    y0 = static_cast<int>(top);
    x1 = x0 + 1;
    y1 = y0 + 1;
    if (x0 < 0 || x1 >= width) {
      x0 = mirrored(x0, width);
      x1 = mirrored(x1, width);
    }
    if (y0 < 0 || y1 >= height) {
      y0 = mirrored(y0, height);
      y1 = mirrored(y1, height);
    }
  }
  int blend(int a, int b, int c, int d) const {
    const int upper = a * (kOne - wx) + b * wx, lower = c * (kOne - wx) + d * wx;
    return (upper * (kOne - wy) + lower * wy + kOne * kOne / 2) / (kOne * kOne);
  }
};

/// Calls visit(pixel, x, y) with the picture's place for every pixel of the view. Places are kept
/// within a few thousand pixels of the picture, so that they fit whole numbers.
template <class Visit>
void for_each_pixel(int size, const Warp& warp, int height, int width, Visit&& visit) {
  const auto& m = warp.picture_from_view;
  const auto place = [&](int i) {
    return (2 * static_cast<float>(i) + 1) / static_cast<float>(size) - 1;
  };
  constexpr float kPi = 3.14159265f;
  const auto wave = [&](const Wave& w, float at) {
    return w.amplitude == 0 ? 0.f : w.amplitude * std::sin(kPi * w.frequency * at + w.phase);
  };
  std::vector<float> along(static_cast<std::size_t>(size));
  for (int i = 0; i < size; ++i) along[static_cast<std::size_t>(i)] = wave(warp.bend_v, place(i));
  const float far = 4096;
  std::size_t pixel = 0;
  for (int row = 0; row < size; ++row) {
    const float shift = wave(warp.bend_u, place(row));
    for (int column = 0; column < size; ++column, ++pixel) {
      const float u = place(column) + shift;
      const float v = place(row) + along[static_cast<std::size_t>(column)];
      const float depth = std::max(0.05f, m[6] * u + m[7] * v + 1);
      const float x = (m[0] * u + m[1] * v + m[2]) / depth;
      const float y = (m[3] * u + m[4] * v + m[5]) / depth;
      visit(pixel, std::clamp(x, -far, static_cast<float>(width) + far),
            std::clamp(y, -far, static_cast<float>(height) + far));
    }
  }
}

bool inside(float x, float y, const LabelledPicture& picture) {
  return x >= 0 && y >= 0 && x < static_cast<float>(picture.width) &&
         y < static_cast<float>(picture.height);
}

std::uint8_t label_at(const LabelledPicture& picture, float x, float y) {
  return picture
      .labels[static_cast<std::ptrdiff_t>(y) * picture.width + static_cast<std::ptrdiff_t>(x)];
}

std::uint8_t code_at(const LabelledPicture& picture, float x, float y, const CodeTable& codes) {
  return inside(x, y, picture) ? codes[label_at(picture, x, y)] : kIgnoredLabel;
}

}  // namespace

LabelledPicture halved(const LabelledPicture& picture) {
  LabelledPicture half;
  half.height = std::max(1, picture.height / 2);
  half.width = std::max(1, picture.width / 2);
  const auto pixels = static_cast<std::size_t>(half.height) * static_cast<std::size_t>(half.width);
  auto memory = std::make_shared_for_overwrite<std::uint8_t[]>(4 * pixels);
  std::uint8_t* rgb = memory.get();
  std::uint8_t* labels = rgb + 3 * pixels;
  half.rgb = rgb;
  half.labels = labels;
  const int right = picture.width > 1 ? 3 : 0;
  const std::ptrdiff_t down = picture.height > 1 ? std::ptrdiff_t{3} * picture.width : 0;
  for (int y = 0; y < half.height; ++y)
    for (int x = 0; x < half.width; ++x) {
      const std::ptrdiff_t at = std::ptrdiff_t{2} * y * picture.width + std::ptrdiff_t{2} * x;
      const std::uint8_t* from = picture.rgb + 3 * at;
      for (int c = 0; c < 3; ++c)
        *rgb++ = static_cast<std::uint8_t>(
            (from[c] + from[c + right] + from[c + down] + from[c + right + down] + 2) / 4);
      *labels++ = picture.labels[at];
    }
  half.owners.push_back(std::move(memory));
  return half;
}

double Warp::step(int size) const {
  const auto& m = picture_from_view;
  return 2 * std::max(std::hypot(m[0], m[3]), std::hypot(m[1], m[4])) / size;
}

Warp Warp::halved() const {
  Warp half = *this;
  for (std::size_t i = 0; i < 6; ++i) half.picture_from_view[i] /= 2;
  return half;
}

void draw_ground(Canvas& canvas, const LabelledPicture& picture, const Warp& warp,
                 const CodeTable& code_of_label) {
  for_each_pixel(
      canvas.size, warp, picture.height, picture.width, [&](std::size_t pixel, float x, float y) {
        const Bilinear at(x, y, picture.width, picture.height);
        const std::uint8_t* upper = picture.rgb + std::ptrdiff_t{3} * at.y0 * picture.width;
        const std::uint8_t* lower = picture.rgb + std::ptrdiff_t{3} * at.y1 * picture.width;
        for (int c = 0; c < 3; ++c)
          canvas.rgb[3 * pixel + static_cast<std::size_t>(c)] =
              static_cast<std::uint8_t>(at.blend(upper[3 * at.x0 + c], upper[3 * at.x1 + c],
                                                 lower[3 * at.x0 + c], lower[3 * at.x1 + c]));
        canvas.codes[pixel] = code_at(picture, x, y, code_of_label);
      });
}

void draw_cut_out(Canvas& canvas, const LabelledPicture& picture, const Warp& warp,
                  const std::array<bool, 256>& opaque, std::uint8_t code, CutOutOrder order) {
  for_each_pixel(
      canvas.size, warp, picture.height, picture.width, [&](std::size_t pixel, float x, float y) {
        if (!inside(x, y, picture)) return;
        if (order == CutOutOrder::kBehind && canvas.codes[pixel] != 0) return;
        const Bilinear at(x, y, picture.width, picture.height);
        const std::ptrdiff_t upper = std::ptrdiff_t{1} * at.y0 * picture.width;
        const std::ptrdiff_t lower = std::ptrdiff_t{1} * at.y1 * picture.width;
        const std::array<std::ptrdiff_t, 4> places = {upper + at.x0, upper + at.x1, lower + at.x0,
                                                      lower + at.x1};
        std::array<int, 4> shown;
        for (std::size_t i = 0; i < 4; ++i) shown[i] = opaque[picture.labels[places[i]]] ? 255 : 0;
        const int alpha = at.blend(shown[0], shown[1], shown[2], shown[3]);
        if (alpha == 0) return;
        // A label's pixels alone, or the edge would bring a rim of the other picture's ground.
        const auto colour = [&](std::size_t i, int c) {
          const std::size_t from =
              shown[i] ? i
                       : static_cast<std::size_t>(std::max_element(shown.begin(), shown.end()) -
                                                  shown.begin());
          return static_cast<int>(picture.rgb[3 * places[from] + c]);
        };
        for (int c = 0; c < 3; ++c) {
          std::uint8_t& below = canvas.rgb[3 * pixel + static_cast<std::size_t>(c)];
          const int above = at.blend(colour(0, c), colour(1, c), colour(2, c), colour(3, c));
          below = static_cast<std::uint8_t>((above * alpha + below * (255 - alpha) + 127) / 255);
        }
        if (alpha >= 128) canvas.codes[pixel] = code;
      });
}

}  // namespace vostrack::train
