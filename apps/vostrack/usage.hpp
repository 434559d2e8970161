/// Wrong usage: what can be told from the command line alone, before any file is opened.
#pragma once

#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace vostrack::cli {

/// Ends the program with exit status 2, where any other exception ends it with 1.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Gathers complaints, so that one run tells all of them.
class Complaints {
 public:
  void add(std::string text) { texts_.push_back(std::move(text)); }
  /// Runs `work`, keeping what it throws as a complaint about `what`.
  template <class Work>
  void gather(const std::string& what, Work&& work) {
    try {
      work();
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      add(what + ": " + error.what());
    }
  }
  bool empty() const noexcept { return texts_.empty(); }
  /// All of them as one line.
  std::string line() const {
    std::string line;
    for (const std::string& text : texts_) line += (line.empty() ? "" : "; ") + text;
    return line;
  }

 private:
  std::vector<std::string> texts_;
};

}  // namespace vostrack::cli
