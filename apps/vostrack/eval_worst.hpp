/// The worst frames of an evaluation as pictures.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "apps/vostrack/eval_command.hpp"
#include "apps/vostrack/eval_page.hpp"

namespace vostrack::cli {

/// Draws truth and result of the worst frames into files, one a sequence at most.
///
/// @param folder  is made
/// @throws Error kIo
std::vector<WorstPicture> draw_worst(const std::vector<Case>& cases, const EvalReport& report,
                                     std::size_t count, const std::filesystem::path& folder);

}  // namespace vostrack::cli
