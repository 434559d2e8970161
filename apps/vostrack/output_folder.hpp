/// The folder that `vostrack track` puts the results of one video into.
#pragma once

#include <filesystem>
#include <string>

namespace vostrack::cli {

class OutputFolder {
 public:
  explicit OutputFolder(std::filesystem::path root) : root_(std::move(root)) {}

  /// @throws Error kInvalidArgument when earlier results are there and may not be replaced, or
  ///   when there is a file of this name
  void check_free(bool overwrite) const;
  /// Makes the folder and takes earlier results of ours away; the journal and other files stay.
  ///
  /// @throws Error kIo
  void prepare(bool with_masks) const;

  const std::filesystem::path& root() const noexcept { return root_; }
  std::filesystem::path masks() const { return root_ / "masks"; }
  std::filesystem::path lines() const { return root_ / "results.jsonl"; }
  std::filesystem::path overlay() const { return root_ / "overlay.mp4"; }
  std::filesystem::path label_video() const { return root_ / "labels.mkv"; }
  std::filesystem::path effect() const { return root_ / "effect.mp4"; }
  std::filesystem::path contact_sheet() const { return root_ / "contact_sheet.png"; }
  std::filesystem::path summary() const { return root_ / "summary.json"; }
  /// What an interrupted run needs to go on.
  std::filesystem::path journal() const { return root_ / "unfinished.jsonl"; }
  /// "mov" and "webm" are files, "png" is a folder.
  std::filesystem::path cut_out(const std::string& format) const {
    return root_ / (format == "png" ? "cut_out" : "cut_out." + format);
  }

 private:
  std::filesystem::path root_;
};

}  // namespace vostrack::cli
