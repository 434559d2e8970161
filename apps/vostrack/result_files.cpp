#include <filesystem>
#include <fstream>
#include <ostream>
#include <set>
#include <string>

#include "apps/vostrack/json_file.hpp"
#include "apps/vostrack/result_writer.hpp"
#include "base/check.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;

class LabelMasks : public ResultWriter {
 public:
  explicit LabelMasks(std::string folder) : folder_(std::move(folder)) {}
  void write(const ResultFrame& frame) override {
    annotations::write_label_png((fs::path(folder_) / (frame.record().name + ".png")).string(),
                                 frame.labels());
  }
  std::string finish() override { return (fs::path(folder_) / "").string(); }

 private:
  std::string folder_;
};

class ObjectMasks : public ResultWriter {
 public:
  explicit ObjectMasks(std::string folder) : folder_(std::move(folder)) {}
  void write(const ResultFrame& frame) override {
    const FrameRecord& record = frame.record();
    for (const ObjectOnFrame& object : record.objects) {
      const fs::path folder = fs::path(folder_) / std::to_string(object.object);
      if (made_.insert(object.object).second) {
        std::error_code error;
        fs::create_directories(folder, error);
        check(!error, ErrorCode::kIo, "{}: {}", folder.string(), error.message());
      }
      Mask mask = mask_of(record, object);
      for (std::uint8_t& value : mask.data) value = value ? 255 : 0;
      annotations::write_label_png((folder / (record.name + ".png")).string(),
                                   {mask.height, mask.width, std::move(mask.data)});
    }
  }
  std::string finish() override { return (fs::path(folder_) / "ID" / "").string(); }

 private:
  std::string folder_;
  std::set<ObjectId> made_;
};

class Lines : public ResultWriter {
 public:
  Lines(std::string path, std::ostream* out) : path_(std::move(path)), out_(out) {
    if (out_) return;
    file_.open(path_, std::ios::binary | std::ios::trunc);
    check(file_.is_open(), ErrorCode::kIo, "{}: cannot be written", path_);
    out_ = &file_;
  }
  void write(const ResultFrame& frame) override {
    *out_ << json_line(to_json(frame.record())) << std::flush;
    check(out_->good(), ErrorCode::kIo, "{}: cannot be written",
          path_.empty() ? "standard output" : path_);
  }
  std::string finish() override { return path_; }

 private:
  std::string path_;
  std::ofstream file_;
  std::ostream* out_;
};

}  // namespace

std::unique_ptr<ResultWriter> write_label_masks(const std::string& folder) {
  return std::make_unique<LabelMasks>(folder);
}

std::unique_ptr<ResultWriter> write_object_masks(const std::string& folder) {
  return std::make_unique<ObjectMasks>(folder);
}

std::unique_ptr<ResultWriter> write_lines(const std::string& path) {
  return std::make_unique<Lines>(path, nullptr);
}

std::unique_ptr<ResultWriter> write_lines(std::ostream& out) {
  return std::make_unique<Lines>("", &out);
}

}  // namespace vostrack::cli
