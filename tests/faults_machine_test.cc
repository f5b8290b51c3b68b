// SPDX-License-Identifier: MIT
// The real program on a machine that has troubles of its own: sectors that cannot be read, quotas, limits of file
// sizes, file systems that know no sync of folders, proxies in the environment, and what people write on command lines.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <functional>
#include <thread>

#include "mirror.h"

namespace tmdbc {
namespace {

using namespace testing;

bool Eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

// A mirror of some films, and a disk that fails by a plan (bad_disk.cc).
class BadDisk : public ::testing::Test {
 protected:
  BadDisk() : world_({"--movies=150", "--shows=0", "--people=0", "--gone=0", "--rate=0"}) {}

  Environment Failing() const {
    return {{"MEDIA_TYPES", "movie"},
            {"LD_PRELOAD", (BinaryDir() / "tests" / "libbad_disk.so").string()},
            {"BAD_DISK_PLAN", plan_.string()}};
  }
  void Plan(const std::string& line) const { std::ofstream(plan_) << line << '\n'; }
  void Heal() const { std::filesystem::remove(plan_); }
  void Fill() const {
    const auto run = world_.Run({"run", "--once"}, {{"MEDIA_TYPES", "movie"}});
    ASSERT_EQ(run.code, 0) << run.out << run.err;
  }

  const World world_;
  const std::filesystem::path plan_ = world_.folder.path() / "plan";
};

TEST_F(BadDisk, OneSectorThatCannotBeReadCostsItsRecordsAndNothingElse) {
  Fill();
  Plan("read records/movie EIO 9000 512");
  const auto deep = world_.Run({"verify", "--deep"}, Failing());
  EXPECT_EQ(deep.code, 1) << deep.out << deep.err;
  EXPECT_NE((deep.out + deep.err).find("records/movie/000/000/001.jsonl.zst"), std::string::npos)
      << deep.out << deep.err;
  const auto changes = world_.Run({"changes", "--since=0", "--type=movie", "--skip-damaged"}, Failing());
  EXPECT_LE(changes.code, 1) << changes.err;
  const auto lines = std::count(changes.out.begin(), changes.out.end(), '\n');
  EXPECT_GT(lines, 20) << changes.err;
  const auto again = world_.Run({"run", "--once"}, Failing());
  EXPECT_LE(again.code, 1) << again.out << again.err;
}

TEST_F(BadDisk, AQuotaIsWaitedForAndNamed) {
  Plan("write catalog.db EDQUOT");
  Program program(
      {CollectorPath(), "run", "--once"},
      [&] {
        Environment settings = world_.Settings("1000");
        for (const auto& [name, value] : Failing()) settings[name] = value;
        return settings;
      }(),
      world_.folder.path());
  // The store cannot even be made: that is said, whether it waits or ends.
  const auto code = program.Wait(std::chrono::seconds(5));
  EXPECT_NE(program.err().find("quota"), std::string::npos) << program.err();
  Heal();
  if (code) {
    EXPECT_NE(*code, 0);
    Fill();
  } else {
    EXPECT_EQ(program.Wait(std::chrono::seconds(60)), 0) << program.err();
  }
}

TEST_F(BadDisk, AFileSystemWithoutSyncOfFoldersIsWarnedOfAndUsed) {
  Plan("sync-folder data EINVAL");
  const auto run = world_.Run({"run", "--once"}, Failing());
  EXPECT_EQ(run.code, 0) << run.out << run.err;
  ExpectMirrors(world_.data_dir, ReadTruth(world_.truth_file, {"movie"}));
}

// SQLite's files meet it, or ours: both are a full disk that is waited for, and no signal ends the program.
TEST_F(BadDisk, ALimitOfFileSizesIsWaitedForAndNamed) {
  for (const int kib : {64, 256}) {  // the first page of catalog.db, or some megabytes later the segment
    SCOPED_TRACE(kib);
    std::filesystem::remove_all(world_.data_dir);
    Environment settings = world_.Settings("1000");
    settings["MEDIA_TYPES"] = "movie";
    Program program({"/bin/bash", "-c", fmt::format("ulimit -S -f {}; exec \"$0\" run --once", kib), CollectorPath()},
                    settings, world_.folder.path());
    const bool told = Eventually([&] { return program.err().find("File too large") != std::string::npos; });
    ASSERT_TRUE(told) << program.out() << program.err();
    if (const auto code = program.Wait(std::chrono::seconds(3))) {  // it could not even begin
      EXPECT_EQ(*code, 3) << program.err();
      ASSERT_EQ(world_.Run({"run", "--once"}, {{"MEDIA_TYPES", "movie"}}).code, 0);
    } else {
      const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
      ASSERT_EQ(::prlimit(program.pid(), RLIMIT_FSIZE, &none, nullptr), 0);
      EXPECT_EQ(program.Wait(std::chrono::seconds(60)), 0) << program.err();
    }
    ExpectMirrors(world_.data_dir, ReadTruth(world_.truth_file, {"movie"}));
  }
}

// What is wrong with an export that was accepted is said with its name; the day's is fetched again.
TEST_F(BadDisk, AnExportThatCannotBeReadIsNamedAndFetchedAgain) {
  Fill();
  std::filesystem::path kept;
  for (const auto& entry : std::filesystem::directory_iterator(world_.data_dir / "exports")) kept = entry.path();
  const std::string name = "exports/" + kept.filename().string();
  const auto verified = [&](const Environment& more) {
    const auto verify = world_.Run({"verify"}, more);
    EXPECT_EQ(verify.code, 1) << verify.out << verify.err;
    EXPECT_NE(verify.out.find("damaged   " + name), std::string::npos) << verify.out;
  };
  const auto mended = [&](const Environment& more) {
    const auto run = world_.Run({"run", "--once"}, more);
    EXPECT_EQ(run.code, 0) << run.out << run.err;
    EXPECT_NE(run.err.find(name), std::string::npos) << run.err;
    EXPECT_NE(run.err.find("fetching it again"), std::string::npos) << run.err;
  };
  Environment films = {{"MEDIA_TYPES", "movie"}};
  std::ofstream(kept, std::ios::binary) << "no gzip at all";
  verified(films);
  mended(films);
  EXPECT_EQ(world_.Run({"verify"}, films).code, 0);

  Plan("read " + name + " EIO");
  verified(Failing());
  mended(Failing());
  // A right that is missing is not damage: it is said, with what to do, and nothing is fetched in its place.
  Plan("read " + name + " EACCES");
  const auto refused = world_.Run({"run", "--once"}, Failing());
  EXPECT_EQ(refused.code, 3) << refused.out << refused.err;
  EXPECT_NE(refused.err.find(name + ": Permission denied: run this as the user that owns DATA_DIR"), std::string::npos)
      << refused.err;
  Heal();
  EXPECT_EQ(world_.Run({"run", "--once"}, films).code, 0);
}

// The same TMDB behind another address: only a person can say so, and says it once.
TEST_F(BadDisk, AnotherAddressIsTakenForTheSameTmdbWhenAPersonSaysSo) {
  Fill();
  const auto stored = ReadStore(world_.data_dir).size();
  Environment elsewhere = {{"MEDIA_TYPES", "movie"}, {"TMDB_API_BASE_URL", "http://tmdb.example/3"}};
  const auto refused = world_.Run({"collect"}, elsewhere);
  EXPECT_EQ(refused.code, 2) << refused.err;
  EXPECT_NE(refused.err.find("was filled from this machine"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("`verify --adopt-source`"), std::string::npos) << refused.err;
  EXPECT_EQ(world_.Run({"verify", "--adopt-source"}, elsewhere).code, 0);
  EXPECT_EQ(world_.Run({"collect"}, elsewhere).code, 0);
  const auto back = world_.Run({"run", "--once"}, {{"MEDIA_TYPES", "movie"}});
  EXPECT_EQ(back.code, 2) << back.err;
  EXPECT_NE(back.err.find("was filled from tmdb.example"), std::string::npos) << back.err;
  // It stays said when catalog.db is lost.
  for (const char* suffix : {"", "-wal", "-shm"})
    std::filesystem::remove(world_.data_dir / (std::string("catalog.db") + suffix));
  ASSERT_EQ(world_.Run({"verify", "--rebuild"}, elsewhere).code, 0);
  EXPECT_EQ(world_.Run({"collect"}, {{"MEDIA_TYPES", "movie"}}).code, 2);
  EXPECT_EQ(world_.Run({"verify", "--adopt-source"}, {{"MEDIA_TYPES", "movie"}}).code, 0);
  EXPECT_EQ(world_.Run({"run", "--once"}, {{"MEDIA_TYPES", "movie"}}).code, 0);
  EXPECT_EQ(ReadStore(world_.data_dir).size(), stored) << "nothing was stored again";
}

// UBSan needs descriptors of its own, so this is not beside the code.
TEST(FaultsMachine, AShortageOfOpenFilesIsNamedAndLosesNothing) {
  const World world({"--movies=30", "--shows=0", "--people=0", "--gone=0", "--rate=0"});
  Environment settings = world.Settings("200");
  settings["MEDIA_TYPES"] = "movie";
  // Which call is the first without a descriptor depends on what the program inherited.
  int short_of_files = 0;
  for (int files = 12; files <= 24; files += 2) {
    SCOPED_TRACE(files);
    const std::string script = fmt::format("ulimit -n {}; exec \"$0\" run --once", files);
    const auto run = RunToEnd({"/bin/bash", "-c", script, CollectorPath()}, settings, world.folder.path());
    if (run.code == 0) break;
    ++short_of_files;
    EXPECT_EQ(run.code, 3) << run.out << run.err;
    EXPECT_NE(run.err.find("Too many open files: let it hold more open, with `ulimit -n 1024`"), std::string::npos)
        << run.err;
  }
  EXPECT_GT(short_of_files, 0);
  const auto run = world.Run({"run", "--once"}, {{"MEDIA_TYPES", "movie"}});
  EXPECT_EQ(run.code, 0) << run.out << run.err;
  EXPECT_EQ(ReadStore(world.data_dir).size(), 30u);
}

TEST(FaultsMachine, AProxyIsNotAskedForLoopback) {
  const World world({"--movies=20", "--shows=0", "--people=0", "--gone=0", "--rate=0"});
  const auto run = world.Run({"run", "--once"}, {{"MEDIA_TYPES", "movie"},
                                                 {"http_proxy", "http://127.0.0.1:1"},
                                                 {"https_proxy", "http://127.0.0.1:1"},
                                                 {"all_proxy", "http://127.0.0.1:1"}});
  EXPECT_EQ(run.code, 0) << run.out << run.err;
}

TEST(FaultsMachine, ADeadUpstreamEndsTheDaemonWithin15SecondsWithExitCode3) {
  const TempDir folder;
  const auto run = RunToEnd({CollectorPath(), "run"},
                            {{"TMDB_API_KEY", "0123456789abcdef0123456789abcdef"},
                             {"TMDB_API_BASE_URL", "http://127.0.0.1:1/3"},
                             {"TMDB_EXPORT_BASE_URL", "http://127.0.0.1:1/p/exports"},
                             {"DATA_DIR", (folder.path() / "data").string()}},
                            folder.path(), std::chrono::seconds(20));
  EXPECT_EQ(run.code, 3) << run.out << run.err;
}

TEST(FaultsMachine, NoShapeOfAnEventCrashesTrigger) {
  const World world({"--movies=10", "--shows=2", "--people=2", "--gone=0", "--rate=0"});
  const auto file = world.folder.path() / "event.json";
  for (const char* detail : {R"({"types":"movie"})", R"({"types":null})", R"({"ids":550,"types":["movie"]})",
                             "[]", "7", R"({"types":[null]})", R"({"ids":[1e400],"types":["movie"]})"}) {
    for (const char* mark : {"", "\xEF\xBB\xBF"}) {
      std::ofstream(file)
          << mark
          << fmt::format(
                 R"([{{"source":"tmdb-data-collector","detail-type":"Collection Requested","detail":{}}}])",
                 detail);
      const auto run = world.Run({"trigger", "event.json"});
      EXPECT_TRUE(run.code >= 0 && run.code <= 4) << detail << ": " << run.code << run.err;
    }
  }
}

TEST(FaultsMachine, AFlagWithAnEmptyValueIsNamed) {
  const TempDir folder;
  const auto run = RunToEnd({CollectorPath(), "query", "--type=", "--id=1"}, {}, folder.path());
  EXPECT_EQ(run.code, 2);
  EXPECT_NE(run.err.find("--type"), std::string::npos) << run.err;
}

TEST(FaultsMachine, ADataDirThatIsAUrlIsRefused) {
  const TempDir folder;
  const auto run = RunToEnd({CollectorPath(), "run", "--once"},
                            {{"TMDB_API_KEY", "0123456789abcdef0123456789abcdef"},
                             {"DATA_DIR", "file://" + (folder.path() / "x").string()}},
                            folder.path(), std::chrono::seconds(20));
  EXPECT_EQ(run.code, 2) << run.err;
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "file:"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "x"));
}

}  // namespace
}  // namespace tmdbc
