#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <utility>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/interrupt.hpp"
#include "apps/vostrack/pack_datasets.hpp"
#include "apps/vostrack/usage.hpp"
#include "base/check.hpp"
#include "train/data/pack_writer.hpp"
#include "video/drawing.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;

const std::map<std::string, train::LabelKind> kLabelKinds = {
    {"objects", train::LabelKind::kObjects},
    {"parts", train::LabelKind::kParts},
    {"regions", train::LabelKind::kRegions}};

const std::map<std::string, eval::ObjectRule> kObjectRules = {
    {"auto", eval::ObjectRule::kAuto},
    {"separate", eval::ObjectRule::kSeparate},
    {"merged", eval::ObjectRule::kMerged}};

struct PackArguments {
  std::string out;
  std::string layout;
  std::string root;
  std::string resolution = "480p";
  std::string annotations;
  std::string source;
  std::string split = "train";
  std::vector<std::string> labels;
  std::string objects = "auto";
  std::string hold_back;
  std::string only;
  int longest_side = 0;
  bool deflate = false;
  bool overwrite = false;
  bool quiet = false;
};

HeadRules rules_of(const PackArguments& arguments) {
  HeadRules rules;
  rules.source = arguments.source;
  rules.split = arguments.split;
  rules.objects = kObjectRules.at(arguments.objects);
  for (const std::string& text : arguments.labels) {
    const std::size_t equals = text.find('=');
    const std::string kind = equals == std::string::npos ? text : text.substr(equals + 1);
    const auto found = kLabelKinds.find(kind);
    if (found == kLabelKinds.end())
      throw UsageError(
          fmt::format("--labels {}: want objects, parts or regions, or SOURCE=KIND", text));
    if (equals == std::string::npos)
      rules.labels = found->second;
    else
      rules.labels_of_source[text.substr(0, equals)] = found->second;
  }
  return rules;
}

std::vector<PackItem> items_of(const PackArguments& arguments) {
  const HeadRules rules = rules_of(arguments);
  if (arguments.layout == "pictures") return pictures_in(arguments.root, rules);
  if (arguments.layout == "clips") return clips_in(arguments.root, rules);
  if (arguments.layout == "coco") return coco_in(arguments.root, arguments.annotations, rules);
  const auto dataset = arguments.layout == "davis" ? eval::Dataset::kDavis
                       : arguments.layout == "sav" ? eval::Dataset::kSav
                                                   : eval::Dataset::kYouTubeVos;
  return sequences_in(dataset, arguments.root, arguments.resolution, rules);
}

/// Leaves out what is held back, or everything but that.
void select(std::vector<PackItem>& items, const PackArguments& arguments, const Console& console) {
  const std::string& path = arguments.only.empty() ? arguments.hold_back : arguments.only;
  if (path.empty()) return;
  const std::vector<std::string> names = eval::read_split(path);
  std::set<std::string> listed(names.begin(), names.end());
  const std::size_t wanted = listed.size();
  std::size_t found = 0;
  std::erase_if(items, [&](const PackItem& item) {
    const bool in_list = listed.count(item.head.name) != 0;
    found += in_list;
    return in_list == arguments.only.empty();
  });
  check(arguments.only.empty() || found == wanted, ErrorCode::kNotFound,
        "{}: {} of its {} names are not in {}", path, wanted - found, wanted, arguments.root);
  console.err << fmt::format("{}: {} of {} names found\n", path, found, wanted);
}

/// The nearest pixel's label, pixels being squares.
std::vector<std::uint8_t> shrink(const annotations::LabelImage& from, int height, int width) {
  std::vector<std::uint8_t> labels;
  labels.reserve(static_cast<std::size_t>(height) * static_cast<std::size_t>(width));
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const auto row = (2 * std::int64_t{y} + 1) * from.height / (2 * std::int64_t{height});
      const auto column = (2 * std::int64_t{x} + 1) * from.width / (2 * std::int64_t{width});
      labels.push_back(from.labels[static_cast<std::size_t>(row * from.width + column)]);
    }
  return labels;
}

void fit(PackFrame& frame, int longest_side) {
  const int longest = std::max(frame.picture.height, frame.picture.width);
  if (longest_side == 0 || longest <= longest_side) return;
  const auto scaled = [&](int side) {
    return std::max(1, static_cast<int>(std::lround(double(side) * longest_side / longest)));
  };
  const int height = scaled(frame.picture.height), width = scaled(frame.picture.width);
  frame.picture = video::resize(frame.picture, height, width);
  frame.labels = {height, width, shrink(frame.labels, height, width)};
}

constexpr std::uint8_t kUnknown = 255;

/// Something is known of the picture, but no object; of one of which nothing is known, the writer
/// complains.
bool is_empty(const PackFrame& frame) {
  const auto& labels = frame.labels.labels;
  return std::all_of(labels.begin(), labels.end(),
                     [](std::uint8_t label) { return label == 0 || label == kUnknown; }) &&
         std::find(labels.begin(), labels.end(), 0) != labels.end();
}

struct Tally {
  std::size_t records = 0;
  std::size_t frames = 0;
  std::size_t empty = 0;
};

/// Writes one record; nothing when a picture has no object, from which nothing can be learnt.
void pack_item(const PackItem& item, int longest_side, train::PackWriter& writer, Tally& tally) {
  writer.begin(item.head);
  for (int i = 0; i < item.frames; ++i) {
    PackFrame frame = item.read(i);
    check(frame.labels.height == frame.picture.height && frame.labels.width == frame.picture.width,
          ErrorCode::kCorruptFile, "{}: its mask {} is {}x{}, want {}x{} as the picture is",
          item.head.name, i, frame.labels.width, frame.labels.height, frame.picture.width,
          frame.picture.height);
    if (item.head.kind == train::RecordKind::kPicture && is_empty(frame)) {
      ++tally.empty;
      return;
    }
    fit(frame, longest_side);
    writer.add_frame(frame.picture, frame.labels.labels);
  }
  writer.end();
  ++tally.records;
  tally.frames += static_cast<std::size_t>(item.frames);
}

int pack(const PackArguments& arguments, const Console& console) {
  if (!arguments.only.empty() && !arguments.hold_back.empty())
    throw UsageError("--only and --hold-back both name a list; give one of them");
  if ((arguments.layout == "coco") != !arguments.annotations.empty())
    throw UsageError("--annotations goes with --layout coco, and has to be given there");
  check(arguments.overwrite || !fs::exists(arguments.out), ErrorCode::kInvalidArgument,
        "{}: exists already; --overwrite replaces it", arguments.out);
  std::vector<PackItem> items = items_of(arguments);
  select(items, arguments, console);
  check(!items.empty(), ErrorCode::kNotFound, "{}: nothing to pack in the layout {}",
        arguments.root, arguments.layout);

  train::PackWriter writer(arguments.out, arguments.deflate ? train::PackCompression::kAll
                                                            : train::PackCompression::kLabels);
  Tally tally;
  Progress progress("Packing", static_cast<std::int64_t>(items.size()), console.err,
                    arguments.quiet ? ProgressStyle::kNone : console.progress);
  for (const PackItem& item : items) {
    if (interrupted()) return kInterrupted;
    pack_item(item, arguments.longest_side, writer, tally);
    progress.step();
  }
  progress.finish();
  check(tally.records > 0, ErrorCode::kNotFound,
        "{}: no picture shows an object. Where masks hold only 0 and 255, 255 means not known; "
        "--objects merged takes it as the object",
        arguments.root);
  writer.finish();
  console.out << fmt::format("{}: {} records, {} frames, {:.1f} MB\n", arguments.out, tally.records,
                             tally.frames, static_cast<double>(fs::file_size(arguments.out)) / 1e6);
  if (tally.empty > 0)
    console.out << fmt::format("left out {} pictures without objects\n", tally.empty);
  return kSuccess;
}

}  // namespace

void add_pack(CLI::App& app, Command& command) {
  auto arguments = std::make_shared<PackArguments>();
  CLI::App* sub = app.add_subcommand(
      "pack", "Puts annotated pictures and videos into one file, ready to train on.");
  sub->footer(
      "  vostrack pack pictures.pack --layout pictures --root train/ --labels regions \\\n"
      "      --hold-back models/held_back_pictures.txt\n"
      "\n"
      "Masks are 8-bit PNGs: 0 background, 1 to 254 objects, 255 not known.");
  sub->add_option("out", arguments->out, "File to write")->type_name("FILE")->required();
  const char* data = "Data";
  sub->add_option("--layout", arguments->layout,
                  "pictures (images/NAME.jpg, masks/NAME.png), clips (CLIP/images/FRAME.jpg, "
                  "CLIP/masks/FRAME.png), davis, youtube-vos (MOSE too), sav, or coco")
      ->type_name("NAME")
      ->check(CLI::IsMember({"pictures", "clips", "davis", "youtube-vos", "sav", "coco"}))
      ->required()
      ->group(data);
  sub->add_option("--root", arguments->root, "The dataset's folder; for coco that of the pictures")
      ->type_name("DIR")
      ->required()
      ->group(data);
  sub->add_option("--annotations", arguments->annotations, "COCO's file of objects")
      ->type_name("FILE")
      ->group(data);
  sub->add_option("--resolution", arguments->resolution,
                  "Folder within JPEGImages and Annotations; davis only")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(data);
  sub->add_option("--hold-back", arguments->hold_back,
                  "Leave out the pictures and videos that a file names, one a line")
      ->type_name("FILE")
      ->group(data);
  sub->add_option("--only", arguments->only, "Take only those that a file names")
      ->type_name("FILE")
      ->group(data);
  const char* records = "Records";
  sub->add_option("--longest-side", arguments->longest_side,
                  "Shrink what is larger to this many pixels [default: as it is]")
      ->type_name("PIXELS")
      ->check(CLI::Range(16, 32768))
      ->group(records);
  sub->add_option("--source", arguments->source,
                  "Name of the source, by which training can weigh it [default: a name's part "
                  "before the first _, else the folder's]")
      ->type_name("NAME")
      ->group(records);
  sub->add_option("--labels", arguments->labels,
                  "What labels are: objects, parts (of one thing) or regions; SOURCE=KIND for one "
                  "source, repeatable [default: objects]")
      ->type_name("KIND")
      ->group(records);
  sub->add_option(
         "--objects", arguments->objects,
         "separate: a label an object, 255 not known; merged: all labels, 255 too, are one "
         "object; auto: merged for videos without a label but 255")
      ->type_name("RULE")
      ->check(CLI::IsMember({"auto", "separate", "merged"}))
      ->capture_default_str()
      ->group(records);
  sub->add_option("--split", arguments->split, "What the records are for")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(records);
  sub->add_flag("--deflate", arguments->deflate,
                "Compress pictures too: smaller, and slower to read")
      ->group(records);
  sub->add_flag("--overwrite", arguments->overwrite, "Replace the file if it exists");
  sub->add_flag("--quiet", arguments->quiet, "Show no progress");
  sub->callback([arguments, &command] {
    command = [arguments](const Console& console) { return pack(*arguments, console); };
  });
}

}  // namespace vostrack::cli
