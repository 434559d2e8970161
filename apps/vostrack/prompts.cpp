#include "apps/vostrack/prompts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "apps/vostrack/mask_files.hpp"
#include "apps/vostrack/usage.hpp"
#include "base/check.hpp"

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

ObjectId parse_object(std::string_view text) {
  const std::optional<ObjectId> id = number<ObjectId>(text);
  if (!id || *id < 1 || *id > kMaxObjectId)
    throw UsageError(fmt::format(
        "object id '{}': want 1 to {}, since results are indexed PNG files", text, kMaxObjectId));
  return *id;
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
  if (point == 1) argument.object = parse_object(parts[0]);
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
    argument.object = parse_object(rest.substr(0, colon));
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
    argument.object = parse_object(rest.substr(0, colon));
    rest.remove_prefix(colon + 1);
  }
  if (rest.empty())
    throw UsageError(labels ? "want file.png[@frame]" : "want [ID:]file.png[@frame]");
  argument.path = std::string(rest);
  return argument;
}

/// Runs `work`, keeping what it throws as a complaint about `text`.
template <class Work>
void gather(Complaints& complaints, const std::string& text, Work&& work) {
  try {
    work();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    complaints.add(text + ": " + error.what());
  }
}

/// Puts resolved prompts together and complains about those that cannot go together.
class Table {
 public:
  Table(const FrameSource& source, Complaints& complaints)
      : source_(source), complaints_(complaints) {}

  void add(const ClickArgument& argument) {
    gather(complaints_, argument.text, [&] {
      check_point(argument.click.x, argument.click.y);
      Prompt& prompt = at(argument.object, argument.frame);
      check(!prompt.mask, ErrorCode::kInvalidArgument,
            "object {} already has a mask on this frame, which no click can go with",
            argument.object);
      prompt.clicks.push_back(argument.click);
    });
  }

  void add(const BoxArgument& argument) {
    gather(complaints_, argument.text, [&] {
      check_point(argument.box.x0, argument.box.y0);
      check_point(argument.box.x1, argument.box.y1);
      Prompt& prompt = at(argument.object, argument.frame);
      check(!prompt.mask, ErrorCode::kInvalidArgument,
            "object {} already has a mask on this frame, which no box can go with",
            argument.object);
      check(!prompt.box, ErrorCode::kInvalidArgument,
            "object {} already has a box on this frame; another object needs another id",
            argument.object);
      prompt.box = argument.box;
    });
  }

  void add(const MaskArgument& argument) {
    gather(complaints_, argument.text, [&] {
      const std::int64_t frame = resolve_frame(argument.frame, source_);
      if (!argument.labels) {
        Mask mask = read_mask(argument.path);
        check_size(mask.height, mask.width);
        set_mask(argument.object, frame, std::move(mask));
        return;
      }
      const annotations::LabelImage image = annotations::read_label_png(argument.path);
      check_size(image.height, image.width);
      const std::vector<std::uint8_t> labels = annotations::labels_in(image);
      check(!labels.empty(), ErrorCode::kInvalidArgument,
            "no object in the file, where every pixel is 0");
      for (std::uint8_t label : labels) set_mask(label, frame, annotations::mask_of(image, label));
    });
  }

  PromptTable take() { return std::move(table_); }

 private:
  Prompt& at(ObjectId object, const FrameReference& frame) {
    return table_[{object, resolve_frame(frame, source_)}];
  }

  void set_mask(ObjectId object, std::int64_t frame, Mask mask) {
    const auto [entry, added] = table_.try_emplace({object, frame});
    check(added, ErrorCode::kInvalidArgument, "object {} already has a prompt on frame {}", object,
          frame);
    entry->second.mask = std::move(mask);
  }

  void check_size(int height, int width) const {
    check(height == source_.height() && width == source_.width(), ErrorCode::kInvalidArgument,
          "the mask is {}x{}, want {}x{} as the video's frames", width, height, source_.width(),
          source_.height());
  }

  void check_point(float x, float y) const {
    check(x >= 0 && y >= 0 && x <= static_cast<float>(source_.width()) &&
              y <= static_cast<float>(source_.height()),
          ErrorCode::kInvalidArgument, "{},{} lies outside the picture, which is {}x{}", x, y,
          source_.width(), source_.height());
  }

  const FrameSource& source_;
  Complaints& complaints_;
  PromptTable table_;
};

}  // namespace

std::string Complaints::line() const {
  return fmt::format("{}", fmt::join(texts_, "; "));
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

PromptArguments parse_prompts(const PromptTexts& texts) {
  PromptArguments arguments;
  Complaints complaints;
  for (const std::string& text : texts.clicks)
    gather(complaints, "--point " + text,
           [&] { arguments.clicks.push_back(parse_click_argument(text)); });
  for (const std::string& text : texts.boxes)
    gather(complaints, "--box " + text,
           [&] { arguments.boxes.push_back(parse_box_argument(text)); });
  for (const std::string& text : texts.masks)
    gather(complaints, "--mask " + text,
           [&] { arguments.masks.push_back(parse_mask_argument(text, false)); });
  for (const std::string& text : texts.label_masks)
    gather(complaints, "--masks " + text,
           [&] { arguments.masks.push_back(parse_mask_argument(text, true)); });
  if (!complaints.empty()) throw UsageError(complaints.line());
  if (arguments.clicks.empty() && arguments.boxes.empty() && arguments.masks.empty())
    throw UsageError(
        "nothing to track: give at least one --point x,y, --box x0,y0,x1,y1 or --mask file.png");
  return arguments;
}

std::int64_t resolve_frame(const FrameReference& frame, const FrameSource& source) {
  const std::int64_t count = source.frame_count();
  if (!frame.seconds) {
    check(frame.index < count, ErrorCode::kOutOfRange,
          "there is no frame {}, the video has {} (0 to {})", frame.index, count, count - 1);
    return frame.index;
  }
  const double first = source.pts_s(0);
  const double last = source.pts_s(count - 1) - first;
  // The last frame is shown for about as long as those before it.
  const double shown = count > 1 ? last / static_cast<double>(count - 1) : 0;
  check(*frame.seconds <= last + shown, ErrorCode::kOutOfRange,
        "there is no frame at {} s, the last one is at {:.3f} s", *frame.seconds, last);
  // Time stamps come from division by a time base: allow for that rounding.
  constexpr double kRounding = 1e-6;
  std::int64_t low = 0, high = count - 1;
  while (low < high) {
    const std::int64_t middle = low + (high - low + 1) / 2;
    if (source.pts_s(middle) - first <= *frame.seconds + kRounding)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

PromptTable resolve_prompts(const PromptArguments& arguments, const FrameSource& source) {
  Complaints complaints;
  Table table(source, complaints);
  for (const MaskArgument& mask : arguments.masks) table.add(mask);
  for (const BoxArgument& box : arguments.boxes) table.add(box);
  for (const ClickArgument& click : arguments.clicks) table.add(click);
  check(complaints.empty(), ErrorCode::kInvalidArgument, "{}", complaints.line());
  return table.take();
}

}  // namespace vostrack::cli
