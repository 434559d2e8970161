#include "apps/vostrack/eval_worst.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "apps/vostrack/overlay.hpp"
#include "video/picture_io.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kPictureWidth = 480;

/// The frame's picture, or black where the dataset has come without pictures.
Image picture_of(const Case& one, const WorstFrame& frame, const Mask& mask) {
  for (const char* suffix : {".jpg", ".jpeg", ".png"}) {
    const fs::path path = fs::path(one.sequence.pictures) / (frame.frame + suffix);
    if (!fs::exists(path)) continue;
    Image image = video::read_picture(path.string());
    if (image.height == mask.height && image.width == mask.width) return image;
  }
  return {mask.height, mask.width, std::vector<std::uint8_t>(3 * mask.data.size(), 0)};
}

}  // namespace

std::vector<WorstPicture> draw_worst(const std::vector<Case>& cases, const EvalReport& report,
                                     std::size_t count, const fs::path& folder) {
  std::vector<WorstPicture> pictures;
  if (count > 0) fs::create_directories(folder);
  for (const WorstFrame& frame : worst_frames(report, count)) {
    const Case& one = *std::find_if(cases.begin(), cases.end(), [&](const Case& candidate) {
      return candidate.sequence.name == frame.sequence;
    });
    const eval::FrameMasks masks = one.truth.read(frame.frame);
    const Mask truth = masks.mask(frame.object);
    Mask predicted =
        eval::MaskSequence(one.results, one.truth.rule()).read(frame.frame).mask(frame.object);
    for (std::size_t i = 0; i < masks.ignored.data.size(); ++i)
      if (masks.ignored.data[i]) predicted.data[i] = 0;
    Image image = picture_of(one, frame, truth);
    draw_errors(image, predicted, truth);
    const std::string path =
        (folder / fmt::format("{}_{}_{}.jpg", frame.sequence, frame.frame, frame.object)).string();
    video::write_picture(path, titled_thumbnail(image, std::min(kPictureWidth, image.width),
                                                frame.sequence + " " + frame.frame));
    std::ifstream file(path, std::ios::binary);
    pictures.push_back({frame, {std::istreambuf_iterator<char>(file), {}}});
  }
  return pictures;
}

}  // namespace vostrack::cli
