/// The pages of a TIFF as a video.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "video/folder_source.hpp"

namespace vostrack::video {

/// How many pages a TIFF has; 0 for what is none or cannot be read.
std::int64_t page_count(const std::string& path);

/// Opens a TIFF of several pages, as microscopes write them; a page is decoded when it is read. All
/// pages must have the size of the first: one that has not throws kDecode when it is read. Frames
/// are named by their number, with five digits.
///
/// @throws Error kNotFound, kDecode; kInvalidArgument for a rate that is not above 0
std::unique_ptr<FrameSource> open_pages(const std::string& path, const FolderOptions& options = {});

}  // namespace vostrack::video
