// Would a correction help? A fork of the session is corrected half-way and tracked on beside the
// original, and the masks of both are compared frame by frame.
//
//   05_fork_and_compare clip.mp4 320 240         the whole clip
//   05_fork_and_compare clip.mp4 320 240 30      its first 30 frames
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "vostrack/vostrack.hpp"

namespace {

double iou(const vostrack::Mask& a, const vostrack::Mask& b) {
  std::int64_t both = 0, any = 0;
  for (std::size_t i = 0; i < a.data.size(); ++i) {
    both += a.data[i] && b.data[i];
    any += a.data[i] || b.data[i];
  }
  return any > 0 ? static_cast<double>(both) / static_cast<double>(any) : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::cerr << "usage: 05_fork_and_compare VIDEO X Y [FRAMES]\n";
    return 2;
  }
  try {
    vostrack::VideoSession session(vostrack::Model::load_default(), vostrack::open_video(argv[1]));
    std::int64_t frames = session.source().frame_count();
    if (argc == 5) frames = std::clamp<std::int64_t>(std::strtoll(argv[4], nullptr, 10), 2, frames);
    const std::int64_t half = frames / 2;

    vostrack::Prompt click;
    click.clicks.push_back({std::strtof(argv[2], nullptr), std::strtof(argv[3], nullptr)});
    session.add_prompt(/*object_id=*/1, /*frame=*/0, click);
    vostrack::PropagateOptions first_half;
    first_half.count = half;
    session.propagate(first_half, [](const vostrack::FrameResult&) { return true; });

    vostrack::VideoSession fork = session.clone();
    vostrack::Prompt correction;
    correction.clicks.push_back({0, 0, /*positive=*/false});  // it is not in that corner
    fork.add_prompt(1, half, correction);

    vostrack::PropagateOptions rest;
    rest.start = half;
    rest.count = frames - 1 - half;
    auto original = session.start(rest);
    auto corrected = fork.start(rest);
    while (auto before = original.next()) {
      const auto after = corrected.next();
      if (!after) break;
      std::printf("%s IoU %.3f\n", before->name.c_str(),
                  iou(before->objects[0].mask(), after->objects[0].mask()));
    }
    return 0;
  } catch (const vostrack::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
