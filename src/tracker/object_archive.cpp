// Objects to files and back.
#include <torch/torch.h>

#include <set>

#include "base/check.hpp"
#include "memory/store_archive.hpp"
#include "tracker/object_tracking.hpp"

namespace vostrack::tracker {
namespace {

using nlohmann::json;

struct NamedStore {
  const char* name;
  memory::MemoryBank ObjectTracking::Object::*bank;
  memory::OutputStore memory::MemoryBank::*store;
};

constexpr NamedStore kStores[] = {
    {"conditioning", &ObjectTracking::Object::bank, &memory::MemoryBank::conditioning},
    {"tracked", &ObjectTracking::Object::bank, &memory::MemoryBank::tracked},
    {"pending_conditioning", &ObjectTracking::Object::pending, &memory::MemoryBank::conditioning},
    {"pending_tracked", &ObjectTracking::Object::pending, &memory::MemoryBank::tracked},
};

std::string prefix(std::size_t index) {
  return fmt::format("objects.{}.", index);
}

json to_json(FrameIndex frame, const ObjectTracking::Given& given) {
  json clicks = json::array();
  for (const Click& click : given.clicks) clicks.push_back({click.x, click.y, click.positive});
  json box;
  if (given.box) box = {given.box->x0, given.box->y0, given.box->x1, given.box->y1};
  return {{"frame", frame}, {"clicks", clicks}, {"box", box}, {"mask", given.mask}};
}

ObjectTracking::Given given_from_json(const json& prompt) {
  ObjectTracking::Given given;
  for (const json& click : prompt.at("clicks"))
    given.clicks.push_back(
        {click.at(0).get<float>(), click.at(1).get<float>(), click.at(2).get<bool>()});
  if (const json& box = prompt.at("box"); !box.is_null())
    given.box = Box{box.at(0).get<float>(), box.at(1).get<float>(), box.at(2).get<float>(),
                    box.at(3).get<float>()};
  prompt.at("mask").get_to(given.mask);
  return given;
}

void save_passed(const ObjectTracking::Object& object, const std::string& name,
                 nn::ArchiveWriter& writer) {
  std::vector<std::int64_t> frames;
  std::vector<std::uint8_t> reverse;
  std::vector<std::int64_t> hidden;
  for (const auto& [frame, passed] : object.passed) {
    frames.push_back(frame);
    reverse.push_back(passed.reverse ? 1 : 0);
    hidden.push_back(passed.hidden_frames);
  }
  writer.add(name + "passed_frames", torch::tensor(frames, torch::kInt64));
  writer.add(name + "passed_in_reverse", torch::tensor(reverse, torch::kUInt8));
  writer.add(name + "passed_hidden", torch::tensor(hidden, torch::kInt64));
}

void read_passed(const nn::Archive& archive, const std::string& name,
                 ObjectTracking::Object& object) {
  const auto frames = archive.tensor(name + "passed_frames", torch::kInt64, {-1});
  const auto reverse = archive.tensor(name + "passed_in_reverse", torch::kUInt8, {frames.size(0)});
  const auto hidden = archive.tensor(name + "passed_hidden", torch::kInt64, {frames.size(0)});
  for (std::int64_t i = 0; i < frames.size(0); ++i)
    object.passed[frames.const_data_ptr<std::int64_t>()[i]] = {
        reverse.const_data_ptr<std::uint8_t>()[i] != 0, hidden.const_data_ptr<std::int64_t>()[i]};
}

/// Saved only where there are any.
void save_held(const ObjectTracking::Object& object, const std::string& name,
               nn::ArchiveWriter& writer) {
  std::vector<std::int64_t> forgotten, frames;
  std::vector<double> motions;
  for (const auto& [frame, count] : object.bank.forgotten)
    forgotten.insert(forgotten.end(), {frame, count});
  for (const auto& [frame, held] : object.bank.held) {
    frames.insert(frames.end(), {frame, held.source});
    motions.insert(motions.end(), {held.motion.scale, held.motion.x, held.motion.y});
  }
  const auto add = [&](const char* what, const torch::Tensor& numbers, std::int64_t columns) {
    if (numbers.numel() > 0) writer.add(name + what, numbers.view({-1, columns}));
  };
  add("held_frames", torch::tensor(frames, torch::kInt64), 2);
  add("held_motions", torch::tensor(motions, torch::kFloat64), 3);
  add("held_forgotten", torch::tensor(forgotten, torch::kInt64), 2);
}

void read_held(const nn::Archive& archive, const std::string& name,
               ObjectTracking::Object& object) {
  if (archive.tensors.contains(name + "held_forgotten")) {
    const auto forgotten = archive.tensor(name + "held_forgotten", torch::kInt64, {-1, 2});
    for (std::int64_t i = 0; i < forgotten.size(0); ++i)
      object.bank.forgotten[forgotten[i][0].item<FrameIndex>()] =
          forgotten[i][1].item<std::int64_t>();
  }
  if (!archive.tensors.contains(name + "held_frames")) return;
  const auto frames = archive.tensor(name + "held_frames", torch::kInt64, {-1, 2});
  const auto motions = archive.tensor(name + "held_motions", torch::kFloat64, {frames.size(0), 3});
  check(torch::isfinite(motions).all().item<bool>(), ErrorCode::kCorruptFile,
        "{}: object {} has a motion that is not a number", archive.path, object.id);
  for (std::int64_t i = 0; i < frames.size(0); ++i) {
    const std::int64_t* frame = frames.const_data_ptr<std::int64_t>() + 2 * i;
    const double* motion = motions.const_data_ptr<double>() + 3 * i;
    object.bank.held[frame[0]] = {frame[1], {motion[0], motion[1], motion[2]}};
  }
}

/// @param end  the frame after the last one that there can be
/// @param encoded  whether what was taken in must have an encoded memory
void check_frames(const std::string& path, const ObjectTracking::Object& object, FrameIndex end,
                  bool encoded) {
  const auto check_frame = [&](FrameIndex frame, bool may_be_imported) {
    const bool imported = frame < 0 && may_be_imported && object.bank.permanent.contains(frame);
    check((frame >= 0 && frame < end) || imported, ErrorCode::kCorruptFile,
          "{}: object {} has something on frame {}, want 0 to {}", path, object.id, frame, end - 1);
  };
  for (const NamedStore& stored : kStores) {
    const auto& store = (object.*stored.bank).*stored.store;
    for (FrameIndex frame : store.frames()) {
      check_frame(frame, stored.store == &memory::MemoryBank::conditioning);
      check(!encoded || stored.bank == &ObjectTracking::Object::pending || store.has_memory(frame),
            ErrorCode::kCorruptFile, "{}: object {} has no memory of frame {}", path, object.id,
            frame);
    }
  }
  for (const auto& [frame, given] : object.prompts) check_frame(frame, false);
  for (const auto& [frame, passed] : object.passed) check_frame(frame, false);
  for (const auto& [frame, held] : object.bank.held) check_frame(frame, false);
  for (FrameIndex frame : object.bank.permanent)
    check(object.bank.conditioning.contains(frame), ErrorCode::kCorruptFile,
          "{}: object {} has no memory of the permanent frame {}", path, object.id, frame);
}

}  // namespace

void ObjectTracking::save_objects(nn::ArchiveWriter& writer) const {
  writer.document["model"] = model_->fingerprint();
  writer.document["model_name"] = model_->config().name;
  writer.document["policy"] = policy_->name();
  json& objects = writer.document["objects"] = json::array();
  for (std::size_t i = 0; i < objects_.size(); ++i) {
    const Object& object = *objects_[i];
    json prompts = json::array();
    for (const auto& [frame, given] : object.prompts) prompts.push_back(to_json(frame, given));
    objects.push_back({{"id", object.id},
                       {"prompts", prompts},
                       {"permanent", object.bank.permanent}});
    for (const NamedStore& stored : kStores)
      memory::save_store((object.*stored.bank).*stored.store, prefix(i) + stored.name, writer);
    save_passed(object, prefix(i), writer);
    save_held(object, prefix(i), writer);
  }
}

void ObjectTracking::read_objects(const nn::Archive& archive, FrameIndex end) {
  VOSTRACK_ASSERT(objects_.empty());
  std::set<ObjectId> ids;
  try {
    const auto policy = archive.document.at("policy").get<std::string>();
    check(policy == policy_->name(), ErrorCode::kInvalidArgument,
          "{}: memories were selected by the policy {}, these would be by {}", archive.path, policy,
          policy_->name());
    for (const json& saved : archive.document.at("objects")) {
      const std::string name = prefix(objects_.size());
      Object& object = *objects_.emplace_back(std::make_unique<Object>());
      saved.at("id").get_to(object.id);
      check(ids.insert(object.id).second, ErrorCode::kCorruptFile, "{}: holds object {} twice",
            archive.path, object.id);
      for (const json& prompt : saved.at("prompts"))
        object.prompts[prompt.at("frame").get<FrameIndex>()] = given_from_json(prompt);
      saved.at("permanent").get_to(object.bank.permanent);
      for (const NamedStore& stored : kStores) {
        auto& store = (object.*stored.bank).*stored.store;
        memory::read_store(archive, name + stored.name, *model_, config_.storage,
                           [&](FrameIndex frame, OutputPtr output) {
                             store.put(frame, std::move(output));
                             keep_within_bounds(frame);
                           });
      }
      read_passed(archive, name, object);
      read_held(archive, name, object);
      check_frames(archive.path, object, end, model_->config().model.num_maskmem > 0);
    }
  } catch (const json::exception& error) {
    fail(ErrorCode::kCorruptFile, "{}: the objects cannot be read: {}", archive.path, error.what());
  }
}

void ObjectTracking::copy_objects(const ObjectTracking& other) {
  objects_.clear();
  for (const auto& object : other.objects_) objects_.push_back(std::make_unique<Object>(*object));
}

}  // namespace vostrack::tracker
