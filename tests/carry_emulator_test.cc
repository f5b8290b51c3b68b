// SPDX-License-Identifier: MIT
// The program over a bucket of moto's: a mirror of tmdb-sim is pushed there, looked at from a machine that has nothing
// but the bucket's name, and pulled back.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "emulators.h"
#include "program.h"

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
