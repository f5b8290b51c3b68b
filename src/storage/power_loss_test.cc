// SPDX-License-Identifier: MIT
// The commit path against a disk that loses power, fails or fills up at every single change it is asked for.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "storage/store_world_test.h"

namespace tmdbc {
namespace {

using testing::MakeDocument;
using testing::Season;
using testing::Show;
using testing::StoreWorld;

// Small frames and segments, so that a short story has many of them.
const RecordWriterOptions kSmallSegments{.commit_interval = std::chrono::seconds(1),
                                 .commit_bytes = 1 << 20,
                                 .frame_bytes = 400,
                                 .segment_bytes = 900,
                                 .segment_age = std::chrono::minutes(40),
                                 .zstd_level = 1};

// One thing that happens to a store, at a time of its own, so that it can happen again after a crash.
struct Step {
  enum Kind { kPut, kGone, kSeasons, kCommit, kSeal } kind = kPut;
  Time at{};
  Document document;
  MediaId id{};
  std::vector<std::int64_t> listed;
};

std::vector<Step> MakeStory(std::uint64_t seed, Time start) {
  std::mt19937_64 random(seed);
  std::vector<Step> story;
  Time now = start;
  for (int i = 0; i < 45; ++i) {
    now += std::chrono::milliseconds(1 + random() % 600'000);
    Step step;
    step.at = now;
    switch (random() % 10) {
      case 0:
        step.kind = Step::kGone;
        step.id = {random() % 3 == 0 ? MediaType::kTv : MediaType::kMovie, std::int64_t(1 + random() % 8)};
        break;
      case 1: {
        step.kind = Step::kSeasons;
        step.id = {MediaType::kTv, std::int64_t(1 + random() % 3)};
        for (std::int64_t number = 0; number < 3; ++number) {
          if (random() % 2 == 0) step.listed.push_back(number);
        }
        break;
      }
      case 2:
        step.document = Show(std::int64_t(1 + random() % 3), fmt::format("name {}", random() % 3), now);
        break;
      case 3: {
        const std::int64_t tv = std::int64_t(1 + random() % 3), number = std::int64_t(random() % 3);
        step.document = Season(100 * tv + number, tv, number, int(1 + random() % 4), now);
        break;
      }
      case 4:
      case 5:
      case 6:
        step.kind = Step::kCommit;
        break;
      case 7:
        if (random() % 3 == 0) {
          story.push_back({.kind = Step::kCommit, .at = now, .document = {}, .listed = {}});
          step.kind = Step::kSeal;
          break;
        }
        [[fallthrough]];
      default: {
        // Half of the films are long enough for their new votes to be a patch.
        const std::int64_t id = std::int64_t(1 + random() % 8);
        const std::size_t title = random() % 3;
        std::string noise;
        std::mt19937_64 letters(std::uint64_t(id) * 10 + title);
        for (const std::size_t n = id % 2 == 0 ? 0 : 100 + letters() % 300; noise.size() < n;)
          noise += fmt::format("{:x}", letters());
        step.document =
            MakeDocument({MediaType::kMovie, id},
                         fmt::format(R"({{"id":{},"title":"{}","vote_count":{},"overview":"{}"}})", id, title,
                                     random() % 3, noise),
                         now);
      }
    }
    if (step.kind == Step::kPut) step.id = step.document.id;
    story.push_back(std::move(step));
  }
  story.push_back({.kind = Step::kCommit, .at = now, .document = {}, .listed = {}});
  story.push_back({.kind = Step::kSeal, .at = now, .document = {}, .listed = {}});
  return story;
}

// All that a reader can see: views, versions, history.
using Bodies = std::map<MediaId, std::string>;

// One run of a story. The steps whose commit went through are noted in the catalog, in the commit's own
// transaction.
struct Play {
  explicit Play(const std::vector<Step>& the_story) : story(the_story) {
    EXPECT_TRUE(world.catalog.Execute("CREATE TABLE acks(step INTEGER)"));
  }

  Bodies TakePicture() {
    Bodies picture;
    const auto look_at = [&](MediaId id) { picture[id] = world.View(id) + " " + world.Steps(id); };
    for (std::int64_t id = 1; id <= 8; ++id) look_at({MediaType::kMovie, id});
    for (std::int64_t tv = 1; tv <= 3; ++tv) {
      look_at({MediaType::kTv, tv});
      for (std::int64_t number = 0; number < 3; ++number) look_at({MediaType::kSeason, 100 * tv + number});
    }
    return picture;
  }

  // The step behind the last commit that was acknowledged.
  std::size_t Acknowledged() {
    auto query = world.catalog.Prepare("SELECT coalesce(max(step)+1,0) FROM acks").value();
    EXPECT_TRUE(query.Step().value());
    return std::size_t(query.Int(0));
  }

  Result<void> Commit(std::size_t index) {
    return world.store->writer->Commit([&]() -> Result<void> {
      TRY(world.catalog.Execute(fmt::format("INSERT INTO acks VALUES({})", index)));
      if (index != cut_in_transaction) return {};
      world.files.CutPower();
      return Fail(ErrorCode::kIo, "the power is off");
    });
  }

  Result<void> Do(std::size_t index) {
    const Step& step = story[index];
    if (step.at > world.clock.Now()) world.clock.Advance(step.at - world.clock.Now());
    switch (step.kind) {
      case Step::kPut: {
        TRY(world.store->writer->Put(step.document));
        return {};
      }
      case Step::kGone: {
        TRY(world.store->writer->PutGone(step.id, step.at));
        return {};
      }
      case Step::kSeasons:
        return world.store->PutSeasonList(step.id.id, step.listed, step.at);
      case Step::kCommit:
        return Commit(index);
      case Step::kSeal:
        return world.store->writer->Seal();
    }
    return {};
  }

  // Until the end, or until the power is off. What fails is tried once more, as the collector does.
  void Run(std::size_t from) {
    for (std::size_t i = from; i < story.size(); ++i) {
      auto done = Do(i);
      if (world.files.power_is_off()) return;
      if (!done) done = Do(i);
      EXPECT_TRUE(done) << done.error().message;
    }
  }

  void ExpectWhole(const Bodies& expected, const std::string& when) {
    EXPECT_EQ(TakePicture(), expected) << when;
    EXPECT_EQ(world.Damage(), "") << when;
  }

  // Power on again; it goes off a few more times while the store recovers, at each change in turn.
  void RestartAndRecover(std::uint64_t seed) {
    world.store.reset();
    world.files.Restart(seed);
    for (int nth = 1; nth < 30; ++nth) {
      world.files.CutPowerAt(nth);
      {
        const auto opened =
            testing::StorePieces::Open(world.files, world.catalog, world.clock, world.options);
        if (!world.files.power_is_off()) break;
        EXPECT_FALSE(opened);
      }
      world.files.Restart(seed + std::uint64_t(nth));
    }
    world.files.CutPowerAt(1'000'000);
    world.Reopen();
  }

  StoreWorld world{kSmallSegments};
  const std::vector<Step>& story;
  std::size_t cut_in_transaction = SIZE_MAX;
};

class PowerLoss : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  PowerLoss() : story(MakeStory(GetParam(), testing::FakeClock().Now())) {
    Play play(story);
    pictures[0] = play.TakePicture();
    for (std::size_t i = 0; i < story.size(); ++i) {
      const auto done = play.Do(i);
      EXPECT_TRUE(done) << done.error().message;
      if (story[i].kind == Step::kCommit) pictures[i + 1] = play.TakePicture();
    }
    changes = play.world.files.changes();
    play.ExpectWhole(last(), "undisturbed");
  }

  const Bodies& last() const { return pictures.rbegin()->second; }

  void RecoverAndResume(Play& play, std::uint64_t seed, const std::string& when) {
    play.RestartAndRecover(seed);
    ASSERT_NE(play.world.store, nullptr) << when;
    const std::size_t next = play.Acknowledged();
    ASSERT_TRUE(pictures.contains(next)) << when;
    play.ExpectWhole(pictures.at(next), when);
    play.cut_in_transaction = SIZE_MAX;
    play.Run(next);
    play.ExpectWhole(last(), when + ", resumed");
  }

  const std::vector<Step> story;
  std::map<std::size_t, Bodies> pictures;  // after each commit of an undisturbed run, by the step behind it
  std::int64_t changes = 0;                 // of the disk, in that run
};

TEST_P(PowerLoss, LosesNothingAcknowledgedAtAnyChange) {
  for (std::int64_t nth = 1; nth <= changes && !HasFailure(); ++nth) {
    Play play(story);
    play.world.files.CutPowerAt(nth);
    play.Run(0);
    ASSERT_TRUE(play.world.files.power_is_off());
    RecoverAndResume(play, GetParam() * 1000 + std::uint64_t(nth), fmt::format("cut at change {}", nth));
  }
}

TEST_P(PowerLoss, ForgetsABatchThatWasWrittenButNeverCommitted) {
  for (std::size_t i = 0; i < story.size() && !HasFailure(); ++i) {
    if (story[i].kind != Step::kCommit) continue;
    Play play(story);
    play.cut_in_transaction = i;
    play.Run(0);
    ASSERT_TRUE(play.world.files.power_is_off());
    ASSERT_LE(play.Acknowledged(), i);
    RecoverAndResume(play, GetParam() * 1000 + i, fmt::format("cut in the transaction of step {}", i));
  }
}

TEST_P(PowerLoss, GoesOnAfterAnyChangeThatFailed) {
  for (const ErrorCode code : {ErrorCode::kNoSpace, ErrorCode::kIo}) {
    for (std::int64_t nth = 1; nth <= changes && !HasFailure(); ++nth) {
      Play play(story);
      play.world.files.FailAt(nth, code);
      play.Run(0);
      play.ExpectWhole(last(), fmt::format("change {} failed", nth));
    }
  }
}

TEST_P(PowerLoss, GoesOnAfterAKillBetweenAnyTwoSteps) {
  for (std::size_t kill = 0; kill < story.size() && !HasFailure(); ++kill) {
    Play play(story);
    for (std::size_t i = 0; i < kill; ++i) EXPECT_TRUE(play.Do(i));
    play.world.Reopen();
    const std::size_t next = play.Acknowledged();
    play.ExpectWhole(pictures.at(next), fmt::format("killed before step {}", kill));
    play.Run(next);
    play.ExpectWhole(last(), fmt::format("killed before step {}, resumed", kill));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PowerLoss, ::testing::Range(std::uint64_t{1}, std::uint64_t{4}));

}  // namespace
}  // namespace tmdbc
