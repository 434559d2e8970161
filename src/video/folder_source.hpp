/// A folder of pictures as a video.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vostrack/frame_source.hpp"

namespace vostrack::video {

struct FolderOptions {
  /// Pictures have no timestamps: frame n gets n / fps seconds. 24 is DAVIS's rate.
  double fps = 24;
};

/// Whether `a` comes before `b` when runs of digits count as numbers: 2.jpg before 10.jpg.
bool natural_less(std::string_view a, std::string_view b);

/// Opens a folder of JPEG, PNG, TIFF, WebP or BMP pictures in natural order; other files and hidden
/// ones are passed over, folders inside too. All pictures must have the size of the first: one that
/// has not throws kDecode when it is read. A frame's name is the file's stem.
///
/// @throws Error kNotFound when there is no such folder or no picture in it; kDecode when the
///   first cannot be read; kInvalidArgument for a rate that is not above 0
std::unique_ptr<FrameSource> open_folder(const std::string& path,
                                         const FolderOptions& options = {});

/// Opens the pictures whose paths match a pattern of the shell, such as `run/cam0_*.png`, in
/// natural order; what matches and is no picture is passed over.
///
/// @throws Error as open_folder, kNotFound when nothing matches
std::unique_ptr<FrameSource> open_glob(const std::string& pattern,
                                       const FolderOptions& options = {});

/// The given pictures as a video, in the given order.
///
/// @throws Error as open_folder; kInvalidArgument without any
std::unique_ptr<FrameSource> open_pictures(std::vector<std::string> paths,
                                           const FolderOptions& options = {});

}  // namespace vostrack::video
