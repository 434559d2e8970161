/// Where a tracked frame's time goes.
///
/// Nothing of LibTorch is in here, so that the command can use it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "vostrack/speed.hpp"

namespace vostrack::bench {

/// What is measured.
struct BenchModel {
  std::string path;    ///< a checkpoint; empty: `config` with random weights
  std::string config;  ///< a preset or JSON file; empty: what the checkpoint says
  std::string device = "cpu";
  std::string precision = "float32";  ///< or bfloat16 or int8
  int image_size = 0;                 ///< pixels; 0: the configuration's own
};

/// A model with the banks, features and masks that a frame in the middle of a video has: as many
/// memories and pointers as a frame can look back at. In them the object is a square of a third of
/// the picture's sides that moves by a quarter of a cell a frame.
///
/// Thread safety: one thread at a time.
class FrameBench {
 public:
  /// @param height, width  of the picture before it is resized
  /// @throws Error as nn::Model::load, and kInvalidArgument for a path and a configuration missing
  FrameBench(const BenchModel& model, int height, int width);
  ~FrameBench();

  /// Runs every part `rounds` times, after once to warm up, in the order of a frame.
  ///
  /// @param objects  tracked, at least 1, in the batches that tracking makes of them
  /// @param processor_time  of all threads together, instead of the clock's
  /// @param speed  what it says of memories is left out
  /// @return the parts in their order, each with its median in milliseconds
  std::vector<std::pair<std::string, double>> measure(int objects, int rounds,
                                                      bool processor_time = false,
                                                      const SpeedOptions& speed = {});

  int image_size() const;
  /// What it computes in: float32 instead of bfloat16 on CPUs without instructions for it.
  std::string precision() const;
  /// Milliseconds that loading took.
  double load_ms() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The largest resident size of this process so far in MiB; 0 where the system does not tell.
double peak_resident_mib();
/// Starts a new count for peak_resident_mib, where the system can.
void reset_peak_resident();

/// @return threads that the networks use from now on
int use_threads(int threads);

}  // namespace vostrack::bench
