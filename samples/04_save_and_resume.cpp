// Half of a video now, the other half later, in another program if need be: the session is one
// file.
//
//   04_save_and_resume clip.mp4 320 240 clip.session         the whole clip
//   04_save_and_resume clip.mp4 320 240 clip.session 30      its first 30 frames
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "vostrack/vostrack.hpp"

namespace {

void track(vostrack::VideoSession& session, std::int64_t first, std::int64_t last) {
  vostrack::PropagateOptions range;
  range.start = first;
  range.count = last - first;
  session.propagate(range, [](const vostrack::FrameResult& result) {
    for (const auto& object : result.objects)
      std::printf("%s object %lld: %lld pixels\n", result.name.c_str(),
                  static_cast<long long>(object.object_id()),
                  static_cast<long long>(object.area()));
    return true;
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5 && argc != 6) {
    std::cerr << "usage: 04_save_and_resume VIDEO X Y SESSION [FRAMES]\n";
    return 2;
  }
  try {
    const auto model = vostrack::Model::load_default();
    std::int64_t frames = 0;
    {
      vostrack::VideoSession session(model, vostrack::open_video(argv[1]));
      frames = session.source().frame_count();
      if (argc == 6)
        frames = std::clamp<std::int64_t>(std::strtoll(argv[5], nullptr, 10), 2, frames);
      vostrack::Prompt click;
      click.clicks.push_back({std::strtof(argv[2], nullptr), std::strtof(argv[3], nullptr)});
      session.add_prompt(/*object_id=*/1, /*frame=*/0, click);
      track(session, 0, frames / 2 - 1);
      session.save(argv[4]);
    }
    std::printf("saved\n");

    auto session = vostrack::VideoSession::load(argv[4], model, vostrack::open_video(argv[1]));
    track(session, frames / 2, frames - 1);
    return 0;
  } catch (const vostrack::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
