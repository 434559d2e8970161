#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/json_file.hpp"
#include "apps/vostrack/speed_arguments.hpp"
#include "bench/frame_bench.hpp"
#include "bench/timing.hpp"
#ifdef VOSTRACK_WITH_VIDEO
#include "video/open.hpp"
#endif

namespace vostrack::cli {
namespace {

struct BenchArguments {
  std::string model, config, preset, device = "cpu", video, json;
  std::vector<std::string> precisions{"float32"};
  std::vector<int> objects{1}, threads{0}, sizes{0};
  int rounds = 5;
  bool processor_time = false;
  SpeedOptions speed;
};

/// One line of the table.
struct Measurement {
  std::string precision;
  int threads, size, objects;
  double load_ms, peak_mib;
  std::vector<std::pair<std::string, double>> parts;  ///< milliseconds

  double frame_ms() const {
    double sum = 0;
    for (const auto& [name, ms] : parts) sum += ms;
    return sum;
  }
};

/// Where no video is given: what most cameras and test sets have.
struct Pictures {
  int height = 480, width = 854;
  std::optional<double> decode_ms;
};

#ifdef VOSTRACK_WITH_VIDEO
/// The pictures that are measured with, and the median time of reading one.
Pictures read_pictures(const std::string& video) {
  video::OpenOptions options;
  options.read_ahead_frames = 0;
  const auto source = video::open_source(video, options);
  std::vector<double> times;
  const auto frames = std::min<std::int64_t>(source->frame_count(), 100);
  for (std::int64_t frame = 0; frame < frames; ++frame) {
    times.push_back(bench::milliseconds([&] { source->read(frame); }, /*cpu_time=*/false));
  }
  return {source->height(), source->width(), bench::median(times)};
}
#endif

Json json_of(const BenchArguments& arguments, const std::string& name,
             const std::vector<Measurement>& rows) {
  Json json = {{"model", name},
               {"device", arguments.device},
               {"rounds", arguments.rounds},
               {"clock", arguments.processor_time ? "processor" : "wall"},
               {"speed", to_json(arguments.speed)},
               {"measurements", Json::array()}};
  for (const Measurement& row : rows) {
    Json parts = Json::object();
    for (const auto& [part, ms] : row.parts) parts[part] = ms;
    json["measurements"].push_back({{"precision", row.precision},
                                    {"threads", row.threads},
                                    {"image_size", row.size},
                                    {"objects", row.objects},
                                    {"parts_ms", parts},
                                    {"frame_ms", row.frame_ms()},
                                    {"frames_per_second", 1e3 / row.frame_ms()},
                                    {"ratio", rows.front().frame_ms() / row.frame_ms()},
                                    {"load_ms", row.load_ms},
                                    {"peak_resident_mib", row.peak_mib}});
  }
  return json;
}

void print_row(std::ostream& out, const Measurement& row, double first_ms) {
  out << fmt::format("{:<9} {:>7} {:>5} {:>7}", row.precision, row.threads, row.size, row.objects);
  for (const auto& [part, ms] : row.parts) out << fmt::format("  {:>{}.1f}", ms, part.size());
  out << fmt::format("  {:>8.1f}  {:>6.2f}  {:>8.0f}\n", row.frame_ms(), first_ms / row.frame_ms(),
                     row.peak_mib)
      << std::flush;
}

void print_head(std::ostream& out, const Measurement& row) {
  out << fmt::format("{:<9} {:>7} {:>5} {:>7}", "precision", "threads", "px", "objects");
  for (const auto& [part, ms] : row.parts) out << "  " << part;
  out << fmt::format("  {:>8}  {:>6}  {:>8}\n", "frame ms", "ratio", "peak MiB");
}

int bench_command(const BenchArguments& arguments, const Console& console) {
  bench::BenchModel what{arguments.model, arguments.config, arguments.device, {}, 0};
  if (!arguments.preset.empty()) what.config = arguments.preset;
  if (what.path.empty() && arguments.preset.empty()) what.path = Model::load_default().path();
  const std::string name = what.path.empty() ? what.config + ", random weights" : what.path;
  Pictures pictures;
#ifdef VOSTRACK_WITH_VIDEO
  if (!arguments.video.empty()) pictures = read_pictures(arguments.video);
#endif
  // With the results in a file the table is for the reader; printed as JSON they stand alone.
  const bool table = arguments.json != "-";
  if (table)
    console.out << fmt::format("{}; picture {}x{}; medians of {} in ms of {} time\n", name,
                               pictures.width, pictures.height, arguments.rounds,
                               arguments.processor_time ? "processor" : "wall");
  std::vector<Measurement> rows;
  for (const int size : arguments.sizes)
    for (const std::string& precision : arguments.precisions) {
      what.precision = precision;
      what.image_size = size;
      bench::reset_peak_resident();
      bench::FrameBench frame(what, pictures.height, pictures.width);
      if (frame.precision() != precision) say_precision(console, precision, frame.precision());
      for (const int threads : arguments.threads)
        for (const int objects : arguments.objects) {
          const int used = bench::use_threads(threads);
          auto parts =
              frame.measure(objects, arguments.rounds, arguments.processor_time, arguments.speed);
          if (pictures.decode_ms) parts.insert(parts.begin(), {"decode", *pictures.decode_ms});
          rows.push_back({frame.precision(), used, frame.image_size(), objects, frame.load_ms(),
                          bench::peak_resident_mib(), std::move(parts)});
          if (!table) continue;
          if (rows.size() == 1) print_head(console.out, rows.front());
          print_row(console.out, rows.back(), rows.front().frame_ms());
        }
    }
  if (!arguments.json.empty()) {
    const Json json = json_of(arguments, name, rows);
    if (table)
      write_json(arguments.json, json);
    else
      console.out << json_text(json);
  }
  return kSuccess;
}

}  // namespace

void add_bench(CLI::App& app, Command& command) {
  auto arguments = std::make_shared<BenchArguments>();
  CLI::App* sub = app.add_subcommand(
      "bench",
      "Measures where a tracked frame's time goes, with as many memories as a frame can look back "
      "at. Lists are measured in all combinations; ratios are to the first line.");
  sub->footer(
      "  vostrack bench --objects 1,4,16 --precision float32,bfloat16\n"
      "  vostrack bench --preset sam2.1_hiera_t --threads 2 --json tiny.json");
  auto* model = sub->add_option(
      "--model", arguments->model,
      "Checkpoint, .pt or .safetensors [default: the small model that ships with it]");
  model->type_name("FILE");
  sub->add_option("--preset", arguments->preset,
                  "A preset's networks with random weights, such as sam2.1_hiera_t, or those of a "
                  "JSON configuration")
      ->type_name("NAME|FILE")
      ->excludes(model);
  sub->add_option("--config", arguments->config,
                  "Preset or JSON file that the checkpoint is read with [default: found in it]")
      ->type_name("NAME|FILE")
      ->excludes("--preset");
  sub->add_option("--objects", arguments->objects, "Objects that are tracked together")
      ->type_name("N,...")
      ->delimiter(',')
      ->check(CLI::Range(1, 255))
      ->capture_default_str();
  sub->add_option("--precision", arguments->precisions,
                  "float32, bfloat16 or int8 (CPUs with AVX-512 VNNI), or several")
      ->type_name("TYPE,...")
      ->delimiter(',')
      ->check(CLI::IsMember({"float32", "bfloat16", "int8"}))
      ->capture_default_str();
  sub->add_option("--threads", arguments->threads,
                  "Threads inside the networks [default: one per core]")
      ->type_name("N,...")
      ->delimiter(',')
      ->check(CLI::Range(1, 4096));
  sub->add_option("--size", arguments->sizes,
                  "Side of the network's input in pixels [default: the model's own]")
      ->type_name("PIXELS,...")
      ->delimiter(',')
      ->check(CLI::Range(32, 8192));
  sub->add_option("--rounds", arguments->rounds, "How often each part is measured")
      ->type_name("N")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
#ifdef VOSTRACK_WITH_VIDEO
  sub->add_option("--video", arguments->video,
                  "Measure decoding of this video too, and take the picture's size from it")
      ->type_name("FILE");
#endif
  sub->add_option("--device", arguments->device, "Where the model runs: cpu, cuda or cuda:N")
      ->type_name("DEVICE")
      ->capture_default_str();
  sub->add_flag("--processor-time", arguments->processor_time,
                "Count processor time of all threads instead of the clock's, for machines that do "
                "other things too");
  add_memory_options(*sub, arguments->speed);
  sub->add_option("--json", arguments->json, "Write the results there; - prints them instead")
      ->type_name("FILE");
  sub->callback([arguments, &command] {
    command = [arguments](const Console& console) { return bench_command(*arguments, console); };
  });
}

}  // namespace vostrack::cli
