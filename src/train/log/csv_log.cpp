#include "train/log/csv_log.hpp"

#include <charconv>
#include <cmath>
#include <utility>

#include "base/atomic_file.hpp"
#include "base/check.hpp"

namespace vostrack::train {

CsvLog::CsvLog(std::string path, std::int64_t first_step) : path_(std::move(path)) {
  keep_before(first_step);
  file_.open(path_, std::ios::app);
  check(file_.is_open(), ErrorCode::kIo, "{}: cannot be written to", path_);
}

void CsvLog::keep_before(std::int64_t first_step) {
  std::ifstream earlier(path_);
  if (!std::getline(earlier, header_)) return;
  check(header_.rfind("step,", 0) == 0 || header_ == "step", ErrorCode::kCorruptFile,
        "{}: begins with \"{}\", want the columns of a metrics file", path_, header_.substr(0, 80));
  std::string kept = header_ + '\n', line;
  while (std::getline(earlier, line)) {
    std::int64_t step = first_step;
    std::from_chars(line.data(), line.data() + line.size(), step);
    if (step < first_step && !earlier.eof()) kept += line + '\n';
  }
  earlier.close();
  write_file_atomically(path_, {reinterpret_cast<const std::uint8_t*>(kept.data()), kept.size()});
}

void CsvLog::add(std::int64_t step, std::span<const Metric> metrics) {
  std::string header = "step", line = std::to_string(step);
  for (const auto& [name, value] : metrics) {
    check(name.find_first_of(",\"\r\n") == std::string::npos, ErrorCode::kInvalidArgument,
          "{}: a metric called \"{}\", want no comma, quote or line break", path_, name);
    header += "," + name;
    line += std::isnan(value) ? "," : fmt::format(",{:.9g}", value);
  }
  check(header_.empty() || header == header_, ErrorCode::kInvalidArgument,
        "{}: columns {}, want {}", path_, header, header_);
  if (header_.empty()) file_ << header << '\n';
  header_ = std::move(header);
  file_ << line << '\n' << std::flush;
  check(file_.good(), ErrorCode::kIo, "{}: writing failed; is the disk full?", path_);
}

}  // namespace vostrack::train
