/// What is written beside the summary.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/vostrack/output_folder.hpp"
#include "apps/vostrack/result_writer.hpp"

namespace vostrack::cli {

struct ResultChoice {
  bool masks = true;
  bool masks_per_object = false;
  bool lines = true;
  std::string lines_path;  ///< "-" for the standard output, empty for the folder's
  bool overlay = true;
  bool sound = false;  ///< in overlay and effect
  bool label_video = false;
  std::string effect;   ///< one of kEffects; empty for none
  std::string cut_out;  ///< mov, webm or png; empty for none
  int contact_columns = 4;
};

/// Makes the folder ready and opens what was chosen.
///
/// @param sheet_frames  as write_contact_sheet
/// @param out  the standard output
/// @throws Error kIo, and what the writers throw
std::vector<std::unique_ptr<ResultWriter>> open_writers(
    const ResultChoice& choice, const OutputFolder& folder, const Footage& footage,
    std::optional<std::vector<std::int64_t>> sheet_frames, std::ostream& out);

}  // namespace vostrack::cli
