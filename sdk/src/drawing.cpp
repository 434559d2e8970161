#include "vostrack/drawing.hpp"

#include "video/cut_out.hpp"
#include "video/drawing.hpp"
#include "video/effects.hpp"

namespace vostrack {
namespace {

video::Region inner(Region region) {
  return region == Region::kObject ? video::Region::kObject : video::Region::kBackground;
}

}  // namespace

Rgb object_colour(ObjectId id) {
  return video::object_colour(id);
}

void draw_mask(Image& image, const Mask& mask, Rgb colour, float opacity) {
  video::draw_mask(image, mask, colour, opacity);
}

void draw_clicks(Image& image, const std::vector<Click>& clicks) {
  video::draw_clicks(image, clicks);
}

void draw_box(Image& image, const Box& box, Rgb colour) {
  video::draw_box(image, box, colour);
}

void draw_label(Image& image, float x, float y, const std::string& text, Rgb colour) {
  video::draw_label(image, x, y, text, colour);
}

void blur(Image& image, const Mask& mask, Region region, double sigma) {
  video::blur(image, mask, inner(region), sigma);
}

void pixelate(Image& image, const Mask& mask, Region region, int block) {
  video::pixelate(image, mask, inner(region), block);
}

Image side_by_side(const Image& left, const Image& right) {
  return video::side_by_side(left, right);
}

RgbaImage cut_out(const Image& image, const Mask& mask, double softness) {
  return video::cut_out(image, mask, softness);
}

}  // namespace vostrack
