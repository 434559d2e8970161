#include "memory/store_archive.hpp"

#include <torch/torch.h>

#include <set>

#include "base/check.hpp"

namespace vostrack::memory {
namespace {

using Shape = std::vector<std::int64_t>;

/// A field's shape for one output, without the leading 1.
Shape shape_of(const OutputField& field, const nn::Model& model) {
  const nn::ModelConfig& config = model.config();
  if (field.tensor == &FrameOutput::mask_logits)
    return {1, config.image_size / 4, config.image_size / 4};
  if (field.tensor == &FrameOutput::pointer) return {config.neck.d_model};
  if (field.tensor == &FrameOutput::memory)
    return {config.memory_encoder.out_dim, config.feature_size(), config.feature_size()};
  if (field.tensor == &FrameOutput::proposals) return {3, 5};
  return {1};
}

torch::Tensor numbers(const std::vector<std::int64_t>& values) {
  return torch::tensor(values, torch::kInt64);
}

std::vector<std::int64_t> read_numbers(const nn::Archive& archive, const std::string& name,
                                       std::int64_t count) {
  const auto values = archive.tensor(name, torch::kInt64, {count}).contiguous();
  const auto* data = values.const_data_ptr<std::int64_t>();
  return {data, data + values.numel()};
}

}  // namespace

void save_store(const OutputStore& store, const std::string& name, nn::ArchiveWriter& writer) {
  const auto frames = store.frames_in_order_of_storing();
  if (frames.empty()) return;
  std::vector<std::int64_t> attended, attended_counts;
  std::vector<FrameIndex> encoded;
  std::vector<double> times_s;
  for (FrameIndex frame : frames) {
    const auto looked_back = store.attended(frame);
    attended.insert(attended.end(), looked_back.begin(), looked_back.end());
    attended_counts.push_back(static_cast<std::int64_t>(looked_back.size()));
    times_s.push_back(store.time_s(frame));
    if (store.has_memory(frame)) encoded.push_back(frame);
  }
  writer.add(name + ".frames", numbers(frames));
  writer.add(name + ".times_s", torch::tensor(times_s, torch::kFloat64));
  writer.add(name + ".encoded_frames", numbers(encoded));
  writer.add(name + ".attended", numbers(attended));
  writer.add(name + ".attended_counts", numbers(attended_counts));
  for (const OutputField& field : kOutputFields) {
    const auto& rows = field.tensor == &FrameOutput::memory ? encoded : frames;
    if (rows.empty()) continue;
    const auto first = store.get(rows.front(), field);
    Shape shape = first.sizes().vec();
    shape[0] = static_cast<std::int64_t>(rows.size());
    writer.add({name + "." + field.name, first.scalar_type(), shape, shape[0],
                [&store, &field, rows](std::int64_t row) {
                  return store.get(rows[static_cast<std::size_t>(row)], field)
                      .to(torch::kCPU)
                      .contiguous();
                }});
  }
}

void read_store(const nn::Archive& archive, const std::string& name, const nn::Model& model,
                torch::Device device, const StoredOutput& found) {
  if (archive.tensors.count(name + ".frames") == 0) return;
  const auto frames = read_numbers(archive, name + ".frames", -1);
  const auto count = static_cast<std::int64_t>(frames.size());
  const auto times_s = archive.tensor(name + ".times_s", torch::kFloat64, {count}).contiguous();
  const auto encoded_frames = read_numbers(archive, name + ".encoded_frames", -1);
  const auto attended = read_numbers(archive, name + ".attended", -1);
  const auto attended_counts = read_numbers(archive, name + ".attended_counts", count);
  const auto encoded_count = static_cast<std::int64_t>(encoded_frames.size());

  std::map<const OutputField*, torch::Tensor> fields;
  for (const OutputField& field : kOutputFields) {
    const bool is_memory = field.tensor == &FrameOutput::memory;
    const auto rows = is_memory ? encoded_count : count;
    if (rows == 0) continue;
    Shape shape = shape_of(field, model);
    shape.insert(shape.begin(), rows);
    auto dtype = torch::kFloat32;
    if (is_memory) {
      dtype = model.runtime().memory_dtype;
      if (const auto it = archive.tensors.find(name + "." + field.name);
          it != archive.tensors.end() && c10::isFloatingType(it->second.scalar_type()))
        check(it->second.scalar_type() == dtype, ErrorCode::kModelMismatch,
              "{}: memories are stored as {}, the model stores {}", archive.path,
              c10::toString(it->second.scalar_type()), c10::toString(dtype));
    }
    fields[&field] = archive.tensor(name + "." + field.name, dtype, shape);
  }

  std::set<FrameIndex> seen;
  std::size_t next_attended = 0, next_encoded = 0;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    check(seen.insert(frames[i]).second, ErrorCode::kCorruptFile, "{}: {} has frame {} twice",
          archive.path, name, frames[i]);
    auto output = std::make_shared<FrameOutput>();
    const bool is_encoded =
        next_encoded < encoded_frames.size() && encoded_frames[next_encoded] == frames[i];
    for (const auto& [field, values] : fields) {
      const bool is_memory = field->tensor == &FrameOutput::memory;
      if (is_memory && !is_encoded) continue;
      const auto row = static_cast<std::int64_t>(is_memory ? next_encoded : i);
      (*output).*field->tensor = values.slice(0, row, row + 1).clone().to(device);
    }
    output->time_s = times_s.const_data_ptr<double>()[i];
    if (is_encoded) ++next_encoded;
    const auto looked_back = attended_counts[i];
    check(looked_back >= 0 &&
              static_cast<std::uint64_t>(looked_back) <= attended.size() - next_attended,
          ErrorCode::kCorruptFile, "{}: {} has {} attended frames too many", archive.path, name,
          looked_back);
    const auto begin = attended.begin() + static_cast<std::ptrdiff_t>(next_attended);
    output->attended.assign(begin, begin + looked_back);
    next_attended += static_cast<std::size_t>(looked_back);
    found(frames[i], std::move(output));
  }
  check(next_encoded == encoded_frames.size(), ErrorCode::kCorruptFile,
        "{}: {} has a memory of frame {}, but no output", archive.path, name,
        next_encoded < encoded_frames.size() ? encoded_frames[next_encoded] : 0);
}

void check_model(const nn::Archive& archive, const nn::Model& model) {
  std::string fingerprint, name;
  try {
    archive.document.at("model").get_to(fingerprint);
    archive.document.at("model_name").get_to(name);
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kCorruptFile, "{}: the model cannot be read: {}", archive.path, error.what());
  }
  check(fingerprint == model.fingerprint(), ErrorCode::kModelMismatch,
        "{}: was saved with the model {} ({}), this is {} ({})", archive.path, name, fingerprint,
        model.config().name, model.fingerprint());
}

}  // namespace vostrack::memory
