// A click, followed through a video, with a correction half-way.
//
//   02_track_video clip.mp4 320 240         the whole clip
//   02_track_video clip.mp4 320 240 30      its first 30 frames
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <numeric>

#include "vostrack/vostrack.hpp"

namespace {

void print(const vostrack::FrameResult& result) {
  for (const auto& object : result.objects) {
    const vostrack::Mask mask = object.mask();
    const int area = std::accumulate(mask.data.begin(), mask.data.end(), 0);
    std::printf("%s %.3f s object %lld: %s, %d pixels\n", result.name.c_str(), result.pts_s,
                static_cast<long long>(object.object_id()), object.visible() ? "visible" : "hidden",
                area);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::cerr << "usage: 02_track_video VIDEO X Y [FRAMES]\n";
    return 2;
  }
  try {
    vostrack::VideoSession session(vostrack::Model::load_default(), vostrack::open_video(argv[1]));
    std::int64_t frames = session.source().frame_count();
    if (argc == 5) frames = std::clamp<std::int64_t>(std::strtoll(argv[4], nullptr, 10), 1, frames);
    const std::int64_t last = frames - 1;

    vostrack::Prompt click;
    click.clicks.push_back({std::strtof(argv[2], nullptr), std::strtof(argv[3], nullptr)});
    session.add_prompt(/*object_id=*/1, /*frame=*/0, click);
    vostrack::PropagateOptions all;
    all.count = last;  // after the first
    session.propagate(all, [](const vostrack::FrameResult& result) {
      print(result);
      return true;
    });

    // Say where the object is not, half-way, and track the rest again.
    vostrack::Prompt correction;
    correction.clicks.push_back({0, 0, /*positive=*/false});
    session.add_prompt(1, last / 2, correction);
    vostrack::PropagateOptions rest;
    rest.start = last / 2;
    rest.count = last - last / 2;
    session.propagate(rest, [](const vostrack::FrameResult& result) {
      print(result);
      return true;
    });
    return 0;
  } catch (const vostrack::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
