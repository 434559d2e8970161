#include "memory/scratch.hpp"

#include <fcntl.h>
#include <torch/torch.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/check.hpp"

namespace vostrack::memory {
namespace {

std::int64_t round_up(std::int64_t size) {
  constexpr std::int64_t kAlignment = 64;
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

std::int64_t bytes_of(const FrameOutput& output) {
  std::int64_t bytes =
      static_cast<std::int64_t>(sizeof(FrameOutput) + output.attended.size() * sizeof(FrameIndex));
  for (const OutputField& field : kOutputFields)
    if (const auto& tensor = output.*field.tensor; tensor.defined())
      bytes += static_cast<std::int64_t>(tensor.nbytes());
  return bytes;
}

Scratch::Scratch(const std::string& folder) {
  std::error_code error;
  const auto base =
      folder.empty() ? std::filesystem::temp_directory_path(error) : std::filesystem::path(folder);
  check(!error, ErrorCode::kIo, "there is no folder for temporary files: {}", error.message());
  name_ = (base / "vostrack-scratch-XXXXXX").string();
  fd_ = ::mkostemp(name_.data(), O_CLOEXEC);
  check(fd_ >= 0, ErrorCode::kIo, "{}: no scratch file can be made here: {}", base.string(),
        std::strerror(errno));
  ::unlink(name_.c_str());
}

Scratch::~Scratch() {
  ::close(fd_);
}

std::shared_ptr<const SpilledOutput> Scratch::write(const std::shared_ptr<Scratch>& scratch,
                                                    const FrameOutput& output) {
  SpilledLayout layout;
  std::int64_t size = 0;
  for (std::size_t i = 0; i < kOutputFields.size(); ++i) {
    const auto& tensor = output.*kOutputFields[i].tensor;
    if (!tensor.defined()) continue;
    layout[i] = {size, tensor.sizes().vec(), tensor.scalar_type(), tensor.device(), true};
    size += round_up(static_cast<std::int64_t>(tensor.nbytes()));
  }
  const auto attended = static_cast<std::int64_t>(output.attended.size() * sizeof(FrameIndex));
  size += attended;

  // The constructor is private: make_shared cannot reach it.
  std::shared_ptr<SpilledOutput> spilled(new SpilledOutput);
  spilled->layout_ = scratch->share(layout);
  spilled->attended_count_ = static_cast<std::int64_t>(output.attended.size());
  spilled->time_s_ = output.time_s;
  spilled->offset_ = scratch->allocate(size);
  spilled->size_ = size;
  spilled->scratch_ = scratch;  // from here on, its end gives the place back
  for (std::size_t i = 0; i < kOutputFields.size(); ++i) {
    if (!layout[i].defined) continue;
    const auto stored = (output.*kOutputFields[i].tensor).to(torch::kCPU).contiguous();
    scratch->write_at(spilled->offset_ + layout[i].offset, stored.const_data_ptr(),
                      static_cast<std::int64_t>(stored.nbytes()));
  }
  scratch->write_at(spilled->offset_ + size - attended, output.attended.data(), attended);
  return spilled;
}

std::int64_t Scratch::bytes() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

std::shared_ptr<const SpilledLayout> Scratch::share(const SpilledLayout& layout) {
  const std::lock_guard lock(mutex_);
  if (!layout_ || *layout_ != layout) layout_ = std::make_shared<const SpilledLayout>(layout);
  return layout_;
}

std::int64_t Scratch::allocate(std::int64_t size) {
  const std::lock_guard lock(mutex_);
  used_ += size;
  if (auto it = free_.find(size); it != free_.end()) {
    const auto offset = it->second;
    free_.erase(it);
    return offset;
  }
  const auto offset = end_;
  end_ = round_up(end_ + size);
  return offset;
}

void Scratch::release(std::int64_t offset, std::int64_t size) {
  const std::lock_guard lock(mutex_);
  used_ -= size;
  free_.emplace(size, offset);
}

void Scratch::write_at(std::int64_t offset, const void* data, std::int64_t size) {
  const char* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const auto written = ::pwrite(fd_, bytes, static_cast<std::size_t>(size), offset);
    if (written < 0 && errno == EINTR) continue;
    check(written > 0, ErrorCode::kIo, "{}: the scratch file cannot be written: {}", name_,
          std::strerror(errno));
    bytes += written;
    offset += written;
    size -= written;
  }
}

void Scratch::read_at(std::int64_t offset, void* data, std::int64_t size) const {
  char* bytes = static_cast<char*>(data);
  while (size > 0) {
    const auto got = ::pread(fd_, bytes, static_cast<std::size_t>(size), offset);
    if (got < 0 && errno == EINTR) continue;
    check(got > 0, ErrorCode::kIo, "{}: the scratch file cannot be read: {}", name_,
          got < 0 ? std::strerror(errno) : "it was cut short");
    bytes += got;
    offset += got;
    size -= got;
  }
}

SpilledOutput::~SpilledOutput() {
  if (scratch_) scratch_->release(offset_, size_);
}

torch::Tensor SpilledOutput::read(const SpilledTensor& tensor) const {
  if (!tensor.defined) return {};
  auto values = torch::empty(tensor.shape, tensor.dtype);
  scratch_->read_at(offset_ + tensor.offset, values.mutable_data_ptr(),
                    static_cast<std::int64_t>(values.nbytes()));
  return values.to(tensor.device);
}

torch::Tensor SpilledOutput::read(const OutputField& field) const {
  for (std::size_t i = 0; i < kOutputFields.size(); ++i)
    if (kOutputFields[i].tensor == field.tensor) return read((*layout_)[i]);
  return {};
}

OutputPtr SpilledOutput::read() const {
  auto output = std::make_shared<FrameOutput>();
  for (std::size_t i = 0; i < kOutputFields.size(); ++i)
    (*output).*kOutputFields[i].tensor = read((*layout_)[i]);
  output->attended = attended();
  output->time_s = time_s_;
  return output;
}

std::vector<FrameIndex> SpilledOutput::attended() const {
  std::vector<FrameIndex> frames(static_cast<std::size_t>(attended_count_));
  const auto bytes = attended_count_ * static_cast<std::int64_t>(sizeof(FrameIndex));
  scratch_->read_at(offset_ + size_ - bytes, frames.data(), bytes);
  return frames;
}

bool SpilledOutput::has_memory() const {
  for (std::size_t i = 0; i < kOutputFields.size(); ++i)
    if (kOutputFields[i].tensor == &FrameOutput::memory) return (*layout_)[i].defined;
  return false;
}

}  // namespace vostrack::memory
