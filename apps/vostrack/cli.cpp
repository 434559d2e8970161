#include "apps/vostrack/cli.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <iostream>
#include <memory>
#include <new>
#include <string>
#include <string_view>

#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/usage.hpp"
#include "vostrack/model.hpp"
#include "vostrack/version.hpp"

namespace vostrack::cli {
namespace {

/// Help that opens with an example, which is kept as the command's footer.
class ExampleFirst : public CLI::Formatter {
 public:
  ExampleFirst() { column_width(36); }
  std::string make_description(const CLI::App* app) const override {
    return "Example:\n" + app->get_footer() + "\n\n" + app->get_description() + "\n\n";
  }
  std::string make_footer(const CLI::App*) const override { return ""; }
};

/// Errors are one line, whatever a library has put into them.
void print_error(std::ostream& err, std::string_view text, std::string_view remedy = {}) {
  std::string line(text);
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
  std::replace(line.begin(), line.end(), '\n', ' ');
  err << "vostrack: " << line << remedy << std::endl;
}

std::string help_hint(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return std::string(" (see vostrack ") + (chosen.empty() ? "" : chosen.front()->get_name() + " ") +
         "--help)";
}

std::string version_text() {
  std::string text = std::string("vostrack ") + VOSTRACK_VERSION + "\n" + library_versions();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

ProgressStyle progress_style(const std::ostream& err) {
  return &err == &std::cerr && isatty(STDERR_FILENO) ? ProgressStyle::kBar : ProgressStyle::kLines;
}

}  // namespace

int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err) {
  CLI::App app("Follows objects through videos and cuts them out of pictures.", "vostrack");
  try {
    Command command;
    app.formatter(std::make_shared<ExampleFirst>());
#ifdef VOSTRACK_WITH_VIDEO
    app.footer("  vostrack track clip.mp4 --point 320,240 --out out/");
#else
    app.footer("  vostrack train --weights nano.safetensors --packs clips.pack --out run1");
#endif
    app.set_version_flag("--version", version_text, "Print the versions of what this runs on");
    app.require_subcommand(1);
#ifdef VOSTRACK_WITH_VIDEO
    add_track(app, command);
    add_segment(app, command);
    add_eval(app, command);
#endif
    add_convert(app, command);
    add_info(app, command);
#ifdef VOSTRACK_WITH_VIDEO
    add_pack(app, command);
    add_probe(app, command);
    add_frames(app, command);
#endif
    add_train(app, command);
    add_bench(app, command);
    app.parse(argc, argv);
    return command({out, err, progress_style(err)});
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      app.exit(error, out, err);  // --help and --version
      return kSuccess;
    }
    print_error(err, error.what(), help_hint(app));
    return kWrongUsage;
  } catch (const UsageError& error) {
    print_error(err, error.what(), help_hint(app));
    return kWrongUsage;
  } catch (const std::bad_alloc&) {
    print_error(err, "out of memory; a smaller --size or a smaller model needs less");
  } catch (const std::exception& error) {
    print_error(err, error.what());
  }
  return kFailure;
}

}  // namespace vostrack::cli
