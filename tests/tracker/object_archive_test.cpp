// Sessions and objects as files.
#include <random>

#include "support/temporary_folder.hpp"
#include "tracker/tracker_support.hpp"

namespace vostrack::tracker::test {
namespace {

using vostrack::test::read_bytes;
using vostrack::test::TemporaryFolder;
using vostrack::test::write_bytes;

TEST(SavedSession, HoldsPromptsThatWereNotTakenInYet) {
  const TemporaryFolder folder;
  Scene scene;
  scene.click(1, 0);
  scene.propagate();
  scene.click(1, 5);
  scene.click(4, 2, {50, 38});
  save_to(scene.tracker, folder / "s");
  Scene resumed;
  resumed.tracker.restore(read_session(folder / "s"));
  auto got = resumed.propagate({0, {}, false}), want = scene.propagate({0, {}, false});
  EXPECT_TRUE(same_answers(got[1], want[1]));
  EXPECT_TRUE(same_answers(got[4], want[4]));
}

TEST(SavedSession, IncludesTheScratchFile) {
  const TemporaryFolder folder;
  auto config = unbatched();
  SquareClip clip;
  clip.frames = 30;
  Scene roomy(config, clip);
  roomy.click(1, 0);
  roomy.propagate();
  config.max_bytes = roomy.tracker.memory_usage().bytes / 2;
  Scene narrow(config, clip);
  narrow.click(1, 0);
  narrow.propagate();
  ASSERT_GT(narrow.tracker.memory_usage().scratch_bytes, 0);
  save_to(roomy.tracker, folder / "roomy");
  save_to(narrow.tracker, folder / "narrow");
  EXPECT_EQ(read_bytes(folder / "roomy"), read_bytes(folder / "narrow"));

  Scene resumed(config, clip);
  resumed.tracker.restore(read_session(folder / "roomy"));
  EXPECT_LE(resumed.tracker.memory_usage().bytes, *config.max_bytes);
  for (FrameIndex frame = 1; frame < 30; ++frame)
    EXPECT_TRUE(same(resumed.object().bank.tracked.get(frame)->mask_logits,
                     roomy.object().bank.tracked.get(frame)->mask_logits));
}

TEST(SavedSession, OfAnotherModelIsRefused) {
  const TemporaryFolder folder;
  Scene scene;
  scene.click(1, 0);
  save_to(scene.tracker, folder / "s");
  const auto config = small_config();
  const auto other = std::make_shared<const nn::Model>(
      config, vostrack::test::small_weights(config, /*seed=*/2), nn::RuntimeOptions(), "other");
  Scene resumed(unbatched(), {}, other);
  expect_error(ErrorCode::kModelMismatch, "was saved with the model",
               [&] { resumed.tracker.restore(read_session(folder / "s")); });
}

TEST(SavedSession, OfAShorterVideoIsRefusedWhereFramesLieOutside) {
  const TemporaryFolder folder;
  Scene scene;
  scene.click(1, 6);
  save_to(scene.tracker, folder / "s");
  SquareClip clip;
  clip.frames = 5;
  Scene resumed(unbatched(), clip);
  expect_error(ErrorCode::kCorruptFile, "frame 6",
               [&] { resumed.tracker.restore(read_session(folder / "s")); });
}

/// Whatever the document says, with a right checksum: an error, never a crash.
TEST(SavedSession, IsReadWithoutBelievingIt) {
  const TemporaryFolder folder;
  Scene scene;
  scene.click(1, 0);
  scene.propagate();
  save_to(scene.tracker, folder / "s");
  const auto good = read_session(folder / "s");
  std::mt19937 random(7);
  int refused = 0;
  for (int round = 0; round < 120; ++round) {
    auto archive = good;
    if (round % 2 == 0) {
      auto it = archive.tensors.begin();
      std::advance(it, random() % archive.tensors.size());
      switch (random() % 4) {
        case 0:
          archive.tensors.erase(it);
          break;
        case 1:
          it->second = it->second.to(torch::kFloat64);
          break;
        case 2:
          it->second = it->second.slice(0, 1);
          break;
        default:
          it->second =
              it->second.scalar_type() == torch::kInt64 ? it->second - 1000 : it->second.flatten();
      }
    } else {
      auto text = archive.document.dump();
      text[random() % text.size()] = static_cast<char>('0' + random() % 10);
      archive.document = nlohmann::json::parse(text, nullptr, false);
      if (!archive.document.is_object()) continue;
    }
    Scene resumed;
    try {
      resumed.tracker.restore(archive);
      resumed.propagate();
    } catch (const Error& error) {
      EXPECT_NE(static_cast<int>(error.code()), static_cast<int>(ErrorCode::kInternal))
          << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 50);
}

TEST(SavedStream, GoesOnToTheBit) {
  const TemporaryFolder folder;
  SquareClip clip;
  clip.frames = 30;
  ClipSource source(clip, nullptr);
  auto config = unbatched();
  config.cached_frames = 3;
  StreamTracker whole(small_model(), {config, 2});
  Prompt prompt;
  prompt.clicks = {{20, 12}};
  for (FrameIndex frame = 0; frame < 20; ++frame) {
    track(whole, source, frame);
    if (frame % 6 == 0) whole.add_prompt(1, frame, prompt);
  }
  whole.add_prompt(2, 17, prompt);  // on a held frame, not caught up yet
  whole.save(folder / "s", {});
  StreamTracker resumed(small_model(), {config, 2});
  resumed.restore(
      nn::read_archive(folder / "s", StreamTracker::kArchiveKind, StreamTracker::kArchiveVersion));
  EXPECT_EQ(resumed.latest_frame(), 19);
  EXPECT_EQ(resumed.oldest_held_frame(), 17);
  for (FrameIndex frame = 20; frame < 30; ++frame) {
    if (frame == 22) {
      prompt.clicks = {{50, 38}};
      whole.add_prompt(1, 19, prompt);
      resumed.add_prompt(1, 19, prompt);
    }
    const auto want = track(whole, source, frame), got = track(resumed, source, frame);
    ASSERT_EQ(got.objects.size(), want.objects.size());
    for (std::size_t i = 0; i < want.objects.size(); ++i)
      EXPECT_TRUE(same(got.objects[i].output->mask_logits, want.objects[i].output->mask_logits))
          << "frame " << frame;
  }
}

TEST(ExportedObject, IsFollowedElsewhereWithoutAPrompt) {
  const TemporaryFolder folder;
  Scene first;
  first.click(3, 0);
  first.click(3, 2);
  first.tracker.export_object(3, folder / "o");  // pending prompts count too
  const auto before = read_bytes(folder / "o");
  first.propagate();
  first.tracker.export_object(3, folder / "o");
  EXPECT_EQ(read_bytes(folder / "o"), before);

  Scene second;
  EXPECT_EQ(second.tracker.import_object(folder / "o", std::nullopt), 3);
  EXPECT_EQ(second.object().bank.conditioning.frames(), (Frames{-2, -1}));
  const auto answers = second.propagate()[3];
  EXPECT_EQ(answers.size(), 8U);
  // It makes a difference what was imported.
  Scene other;
  other.click(3, 0, {50, 38});
  other.tracker.export_object(3, folder / "p");
  Scene third;
  EXPECT_EQ(third.tracker.import_object(folder / "p", 3), 3);
  EXPECT_FALSE(same_answers(third.propagate()[3], answers));
}

TEST(ExportedObject, HelpsOneThatIsThere) {
  const TemporaryFolder folder;
  Scene first;
  first.click(1, 0);
  first.tracker.export_object(1, folder / "o");
  Scene plain, helped;
  plain.click(1, 4);
  helped.click(1, 4);
  EXPECT_EQ(helped.tracker.import_object(folder / "o", 1), 1);
  EXPECT_EQ(helped.tracker.import_object(folder / "o", 1), 1);
  ASSERT_EQ(helped.tracker.objects().size(), 1U);
  EXPECT_EQ(helped.object().bank.permanent, (std::set<FrameIndex>{-2, -1}));
  EXPECT_FALSE(same_answers(helped.propagate({4, 3, false})[1], plain.propagate({4, 3, false})[1]));
  // From the first frame on, since the object is known there already.
  EXPECT_EQ(helped.propagate()[1].size(), 8U);
}

TEST(ExportedObject, StartsAStream) {
  const TemporaryFolder folder;
  Scene scene;
  scene.click(1, 0);
  scene.tracker.export_object(1, folder / "o");
  SquareClip clip;
  clip.frames = 16;  // as many as pointers are looked back to
  ClipSource source(clip, nullptr);
  StreamTracker stream(small_model(), {unbatched(), 1});
  stream.import_object(folder / "o", 8);
  Scene video(unbatched(), clip);
  video.tracker.import_object(folder / "o", 8);
  const auto want = video.propagate()[8];
  const auto answer = track(stream, source, 0);
  EXPECT_TRUE(same(answer.objects[0].output->mask_logits, want.at(0)));
}

TEST(ExportedObject, MustHaveBeenPrompted) {
  const TemporaryFolder folder;
  Scene scene;
  scene.click(1, 0);
  scene.tracker.clear_prompts(1, 0);
  expect_error(ErrorCode::kFailedState, "prompt it first",
               [&] { scene.tracker.export_object(1, folder / "o"); });
  expect_error(ErrorCode::kNotFound, "object 5",
               [&] { scene.tracker.export_object(5, folder / "o"); });
  EXPECT_TRUE(folder.names().empty());
  save_to(scene.tracker, folder / "s");
  expect_error(ErrorCode::kCorruptFile, "want: object",
               [&] { scene.tracker.import_object(folder / "s", {}); });
}

}  // namespace
}  // namespace vostrack::tracker::test
