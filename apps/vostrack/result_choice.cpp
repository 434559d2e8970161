#include "apps/vostrack/result_choice.hpp"

#include <utility>

namespace vostrack::cli {

std::vector<std::unique_ptr<ResultWriter>> open_writers(
    const ResultChoice& choice, const OutputFolder& folder, const Footage& footage,
    std::optional<std::vector<std::int64_t>> sheet_frames, std::ostream& out) {
  folder.prepare(choice.masks || choice.masks_per_object);
  std::vector<std::unique_ptr<ResultWriter>> writers;
  if (choice.masks) writers.push_back(write_label_masks(folder.masks().string()));
  if (choice.masks_per_object) writers.push_back(write_object_masks(folder.masks().string()));
  if (choice.lines && choice.lines_path == "-")
    writers.push_back(write_lines(out));
  else if (choice.lines)
    writers.push_back(
        write_lines(choice.lines_path.empty() ? folder.lines().string() : choice.lines_path));
  if (choice.overlay) writers.push_back(write_overlay(folder.overlay().string(), footage));
  if (choice.label_video)
    writers.push_back(write_label_video(folder.label_video().string(), footage));
  if (!choice.effect.empty())
    writers.push_back(write_effect(folder.effect().string(), choice.effect, footage));
  if (!choice.cut_out.empty())
    writers.push_back(write_cut_out(folder.cut_out(choice.cut_out).string(), footage));
  writers.push_back(write_contact_sheet(folder.contact_sheet().string(), choice.contact_columns,
                                        std::move(sheet_frames)));
  return writers;
}

}  // namespace vostrack::cli
