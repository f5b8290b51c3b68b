// SPDX-License-Identifier: MIT
// What the store promises, as a user can check it with the real program: rounds of votes cost little, and the loss of
// catalog.db costs nothing.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <thread>

#include "harvester/accepted_exports.h"
#include "harvester/watermarks.h"
#include "mirror.h"

namespace tmdbc {
namespace {

using namespace testing;

std::uintmax_t BytesOf(const std::filesystem::path& folder) {
  std::uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) bytes += entry.file_size();
  return bytes;
}

std::string IdsOf(const World& world, const char* type) {
  std::string ids;
  for (const auto& [key, sha] : ReadTruth(world.truth_file, {type}))
    ids += fmt::format("{}{}", ids.empty() ? "" : ",", key.second);
  return ids;
}

// How far the feeds were read and which exports are in force, as catalog.db has it.
std::string Progress(const World& world) {
  auto catalog = Database::Open((world.data_dir / "catalog.db").string(), Database::Mode::kReadOnly).value();
  const auto watermarks = ReadWatermarks(catalog).value();
  const auto exports = AcceptedExports(catalog).value();
  std::string text;
  for (const auto& [type, day] : watermarks) text += fmt::format("{} {}\n", Name(type), FormatDate(day));
  for (const AcceptedExport& accepted : exports)
    text += fmt::format("{} {} {} {}\n", accepted.name, FormatDate(accepted.date), accepted.lines,
                        FormatTime(accepted.accepted_at));
  return text;
}

// What `query` prints of each film: `flags` as --envelope.
std::map<std::int64_t, std::string> Answers(const World& world, const std::vector<std::string>& flags) {
  std::map<std::int64_t, std::string> answers;
  for (const auto& [key, sha] : ReadTruth(world.truth_file, {"movie"})) {
    std::vector<std::string> words = {"query", "--type=movie", fmt::format("--id={}", key.second)};
    words.insert(words.end(), flags.begin(), flags.end());
    const auto asked = world.Run(words);
    EXPECT_EQ(asked.code, 0) << key.second << asked.err;
    answers[key.second] = asked.out;
  }
  return answers;
}

TEST(Acceptance, SixRoundsOfVotesCostLittleAndEveryViewIsTheSources) {
  const World world({"--movies=80", "--shows=0", "--people=0", "--gone=0", "--rate=0"});
  const Environment films = {{"MEDIA_TYPES", "movie"}};
  ASSERT_EQ(world.Run({"run", "--once"}, films).code, 0);
  const auto first = BytesOf(world.data_dir / "records");
  const std::string ids = IdsOf(world, "movie");
  for (int round = 0; round < 6; ++round) {
    world.Ask("/sim/votes?kind=movie");
    ASSERT_EQ(world.Run({"harvest", "--mode=ids", "--types=movie", "--ids=" + ids}, films).code, 0);
    const auto collected = world.Run({"collect"}, films);
    ASSERT_EQ(collected.code, 0) << collected.out << collected.err;
  }
  const auto compacted = world.Run({"compact"});
  ASSERT_EQ(compacted.code, 0) << compacted.out << compacted.err;
  EXPECT_LE(static_cast<double>(BytesOf(world.data_dir / "records")), 1.6 * static_cast<double>(first));
  simdjson::dom::parser one, other;
  for (const auto& [id, answer] : Answers(world, {})) {
    // The order of members may be another: what stands in them is the source's.
    const std::string truth = world.Ask(fmt::format("/sim/truth?type=movie&id={}", id));
    const auto begin = truth.find('{'), end = truth.rfind('}');
    const std::string body = truth.substr(begin, end - begin + 1);
    const simdjson::dom::element left = one.parse(answer), right = other.parse(body);
    EXPECT_EQ(simdjson::minify(left), simdjson::minify(right)) << id;
  }
  const auto verify = world.Run({"verify", "--deep"});
  EXPECT_EQ(verify.code, 0) << verify.out << verify.err;
}

// What status says of the records of each type. The rest is about files, processes and harvests.
std::string Stored(const World& world) {
  const auto status = world.Run({"status", "--json"});
  simdjson::dom::parser parser;
  const simdjson::dom::object all = parser.parse(status.out);
  std::string text;
  for (const auto type : simdjson::dom::object(all["types"])) {
    for (const char* name :
         {"live", "tombstones", "missing", "versions", "held_deletions", "oldest_verified"})
      text +=
          std::string(type.key) + " " + name + " " + std::string(simdjson::minify(type.value[name])) + "\n";
  }
  return text;
}

TEST(Acceptance, TheLossOfTheCatalogCostsNothing) {
  const World world({"--movies=60", "--shows=6", "--people=0", "--gone=3", "--rate=0"});
  const Environment types = {{"MEDIA_TYPES", "movie,tv"}};
  ASSERT_LE(world.Run({"run", "--once"}, types).code, 1);
  // Some are looked at again and found as they were, some in new numbers.
  const std::string ids = IdsOf(world, "movie");
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // the program's clock is the machine's
  ASSERT_EQ(world
                .Run({"harvest", "--mode=ids", "--types=movie",
                      "--ids=" + ids.substr(0, ids.find(',', ids.size() / 2))},
                     types)
                .code,
            0);
  ASSERT_LE(world.Run({"collect"}, types).code, 1);
  const auto bodies = Answers(world, {}), envelopes = Answers(world, {"--envelope"}),
             histories = Answers(world, {"--history", "--json"});
  const std::string stored = Stored(world), progress = Progress(world);
  ASSERT_NE(progress.find("movie_ids"), std::string::npos) << progress;
  for (const char* suffix : {"", "-wal", "-shm"})
    std::filesystem::remove(world.data_dir / (std::string("catalog.db") + suffix));
  const auto rebuilt = world.Run({"verify", "--rebuild"}, types);
  ASSERT_EQ(rebuilt.code, 0) << rebuilt.out << rebuilt.err;
  EXPECT_EQ(Answers(world, {}), bodies);
  EXPECT_EQ(Answers(world, {"--envelope"}), envelopes);
  EXPECT_EQ(Answers(world, {"--history", "--json"}), histories);
  EXPECT_EQ(Stored(world), stored) << "the oldest verification stands in it to the second";
  EXPECT_EQ(Progress(world), progress);
  // Nothing is due that was not due before.
  world.Ask("/sim/reset");
  const auto next = world.Run({"run", "--once"}, types);
  EXPECT_LE(next.code, 1) << next.out << next.err;
  EXPECT_LT(Counter(world.sim, "/api_requests"), 25) << next.out;
}

}  // namespace
}  // namespace tmdbc
