#include "apps/vostrack/prompt_table.hpp"

#include <utility>

#include "apps/vostrack/mask_files.hpp"
#include "apps/vostrack/usage.hpp"
#include "base/check.hpp"

namespace vostrack::cli {
namespace {

/// Puts resolved prompts together and complains about those that cannot go together.
class Table {
 public:
  Table(const PromptedVideo& video, Complaints& complaints)
      : video_(video), complaints_(complaints) {}

  void add(const ClickArgument& argument) {
    complaints_.gather(argument.text, [&] {
      check_point(argument.click.x, argument.click.y);
      Prompt& prompt = at(argument.object, argument.frame);
      check(!prompt.mask, ErrorCode::kInvalidArgument,
            "object {} already has a mask on this frame, which no click can go with",
            argument.object);
      prompt.clicks.push_back(argument.click);
    });
  }

  void add(const BoxArgument& argument) {
    complaints_.gather(argument.text, [&] {
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
    complaints_.gather(argument.text, [&] {
      const std::int64_t frame = video_.frame(argument.frame);
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
    return table_[{object, video_.frame(frame)}];
  }

  void set_mask(ObjectId object, std::int64_t frame, Mask mask) {
    const auto [entry, added] = table_.try_emplace({object, frame});
    check(added, ErrorCode::kInvalidArgument, "object {} already has a prompt on frame {}", object,
          frame);
    entry->second.mask = std::move(mask);
  }

  void check_size(int height, int width) const {
    check(height == video_.height && width == video_.width, ErrorCode::kInvalidArgument,
          "the mask is {}x{}, want {}x{} as the video's frames", width, height, video_.width,
          video_.height);
  }

  void check_point(float x, float y) const {
    check(x >= 0 && y >= 0 && x <= static_cast<float>(video_.width) &&
              y <= static_cast<float>(video_.height),
          ErrorCode::kInvalidArgument, "{},{} lies outside the picture, which is {}x{}", x, y,
          video_.width, video_.height);
  }

  const PromptedVideo& video_;
  Complaints& complaints_;
  PromptTable table_;
};

}  // namespace

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

PromptTable resolve_prompts(const PromptArguments& arguments, const PromptedVideo& video) {
  Complaints complaints;
  Table table(video, complaints);
  for (const MaskArgument& mask : arguments.masks) table.add(mask);
  for (const BoxArgument& box : arguments.boxes) table.add(box);
  for (const ClickArgument& click : arguments.clicks) table.add(click);
  check(complaints.empty(), ErrorCode::kInvalidArgument, "{}", complaints.line());
  return table.take();
}

PromptTable resolve_prompts(const PromptArguments& arguments, const FrameSource& source) {
  return resolve_prompts(
      arguments, {source.height(), source.width(),
                  [&](const FrameReference& frame) { return resolve_frame(frame, source); }});
}

}  // namespace vostrack::cli
