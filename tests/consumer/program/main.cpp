// Uses every part of the installed library once: the model that lies beside it, a picture, and a
// video that this program makes up.
//
//   consumer PREFIX
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "vostrack/vostrack.hpp"

namespace {

constexpr int kHeight = 96;
constexpr int kWidth = 128;
constexpr int kSide = 40;

struct Square {
  int x, y;
  bool holds(int px, int py) const {
    return px >= x && px < x + kSide && py >= y && py < y + kSide;
  }
};

Square square_at(std::int64_t frame) {
  return {24 + 4 * static_cast<int>(frame), 28};
}

vostrack::Image picture(const Square& square) {
  vostrack::Image image{kHeight, kWidth, {}};
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x) {
      const bool inside = square.holds(x, y);
      image.rgb.push_back(inside ? 230 : 40);
      image.rgb.push_back(inside ? 60 : 90);
      image.rgb.push_back(static_cast<std::uint8_t>(inside ? 40 : 60 + x / 4));
    }
  return image;
}

vostrack::Mask truth(const Square& square) {
  vostrack::Mask mask{kHeight, kWidth, {}};
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x) mask.data.push_back(square.holds(x, y) ? 1 : 0);
  return mask;
}

/// A square that moves to the right.
class MovingSquare : public vostrack::FrameSource {
 public:
  std::int64_t frame_count() const override { return 4; }
  int height() const override { return kHeight; }
  int width() const override { return kWidth; }
  double pts_s(std::int64_t index) const override { return 0.5 * static_cast<double>(index); }
  std::string name(std::int64_t index) const override { return "f" + std::to_string(index); }
  vostrack::Frame read(std::int64_t index) override {
    if (index < 0 || index >= frame_count())
      throw vostrack::Error(vostrack::ErrorCode::kOutOfRange, "no frame " + std::to_string(index));
    return {picture(square_at(index)), index, pts_s(index), name(index)};
  }
};

double iou(const vostrack::Mask& a, const vostrack::Mask& b) {
  double both = 0, either = 0;
  for (std::size_t i = 0; i < a.data.size(); ++i) {
    both += a.data[i] & b.data[i];
    either += a.data[i] | b.data[i];
  }
  return either > 0 ? both / either : 1;
}

int failures = 0;

void expect(bool holds, const std::string& what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << '\n';
  ++failures;
}

void segment(const vostrack::Model& model) {
  vostrack::ImageSegmenter segmenter(model);
  segmenter.set_image(picture(square_at(0)));
  vostrack::Prompt click;
  click.clicks = {{44, 48}};
  const auto candidates = segmenter.predict(click);
  expect(candidates.size() == 3, "one click gives three masks");
  for (const auto& candidate : candidates) {
    const auto mask = candidate.mask();
    expect(mask.height == kHeight && mask.width == kWidth &&
               mask.data.size() == static_cast<std::size_t>(kHeight) * kWidth,
           "masks have the picture's size");
  }
}

void track(const vostrack::Model& model) {
  vostrack::VideoSession session(model, std::make_unique<MovingSquare>());
  vostrack::Prompt mask;
  mask.mask = truth(square_at(0));
  session.add_prompt(/*object_id=*/7, /*frame=*/0, mask);
  std::int64_t frames = 0;
  session.propagate({}, [&](const vostrack::FrameResult& result) {
    expect(result.frame == frames && result.name == "f" + std::to_string(frames) &&
               result.pts_s == 0.5 * static_cast<double>(frames),
           "frame " + std::to_string(frames) + " has its name and time");
    expect(result.objects.size() == 1 && result.objects.front().object_id() == 7,
           "the object is in each result");
    const double overlap = iou(result.objects.front().mask(), truth(square_at(frames)));
    std::cout << result.name << ": IoU " << overlap << '\n';
    if (frames == 0) expect(overlap > 0.8, "the first mask is the one that was given");
    ++frames;
    return true;
  });
  expect(frames == 4, "every frame is handed over");
}

void fail_as_promised(const vostrack::Model& model) {
  try {
    vostrack::VideoSession(model, std::make_unique<MovingSquare>())
        .propagate({}, [](const vostrack::FrameResult&) { return true; });
    expect(false, "tracking without a prompt throws");
  } catch (const vostrack::Error& error) {
    expect(error.code() == vostrack::ErrorCode::kFailedState, error.what());
  }
  try {
    vostrack::open_video("no such file");
    expect(false, "opening what is not there throws");
  } catch (const vostrack::Error& error) {
    expect(error.code() == vostrack::ErrorCode::kNotFound ||
               error.code() == vostrack::ErrorCode::kUnsupported,
           error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: consumer PREFIX\n";
    return 2;
  }
  try {
    const auto model = vostrack::Model::load_default();
    std::cout << vostrack::library_versions() << "\nmodel " << model.path() << '\n';
    expect(model.path().rfind(std::string(argv[1]) + "/", 0) == 0,
           model.path() + " is the model installed in " + argv[1]);
    segment(model);
    track(model);
    fail_as_promised(model);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return failures == 0 ? 0 : 1;
}
