#include "apps/vostrack/prompts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <system_error>
#include <utility>

#include "apps/vostrack/usage.hpp"

namespace vostrack::cli {
namespace {

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || last != end) return std::nullopt;
  if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(value)) return std::nullopt;
  }
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

/// Exactly `count` numbers between commas.
std::optional<std::vector<float>> numbers(std::string_view text, std::size_t count) {
  std::vector<float> values;
  for (std::string_view part : split(text, ',')) {
    const std::optional<float> value = number<float>(part);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values.size() == count ? std::optional(values) : std::nullopt;
}

/// Takes `@frame` off the end of `text`.
FrameReference take_frame(std::string_view& text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return {};
  const FrameReference frame = parse_frame(text.substr(at + 1));
  text = text.substr(0, at);
  return frame;
}

Click click_of(std::string_view point, std::optional<std::string_view> label) {
  const auto xy = numbers(point, 2);
  if (!xy) throw UsageError(fmt::format("'{}': want a point x,y", point));
  if (label && *label != "0" && *label != "1")
    throw UsageError(fmt::format("label '{}': want 1 (on the object) or 0 (beside it)", *label));
  return {(*xy)[0], (*xy)[1], !label || *label == "1"};
}

ClickArgument parse_click_argument(const std::string& text) {
  ClickArgument argument;
  argument.text = "--point " + text;
  std::string_view rest = text;
  argument.frame = take_frame(rest);
  const std::vector<std::string_view> parts = split(rest, ':');
  // The point is the part with a comma, so that the id and the label may both be left out.
  const std::size_t point = parts[0].find(',') == std::string_view::npos ? 1 : 0;
  if (parts.size() <= point || parts.size() > point + 2)
    throw UsageError("want [ID:]x,y[:label][@frame]");
  if (point == 1) argument.object = parse_object_id(parts[0]);
  argument.click = click_of(
      parts[point], parts.size() > point + 1 ? std::optional(parts[point + 1]) : std::nullopt);
  return argument;
}

BoxArgument parse_box_argument(const std::string& text) {
  BoxArgument argument;
  argument.text = "--box " + text;
  std::string_view rest = text;
  argument.frame = take_frame(rest);
  const std::size_t colon = rest.find(':');
  if (colon != std::string_view::npos) {
    argument.object = parse_object_id(rest.substr(0, colon));
    rest.remove_prefix(colon + 1);
  }
  argument.box = parse_box(rest);
  return argument;
}

/// Whether `text` can only be a frame: file names may hold an @ of their own.
bool looks_like_frame(std::string_view text) {
  if (!text.empty() && text.back() == 's') text.remove_suffix(1);
  return number<double>(text).has_value();
}

MaskArgument parse_mask_argument(const std::string& text, bool labels) {
  MaskArgument argument;
  argument.text = (labels ? "--masks " : "--mask ") + text;
  argument.labels = labels;
  std::string_view rest = text;
  const std::size_t at = rest.rfind('@');
  if (at != std::string_view::npos && looks_like_frame(rest.substr(at + 1)))
    argument.frame = take_frame(rest);
  const std::size_t colon = rest.find(':');
  const bool numbered = colon != std::string_view::npos && colon > 0 &&
                        std::all_of(rest.begin(), rest.begin() + static_cast<long>(colon),
                                    [](char c) { return (c >= '0' && c <= '9') || c == '-'; });
  if (numbered && labels)
    throw UsageError("the labels in the file are the ids, so none is given; --mask takes one");
  if (numbered) {
    argument.object = parse_object_id(rest.substr(0, colon));
    rest.remove_prefix(colon + 1);
  }
  if (rest.empty())
    throw UsageError(labels ? "want file.png[@frame]" : "want [ID:]file.png[@frame]");
  argument.path = std::string(rest);
  return argument;
}

}  // namespace

ObjectId parse_object_id(std::string_view text) {
  const std::optional<ObjectId> id = number<ObjectId>(text);
  if (!id || *id < 1 || *id > kMaxObjectId)
    throw UsageError(fmt::format(
        "object id '{}': want 1 to {}, since results are indexed PNG files", text, kMaxObjectId));
  return *id;
}

FrameReference parse_frame(std::string_view text) {
  FrameReference frame;
  if (!text.empty() && text.back() == 's') {
    frame.seconds = number<double>(text.substr(0, text.size() - 1));
    if (frame.seconds && *frame.seconds >= 0) return frame;
  } else if (const auto index = number<std::int64_t>(text); index && *index >= 0) {
    frame.index = *index;
    return frame;
  }
  throw UsageError(fmt::format("frame '{}': want a number from 0, or a time such as 1.5s", text));
}

Click parse_click(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, ':');
  if (parts.size() > 2) throw UsageError(fmt::format("'{}': want x,y[:label]", text));
  return click_of(parts[0], parts.size() == 2 ? std::optional(parts[1]) : std::nullopt);
}

Box parse_box(std::string_view text) {
  const auto edges = numbers(text, 4);
  if (!edges) throw UsageError(fmt::format("'{}': want a box x0,y0,x1,y1", text));
  const Box box{(*edges)[0], (*edges)[1], (*edges)[2], (*edges)[3]};
  if (box.x0 >= box.x1 || box.y0 >= box.y1)
    throw UsageError(fmt::format("box '{}' is empty: want x0 < x1 and y0 < y1", text));
  return box;
}

void PromptArguments::add(PromptArguments more) {
  std::move(more.clicks.begin(), more.clicks.end(), std::back_inserter(clicks));
  std::move(more.boxes.begin(), more.boxes.end(), std::back_inserter(boxes));
  std::move(more.masks.begin(), more.masks.end(), std::back_inserter(masks));
}

PromptArguments parse_prompts(const PromptTexts& texts) {
  PromptArguments arguments;
  Complaints complaints;
  for (const std::string& text : texts.clicks)
    complaints.gather("--point " + text,
                      [&] { arguments.clicks.push_back(parse_click_argument(text)); });
  for (const std::string& text : texts.boxes)
    complaints.gather("--box " + text,
                      [&] { arguments.boxes.push_back(parse_box_argument(text)); });
  for (const std::string& text : texts.masks)
    complaints.gather("--mask " + text,
                      [&] { arguments.masks.push_back(parse_mask_argument(text, false)); });
  for (const std::string& text : texts.label_masks)
    complaints.gather("--masks " + text,
                      [&] { arguments.masks.push_back(parse_mask_argument(text, true)); });
  if (!complaints.empty()) throw UsageError(complaints.line());
  return arguments;
}

}  // namespace vostrack::cli
