#include "train/data/motion.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace vostrack::train {
namespace {

double radians(double degrees) {
  return degrees * std::numbers::pi / 180;
}

/// A value that starts at 0 and goes on at a speed that changes now and then.
class Drift {
 public:
  Drift(Random& random, double fastest) : random_(random), fastest_(fastest) {
    speed_ = random.uniform(-fastest, fastest);
  }
  double value() const { return value_; }
  void step() {
    value_ += speed_;
    speed_ = std::clamp(speed_ + random_.uniform(-0.5, 0.5) * fastest_, -fastest_, fastest_);
  }

 private:
  Random& random_;
  double fastest_, speed_, value_ = 0;
};

/// What moves, frame by frame.
struct Drifts {
  Drifts(Random& random, const MotionConfig& motion, double speed)
      : x(random, speed * 2 * motion.shift),
        y(random, speed * 2 * motion.shift),
        zoom(random, speed * motion.zoom),
        turn(random, speed * radians(motion.turn_degrees)),
        tilt_u(random, speed * motion.tilt / 3),
        tilt_v(random, speed * motion.tilt / 3),
        bend(random, speed * 0.6) {}
  Drift x, y, zoom, turn, tilt_u, tilt_v, bend;

  void step() {
    for (Drift* drift : {&x, &y, &zoom, &turn, &tilt_u, &tilt_v, &bend}) drift->step();
  }
};

double speed_of(Random& random, const MotionConfig& motion) {
  return random.chance(motion.still_share) ? 0 : random.uniform(0.1, 1);
}

Wave wave_of(Random& random, const MotionConfig& motion, bool bent) {
  Wave wave;
  const double amplitude = random.uniform(0, motion.bend), frequency = random.uniform(0.5, 2),
               phase = random.uniform(0, 2 * std::numbers::pi);
  wave.amplitude = bent ? static_cast<float>(amplitude) : 0.f;
  wave.frequency = static_cast<float>(frequency);
  wave.phase = static_cast<float>(phase);
  return wave;
}

/// Half the view's width and height in the picture's pixels, its middle there, and its turn.
struct View {
  double half_width, half_height, x, y, turn;

  Warp warp() const {
    const double c = std::cos(turn), s = std::sin(turn);
    Warp warp;
    warp.picture_from_view = {static_cast<float>(c * half_width),
                              static_cast<float>(-s * half_height),
                              static_cast<float>(x),
                              static_cast<float>(s * half_width),
                              static_cast<float>(c * half_height),
                              static_cast<float>(y),
                              0,
                              0};
    return warp;
  }
};

/// Perspective about the view's middle: what is added to the depth moves no place there.
void tilt(Warp& warp, double u, double v) {
  auto& m = warp.picture_from_view;
  m[6] = static_cast<float>(u);
  m[7] = static_cast<float>(v);
  m[0] += m[6] * m[2];
  m[1] += m[7] * m[2];
  m[3] += m[6] * m[5];
  m[4] += m[7] * m[5];
}

/// Where the middle of a view of this half size may be so that the place is in the view, and the
/// view in the picture as far as it can be.
double middle(Random& random, double place, double half, double length) {
  const double reach = 0.7 * half;
  double low = std::max(place - reach, half), high = std::min(place + reach, length - half);
  if (low > high) low = high = std::clamp(length / 2, place - reach, place + reach);
  return random.uniform(low, high);
}

}  // namespace

Warp whole_picture(int height, int width) {
  return View{width / 2.0, height / 2.0, width / 2.0, height / 2.0, 0}.warp();
}

std::vector<Warp> view_path(Random& random, const MotionConfig& motion,
                            const AugmentConfig& augment, int frames, int height, int width,
                            const PixelBox& focus) {
  const double crop = random.uniform(augment.smallest_crop, augment.largest_crop);
  const double squeeze = std::sqrt(random.ratio(augment.squeeze));
  View first;
  first.half_width = width / 2.0 * std::min(crop * squeeze, augment.largest_crop);
  first.half_height = height / 2.0 * std::min(crop / squeeze, augment.largest_crop);
  first.x = middle(random, (focus.x0 + focus.x1) / 2, first.half_width, width);
  first.y = middle(random, (focus.y0 + focus.y1) / 2, first.half_height, height);
  first.turn = radians(random.uniform(-1, 1) * augment.turn_degrees);
  const double mirror = random.chance(augment.flip) ? -1 : 1;
  const double tilt_u = random.uniform(-1, 1) * motion.tilt;
  const double tilt_v = random.uniform(-1, 1) * motion.tilt;
  const bool bent = random.chance(motion.bent_share);
  const Wave bend_u = wave_of(random, motion, bent), bend_v = wave_of(random, motion, bent);
  Drifts drifts(random, motion, speed_of(random, motion));

  std::vector<Warp> path;
  for (int frame = 0; frame < frames; ++frame) {
    View view = first;
    const double zoom = std::exp(drifts.zoom.value());
    view.half_width *= zoom * mirror;
    view.half_height *= zoom;
    view.x += drifts.x.value() * first.half_width;
    view.y += drifts.y.value() * first.half_height;
    view.turn += drifts.turn.value();
    Warp warp = view.warp();
    tilt(warp, tilt_u + drifts.tilt_u.value(), tilt_v + drifts.tilt_v.value());
    warp.bend_u = bend_u;
    warp.bend_v = bend_v;
    warp.bend_u.phase += static_cast<float>(drifts.bend.value());
    warp.bend_v.phase -= static_cast<float>(drifts.bend.value());
    path.push_back(warp);
    drifts.step();
  }
  return path;
}

std::vector<Warp> cut_out_path(Random& random, const MotionConfig& motion,
                               const AugmentConfig& augment, const CutOutConfig& cut_outs,
                               int frames, const PixelBox& object) {
  const double longest = std::max(object.x1 - object.x0, object.y1 - object.y0);
  const double size = random.uniform(cut_outs.smallest, cut_outs.largest);
  const double squeeze = std::sqrt(random.ratio(augment.squeeze));
  const double half = longest / size / 2;
  const double mirror = random.chance(augment.flip) ? -1 : 1;
  const double turn = radians(random.uniform(-1.5, 1.5) * augment.turn_degrees);
  const double u = random.uniform(-0.8, 0.8), v = random.uniform(-0.8, 0.8);
  const bool bent = random.chance(motion.bent_share);
  const Wave bend_u = wave_of(random, motion, bent), bend_v = wave_of(random, motion, bent);
  // Out of the view on some frames between the first and the last.
  const bool leaves = random.chance(cut_outs.leaves) && frames > 2;
  const double direction = random.uniform(0, 2 * std::numbers::pi);
  const auto gone_from = 1 + random.below(std::max(1, frames - 2));
  const auto gone_to = gone_from + random.below(std::max<std::int64_t>(1, frames - 1 - gone_from));
  Drifts drifts(random, motion, 1.5 * speed_of(random, motion));

  std::vector<Warp> path;
  for (int frame = 0; frame < frames; ++frame) {
    double place_u = u + drifts.x.value(), place_v = v + drifts.y.value();
    if (leaves && frame >= gone_from && frame <= gone_to) {
      const double away = 2.5 + 2 * size;
      place_u += away * std::cos(direction);
      place_v += away * std::sin(direction);
    }
    const double zoom = std::exp(drifts.zoom.value());
    View view{half * squeeze * zoom * mirror, half / squeeze * zoom, 0, 0,
              turn + drifts.turn.value()};
    const auto m = view.warp().picture_from_view;
    view.x = (object.x0 + object.x1) / 2 - (m[0] * place_u + m[1] * place_v);
    view.y = (object.y0 + object.y1) / 2 - (m[3] * place_u + m[4] * place_v);
    Warp warp = view.warp();
    warp.bend_u = bend_u;
    warp.bend_v = bend_v;
    warp.bend_u.phase += static_cast<float>(drifts.bend.value());
    path.push_back(warp);
    drifts.step();
  }
  return path;
}

}  // namespace vostrack::train
