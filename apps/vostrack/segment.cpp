#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

#include "annotations/rle.hpp"
#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/json_file.hpp"
#include "apps/vostrack/prompts.hpp"
#include "apps/vostrack/usage.hpp"
#include "base/check.hpp"
#include "video/drawing.hpp"
#include "video/picture_io.hpp"
#include "vostrack/image.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;

struct SegmentArguments {
  std::string photo;
  std::vector<std::string> clicks;
  std::vector<std::string> boxes;
  bool fractions = false;
  int masks = 0;  ///< 0: three for a single click, one otherwise
  float threshold = 0;
  std::string out;
  std::string overlay;
  std::string json;
  ModelArguments model;
};

/// Clicks with at most one box, or several boxes that are an object each.
struct SegmentPrompts {
  std::vector<Click> clicks;
  std::vector<Box> boxes;
};

struct Proposal {
  std::size_t object = 0;  ///< from 0; more than one only with several boxes
  float score = 0;
  float object_score = 0;
  Mask mask;
  std::string file;
};

SegmentPrompts parse_segment_prompts(const SegmentArguments& arguments) {
  SegmentPrompts prompts;
  Complaints complaints;
  const auto gather = [&](const std::string& option, const std::string& text, auto&& parse) {
    try {
      parse(text);
    } catch (const UsageError& error) {
      complaints.add(option + " " + text + ": " + error.what());
    }
  };
  const auto check_fraction = [&](float value) {
    if (arguments.fractions && (value < 0 || value > 1))
      throw UsageError(fmt::format("{} is no fraction, want 0 to 1 with --fractions", value));
  };
  for (const std::string& text : arguments.clicks)
    gather("--point", text, [&](const std::string& value) {
      const Click click = parse_click(value);
      for (float edge : {click.x, click.y}) check_fraction(edge);
      prompts.clicks.push_back(click);
    });
  for (const std::string& text : arguments.boxes)
    gather("--box", text, [&](const std::string& value) {
      const Box box = parse_box(value);
      for (float edge : {box.x0, box.y0, box.x1, box.y1}) check_fraction(edge);
      prompts.boxes.push_back(box);
    });
  if (!complaints.empty()) throw UsageError(complaints.line());
  if (prompts.clicks.empty() && prompts.boxes.empty())
    throw UsageError("nothing to cut out: give at least one --point x,y or --box x0,y0,x1,y1");
  if (prompts.boxes.size() > 1 && !prompts.clicks.empty())
    throw UsageError("several boxes are an object each, so no --point can go with them");
  return prompts;
}

/// result.png for a single mask, else result_1.png and so on.
std::string numbered(const std::string& path, std::size_t number, std::size_t count) {
  if (count == 1) return path;
  const fs::path whole(path);
  return (whole.parent_path() /
          fmt::format("{}_{}{}", whole.stem().string(), number + 1, whole.extension().string()))
      .string();
}

std::vector<Proposal> segment_picture(const SegmentArguments& arguments,
                                      const SegmentPrompts& prompts, const Image& image,
                                      const Model& model) {
  ImageConfig config;
  config.cached_images = 1;
  ImageSegmenter segmenter(model, config);
  segmenter.set_image(image);
  PredictOptions options;
  options.coordinates = arguments.fractions ? Coordinates::kFractions : Coordinates::kPixels;
  if (arguments.masks > 0)
    options.masks = arguments.masks == 1 ? MaskCount::kOne : MaskCount::kThree;
  std::vector<std::vector<MaskCandidate>> answers;
  if (prompts.boxes.size() > 1) {
    answers = segmenter.predict_boxes(prompts.boxes, options);
  } else {
    Prompt prompt;
    prompt.clicks = prompts.clicks;
    if (!prompts.boxes.empty()) prompt.box = prompts.boxes.front();
    answers.push_back(segmenter.predict(prompt, options));
  }
  std::vector<Proposal> proposals;
  for (std::size_t object = 0; object < answers.size(); ++object)
    for (const MaskCandidate& candidate : answers[object])
      proposals.push_back({object,
                           candidate.predicted_iou(),
                           candidate.object_score(),
                           candidate.mask(arguments.threshold),
                           {}});
  return proposals;
}

/// Four digits tell all that a score says.
double rounded(float score) {
  return std::round(static_cast<double>(score) * 1e4) / 1e4;
}

Json proposal_json(const Proposal& proposal) {
  const annotations::Rle rle = annotations::encode_rle(proposal.mask);
  Json json = {{"object", proposal.object + 1},
               {"score", rounded(proposal.score)},
               {"object_score", rounded(proposal.object_score)},
               {"area", annotations::area(rle)},
               {"box", nullptr},
               {"segmentation",
                {{"size", {proposal.mask.height, proposal.mask.width}},
                 {"counts", annotations::to_coco_string(rle)}}},
               {"file", nullptr}};
  if (const std::optional<Box> box = annotations::bounding_box(rle))
    json["box"] = {box->x0, box->y0, box->x1, box->y1};
  if (!proposal.file.empty()) json["file"] = proposal.file;
  return json;
}

/// Black and white, as most tools want a mask.
void write_mask(const std::string& path, const Mask& mask) {
  Image image{mask.height, mask.width, {}};
  image.rgb.reserve(3 * mask.data.size());
  for (std::uint8_t on : mask.data) image.rgb.insert(image.rgb.end(), 3, on ? 255 : 0);
  video::write_picture(path, image);
}

/// The best proposal for each object, and the prompts.
Image draw_best(const Image& image, const std::vector<Proposal>& proposals, SegmentPrompts prompts,
                bool fractions) {
  const auto colour_of = [](std::size_t object) {
    return video::object_colour(static_cast<ObjectId>(object) + 1);
  };
  Image overlay = image;
  std::optional<std::size_t> drawn;
  for (const Proposal& proposal : proposals) {
    if (drawn == proposal.object) continue;  // they are ranked
    drawn = proposal.object;
    video::draw_mask(overlay, proposal.mask, colour_of(proposal.object));
  }
  const float sx = fractions ? static_cast<float>(image.width) : 1;
  const float sy = fractions ? static_cast<float>(image.height) : 1;
  for (std::size_t i = 0; i < prompts.boxes.size(); ++i) {
    const Box& box = prompts.boxes[i];
    video::draw_box(overlay, {box.x0 * sx, box.y0 * sy, box.x1 * sx, box.y1 * sy}, colour_of(i));
  }
  for (Click& click : prompts.clicks) {
    click.x *= sx;
    click.y *= sy;
  }
  video::draw_clicks(overlay, prompts.clicks);
  return overlay;
}

int segment(const SegmentArguments& arguments, const Console& console) {
  const SegmentPrompts prompts = parse_segment_prompts(arguments);
  if (arguments.out.empty() && arguments.overlay.empty() && arguments.json.empty())
    throw UsageError(
        "no result asked for: give --out result.png, --overlay overlay.png or --json -");
  for (const std::string& path : {arguments.out, arguments.overlay})
    if (!path.empty() && fs::path(path).extension() != ".png")
      throw UsageError(fmt::format("'{}': want a name that ends in .png", path));

  const Image image = read_image(arguments.photo);
  const Model model = arguments.model.load(console);
  std::vector<Proposal> proposals = segment_picture(arguments, prompts, image, model);

  for (std::size_t i = 0; i < proposals.size() && !arguments.out.empty(); ++i) {
    proposals[i].file = numbered(arguments.out, i, proposals.size());
    write_mask(proposals[i].file, proposals[i].mask);
  }
  if (!arguments.overlay.empty())
    video::write_picture(arguments.overlay,
                         draw_best(image, proposals, prompts, arguments.fractions));
  Json json = {{"picture", arguments.photo},
               {"width", image.width},
               {"height", image.height},
               {"model", model.name()},
               {"masks", Json::array()}};
  for (const Proposal& proposal : proposals) json["masks"].push_back(proposal_json(proposal));
  if (arguments.json == "-") {
    console.out << json_text(json);
    return kSuccess;
  }
  if (!arguments.json.empty()) write_json(arguments.json, json);

  for (const Proposal& proposal : proposals) {
    const std::int64_t area = annotations::area(annotations::encode_rle(proposal.mask));
    console.out << fmt::format(
        "{}score {:.3f}, {} pixels{}\n",
        proposals.back().object > 0 ? fmt::format("box {}: ", proposal.object + 1) : std::string(),
        proposal.score, area, proposal.file.empty() ? "" : ", " + proposal.file);
  }
  return kSuccess;
}

}  // namespace

void add_segment(CLI::App& app, Command& command) {
  auto arguments = std::make_shared<SegmentArguments>();
  CLI::App* sub = app.add_subcommand("segment", "Cuts an object out of a picture.");
  sub->footer(
      "  vostrack segment photo.jpg --point 320,240 --point 10,20:0 --masks 3 \\\n"
      "      --out result.png --overlay overlay.png --json -");
  sub->add_option("photo", arguments->photo, "Picture")->required();
  const char* prompts = "Prompts";
  sub->add_option("--point", arguments->clicks,
                  "Click on the object; with label 0, beside it; any number")
      ->type_name("X,Y[:LABEL]")
      ->allow_extra_args(false)
      ->group(prompts);
  sub->add_option("--box", arguments->boxes, "Box around the object; several are an object each")
      ->type_name("X0,Y0,X1,Y1")
      ->allow_extra_args(false)
      ->group(prompts);
  sub->add_flag("--fractions", arguments->fractions,
                "Coordinates are fractions of the picture, 0 to 1")
      ->group(prompts);
  const char* results = "Results (at least one)";
  sub->add_option("--out", arguments->out, "Mask; several become FILE_1.png, FILE_2.png …")
      ->type_name("FILE.png")
      ->group(results);
  sub->add_option("--overlay", arguments->overlay, "Picture with the best mask drawn on it")
      ->type_name("FILE.png")
      ->group(results);
  sub->add_option("--json", arguments->json, "Scores, boxes, areas and COCO RLE; - to print it")
      ->type_name("FILE|-")
      ->group(results);
  sub->add_option("--masks", arguments->masks,
                  "1, the best, or 3 proposals, best first [default: 3 for a single click, else 1]")
      ->type_name("N")
      ->check(CLI::IsMember({1, 3}))
      ->group(results);
  sub->add_option("--threshold", arguments->threshold, "Logits above it are the object")
      ->type_name("LOGIT")
      ->capture_default_str()
      ->group(results);
  arguments->model.add_to(*sub);
  sub->callback([arguments, &command] {
    command = [arguments](const Console& console) { return segment(*arguments, console); };
  });
}

}  // namespace vostrack::cli
