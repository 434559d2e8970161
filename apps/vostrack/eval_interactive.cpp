#include "apps/vostrack/eval_interactive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "apps/vostrack/eval_report.hpp"
#include "base/check.hpp"
#include "eval/clicks.hpp"
#include "eval/interaction.hpp"
#include "eval/measures.hpp"
#include "vostrack/frame_source.hpp"
#include "vostrack/session.hpp"

namespace vostrack::cli {
namespace {

/// One object's frames, scored as they come.
class Followed {
 public:
  Followed(const Model& model, const eval::Sequence& sequence, const eval::MaskSequence& truth,
           const eval::Appearance& first, const InteractiveRule& rule)
      : truth_(truth),
        object_(first.object),
        rule_(rule),
        session_(model, open_video(sequence.pictures)) {
    for (std::int64_t i = 0; i < session_.source().frame_count(); ++i)
      index_of_[session_.source().name(i)] = i;
    for (const std::string& frame : truth.frames())
      check(index_of_.count(frame) != 0, ErrorCode::kNotFound, "{}: there is no such picture in {}",
            truth.path(frame), sequence.pictures);
    first_ = index_of_.at(first.frame);
  }

  std::int64_t first() const { return first_; }
  std::string name(std::int64_t frame) const { return session_.source().name(frame); }

  /// Clicks on a frame until the clicks are used up or nothing is wrong.
  void click(std::int64_t frame, std::optional<Mask> predicted) {
    const eval::FrameMasks masks = truth_.read(name(frame));
    const Mask wanted = masks.mask(object_);
    for (int i = 0; i < rule_.clicks; ++i) {
      std::optional<Click> next;
      if (predicted)
        next = eval::correcting_click(*predicted, wanted, masks.ignored);
      else if (const auto inner = eval::inner_clicks(wanted, 1); !inner.empty())
        next = inner.front();
      if (!next) return;
      Prompt prompt;
      prompt.clicks = {*next};
      prompt.add_to_earlier_clicks = true;
      predicted = session_.add_prompt(object_, frame, prompt).objects.front().mask();
    }
  }

  /// What was found out about a frame.
  struct Seen {
    std::int64_t frame = 0;
    double j = 1;
    Mask mask;
  };

  /// Tracks from a frame to the end, or to the first frame that `stop` wants to stop at.
  ///
  /// @return nothing when `on_frame` did not want to go on
  template <class Stop>
  bool propagate(std::int64_t start, const std::function<bool()>& on_frame, Stop&& stop) {
    bool goes_on = true;
    PropagateOptions range;
    range.start = start;
    session_.propagate(range, [&](const FrameResult& result) {
      goes_on = on_frame();
      if (!goes_on) return false;
      if (!truth_.covers(object_, result.name)) return true;
      const eval::FrameMasks masks = truth_.read(result.name);
      const Mask wanted = masks.mask(object_);
      Seen seen{result.frame, 0, result.objects.front().mask()};
      Mask predicted = seen.mask;
      for (std::size_t i = 0; i < masks.ignored.data.size(); ++i)
        if (masks.ignored.data[i]) predicted.data[i] = 0;
      seen.j = eval::region_similarity(predicted, wanted);
      const int radius =
          eval::boundary_radius(wanted.height, wanted.width, rule_.boundary_tolerance);
      jf_[result.frame] = (seen.j + eval::boundary_similarity(predicted, wanted, radius)) / 2;
      return !stop(seen);
    });
    return goes_on;
  }

  double jf() const {
    double sum = 0;
    for (const auto& [frame, value] : jf_) sum += value;
    return jf_.empty() ? 0 : sum / static_cast<double>(jf_.size());
  }

 private:
  const eval::MaskSequence& truth_;
  int object_;
  const InteractiveRule& rule_;
  VideoSession session_;
  std::map<std::string, std::int64_t> index_of_;
  std::int64_t first_ = 0;
  std::map<std::int64_t, double> jf_;  ///< by frame, as it was last tracked
};

/// One round more each time: clicks on the worst frame that was not clicked on, and tracks again.
bool follow_offline(Followed& followed, const InteractiveRule& rule,
                    const std::function<bool()>& on_frame, InteractiveObject& object) {
  std::set<std::int64_t> clicked;
  std::optional<Followed::Seen> worst;
  for (int round = 0; round < rule.rounds; ++round) {
    if (round > 0 && !worst) break;
    const std::int64_t frame = worst ? worst->frame : followed.first();
    followed.click(frame, worst ? std::optional(worst->mask) : std::nullopt);
    clicked.insert(frame);
    object.clicked_frames.push_back(followed.name(frame));
    worst.reset();
    if (!followed.propagate(followed.first(), on_frame, [&](const Followed::Seen& seen) {
          if (seen.j < 1 && clicked.count(seen.frame) == 0 && (!worst || seen.j < worst->j))
            worst = seen;
          return false;
        }))
      return false;
    object.jf.push_back(followed.jf());
  }
  return true;
}

/// One pass that may stop `rounds` times, the first frame included.
bool follow_online(Followed& followed, const InteractiveRule& rule, int rounds,
                   const std::function<bool()>& on_frame, InteractiveObject& object) {
  object.clicked_frames = {followed.name(followed.first())};
  followed.click(followed.first(), std::nullopt);
  std::int64_t start = followed.first();
  for (int left = rounds - 1;; --left) {
    std::optional<Followed::Seen> stopped;
    if (!followed.propagate(start, on_frame, [&](const Followed::Seen& seen) {
          if (left > 0 && seen.j < rule.pause_below && seen.frame > start) stopped = seen;
          return stopped.has_value();
        }))
      return false;
    if (!stopped) break;
    followed.click(stopped->frame, stopped->mask);
    object.clicked_frames.push_back(followed.name(stopped->frame));
    start = stopped->frame;
  }
  object.jf.push_back(followed.jf());
  return true;
}

std::vector<double> means_of(const std::vector<InteractiveObject>& objects) {
  std::vector<double> means(objects.empty() ? 0 : objects.front().jf.size());
  for (std::size_t round = 0; round < means.size(); ++round) {
    for (const InteractiveObject& object : objects) means[round] += object.jf[round];
    means[round] /= static_cast<double>(objects.size());
  }
  return means;
}

}  // namespace

InteractiveObject interact(const Model& model, const eval::Sequence& sequence,
                           const eval::MaskSequence& truth, const eval::Appearance& first,
                           const InteractiveRule& rule, const std::function<bool()>& on_frame) {
  InteractiveObject object{sequence.name, first.object, {}, {}};
  bool complete = true;
  if (!rule.online) {
    Followed followed(model, sequence, truth, first, rule);
    complete = follow_offline(followed, rule, on_frame, object);
  }
  for (int rounds = 1; rule.online && complete && rounds <= rule.rounds; ++rounds) {
    // A round that was not needed would only repeat the pass before.
    if (rounds > 1 && object.clicked_frames.size() < static_cast<std::size_t>(rounds - 1)) break;
    Followed followed(model, sequence, truth, first, rule);
    complete = follow_online(followed, rule, rounds, on_frame, object);
  }
  if (complete)
    object.jf.resize(static_cast<std::size_t>(rule.rounds), object.jf.back());
  else
    object.jf.clear();
  return object;
}

std::string interactive_table(const std::vector<InteractiveObject>& objects) {
  const std::vector<double> means = means_of(objects);
  std::string text = fmt::format("{:<24}", "J&F after rounds");
  for (std::size_t round = 0; round < means.size(); ++round)
    text += fmt::format(" {:>6}", round + 1);
  const auto line = [&](const std::string& name, const std::vector<double>& values) {
    text += fmt::format("\n{:<24}", name);
    for (const double value : values) text += fmt::format(" {:>6.1f}", 100 * value);
  };
  for (const InteractiveObject& object : objects)
    line(fmt::format("{} #{}", object.sequence, object.object), object.jf);
  line("all", means);
  return text + "\n";
}

Json interactive_json(const std::vector<InteractiveObject>& objects, const InteractiveRule& rule) {
  Json json = {{"protocol", rule.online ? "online" : "offline"},
               {"rounds", rule.rounds},
               {"clicks_a_frame", rule.clicks},
               {"jf", means_of(objects)},
               {"objects", Json::array()}};
  if (rule.online) json["pause_below"] = rule.pause_below;
  for (const InteractiveObject& object : objects)
    json["objects"].push_back({{"sequence", object.sequence},
                               {"object", object.object},
                               {"jf", object.jf},
                               {"clicked_frames", object.clicked_frames}});
  return json;
}

std::string interactive_csv(const std::vector<InteractiveObject>& objects) {
  std::string text = "sequence,object,round,jf\n";
  for (const InteractiveObject& object : objects)
    for (std::size_t round = 0; round < object.jf.size(); ++round)
      text += fmt::format("{},{},{},{:.6f}\n", csv_field(object.sequence), object.object, round + 1,
                          object.jf[round]);
  return text;
}

}  // namespace vostrack::cli
