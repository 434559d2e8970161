/// What `vostrack track` writes, a class per kind of file.
///
///   auto writer = write_label_masks("out/masks");
///   for (...) writer->write(frame);                // frames rise
///   std::string there = writer->finish();
///
/// Thread safety: one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "annotations/palette_png.hpp"
#include "apps/vostrack/frame_record.hpp"
#include "apps/vostrack/prompt_table.hpp"
#include "vostrack/types.hpp"

namespace vostrack::cli {

/// A frame's results, with what is made of them only when a writer asks for it, and then once.
class ResultFrame {
 public:
  /// @param read  gives the frame's picture
  /// @param prompts  those on this frame are drawn
  ResultFrame(const FrameRecord& record, std::function<Image()> read, const PromptTable& prompts)
      : record_(record), read_(std::move(read)), prompts_(prompts) {}

  const FrameRecord& record() const noexcept { return record_; }
  const annotations::LabelImage& labels() const;
  const Image& picture() const;
  /// The picture with objects and prompts drawn over it.
  const Image& drawn() const;

 private:
  const FrameRecord& record_;
  std::function<Image()> read_;
  const PromptTable& prompts_;
  mutable std::optional<annotations::LabelImage> labels_;
  mutable std::optional<Image> picture_;
  mutable std::optional<Image> drawn_;
};

class ResultWriter {
 public:
  virtual ~ResultWriter() = default;
  /// @throws Error kIo
  virtual void write(const ResultFrame& frame) = 0;
  /// Completes what was written, which must be a frame or more.
  ///
  /// @return the file or folder, empty when there is none
  /// @throws Error kIo
  virtual std::string finish() = 0;
};

/// A video's size and pace, for what becomes a video again.
struct Footage {
  int height = 0;
  int width = 0;
  double nominal_fps = 30;
  /// A file whose sound goes with overlay and effect, and where on its clock the first frame is.
  std::optional<std::string> sound = {};
  double start_s = 0;
};

/// An indexed PNG a frame, in an existing folder.
std::unique_ptr<ResultWriter> write_label_masks(const std::string& folder);
/// A black and white PNG for each object and frame: folder/ID/NAME.png.
std::unique_ptr<ResultWriter> write_object_masks(const std::string& folder);
/// A JSON line a frame, complete and readable at any time.
std::unique_ptr<ResultWriter> write_lines(const std::string& path);
std::unique_ptr<ResultWriter> write_lines(std::ostream& out);
/// The video with the objects drawn over it.
std::unique_ptr<ResultWriter> write_overlay(const std::string& path, const Footage& footage);
/// The video with one side of the objects' outline changed.
///
/// @param effect  one of kEffects
std::unique_ptr<ResultWriter> write_effect(const std::string& path, const std::string& effect,
                                           const Footage& footage);
inline constexpr std::array<const char*, 4> kEffects = {"blur-background", "blur-objects",
                                                        "pixelate-background", "pixelate-objects"};
/// The label images as lossless video.
std::unique_ptr<ResultWriter> write_label_video(const std::string& path, const Footage& footage);
/// The objects without their background, in the format that the path names: .mov, .webm, or a
/// folder of PNG files.
std::unique_ptr<ResultWriter> write_cut_out(const std::string& path, const Footage& footage);
/// Frames on one picture.
///
/// @param columns  of pictures, and as many rows at most
/// @param frames  to show; unset when the end is not known: then evenly spread ones
std::unique_ptr<ResultWriter> write_contact_sheet(const std::string& path, int columns,
                                                  std::optional<std::vector<std::int64_t>> frames);

/// At most `tiles` frames, evenly spread, both ends included.
std::vector<std::int64_t> spread_frames(std::int64_t first, std::int64_t last, int tiles);

}  // namespace vostrack::cli
