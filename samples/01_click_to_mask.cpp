// One click on a picture, three ranked masks.
//
//   01_click_to_mask photo.jpg 320 240 mask.pgm
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "vostrack/vostrack.hpp"

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: 01_click_to_mask PICTURE X Y MASK.pgm\n";
    return 2;
  }
  try {
    vostrack::ImageSegmenter segmenter(vostrack::Model::load_default());
    segmenter.set_image(vostrack::read_image(argv[1]));

    vostrack::Prompt prompt;
    prompt.clicks.push_back({std::strtof(argv[2], nullptr), std::strtof(argv[3], nullptr)});
    const auto candidates = segmenter.predict(prompt);
    for (const auto& candidate : candidates)
      std::printf("predicted IoU %.3f\n", candidate.predicted_iou());

    const vostrack::Mask mask = candidates.front().mask();
    std::ofstream file(argv[4], std::ios::binary);
    file << "P5\n" << mask.width << ' ' << mask.height << "\n1\n";
    file.write(reinterpret_cast<const char*>(mask.data.data()),
               static_cast<std::streamsize>(mask.data.size()));
    return file.good() ? 0 : 1;
  } catch (const vostrack::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
