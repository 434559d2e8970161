// Frames that come and go, as from a camera: an object is clicked while the stream runs, and
// corrected half-way. The video file only stands in for the camera.
//
//   03_live_loop clip.mp4 320 240         the whole clip
//   03_live_loop clip.mp4 320 240 30      its first 30 frames
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "vostrack/vostrack.hpp"

namespace {

const char* name(vostrack::Presence presence) {
  switch (presence) {
    case vostrack::Presence::kVisible:
      return "visible";
    case vostrack::Presence::kOccluded:
      return "occluded";
    default:
      return "lost";
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::cerr << "usage: 03_live_loop VIDEO X Y [FRAMES]\n";
    return 2;
  }
  try {
    auto camera = vostrack::open_video(argv[1]);
    std::int64_t frames = camera->frame_count();
    if (argc == 5) frames = std::clamp<std::int64_t>(std::strtoll(argv[4], nullptr, 10), 1, frames);
    const float x = std::strtof(argv[2], nullptr);
    const float y = std::strtof(argv[3], nullptr);

    vostrack::StreamTracker tracker(vostrack::Model::load_default());
    for (std::int64_t i = 0; i < frames; ++i) {
      const vostrack::Frame frame = camera->read(i);
      const vostrack::FrameResult result = tracker.track(frame.image, frame.pts_s);
      for (const auto& object : result.objects)
        std::printf("%s %.3f s object %lld: %s, %lld pixels\n", result.name.c_str(), result.pts_s,
                    static_cast<long long>(object.object_id()), name(object.presence()),
                    static_cast<long long>(object.area()));

      vostrack::Prompt prompt;
      if (i == 0) {
        prompt.clicks.push_back({x, y});
        tracker.add_prompt(/*object_id=*/1, prompt);
      } else if (i == frames / 2) {
        prompt.clicks.push_back({0, 0, /*positive=*/false});  // it is not in that corner
        tracker.add_prompt(1, prompt);
      }
    }
    return 0;
  } catch (const vostrack::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
