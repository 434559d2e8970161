/// How training examples are made of what packs hold.
#pragma once

#include <map>
#include <string>

namespace vostrack::train {

/// How the view moves over a picture, or a cut-out over the view. Lengths are shares of the view.
struct MotionConfig {
  double shift = 0.06;       ///< a frame, at most
  double zoom = 0.05;        ///< a frame, at most
  double turn_degrees = 4;   ///< a frame, at most
  double tilt = 0.06;        ///< strength of perspective, at most
  double bend = 0.02;        ///< amplitude of smooth bending, at most
  double bent_share = 0.3;   ///< of clips that are bent
  double still_share = 0.1;  ///< of clips in which nothing moves
};

struct AugmentConfig {
  double flip = 0.5;            ///< probability of a mirror image
  double smallest_crop = 0.55;  ///< side of the view as a share of the picture's
  double largest_crop = 1.05;
  double squeeze = 1.25;     ///< the view's shape is off by this factor at most
  double turn_degrees = 10;  ///< at the first frame, at most
  double brightness = 0.25;  ///< share of white, at most
  double contrast = 0.3;
  double saturation = 0.4;
  double hue_degrees = 12;
  double gamma = 1.25;  ///< factor, at most
  double grey = 0.05;   ///< probabilities
  double blur = 0.15;
  double noise = 0.15;
  double jpeg = 0.25;
  double largest_blur = 1.5;  ///< sigma in pixels
  double largest_noise = 10;  ///< sigma in levels of 255
  int lowest_quality = 25;    ///< of JPEG, as libjpeg counts
};

struct CutOutConfig {
  double share = 0.7;           ///< of clips made of pictures that get cut-outs
  double share_on_video = 0.3;  ///< of clips made of videos
  double second = 0.25;         ///< probability of one more
  double twins = 0;             ///< probability of others just like it that move on their own
  double target = 0.45;         ///< probability that the cut-out is the first object
  double behind = 0.3;          ///< probability that it stays behind the picture's objects
  double leaves = 0.15;         ///< probability that it leaves the view and comes back
  double smallest = 0.15;       ///< longest side as a share of the view
  double largest = 0.6;
};

/// The defaults are those that the small model was first trained with, except that clips have two
/// objects and that single pictures are among them.
struct DataConfig {
  int size = 256;                  ///< S, side of the square frames
  int frames = 4;                  ///< T of clips
  int objects = 2;                 ///< N of clips, at most
  double pictures_share = 0.2;     ///< of examples that are single pictures
  int picture_objects = 6;         ///< N of single pictures, at most
  double video_share = 0.35;       ///< of clips that are made of videos, if there are any
  int largest_stride = 3;          ///< frames of a video from one of the clip's to the next
  double backwards = 0.5;          ///< probability that a video runs backwards
  double whole_of_parts = 0.6;     ///< probability that the parts of one thing count as that thing
  double neighbours = 4;           ///< how much rather a neighbour of a chosen object is chosen too
  double several_objects = 3;      ///< how much rather a single picture shows several objects
  double smallest_object = 0.003;  ///< share of the view on the first frame
  /// How often a record of a source is taken compared with others; 1 for those not named.
  std::map<std::string, double> source_weights = {
      {"ccp", 0.5}, {"bsds", 0.6}, {"dsb18", 0.1}, {"chen", 0.3}};
  MotionConfig motion;
  AugmentConfig augment;
  CutOutConfig cut_outs;

  /// @throws Error kInvalidArgument naming field, value and rule
  void validate() const;
};

}  // namespace vostrack::train
