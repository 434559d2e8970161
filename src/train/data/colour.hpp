/// Colours and flaws of pictures. Functions that take a Random draw what they need from it; the
/// others are exact. Planes are rows of bytes: red, green, blue one after the other.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "train/data/data_config.hpp"
#include "train/data/random.hpp"

namespace vostrack::train {

/// What happens to a colour: gamma, then a matrix, levels from 0 to 1.
struct ColourChange {
  double gamma = 1;
  std::array<double, 9> matrix = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  std::array<double, 3> offset = {0, 0, 0};
};

ColourChange random_colours(Random& random, const AugmentConfig& config);

/// Changes colours and takes the channels apart.
///
/// @param rgb     size * size pixels of RGB bytes
/// @param planes  3 * size * size bytes
void change_colours(std::span<const std::uint8_t> rgb, const ColourChange& change,
                    std::span<std::uint8_t> planes);

/// A Gaussian blur of sigma pixels, mirrored at the border.
void blur(std::span<std::uint8_t> planes, int size, double sigma);

/// Adds noise of a standard deviation of `sigma` levels (a sum of uniform ones, which is near
/// enough to Gaussian).
void add_noise(std::span<std::uint8_t> planes, double sigma, Random& random);

}  // namespace vostrack::train
