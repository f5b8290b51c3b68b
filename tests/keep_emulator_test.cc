// SPDX-License-Identifier: MIT
// The program as the owner of a mirror in a bucket of Ceph's, which checks every signature, hash and condition: `run`
// on tmdb-sim, seen by others while it works, killed with SIGKILL at random instants, and refused a second time.
// TMDBC_KILLS says how often it is killed, TMDBC_SEED from which seed.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <string>

#include "emulators.h"
#include "mirror.h"
#include "testing/seeds.h"

namespace tmdbc::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::vector<std::string> kWorld = {"--movies=1500", "--shows=150", "--people=900", "--gone=10", "--rate=0"};

struct KeepOverCeph : ::testing::Test {
  Environment On(const World& world, const std::string& machine) const {
    Environment environment = client.set;
    for (const auto& [name, value] : world.Settings("1000")) environment[name] = value;
    environment["S3_BUCKET_NAME"] = bucket;
    environment["DATA_DIR"] = (folder.path() / machine).string();
    return environment;
  }
  Finished Run(const World& world, const std::string& machine, std::vector<std::string> words) const {
    words.insert(words.begin(), CollectorPath());
    return RunToEnd(words, On(world, machine), folder.path());
  }
  // What the bucket's catalog names is the mirror. All its objects may be more: what a compaction has replaced stays
  // for a day.
  void ExpectTruth(const World& world) {
    const auto copy = folder.path() / "copy";
    std::filesystem::remove_all(copy);
    const Finished pulled = Run(world, "copy", {"pull"});
    ASSERT_EQ(pulled.code, 0) << pulled.err;
    ExpectMirrors(copy, ReadTruth(world.truth_file, kTypes));
    const Finished verified = Run(world, "anywhere", {"verify", "--deep"});
    EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  }

  EmulatorClient client{"ceph"};
  const std::string bucket = client.MakeBucket();
  aws::S3ObjectStore objects{
      client.client,
      {.bucket = bucket, .url = aws::BucketUrl(client.environment(), "", "us-east-1", bucket).value()}};
  TempDir folder;
};

TEST_F(KeepOverCeph, AMirrorIsMadeInTheBucketAtNoRequestMoreThanAtHome) {
  const World home(kWorld), away(kWorld);
  ASSERT_EQ(home.Run({"run", "--once"}).code, 0);
  const Finished ran = Run(away, "laptop", {"run", "--once", "--json"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("\"data_dir\":\"s3://" + bucket), std::string::npos) << ran.out;
  EXPECT_EQ(Counter(away.sim, "/api_requests"), Counter(home.sim, "/api_requests"));
  ExpectTruth(away);
  const Finished status = Run(away, "anywhere", {"status"});
  EXPECT_NE(status.out.find("free"), std::string::npos) << status.out;
  EXPECT_NE(status.out.find("0 ids waiting, 0 out"), std::string::npos) << status.out;

  // From another machine it goes on where the first one stopped.
  const std::int64_t before = Counter(away.sim, "/api_requests");
  const Finished again = Run(away, "server", {"run", "--once"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_LE(Counter(away.sim, "/api_requests") - before, 60) << "the feeds of two days, and what they list";
  EXPECT_EQ(Run(away, "laptop", {"run", "--once"}).code, 0);
  ExpectTruth(away);
  // Commands that mend work there too, and make no mirror where none is.
  EXPECT_EQ(Run(away, "laptop", {"queue", "list"}).out, "nothing is waiting\n");
  EXPECT_EQ(Run(away, "laptop", {"queue", "redrive"}).out, "0 dead letters are queued again\n");
  const Finished dry = Run(away, "laptop", {"compact", "--dry-run"}), compacted = Run(away, "laptop", {"compact"});
  EXPECT_EQ(dry.code, 0) << dry.err;
  EXPECT_EQ(compacted.code, 0) << compacted.err;
  EXPECT_EQ(Run(away, "anywhere", {"status"}).out.find("held by"), std::string::npos);
  Environment nowhere = On(away, "laptop");
  nowhere["S3_BUCKET_NAME"] = client.MakeBucket();
  EXPECT_EQ(RunToEnd({CollectorPath(), "compact"}, nowhere, folder.path()).code, 2);
  // What it has replaced stays for a day: an outsider's copy has both.
  EXPECT_EQ(Run(away, "anywhere", {"verify", "--deep"}).code, 0);
  // What is left on a machine is worth nothing: the bucket is all there is.
  std::filesystem::remove_all(folder.path() / "laptop");
  const Finished pulled = Run(away, "pulled", {"pull"});
  EXPECT_EQ(pulled.code, 0) << pulled.err;
  Environment at_home = away.Settings("1000");
  at_home["DATA_DIR"] = (folder.path() / "pulled").string();
  const Finished on_disk = RunToEnd({CollectorPath(), "run", "--once"}, at_home, folder.path());
  EXPECT_EQ(on_disk.code, 0) << on_disk.err;
  EXPECT_EQ(Run(away, "laptop", {"run", "--once"}).code, 0);
}

TEST_F(KeepOverCeph, OneProcessAtATimeAndTheOthersRead) {
  const World world(kWorld);
  ASSERT_EQ(Run(world, "laptop", {"run", "--once"}).code, 0);
  Program daemon({CollectorPath(), "run"}, On(world, "laptop"), folder.path());
  const auto deadline = std::chrono::steady_clock::now() + seconds(60);
  while (Run(world, "anywhere", {"status"}).out.find("held by") == std::string::npos) {
    ASSERT_FALSE(daemon.Finished()) << daemon.err();
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << daemon.err();
  }
  const Finished second = Run(world, "server", {"run", "--once"});
  EXPECT_EQ(second.code, 2);
  EXPECT_NE(second.err.find("one process at a time keeps a mirror"), std::string::npos) << second.err;
  const Finished same = Run(world, "laptop", {"run", "--once"});
  EXPECT_EQ(same.code, 2) << same.err;
  EXPECT_EQ(Run(world, "anywhere", {"query", "--type=movie", "--id=550"}).code, 0);
  // Killed it holds the mirror for the others, until the lease is over; not for an owner that knows that it is dead.
  daemon.Signal(SIGKILL);
  ASSERT_EQ(daemon.Wait(seconds(10)), 128 + SIGKILL);
  EXPECT_EQ(Run(world, "server", {"run", "--once"}).code, 2);
  const Finished heir = Run(world, "laptop", {"run", "--once"});
  EXPECT_EQ(heir.code, 0) << heir.err;
  EXPECT_EQ(Run(world, "server", {"run", "--once"}).code, 0);
  ExpectTruth(world);
}

// Its owner is dead and its lease stands; progress.json lies in the bucket, and the scratch folder as it was left.
TEST_F(KeepOverCeph, ALostCatalogIsMadeAgainWhereItsOwnerDied) {
  const World world(kWorld);
  ASSERT_EQ(Run(world, "laptop", {"run", "--once"}).code, 0);
  {
    Program daemon({CollectorPath(), "run"}, On(world, "laptop"), folder.path());
    const auto deadline = std::chrono::steady_clock::now() + seconds(60);
    while (Run(world, "anywhere", {"status"}).out.find("held by") == std::string::npos) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << daemon.err();
    }
    daemon.Signal(SIGKILL);
    daemon.Wait(seconds(10));
  }
  const auto erase = [&](const std::string& prefix) {
    std::vector<std::string> keys;
    const auto found = objects.ListObjects(prefix, "").value();
    for (const ObjectInfo& object : found) keys.push_back(object.key);
    ASSERT_FALSE(keys.empty()) << prefix;
    ASSERT_TRUE(objects.Delete(keys));
  };
  ASSERT_TRUE(objects.Head("progress.json").value());
  for (const char* lost : {"state/catalog/", "state/"}) {
    SCOPED_TRACE(lost);
    erase(lost);
    if (lost == std::string("state/catalog/")) {
      EXPECT_EQ(Run(world, "server", {"verify", "--rebuild"}).code, 2) << "for all it knows its owner lives";
      const Finished told = Run(world, "laptop", {"run", "--once"});
      EXPECT_EQ(told.code, 3);
      EXPECT_NE(told.err.find("verify --rebuild"), std::string::npos) << told.err;
    }
    const Finished made = Run(world, "laptop", {"verify", "--rebuild"});
    EXPECT_EQ(made.code, 0) << made.out << made.err;
    const std::int64_t before = Counter(world.sim, "/api_requests");
    EXPECT_EQ(Run(world, "server", {"run", "--once"}).code, 0);
    EXPECT_LE(Counter(world.sim, "/api_requests") - before, 60)
        << "the feeds of two days, and what they list";
    ExpectTruth(world);
  }
}

TEST_F(KeepOverCeph, KilledAtAnyMomentNothingIsLostOrStoredTwice) {
  const int wanted = static_cast<int>(CountFromEnvironment("TMDBC_KILLS", 12));
  std::mt19937 random(static_cast<unsigned>(CountFromEnvironment("TMDBC_SEED", 1)));
  const World world(kWorld);
  const auto began = std::chrono::steady_clock::now();
  ASSERT_EQ(Run(world, "other", {"verify", "--json"}).code, 2) << "there is no mirror yet";
  int kills = 0;
  milliseconds whole(2500);  // how long a run takes that nobody kills
  for (int run = 0; kills < wanted && run < 4 * wanted; ++run) {
    Program program({CollectorPath(), "run", "--once"}, On(world, "laptop"), folder.path());
    const auto life = std::uniform_int_distribution<std::int64_t>(1, whole.count() * 5 / 4)(random);
    const auto started = std::chrono::steady_clock::now();
    if (const auto code = program.Wait(milliseconds(life))) {
      ASSERT_EQ(*code, 0) << program.err();
      whole = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - started);
      continue;
    }
    program.Signal(SIGKILL);
    program.Wait(seconds(10));
    ++kills;
  }
  const Finished last = Run(world, "laptop", {"run", "--once"});
  EXPECT_EQ(last.code, 0) << last.err;
  ExpectTruth(world);
  std::printf("%d kills in %.1f s\n", kills,
              std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
}

}  // namespace
}  // namespace tmdbc::testing
