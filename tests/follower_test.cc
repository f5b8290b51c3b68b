// SPDX-License-Identifier: MIT
// A stranger's consumer of `changes` (samples/followers/follow.py) beside the real program and tmdb-sim: what
// it has rebuilt is what `query` answers; a reader that goes away, and one that stays, end without a word.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "base/compression.h"
#include "base/hash.h"
#include "base/sqlite.h"
#include "mirror.h"
#include "storage/record_line.h"
#include "storage/segment_path.h"
#include "tmdb/document.h"

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

// The lines of docs/storage-format.md that begin with four spaces, from the one that begins with `first` on; blank
// lines within them are part of it.
std::string Indented(std::string_view first) {
  const char* source = std::getenv("TMDBC_SOURCE_DIR");
  std::ifstream in(std::string(source ? source : ".") + "/docs/storage-format.md");
  std::string block;
  for (std::string line, blank; std::getline(in, line);) {
    const bool indented = line.starts_with("    ");
    if (block.empty() && !(indented && std::string_view(line).substr(4).starts_with(first))) continue;
    if (!indented && !line.empty()) break;
    blank += indented ? line.substr(4) + "\n" : "\n";
    if (indented) block += std::exchange(blank, "");
  }
  return block;
}
// The folded lines of an example.
std::vector<std::string> Unfolded(const std::string& block) {
  std::vector<std::string> lines(1);
  std::istringstream in(block);
  for (std::string part; std::getline(in, part);) {
    if (part.empty()) {
      lines.emplace_back();
    } else {
      lines.back() += part.substr(part.find_first_not_of(' '));
    }
  }
  return lines;
}
// What the documented reader prints of the folder `data` in `folder`.
std::vector<std::string> DocumentedView(const std::filesystem::path& folder) {
  std::ofstream(folder / "reader.py") << Indented("import glob");
  const Finished read = RunToEnd({"/usr/bin/env", "python3", "reader.py"}, {}, folder);
  EXPECT_EQ(read.code, 0) << read.err;
  std::vector<std::string> bodies;
  std::istringstream in(read.out);
  for (std::string body; std::getline(in, body);) bodies.push_back(body);
  return bodies;
}
// Two bodies that say the same; Python prints numbers in its own way.
std::pair<std::uint64_t, std::uint64_t> Meaning(const std::string& body) {
  const auto hash = HashContent(body);
  EXPECT_TRUE(hash) << body.substr(0, 200);
  return hash ? std::pair(hash->content, hash->stats) : std::pair<std::uint64_t, std::uint64_t>();
}

TEST(StorageFormat, TheWorkedExampleIsWhatItsReaderMakesOfIt) {
  const std::vector<std::string> lines = Unfolded(Indented(R"({"type":"movie","id":550,"version")"));
  ASSERT_EQ(lines.size(), 3u);
  std::string segment;
  for (const std::string& line : lines) {
    const auto parsed = ParseRecordLine(line);
    ASSERT_TRUE(parsed) << parsed.error().message;
    segment += line + "\n";
  }
  const auto first = ParseRecordLine(lines[0]);
  EXPECT_EQ(first->sha256, Sha256Hex(first->data));
  const TempDir folder;
  const auto file = folder.path() / "data" / SealedPath(MediaType::kMovie, 1);
  std::filesystem::create_directories(file.parent_path());
  std::string frame;
  ZstdEncoder().AppendFrame(segment, frame);
  std::ofstream(file, std::ios::binary) << frame;
  const auto view = DocumentedView(folder.path());
  ASSERT_EQ(view.size(), 1u);
  const std::string said = Unfolded(Indented(R"({"adult":false)"))[0];
  EXPECT_EQ(Meaning(view[0]), Meaning(said));
  EXPECT_NE(Meaning(view[0]), Meaning(std::string(first->data)));
}

TEST_F(FollowerTest, WhoKnowsTheFilesAndWhoFollowsTheFeedHaveWhatTheStoreHas) {
  settings_["MEDIA_TYPES"] = "movie";
  ASSERT_LE(Collector({"run", "--once"}).code, 1);
  std::string ids;
  for (const Line& line : ReadStore(data_dir_))
    if (line.data != "null") ids += (ids.empty() ? "" : ",") + std::to_string(line.id);
  const std::vector<std::string> again = {"harvest", "--mode=ids", "--types=movie", "--ids=" + ids};
  for (int round = 0; round < 4; ++round) {
    if (round < 3) HttpGet(sim_.port(), "/sim/votes?kind=movie");
    ASSERT_EQ(Collector(again).code, 0);
    ASSERT_LE(Collector({"collect"}).code, 1);
    ASSERT_EQ(Follow().code, 0);
  }
  // A body, patches and a verified line are there.
  const std::string feed = Collector({"changes", "--since=0"}).out;
  for (const char* kind : {R"("change":"insert")", R"("patch":[{)", R"("change":"verified")"})
    ASSERT_NE(feed.find(kind), std::string::npos) << kind;

  std::multiset<std::pair<std::uint64_t, std::uint64_t>> stored, read, followed;
  std::stringstream wanted(ids);
  for (std::string id; std::getline(wanted, id, ',');)
    stored.insert(Meaning(Collector({"query", "--type=movie", "--id=" + id}).out));
  for (const std::string& body : DocumentedView(folder_.path())) read.insert(Meaning(body));
  Database view = Database::Open((folder_.path() / "view.db").string(), Database::Mode::kReadOnly).value();
  Statement rows = view.Prepare("SELECT data FROM record").value();
  while (rows.Step().value()) followed.insert(Meaning(std::string(rows.Text(0))));
  EXPECT_GT(stored.size(), 30u);
  EXPECT_EQ(read, stored);
  EXPECT_EQ(followed, stored);
}

// A stats line with a whole body is no ground for the patches that follow: they stand on the body of their version.
TEST_F(FollowerTest, TakesAPatchAgainstTheBodyThatBeganTheVersion) {
  const std::string envelope = R"("status":200,"etag":null,"sha256":"","data":)";
  const auto line = [&](const char* change, int second, const std::string& rest) {
    return fmt::format(R"({{"seq":1,"type":"movie","id":7,"version":1,"change":"{}",)"
                       R"("fetched_at":"2026-11-22T10:00:0{}.000Z",)", change, second) + envelope + rest + "}\n";
  };
  std::ofstream(folder_.path() / "feed")
      << line("insert", 1, R"({"id":7,"vote_count":1,"popularity":1.5})")
      << line("stats", 2, R"({"id":7,"vote_count":2,"popularity":2.5})")
      << line("stats", 3, R"(null,"patch":[{"op":"replace","path":"/vote_count","value":3}])");
  const std::string script = std::string(std::getenv("TMDBC_SOURCE_DIR")) + "/samples/followers/follow.py";
  // What stands for the collector prints the feed, whatever it is asked.
  const Finished follow = RunToEnd({"/usr/bin/env", "python3", script, "view.db", "sh", "-c", "cat feed"}, {},
                                   folder_.path());
  ASSERT_EQ(follow.code, 0) << follow.err;
  Database view = Database::Open((folder_.path() / "view.db").string(), Database::Mode::kReadOnly).value();
  Statement row = view.Prepare("SELECT data FROM record").value();
  ASSERT_TRUE(row.Step().value());
  EXPECT_EQ(row.Text(0), R"({"id":7,"vote_count":3,"popularity":1.5})");
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
