// What objects occupy, and objects that travel.
#include "base/check.hpp"
#include "memory/store_archive.hpp"
#include "tracker/object_tracking.hpp"

namespace vostrack::tracker {
namespace {

constexpr const char* kObjectKind = "object";
constexpr int kObjectVersion = 2;

}  // namespace

std::int64_t ObjectTracking::Object::bytes() const {
  return bank.conditioning.bytes() + bank.tracked.bytes() + pending.conditioning.bytes() +
         pending.tracked.bytes();
}

std::int64_t ObjectTracking::Object::scratch_bytes() const {
  return bank.conditioning.scratch_bytes() + bank.tracked.scratch_bytes();
}

std::int64_t ObjectTracking::object_bytes() const {
  std::int64_t bytes = 0;
  for (const auto& object : objects_) bytes += object->bytes();
  return bytes;
}

std::int64_t ObjectTracking::output_bytes() const {
  const nn::ModelConfig& config = model_->config();
  const std::int64_t quarter = config.image_size / 4, side = config.feature_size();
  const std::int64_t memory =
      config.model.num_maskmem > 0 ? side * side * config.memory_encoder.out_dim : 0;
  constexpr std::int64_t kMostAttended = 32;  // about
  return quarter * quarter * 4 + (3 * 5 + 2) * 4 +
         kMostAttended * static_cast<std::int64_t>(sizeof(FrameIndex)) +
         memory * static_cast<std::int64_t>(c10::elementSize(model_->runtime().memory_dtype)) +
         config.neck.d_model * 4 + static_cast<std::int64_t>(sizeof(memory::FrameOutput));
}

MemoryUsage ObjectTracking::memory_usage() const {
  MemoryUsage usage;
  usage.picture_bytes = picture_bytes();
  usage.bytes = usage.picture_bytes;
  for (const auto& object : objects_) {
    usage.objects.push_back({object->id, object->bytes(), object->scratch_bytes()});
    usage.bytes += usage.objects.back().bytes;
    usage.scratch_bytes += usage.objects.back().scratch_bytes;
  }
  usage.max_bytes = config_.max_bytes;
  return usage;
}

void ObjectTracking::export_object(ObjectId id, const std::string& path) {
  torch::InferenceMode guard;
  Object& object = get(id);
  memory::OutputStore memories = object.bank.conditioning;
  const memory::OutputStore& pending = object.pending_conditioning();
  for (FrameIndex frame : pending.frames_in_order_of_storing())
    memories.put(frame, with_memory(pending.get(frame), frame));
  check(!memories.empty(), ErrorCode::kFailedState,
        "object {} has no prompted frame to export; prompt it first", id);
  nn::ArchiveWriter writer;
  writer.document = {
      {"model", model_->fingerprint()}, {"model_name", model_->config().name}, {"object", id}};
  memory::save_store(memories, "memories", writer);
  writer.write(path, kObjectKind, kObjectVersion);
}

ObjectId ObjectTracking::import_object(const std::string& path, std::optional<ObjectId> id) {
  torch::InferenceMode guard;
  const auto archive = nn::read_archive(path, kObjectKind, kObjectVersion);
  memory::check_model(archive, *model_);
  ObjectId exported = 0;
  try {
    archive.document.at("object").get_to(exported);
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kCorruptFile, "{}: the object cannot be read: {}", path, error.what());
  }
  const ObjectId as = id.value_or(exported);
  memory::OutputStore memories;
  memory::read_store(archive, "memories", *model_, config_.storage,
                     [&](FrameIndex frame, OutputPtr output) { memories.put(frame, output); });
  check(!memories.empty(), ErrorCode::kCorruptFile, "{}: holds no memory", path);
  for (FrameIndex frame : memories.frames())
    check(memories.get(frame)->memory.defined() || model_->config().model.num_maskmem == 0,
          ErrorCode::kCorruptFile, "{}: frame {} has no encoded memory", path, frame);
  Object* object = find(as);
  make_room(0, output_bytes() * static_cast<std::int64_t>(memories.size()), object == nullptr);
  if (!object) {
    objects_.push_back(std::make_unique<Object>());
    object = objects_.back().get();
    object->id = as;
  }
  // Before all that are there, and so that the latest stays the nearest.
  auto& bank = object->bank;
  FrameIndex place = -1;
  if (!bank.permanent.empty()) place = std::min(place, *bank.permanent.begin() - 1);
  place -= static_cast<FrameIndex>(memories.size()) - 1;
  for (FrameIndex frame : memories.frames()) {
    bank.conditioning.put(place, memories.get(frame));
    bank.permanent.insert(place++);
  }
  return as;
}

}  // namespace vostrack::tracker
