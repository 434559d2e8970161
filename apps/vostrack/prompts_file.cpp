#include "apps/vostrack/prompts_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <set>
#include <string_view>

#include "apps/vostrack/json_file.hpp"
#include "apps/vostrack/usage.hpp"
#include "base/check.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;

/// More is no list of prompts; it is refused before it is read into memory.
constexpr std::uintmax_t kMaxBytes = 64 << 20;

/// A value and where it stands, such as objects[0].prompts[2].
struct Place {
  const Json& json;
  std::string where;

  [[noreturn]] void refuse(std::string_view want) const {
    std::string got = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (got.size() > 60) got = got.substr(0, 57) + "...";
    fail(ErrorCode::kInvalidArgument, "{}: got {}, want {}", where, got, want);
  }
  Place at(const char* key) const {
    return {json.at(key), where.empty() ? key : where + "." + key};
  }
  bool has(const char* key) const { return json.contains(key); }

  /// Refuses anything but an object with none but these keys.
  void check_keys(std::initializer_list<std::string_view> keys, std::string_view want) const {
    if (!json.is_object()) refuse(want);
    for (const auto& [key, value] : json.items())
      check(std::find(keys.begin(), keys.end(), key) != keys.end(), ErrorCode::kInvalidArgument,
            "{}{}'{}' is no key here, want {}", where, where.empty() ? "" : ": ", key, want);
  }
  std::string text(std::string_view want) const {
    if (!json.is_string() || json.get_ref<const std::string&>().empty()) refuse(want);
    return json.get<std::string>();
  }
  std::vector<Place> elements(std::string_view want) const {
    if (!json.is_array() || json.empty()) refuse(want);
    std::vector<Place> places;
    for (std::size_t i = 0; i < json.size(); ++i)
      places.push_back({json[i], where + "[" + std::to_string(i) + "]"});
    return places;
  }
  /// `least` to `most` finite numbers.
  std::vector<float> numbers(std::size_t least, std::size_t most, std::string_view want) const {
    if (!json.is_array() || json.size() < least || json.size() > most) refuse(want);
    std::vector<float> values;
    for (const Json& element : json) {
      if (!element.is_number() || !std::isfinite(element.get<float>())) refuse(want);
      values.push_back(element.get<float>());
    }
    return values;
  }
};

/// Reads what is there and gathers what is wrong with it.
class Reader {
 public:
  explicit Reader(std::string file)
      : file_(std::move(file)), folder_(fs::path(file_).parent_path()) {}

  PromptsFile read(const Json& json) {
    PromptsFile result;
    gather([&] {
      const Place root{json, ""};
      root.check_keys({"objects", "videos"}, "\"objects\" or \"videos\"");
      check(root.has("objects") != root.has("videos"), ErrorCode::kInvalidArgument,
            "want either \"objects\" or \"videos\"");
      if (root.has("objects"))
        result.prompts = objects(root.at("objects"));
      else
        result.videos = videos(root.at("videos"));
    });
    check(complaints_.empty(), ErrorCode::kInvalidArgument, "{}", complaints_.line());
    return result;
  }

 private:
  template <class Work>
  void gather(Work&& work) {
    complaints_.gather(file_, std::forward<Work>(work));
  }
  std::string beside(const std::string& path) const { return (folder_ / path).string(); }

  std::vector<PromptedClip> videos(const Place& place) {
    std::vector<PromptedClip> clips;
    for (const Place& entry : place.elements("a list of videos"))
      gather([&] {
        constexpr std::string_view kWant = "{\"video\": PATH, \"name\": NAME, \"objects\": [...]}";
        entry.check_keys({"video", "name", "objects"}, kWant);
        if (!entry.has("video") || !entry.has("objects")) entry.refuse(kWant);
        PromptedClip clip;
        clip.path = beside(entry.at("video").text("the path of a video"));
        if (entry.has("name")) {
          clip.name = entry.at("name").text("a folder's name");
          if (fs::path(clip.name).filename() != clip.name || clip.name == "." || clip.name == "..")
            entry.at("name").refuse("a folder's name without any /");
        }
        clip.prompts = objects(entry.at("objects"));
        clips.push_back(std::move(clip));
      });
    return clips;
  }

  PromptArguments objects(const Place& place) {
    PromptArguments arguments;
    std::set<ObjectId> ids;
    for (const Place& entry : place.elements("a list of objects"))
      gather([&] {
        constexpr std::string_view kWant = "{\"id\": NUMBER, \"prompts\": [...]}";
        entry.check_keys({"id", "prompts"}, kWant);
        if (!entry.has("id") || !entry.has("prompts")) entry.refuse(kWant);
        const Json& id = entry.at("id").json;
        if (!id.is_number_integer() || id < 1 || id > kMaxObjectId)
          entry.at("id").refuse("a number from 1 to 255");
        if (!ids.insert(id.get<ObjectId>()).second)
          entry.at("id").refuse("a number that no object before it has");
        for (const Place& prompt : entry.at("prompts").elements("a list of prompts"))
          gather([&] { add_prompt(prompt, id.get<ObjectId>(), arguments); });
      });
    return arguments;
  }

  static FrameReference frame_of(const Place& place) {
    FrameReference frame;
    if (place.has("time")) {
      const Json& time = place.at("time").json;
      if (place.has("frame")) place.refuse("either \"frame\" or \"time\"");
      if (!time.is_number() || !(time.get<double>() >= 0) || !std::isfinite(time.get<double>()))
        place.at("time").refuse("seconds from 0");
      frame.seconds = time.get<double>();
    } else if (place.has("frame")) {
      const Json& number = place.at("frame").json;
      constexpr std::int64_t kMostFrames = std::int64_t{1} << 53;
      if (!number.is_number_integer() || number < 0 || number > kMostFrames)
        place.at("frame").refuse("a number from 0");
      frame.index = number.get<std::int64_t>();
    }
    return frame;
  }

  void add_prompt(const Place& place, ObjectId object, PromptArguments& arguments) {
    constexpr std::string_view kWant =
        "\"frame\" or \"time\", with \"clicks\", \"box\" or \"mask\"";
    place.check_keys({"frame", "time", "clicks", "box", "mask"}, kWant);
    if (!place.has("clicks") && !place.has("box") && !place.has("mask")) place.refuse(kWant);
    const FrameReference frame = frame_of(place);
    const auto text = [&](const Place& at) { return file_ + ": " + at.where; };
    if (place.has("clicks"))
      for (const Place& click : place.at("clicks").elements("a list of clicks")) {
        constexpr std::string_view kClick = "[x, y], or [x, y, 0] beside the object";
        const std::vector<float> values = click.numbers(2, 3, kClick);
        if (values.size() == 3 && values[2] != 0 && values[2] != 1) click.refuse(kClick);
        const bool positive = values.size() < 3 || values[2] == 1;
        arguments.clicks.push_back({text(click), object, frame, {values[0], values[1], positive}});
      }
    if (place.has("box")) {
      const Place box = place.at("box");
      const std::vector<float> edges = box.numbers(4, 4, "[x0, y0, x1, y1]");
      if (edges[0] >= edges[2] || edges[1] >= edges[3]) box.refuse("x0 < x1 and y0 < y1");
      arguments.boxes.push_back(
          {text(box), object, frame, {edges[0], edges[1], edges[2], edges[3]}});
    }
    if (place.has("mask")) {
      const Place mask = place.at("mask");
      arguments.masks.push_back(
          {text(mask), object, frame, beside(mask.text("the path of a picture")), false});
    }
  }

  std::string file_;
  fs::path folder_;
  Complaints complaints_;
};

}  // namespace

PromptsFile read_prompts_file(const std::string& path) {
  std::error_code error;
  const std::uintmax_t bytes = fs::file_size(path, error);
  check(!error, fs::exists(path) ? ErrorCode::kIo : ErrorCode::kNotFound, "{}: {}", path,
        error.message());
  check(bytes <= kMaxBytes, ErrorCode::kInvalidArgument, "{}: {} bytes, want at most {}", path,
        bytes, kMaxBytes);
  std::ifstream file(path, std::ios::binary);
  Json json;
  try {
    json = Json::parse(file);
  } catch (const Json::exception& parse_error) {
    fail(ErrorCode::kInvalidArgument, "{}: no JSON: {}", path, parse_error.what());
  }
  return Reader(path).read(json);
}

}  // namespace vostrack::cli
