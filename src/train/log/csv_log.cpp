#include "train/log/text_log.hpp"

#include <utility>

#include "base/check.hpp"

namespace vostrack::train {

std::string metrics_line(std::int64_t step, std::span<const Metric> metrics) {
  std::string line = fmt::format("step {}", step);
  for (const auto& [name, value] : metrics) line += fmt::format("  {} {:.4g}", name, value);
  return line;
}

CsvLog::CsvLog(std::string path) : path_(std::move(path)) {
  std::ifstream earlier(path_);
  if (std::getline(earlier, header_))
    check(header_.rfind("step,", 0) == 0 || header_ == "step", ErrorCode::kCorruptFile,
          "{}: begins with \"{}\", want the columns of a metrics file", path_,
          header_.substr(0, 80));
  file_.open(path_, std::ios::app);
  check(file_.is_open(), ErrorCode::kIo, "{}: cannot be written to", path_);
}

void CsvLog::add(std::int64_t step, std::span<const Metric> metrics) {
  std::string header = "step", line = std::to_string(step);
  for (const auto& [name, value] : metrics) {
    check(name.find_first_of(",\"\r\n") == std::string::npos, ErrorCode::kInvalidArgument,
          "{}: a metric called \"{}\", want no comma, quote or line break", path_, name);
    header += "," + name;
    line += fmt::format(",{:.9g}", value);
  }
  check(header_.empty() || header == header_, ErrorCode::kInvalidArgument,
        "{}: columns {}, want {}", path_, header, header_);
  if (header_.empty()) file_ << header << '\n';
  header_ = std::move(header);
  file_ << line << '\n' << std::flush;
  check(file_.good(), ErrorCode::kIo, "{}: writing failed", path_);
}

}  // namespace vostrack::train
