// What must hold for any sequence of operations, tried on random ones.
#include <random>

#include "support/temporary_folder.hpp"
#include "tracker/tracker_support.hpp"

namespace vostrack::tracker::test {
namespace {

using vostrack::test::TemporaryFolder;

constexpr int kFrames = 9;
constexpr ObjectId kObjects = 3;

struct Operation {
  enum Kind { kClick, kMoreClicks, kBox, kMask, kClear, kRemove, kKeep, kTrack, kWrong } kind;
  ObjectId object = 1;
  FrameIndex frame = 0;
  float x = 0, y = 0;
  Range range;
};

/// Begins with a prompt for each object, so that tracking can follow at any time.
std::vector<Operation> random_operations(std::uint32_t seed, int count,
                                         const std::vector<Operation::Kind>& kinds) {
  std::mt19937 random(seed);
  const auto below = [&](int limit) { return static_cast<int>(random() % unsigned(limit)); };
  std::vector<Operation> operations;
  const auto add = [&](Operation::Kind kind, ObjectId object) {
    Operation operation{kind, object, below(kFrames), float(below(60)), float(below(40)), {}};
    operation.range = {operation.frame, below(kFrames), below(3) == 0};
    operations.push_back(operation);
  };
  for (ObjectId object = 1; object <= kObjects; ++object) add(Operation::kClick, object);
  add(Operation::kTrack, 0);
  while (static_cast<int>(operations.size()) < count)
    add(kinds[static_cast<std::size_t>(below(static_cast<int>(kinds.size())))],
        1 + below(kObjects));
  add(Operation::kTrack, 0);
  return operations;
}

const std::vector<Operation::Kind> kAnything = {
    Operation::kClick,  Operation::kMoreClicks, Operation::kBox,
    Operation::kMask,   Operation::kClear,      Operation::kKeep,
    Operation::kRemove, Operation::kTrack,      Operation::kTrack};
/// Only what cannot leave an object without prompts.
const std::vector<Operation::Kind> kHarmless = {
    Operation::kClick, Operation::kMoreClicks, Operation::kBox,  Operation::kMask,
    Operation::kKeep,  Operation::kTrack,      Operation::kTrack};

/// All answers about an object, in order.
using History = std::map<ObjectId, std::vector<torch::Tensor>>;

void note(History& history, const FrameAnswer& answer) {
  for (const auto& object : answer.objects)
    if (object.output) history[object.id].push_back(object.output->mask_logits);
}

void apply(VideoTracker& tracker, const SquareClip& clip, const Operation& operation,
           History& history) {
  Prompt prompt;
  prompt.clicks = {{operation.x, operation.y}};
  switch (operation.kind) {
    case Operation::kMoreClicks:
      prompt.add_to_earlier_clicks = true;
      [[fallthrough]];
    case Operation::kClick:
      note(history, tracker.add_prompt(operation.object, operation.frame, prompt));
      break;
    case Operation::kBox:
      prompt.box = Box{operation.x, operation.y, operation.x + 9, operation.y + 7};
      note(history, tracker.add_prompt(operation.object, operation.frame, prompt));
      break;
    case Operation::kMask: {
      Prompt mask;
      mask.mask = clip.mask(static_cast<int>(operation.object) % 2, operation.frame);
      note(history, tracker.add_prompt(operation.object, operation.frame, mask));
      break;
    }
    case Operation::kClear:
      note(history, tracker.clear_prompts(operation.object, operation.frame));
      break;
    case Operation::kRemove:
      tracker.remove_object(operation.object);
      break;
    case Operation::kKeep:
      tracker.set_permanent(operation.object, operation.frame, operation.x < 40);
      break;
    case Operation::kTrack:
      tracker.propagate(operation.range, [&](const FrameAnswer& answer) {
        note(history, answer);
        return true;
      });
      break;
    case Operation::kWrong:
      tracker.add_prompt(operation.object, operation.frame + kFrames, prompt);
      break;
  }
}

/// Runs operations [first, last). Those that make no sense here, such as removing an object twice,
/// must leave everything as it was.
void run(VideoTracker& tracker, const SquareClip& clip, const std::vector<Operation>& operations,
         std::size_t first, std::size_t last, History& history) {
  for (std::size_t i = first; i < last; ++i) {
    const auto before = state_of(tracker);
    try {
      apply(tracker, clip, operations[i], history);
    } catch (const Error& error) {
      EXPECT_NE(static_cast<int>(error.code()), static_cast<int>(ErrorCode::kInternal))
          << error.what();
      EXPECT_EQ(state_of(tracker), before) << "operation " << i << ": " << error.what();
    }
  }
}

SquareClip clip_of_nine() {
  SquareClip clip;
  clip.frames = kFrames;
  return clip;
}

struct Trial {
  explicit Trial(const TrackerConfig& config = unbatched()) : scene(config, clip_of_nine()) {}
  History& operator()(const std::vector<Operation>& operations, std::size_t first = 0) {
    run(scene.tracker, scene.clip, operations, first, operations.size(), history);
    return history;
  }
  Scene scene;
  History history;
};

::testing::AssertionResult near(const std::vector<torch::Tensor>& got,
                                const std::vector<torch::Tensor>& want, double relative) {
  if (got.size() != want.size())
    return ::testing::AssertionFailure() << got.size() << " answers, want " << want.size();
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double tolerance = relative * vostrack::test::largest(want[i]);
    if (auto result = vostrack::test::near(got[i], want[i], tolerance); !result)
      return ::testing::AssertionFailure() << "answer " << i << ": " << result.message();
  }
  return ::testing::AssertionSuccess();
}

::testing::AssertionResult equal(const History& got, const History& want, double relative = 0) {
  for (const auto& [id, answers] : want) {
    const auto it = got.find(id);
    if (it == got.end()) return ::testing::AssertionFailure() << "no object " << id;
    if (auto result = near(it->second, answers, relative); !result)
      return ::testing::AssertionFailure() << "object " << id << ", " << result.message();
  }
  return ::testing::AssertionSuccess();
}

class RandomOperations : public ::testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, RandomOperations, ::testing::Values(1, 2, 3, 4));

TEST_P(RandomOperations, LeaveAnObjectAsItIsAlone) {
  const auto all = random_operations(GetParam(), 12, kHarmless);
  auto own = all;
  std::erase_if(own, [](const Operation& operation) {
    return operation.kind != Operation::kTrack && operation.object != 1;
  });
  Trial together, alone;
  // A prompt's answer lists every object, so object 1 answers more often beside others.
  const auto tracked_only = [](const std::vector<Operation>& operations, Trial& run) {
    History history;
    for (const Operation& operation : operations) {
      History answers;
      try {
        apply(run.scene.tracker, run.scene.clip, operation, answers);
      } catch (const Error&) {
      }
      if (operation.kind == Operation::kTrack)
        for (const auto& logits : answers[1]) history[1].push_back(logits);
    }
    return history;
  };
  EXPECT_TRUE(equal(tracked_only(all, together), tracked_only(own, alone)));
}

TEST_P(RandomOperations, GoOnAfterSavingAsIfNothingHadHappened) {
  const auto operations = random_operations(GetParam() + 100, 14, kAnything);
  const std::size_t middle = 5 + GetParam() % 6;
  Trial whole;
  run(whole.scene.tracker, whole.scene.clip, operations, 0, middle, whole.history);
  const TemporaryFolder folder;
  save_to(whole.scene.tracker, folder / "session");
  Trial resumed;
  resumed.scene.tracker.restore(read_session(folder / "session"));
  whole.history.clear();
  whole(operations, middle);
  EXPECT_TRUE(equal(resumed(operations, middle), whole.history));
  ASSERT_FALSE(whole.history.empty());
}

TEST_P(RandomOperations, OfAForkDoNotReachWhereItCameFrom) {
  const auto operations = random_operations(GetParam() + 200, 12, kAnything);
  const std::size_t middle = 6;
  Trial original;
  run(original.scene.tracker, original.scene.clip, operations, 0, middle, original.history);
  Trial fork;
  fork.scene.tracker.copy_from(original.scene.tracker);
  const auto before = state_of(original.scene.tracker);
  EXPECT_EQ(state_of(fork.scene.tracker), before);
  fork(operations, middle);
  EXPECT_EQ(state_of(original.scene.tracker), before);
  original.history.clear();
  EXPECT_TRUE(equal(original(operations, middle), fork.history));
}

TEST_P(RandomOperations, GiveTheSameInBatches) {
  const auto operations = random_operations(GetParam() + 300, 12, kAnything);
  Trial one_by_one, batched{TrackerConfig()};
  one_by_one(operations);
  EXPECT_TRUE(equal(batched(operations), one_by_one.history, 1e-4));
}

TEST_P(RandomOperations, GiveTheSameAfterAReset) {
  Trial fresh, used;
  used(random_operations(GetParam() + 400, 8, kAnything));
  used.scene.tracker.reset();
  used.history.clear();
  const auto operations = random_operations(GetParam() + 500, 10, kAnything);
  fresh(operations);
  EXPECT_TRUE(equal(used(operations), fresh.history));
}

TEST_P(RandomOperations, GiveTheSameWithLittleMemory) {
  const auto operations = random_operations(
      GetParam() + 600, 12, {Operation::kClick, Operation::kTrack, Operation::kTrack});
  Trial roomy;
  roomy(operations);
  auto config = unbatched();
  config.max_bytes = roomy.scene.tracker.memory_usage().bytes * 3 / 4;
  Trial narrow(config);
  const TemporaryFolder folder;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    apply(narrow.scene.tracker, narrow.scene.clip, operations[i], narrow.history);
    if (operations[i].kind == Operation::kTrack) {
      EXPECT_LE(narrow.scene.tracker.memory_usage().bytes, *config.max_bytes);
    }
  }
  EXPECT_GT(narrow.scene.tracker.memory_usage().scratch_bytes, 0);
  EXPECT_TRUE(equal(narrow.history, roomy.history));
}

TEST_P(RandomOperations, ThatAreWrongChangeNothing) {
  auto operations = random_operations(GetParam() + 700, 10, kHarmless);
  Trial clean, disturbed;
  clean(operations);
  const auto wrong = random_operations(GetParam() + 800, 40, {Operation::kWrong});
  for (std::size_t i = operations.size(); i-- > 0;)
    operations.insert(operations.begin() + static_cast<std::ptrdiff_t>(i), wrong[10 + i]);
  EXPECT_TRUE(equal(disturbed(operations), clean.history));
}

}  // namespace
}  // namespace vostrack::tracker::test
