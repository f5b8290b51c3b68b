// SPDX-License-Identifier: MIT
// The program over a bucket of moto's: a mirror of tmdb-sim is pushed there, looked at from a machine that has nothing
// but the bucket's name, read by programs that others wrote, and pulled back.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "base/sqlite.h"
#include "duckdb/database.h"
#include "emulators.h"
#include "program.h"
#include "testing/duckdb_library.h"

namespace tmdbc::testing {
namespace {

std::map<std::string, std::string> FilesBelow(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files[std::filesystem::relative(entry.path(), folder).string()] = ReadFile(entry.path());
  }
  return files;
}

struct CarryOverMoto : ::testing::Test {
  // At home: with DATA_DIR, without the bucket's name.
  Finished AtHome(const std::vector<std::string>& words, const std::string& data = "data") {
    return Run(words, sim_.Settings(folder_.path() / data));
  }
  // Anywhere: the bucket's name and the right to it.
  Finished Afar(const std::vector<std::string>& words) { return Run(words, Bucket("nothing-here")); }
  Environment Bucket(const std::string& data) {
    Environment environment = client_.set;
    environment["S3_BUCKET_NAME"] = bucket_;
    environment["DATA_DIR"] = (folder_.path() / data).string();
    return environment;
  }
  Finished Run(std::vector<std::string> words, const Environment& environment) {
    words.insert(words.begin(), CollectorPath());
    return RunToEnd(words, environment, folder_.path());
  }

  // As what lies in DATA_DIR is: copied by AWS's own program it is a mirror; zstd and DuckDB read it; the follower of the
  // samples rebuilds from the bucket what it rebuilds at home.
  void ExpectReadByOutsiders() {
    const auto copy = folder_.path() / "copy";
    const Finished synced =
        RunToEnd({Tool("TMDBC_EMULATORS", "emulators", "python/bin/aws"), "s3", "sync", "--no-progress",
                  "s3://" + bucket_ + "/records/", (copy / "records").string()},
                 client_.set, folder_.path());
    ASSERT_EQ(synced.code, 0) << synced.out << synced.err;
    EXPECT_TRUE(FilesBelow(copy / "records") == FilesBelow(folder_.path() / "data/records"));
    const Finished made = AtHome({"verify", "--rebuild"}, "copy");
    EXPECT_EQ(made.code, 0) << made.out << made.err;
    const Finished verified = AtHome({"verify", "--deep"}, "copy");
    EXPECT_EQ(verified.code, 0) << verified.out << verified.err;

    const std::string films = (copy / "records/movie").string();
    const Finished lines = RunToEnd(
        {"/bin/sh", "-c", "find " + films + " -name '*.zst' | sort | xargs zstd -dcq | grep -c '\"data\":{'"},
        {{"PATH", "/usr/bin:/bin"}}, folder_.path());
    auto database = duckdb::Database::Open(Duckdb(), {});
    ASSERT_TRUE(database) << database.error().message;
    auto connection = database->Connect();
    ASSERT_TRUE(connection) << connection.error().message;
    const auto counted =
        connection->QueryNumber("SELECT count(*) FROM read_ndjson_objects('" + films +
                                "/*/*/*.jsonl.zst') WHERE json->>'$.data.title' IS NOT NULL");
    ASSERT_TRUE(counted) << counted.error().message;
    EXPECT_GT(*counted, 30);
    EXPECT_EQ(lines.out, std::to_string(*counted) + "\n") << lines.err;

    const auto follow = [&](const std::string& view, const Environment& environment) {
      const char* const source = std::getenv("TMDBC_SOURCE_DIR");
      const Finished followed = RunToEnd(
          {"/usr/bin/env", "python3", std::string(source ? source : ".") + "/samples/followers/follow.py",
           (folder_.path() / view).string(), CollectorPath()},
          environment, folder_.path());
      EXPECT_EQ(followed.code, 0) << followed.err;
      Database rebuilt = Database::Open((folder_.path() / view).string(), Database::Mode::kReadOnly).value();
      Statement rows = rebuilt.Prepare("SELECT type, id, version, data FROM record ORDER BY 1, 2").value();
      std::string all;
      while (rows.Step().value()) {
        all += std::string(rows.Text(0)) + std::to_string(rows.Int(1)) + ' ' + std::to_string(rows.Int(2)) +
               std::string(rows.Text(3));
      }
      return all;
    };
    const std::string at_home = follow("home.db", sim_.Settings(folder_.path() / "data"));
    EXPECT_GT(at_home.size(), 100'000u);
    EXPECT_TRUE(follow("afar.db", Bucket("nothing-here")) == at_home);
  }
  // What was installed for tests: in the folder that `variable` names, else in that of the build.
  static std::string Tool(const char* variable, const std::string& folder, const std::string& name) {
    const char* const set = std::getenv(variable);
    return (set ? std::string(set) : TMDBC_BINARY_DIR "/" + folder) + "/" + name;
  }

  EmulatorClient client_{"moto"};
  const std::string bucket_ = client_.MakeBucket();
  Sim sim_{{"--movies=60", "--shows=8", "--people=30", "--rate=200", "--huge-show=0"}};
  TempDir folder_;
};

TEST_F(CarryOverMoto, AMirrorMadeAtHomeIsReadFromTheBucketAndCarriedBack) {
  EXPECT_EQ(Afar({"query", "--type=movie", "--id=550"}).code, 2) << "there is no mirror yet";
  const Finished ran = AtHome({"run", "--once"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Finished pushed = Run({"push"}, Bucket("data"));
  ASSERT_EQ(pushed.code, 0) << pushed.err;
  EXPECT_EQ(Run({"push"}, Bucket("data")).code, 2) << "it is not empty any more";

  const std::string feed = AtHome({"changes", "--since=0", "--type=movie"}).out;
  const auto id_at = feed.find("\"id\":") + 5;
  const std::string movie = "--id=" + feed.substr(id_at, feed.find(',', id_at) - id_at);
  const std::vector<std::vector<std::string>> questions = {
      {"query", "--type=movie", movie}, {"query", "--type=movie", movie, "--history", "--json"}, {"changes", "--since=0"}};
  for (const auto& question : questions) {
    const Finished here = AtHome(question), there = Afar(question);
    EXPECT_EQ(there.code, here.code) << question.front() << ": " << there.err;
    EXPECT_FALSE(there.out.empty()) << question.front();
    EXPECT_TRUE(there.out == here.out) << question.front() << " answers another thing";
  }
  const Finished status = Afar({"status"});
  EXPECT_EQ(status.code, 0) << status.err;
  EXPECT_NE(status.out.find("epoch 1, free"), std::string::npos) << status.out;
  for (const char* how : {"--json", "--deep"}) {
    const Finished verified = Afar({"verify", how});
    EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  }
  EXPECT_EQ(Afar({"query", "--type=movie", "--id=999999999"}).code, 1);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "nothing-here")) << "who only looks makes no folder";

  ExpectReadByOutsiders();

  const Finished pulled = Run({"pull"}, Bucket("pulled"));
  ASSERT_EQ(pulled.code, 0) << pulled.err;
  EXPECT_TRUE(FilesBelow(folder_.path() / "pulled/records") == FilesBelow(folder_.path() / "data/records"));
  const Finished verified = AtHome({"verify", "--deep"}, "pulled");
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  EXPECT_EQ(Run({"pull"}, Bucket("pulled")).code, 2) << "never over a store";
  const Finished again = AtHome({"run", "--once"}, "pulled");
  EXPECT_EQ(again.code, 0) << "and it goes on: " << again.err;
}

}  // namespace
}  // namespace tmdbc::testing
