#include "apps/vostrack/eval_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "video/drawing.hpp"
#include "vostrack/version.hpp"

namespace vostrack::cli {
namespace {

constexpr int kCurveWidth = 640;
constexpr int kCurveHeight = 110;

// Distinct to colour-blind eyes: Okabe and Ito, "Color Universal Design", 2008.
constexpr Rgb kRight{0, 158, 115};
constexpr Rgb kMissed{0, 114, 178};
constexpr Rgb kWrong{230, 159, 0};

constexpr std::string_view kStyle = R"(
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
       color: #222; background: #fff }
table { border-collapse: collapse; width: 100% }
th, td { padding: .2rem .5rem; text-align: right; white-space: nowrap }
th:first-child, td:first-child { text-align: left }
td.bar { width: 40%; text-align: left }
tr.all td { border-top: 1px solid #888; font-weight: 600 }
.bar div { height: .8rem; background: #0072b2 }
.bar { background: linear-gradient(90deg, #eee, #eee) no-repeat center / 100% .8rem }
svg { display: block; background: #fafafa; border: 1px solid #ddd; max-width: 100% }
figure { display: inline-block; margin: 0 1rem 1rem 0; vertical-align: top }
figcaption { font-size: 13px }
h3 { margin: 1rem 0 .2rem; font-size: 15px }
.right { color: #009e73 } .missed { color: #0072b2 } .wrong { color: #e69f00 }
)";

std::string escaped(std::string_view text) {
  std::string result;
  for (char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string heading(const EvalReport& report) {
  std::string text = fmt::format("<p>{}, {}", escaped(report.dataset), escaped(report.root));
  if (report.run)
    text += fmt::format(
        ": {} ({}) at {} px, {}, {}, from one <b>{}</b> an object, {:.1f} frames "
        "per second",
        escaped(report.run->model_name), escaped(report.run->model_path), report.run->image_size,
        escaped(report.run->device), escaped(report.run->precision), escaped(report.run->prompt),
        report.frames_per_second());
  else
    text += fmt::format(": results in {}", escaped(report.results));
  text += fmt::format(". {} first, {} last frames; contours within {:g} of the diagonal.</p>\n",
                      report.protocol.score_first ? "With" : "Without",
                      report.protocol.score_last ? "with" : "without",
                      report.protocol.boundary_tolerance);
  if (!report.complete) text += "<p><b>Interrupted: not all sequences are here.</b></p>\n";
  return text;
}

std::string row(std::string_view kind, std::string_view name, const eval::Statistics& j,
                const eval::Statistics& f, double jf) {
  return fmt::format(
      "<tr{}><td>{}</td><td>{:.1f}</td><td>{:.1f}</td><td>{:.1f}</td><td>{:.1f}</td><td>{:.1f}</td>"
      "<td>{:.1f}</td><td>{:.1f}</td><td class=\"bar\"><div style=\"width:{:.1f}%\"></div></td>"
      "</tr>\n",
      kind, escaped(name), 100 * jf, 100 * j.mean, 100 * j.recall, 100 * j.decay, 100 * f.mean,
      100 * f.recall, 100 * f.decay, std::clamp(100 * jf, 0.0, 100.0));
}

std::string bars(const EvalReport& report) {
  std::string text =
      "<table>\n<tr><th>sequence</th><th>J&amp;F</th><th>J</th><th>recall</th><th>decay</th>"
      "<th>F</th><th>recall</th><th>decay</th><th></th></tr>\n";
  for (const EvalSequence& sequence : report.sequences)
    text += row("", sequence.score.name, sequence.score.region, sequence.score.boundary,
                sequence.score.jf());
  const eval::TotalScore total = report.total();
  return text + row(" class=\"all\"", "all objects", total.region, total.boundary, total.jf()) +
         "</table>\n";
}

std::string curve(const eval::ObjectScore& object, const std::vector<std::string>& frames) {
  const auto [r, g, b] = video::object_colour(object.object);
  std::string points;
  for (std::size_t i = 0; i < object.frames.size(); ++i) {
    const auto at = static_cast<double>(
        std::lower_bound(frames.begin(), frames.end(), object.frames[i]) - frames.begin());
    const double x = frames.size() > 1 ? kCurveWidth * at / static_cast<double>(frames.size() - 1)
                                       : kCurveWidth / 2.0;
    points += fmt::format("{:.1f},{:.1f} ", x, kCurveHeight * (1 - object.j[i]));
  }
  return fmt::format(
      "<polyline fill=\"none\" stroke=\"rgb({},{},{})\" stroke-width=\"2\" points=\"{}\">"
      "<title>object {}: J {:.1f}</title></polyline>\n",
      r, g, b, points, object.object, 100 * object.region.mean);
}

std::string curves(const EvalReport& report) {
  std::string text = "<h2>J over time</h2>\n";
  for (const EvalSequence& sequence : report.sequences) {
    const eval::SequenceScore& score = sequence.score;
    std::vector<std::string> frames;
    for (const auto& object : score.objects)
      frames.insert(frames.end(), object.frames.begin(), object.frames.end());
    std::sort(frames.begin(), frames.end());
    frames.erase(std::unique(frames.begin(), frames.end()), frames.end());
    text += fmt::format(
        "<h3>{} <small>{} to {}</small></h3>\n<svg width=\"{}\" height=\"{}\" viewBox=\"0 -3 {} "
        "{}\" role=\"img\" aria-label=\"J over time\">\n<line x1=\"0\" x2=\"{}\" y1=\"{}\" "
        "y2=\"{}\" stroke=\"#ccc\"/>\n",
        escaped(score.name), escaped(frames.front()), escaped(frames.back()), kCurveWidth,
        kCurveHeight + 6, kCurveWidth, kCurveHeight + 6, kCurveWidth, kCurveHeight / 2,
        kCurveHeight / 2);
    for (const auto& object : score.objects) text += curve(object, frames);
    text += "</svg>\n";
  }
  return text;
}

std::string worst(const std::vector<WorstPicture>& pictures) {
  if (pictures.empty()) return {};
  std::string text =
      "<h2>Worst frames</h2>\n<p><span class=\"right\">■</span> right, <span "
      "class=\"missed\">■</span> missed, <span class=\"wrong\">■</span> wrong</p>\n";
  for (const WorstPicture& picture : pictures)
    text += fmt::format(
        "<figure><img alt=\"\" src=\"data:image/jpeg;base64,{}\"><figcaption>{}, frame {}, object "
        "{}: J {:.1f}, F {:.1f}</figcaption></figure>\n",
        base64(picture.jpeg), escaped(picture.frame.sequence), escaped(picture.frame.frame),
        picture.frame.object, 100 * picture.frame.j, 100 * picture.frame.f);
  return text;
}

}  // namespace

std::string base64(const std::string& bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < count ? static_cast<std::uint8_t>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      text += k <= count ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::vector<WorstFrame> worst_frames(const EvalReport& report, std::size_t count) {
  const auto better = [](const WorstFrame& a, const WorstFrame& b) {
    return a.j + a.f < b.j + b.f;
  };
  std::vector<WorstFrame> result;
  for (const EvalSequence& sequence : report.sequences) {
    std::vector<WorstFrame> frames;
    for (const auto& object : sequence.score.objects)
      for (std::size_t i = 0; i < object.frames.size(); ++i)
        frames.push_back(
            {sequence.score.name, object.frames[i], object.object, object.j[i], object.f[i]});
    result.push_back(*std::min_element(frames.begin(), frames.end(), better));
  }
  std::stable_sort(result.begin(), result.end(), better);
  result.resize(std::min(result.size(), count));
  return result;
}

void draw_errors(Image& image, const Mask& predicted, const Mask& truth) {
  const auto select = [&](bool in_prediction, bool in_truth) {
    Mask mask = predicted;
    for (std::size_t i = 0; i < mask.data.size(); ++i)
      mask.data[i] = (predicted.data[i] != 0) == in_prediction && (truth.data[i] != 0) == in_truth;
    return mask;
  };
  VOSTRACK_ASSERT(predicted.data.size() == truth.data.size());
  video::draw_mask(image, select(true, true), kRight);
  video::draw_mask(image, select(false, true), kMissed);
  video::draw_mask(image, select(true, false), kWrong);
}

std::string report_page(const EvalReport& report, const std::vector<WorstPicture>& pictures) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
      "name=\"viewport\" content=\"width=device-width\">\n<title>vostrack eval: J&amp;F "
      "{:.1f}</title>\n<style>{}</style>\n</head>\n<body>\n<h1>J&amp;F {:.1f}</h1>\n{}{}{}{}<p>"
      "vostrack {}</p>\n</body>\n</html>\n",
      100 * report.total().jf(), kStyle, 100 * report.total().jf(), heading(report), bars(report),
      worst(pictures), curves(report), VOSTRACK_VERSION);
}

}  // namespace vostrack::cli
