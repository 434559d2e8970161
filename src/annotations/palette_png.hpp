/// Label pictures as DAVIS and Pascal VOC store them: one byte per pixel, 0 for background, in an
/// indexed PNG whose palette makes it good to look at.
///
///   LabelImage labels = read_label_png("Annotations/480p/bmx-trees/00000.png");
///   for (std::uint8_t label : labels_in(labels)) Mask mask = mask_of(labels, label);
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "vostrack/types.hpp"

namespace vostrack::annotations {

/// Labels row by row, `labels.size() == height * width`.
struct LabelImage {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> labels;
};

/// The palette's colour for a label, as red, green, blue.
///
/// Source: Pascal VOC development kit, VOClabelcolormap: the label's bits, three by three, become
/// the colours' bits from the top.
std::array<std::uint8_t, 3> voc_colour(std::uint8_t label);

/// Reads labels from any PNG of up to 8 bits a channel: the indices of an indexed picture, whatever
/// its palette; the values of a grey one, brought to 0–255 (a one-bit picture gives 0 and 255); the
/// first channel of one in colour or with alpha.
///
/// @throws Error kNotFound, kIo; kCorruptFile for what is no whole PNG; kUnsupported for 16 bits a
///   channel and for more than 2^28 pixels
LabelImage read_label_png(const std::string& path);

/// Writes an indexed PNG with the Pascal VOC palette. The file appears whole or not at all.
///
/// @throws Error kInvalidArgument for a buffer of another size; kNotFound without the folder; kIo
void write_label_png(const std::string& path, const LabelImage& image);

/// The labels that occur, ascending, without the background.
std::vector<std::uint8_t> labels_in(const LabelImage& image);

/// Where the picture has this label.
Mask mask_of(const LabelImage& image, std::uint8_t label);

}  // namespace vostrack::annotations
