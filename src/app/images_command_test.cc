// SPDX-License-Identifier: MIT
// images, from the command line to the folder, against a host of images on loopback.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

#include "app/program_world_test.h"
#include "http/server.h"
#include "storage/popularity_table.h"

namespace tmdbc {
namespace {

using testing::DataStore;
using testing::ExpectOneLine;
using testing::Outcome;
using testing::ProgramWorld;

// 100 bytes.
std::string SmallJpeg() {
  const std::string head("\xFF\xD8\xFF\xC0\x00\x0B\x08\x00\x09\x00\x10\x01\x01\x11\x00\xFF\xDA\x00\x02", 19);
  return head + std::string(79, 'x') + "\xFF\xD9";
}

class ImagesCommandTest : public ProgramWorld {
 protected:
  ImagesCommandTest() {
    auto server = http::Server::Listen({}, clock_, [this](const http::ServerRequest& request) {
      const std::lock_guard lock(mutex_);
      asked_.push_back(request.target);
      const bool there = !gone_.contains(request.target);
      return http::Answer{.status = there ? 200 : 404,
                          .body = std::make_shared<const std::string>(there ? SmallJpeg() : "no such file")};
    });
    server_ = *std::move(server);
    thread_ = std::thread([this] { server_->Run(); });
    ::setenv("IMAGE_BASE_URL", ("http://127.0.0.1:" + std::to_string(server_->port()) + "/t/p").c_str(), 1);
    ::setenv("IMAGE_RATE", "1000", 1);
  }
  ~ImagesCommandTest() override {
    server_->Stop();
    thread_.join();
  }

  // Two films, 11 the more popular one.
  static void Fill() {
    DataStore data;
    data.Put({MediaType::kMovie, 10}, R"({"id":10,"poster_path":"/less.jpg"})", "2026-11-01T10:00:00Z");
    data.Put({MediaType::kMovie, 11}, R"({"id":11,"images":{"posters":[
      {"file_path":"/german.jpg","iso_639_1":"de"},{"file_path":"/english.jpg","iso_639_1":"en"}]}})",
             "2026-11-01T10:00:00Z");
    data.Commit();
    PopularityTable popularity(data.catalog());
    ASSERT_TRUE(popularity.Create());
    ASSERT_TRUE(popularity.Set(MediaType::kMovie, std::vector<Popularity>{{10, 1.5f}, {11, 90.0f}}));
  }
  std::vector<std::string> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  const SystemClock clock_;
  std::mutex mutex_;
  std::vector<std::string> asked_;
  std::set<std::string> gone_;
  std::unique_ptr<http::Server> server_;
  std::thread thread_;
};

TEST_F(ImagesCommandTest, FetchesTheImagesOfTheMostPopularRecordsFirst) {
  Fill();
  const Outcome images = Run({"images", "--languages=en, null", "--max-bytes=150", "--json"});
  EXPECT_EQ(images.code, 0) << images.err;
  EXPECT_EQ(asked().front(), "/t/p/w342/english.jpg");
  EXPECT_TRUE(std::filesystem::exists("data/images/w342/en/english.jpg"));
  EXPECT_FALSE(std::filesystem::exists("data/images/w342/le/less.jpg"));
  EXPECT_NE(images.out.find(R"("fetched":1,)"), std::string::npos) << images.out;
  EXPECT_NE(images.out.find(R"("full":true)"), std::string::npos) << images.out;
}

TEST_F(ImagesCommandTest, GoesOnWhereItEndedAndSaysWhatIsGone) {
  Fill();
  gone_.insert("/t/p/w342/less.jpg");
  EXPECT_EQ(Run({"images"}).out,
            "2 images wanted: 1 fetched (0.0 MB), 0 were there, 1 are gone from TMDB, 0 failed\n"
            "1 image kept, 0.0 MB\n");
  EXPECT_EQ(Run({"images"}).out,
            "2 images wanted: 0 fetched (0.0 MB), 1 were there, 1 are gone from TMDB, 0 failed\n"
            "1 image kept, 0.0 MB\n");
}

TEST_F(ImagesCommandTest, FindsDamageAndFetchesItAgain) {
  Fill();
  EXPECT_EQ(Run({"images"}).code, 0);
  std::ofstream("data/images/w342/ge/german.jpg") << "no picture";
  const Outcome check = Run({"images", "--check"});
  EXPECT_EQ(check.code, 1);
  EXPECT_EQ(check.out, "/w342/german.jpg is damaged: removed\n2 images checked, 1 damaged\n");
  const Outcome clean = Run({"images", "--check", "--json"});
  EXPECT_EQ(clean.code, 0);
  EXPECT_EQ(clean.out, "{\"checked\":1,\"damaged\":[],\"stopped\":false}\n");
  const Outcome again = Run({"images"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(std::filesystem::file_size("data/images/w342/ge/german.jpg"), 100u);
}

TEST_F(ImagesCommandTest, NamesTheFlagThatIsWrong) {
  Fill();
  ExpectOneLine(Run({"images", "--sizes=w342,huge"}), 2, "--sizes: 'huge' is not a size of TMDB's");
  ExpectOneLine(Run({"images", "--sizes=w999"}), 2, "--sizes: 'w999' is not a size of TMDB's: use w45, w92, ");
  ExpectOneLine(Run({"images", "--kinds=banner"}), 2, "--kinds: 'banner' is not a kind of image");
  ExpectOneLine(Run({"images", "--types=keyword"}), 2, "--types: 'keyword' has no images");
  ExpectOneLine(Run({"images", "--languages=english"}), 2, "--languages: 'english' is not a language");
  for (const char* size : {"--max-bytes=0", "--max-bytes=20X", "--max-bytes=9999999T", "--max-bytes=-1"})
    ExpectOneLine(Run({"images", size}), 2, "--max-bytes: ");
  EXPECT_TRUE(asked().empty());
}

TEST_F(ImagesCommandTest, SaysWhenThereIsNoStoreYet) {
  EXPECT_EQ(Run({"images"}).code, 2);
  EXPECT_FALSE(std::filesystem::exists("data/images"));
}

}  // namespace
}  // namespace tmdbc
