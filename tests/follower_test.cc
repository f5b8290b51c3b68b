// SPDX-License-Identifier: MIT
// A stranger's consumer of `changes` (samples/followers/follow.py) beside the real program and tmdb-sim: what
// it has rebuilt is what `query` answers; a reader that goes away, and one that stays, end without a word.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/sqlite.h"
#include "mirror.h"

namespace tmdbc {
namespace {

using namespace testing;
using std::chrono::seconds;

class FollowerTest : public ::testing::Test {
 protected:
  FollowerTest() : sim_({"--movies=40", "--shows=6", "--people=30", "--rate=0", "--gone=3"}) {
    settings_ = sim_.Settings(data_dir_);
    settings_["RATE_LIMIT_REQUESTS"] = "1000";
    settings_["MEDIA_TYPES"] = "movie,tv,person";
  }

  Finished Collector(std::vector<std::string> words) {
    words.insert(words.begin(), CollectorPath());
    return RunToEnd(words, settings_, folder_.path());
  }
  Finished Follow() {
    const char* source = std::getenv("TMDBC_SOURCE_DIR");
    EXPECT_NE(source, nullptr);
    return RunToEnd({"/usr/bin/env", "python3", std::string(source) + "/samples/followers/follow.py",
                     (folder_.path() / "view.db").string(), CollectorPath()},
                    settings_, folder_.path());
  }
  // Every record that the follower holds, and every one that the store has, is the same.
  void ExpectViewIsTheStore() {
    Database view = Database::Open((folder_.path() / "view.db").string(), Database::Mode::kReadOnly).value();
    std::map<std::pair<std::string, std::int64_t>, std::string> stored;
    for (const Line& line : ReadStore(data_dir_)) {
      if (line.data == "null" || line.data.empty()) {
        stored.erase({line.type, line.id});
      } else {
        stored[{line.type, line.id}] = line.data;
      }
    }
    EXPECT_GT(stored.size(), 60u);
    Statement rows = view.Prepare("SELECT type, id, data FROM record").value();
    std::size_t held = 0;
    while (rows.Step().value()) {
      const std::string type(rows.Text(0));
      const auto found = stored.find({type, rows.Int(1)});
      ASSERT_NE(found, stored.end()) << type << " " << rows.Int(1);
      EXPECT_EQ(found->second, rows.Text(2)) << type << " " << rows.Int(1);
      ++held;
    }
    EXPECT_EQ(held, stored.size());
    // And not only as our own reader of the segments has it.
    for (const char* id : {"550", "551", "552"}) {
      const Finished query = Collector({"query", "--type=movie", std::string("--id=") + id});
      const auto found = stored.find({"movie", std::atoll(id)});
      EXPECT_EQ(query.out, found == stored.end() ? "" : found->second + "\n") << id;
    }
  }

  const TempDir folder_;
  const std::filesystem::path data_dir_ = folder_.path() / "data";
  const Sim sim_;
  Environment settings_;
};

TEST_F(FollowerTest, RebuildsTheCurrentViewAndGoesOnWhereItWas) {
  settings_["MEDIA_TYPES"] = "movie";
  ASSERT_LE(Collector({"run", "--once"}).code, 1);
  Finished follow = Follow();
  ASSERT_EQ(follow.code, 0) << follow.err;
  settings_["MEDIA_TYPES"] = "movie,tv,person";
  ASSERT_LE(Collector({"run", "--once"}).code, 1);
  follow = Follow();
  ASSERT_EQ(follow.code, 0) << follow.err;
  ExpectViewIsTheStore();
  // Nothing new: nothing is read.
  Database view = Database::Open((folder_.path() / "view.db").string(), Database::Mode::kReadOnly).value();
  Statement reached = view.Prepare("SELECT group_concat(type || '=' || seq) FROM reached").value();
  ASSERT_TRUE(reached.Step().value());
  const Finished rest = Collector({"changes", "--since=" + std::string(reached.Text(0))});
  EXPECT_EQ(rest.code, 0) << rest.err;
  EXPECT_EQ(rest.out, "");
}

TEST_F(FollowerTest, FollowPrintsWhatIsSealedMeanwhileAndEndsForAStop) {
  settings_["MEDIA_TYPES"] = "person";
  ASSERT_LE(Collector({"run", "--once"}).code, 1);
  Program follow({CollectorPath(), "changes", "--since=0", "--follow"}, settings_, folder_.path());
  const auto wait_for = [&](const char* words) {
    const auto deadline = std::chrono::steady_clock::now() + seconds(30);
    while (follow.out().find(words) == std::string::npos && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return follow.out().find(words) != std::string::npos;
  };
  EXPECT_TRUE(wait_for(R"("type":"person")")) << follow.err();
  settings_["MEDIA_TYPES"] = "movie";
  ASSERT_LE(Collector({"run", "--once"}).code, 1);
  EXPECT_TRUE(wait_for(R"("type":"movie")")) << follow.err();
  follow.Signal(SIGTERM);
  EXPECT_EQ(follow.Wait(seconds(10)), 0);
  EXPECT_EQ(follow.err(), "");
  // Nothing twice, nothing left out: the same as at one go.
  const Finished at_once = Collector({"changes", "--since=0"});
  EXPECT_EQ(follow.out().size(), at_once.out.size());
}

TEST_F(FollowerTest, AReaderThatGoesAwayEndsItQuietly) {
  ASSERT_LE(Collector({"run", "--once"}).code, 1);
  const std::string program = CollectorPath();
  for (const std::string flags : {"--since=0", "--since=0 --follow"}) {
    const Finished piped = RunToEnd(
        {"/bin/bash", "-c", program + " changes " + flags + " | head -1; echo \"codes ${PIPESTATUS[0]}\""},
        settings_, folder_.path());
    EXPECT_TRUE(piped.out.starts_with("{\"seq\":1,")) << piped.out;
    EXPECT_TRUE(piped.out.ends_with("codes 0\n")) << piped.out.substr(piped.out.size() - 20);
    EXPECT_EQ(piped.err, "");
  }
}

// The lines of a feed.
std::set<std::string> LinesOf(const std::string& feed) {
  std::set<std::string> lines;
  for (std::size_t at = 0, end = 0; (end = feed.find('\n', at)) != std::string::npos; at = end + 1)
    lines.insert(feed.substr(at, end - at));
  return lines;
}

TEST_F(FollowerTest, ReadsOnWhileTheDaemonCompactsByItself) {
  settings_["MEDIA_TYPES"] = "movie";
  settings_["COLLECTION_INTERVAL"] = "1440";
  const auto segments = [&] {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(data_dir_ / "records" / "movie"))
      count += entry.path().extension() == ".zst";
    return count;
  };
  for (int day = 0; day < 9; ++day) ASSERT_LE(Collector({"run", "--once", "--limit=3"}).code, 1);
  ASSERT_GE(segments(), 9u);
  const std::set<std::string> before = LinesOf(Collector({"changes", "--since=0"}).out);
  ASSERT_GE(before.size(), 27u);
  const auto id_at = before.begin()->find("\"id\":") + 5;
  const std::string film = before.begin()->substr(id_at, before.begin()->find(',', id_at) - id_at);

  Program follow({CollectorPath(), "changes", "--since=0", "--follow"}, settings_, folder_.path());
  Program daemon({CollectorPath(), "run"}, settings_, folder_.path());
  const auto deadline = std::chrono::steady_clock::now() + seconds(120);
  while (daemon.err().find("compacted") == std::string::npos && !daemon.Finished() &&
         std::chrono::steady_clock::now() < deadline) {
    const Finished reader = Collector({"changes", "--since=0"});
    ASSERT_LE(reader.code, 1) << reader.err;
    const std::set<std::string> lines = LinesOf(reader.out);
    EXPECT_TRUE(std::ranges::includes(lines, before)) << "a line is missing";
    EXPECT_EQ(Collector({"query", "--type=movie", "--id=" + film}).code, 0);
    const Finished verified = Collector({"verify", "--deep"});
    EXPECT_EQ(verified.code, 0) << verified.out;
  }
  EXPECT_NE(daemon.err().find("compacted"), std::string::npos) << daemon.err();
  EXPECT_LE(segments(), 2u);
  const std::set<std::string> after = LinesOf(Collector({"changes", "--since=0"}).out);
  EXPECT_TRUE(std::ranges::includes(after, before));
  EXPECT_GT(after.size(), before.size());
  while (LinesOf(follow.out()) != after && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(LinesOf(follow.out()), after) << follow.err();
  const Finished refused = Collector({"compact"});
  EXPECT_NE(refused.code, 0);
  EXPECT_NE(refused.err.find("is in use by process"), std::string::npos) << refused.err;
  daemon.Signal(SIGTERM);
  EXPECT_EQ(daemon.Wait(seconds(60)), 0) << daemon.err();
  follow.Signal(SIGTERM);
  EXPECT_EQ(follow.Wait(seconds(60)), 0) << follow.err();
  EXPECT_EQ(Collector({"verify", "--deep"}).code, 0);
}

}  // namespace
}  // namespace tmdbc
