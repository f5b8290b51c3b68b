// SPDX-License-Identifier: MIT
#include "images/image_fetch.h"

#include <gtest/gtest.h>

#include <map>

#include "base/rate_limiter.h"
#include "testing/fault_file_system.h"
#include "testing/scripted_transport.h"

namespace tmdbc::images {
namespace {

using Reply = testing::ScriptedTransport::Reply;

// A JPEG of that many bytes.
std::string Jpeg(std::size_t bytes = 100) {
  const std::string head("\xFF\xD8\xFF\xC0\x00\x0B\x08\x00\x09\x00\x10\x01\x01\x11\x00\xFF\xDA\x00\x02", 19);
  return head + std::string(bytes - head.size() - 2, 'x') + "\xFF\xD9";
}

std::vector<ImageName> Numbered(int count) {
  std::vector<ImageName> images;
  for (int i = 0; i < count; ++i) images.push_back({"w342", "image" + std::to_string(i) + ".jpg"});
  return images;
}

struct World {
  // By path behind the base URL; others are there as they should be.
  std::map<std::string, std::vector<Reply>> replies;
  std::map<std::string, int> asked;

  FetchReport Bring(const std::vector<ImageName>& wanted, std::uint64_t max_bytes = 1 << 20) {
    auto folder = ImageFolder::Open(files);
    EXPECT_TRUE(folder);
    ImageFetch fetch(clock, requester, *folder, random,
                     {.base_url = "http://images.test/t/p", .max_bytes = max_bytes, .connections = 3});
    auto report = fetch.Bring(wanted, stop);
    EXPECT_TRUE(report) << report.error().message;
    kept.clear();
    for (const auto& [image, bytes] : folder->all()) kept.push_back(image.name);
    return *report;
  }

  testing::FakeClock clock;
  testing::FaultFileSystem files;
  std::vector<std::string> kept;
  StopFlag stop;
  std::mt19937_64 random{1};
  RateLimiter limiter{20, clock};
  testing::ScriptedTransport transport{clock, [this](const http::Request& request, const std::string&) {
                                         const std::string path = request.url.substr(sizeof("http://images.test/t/p") - 1);
                                         const std::size_t time = static_cast<std::size_t>(asked[path]++);
                                         const auto planned = replies.find(path);
                                         if (planned == replies.end()) return Reply::Status(200, Jpeg());
                                         return planned->second[std::min(time, planned->second.size() - 1)];
                                       }};
  http::PacedRequester requester{clock, transport, limiter, random};
};

TEST(ImageFetch, BringsWhatIsWantedAndAsksForNothingThatIsThere) {
  World world;
  const FetchReport first = world.Bring(Numbered(7));
  EXPECT_EQ(first.fetched, 7);
  EXPECT_EQ(first.left, 0);
  EXPECT_LE(world.transport.peak, 3);
  const FetchReport second = world.Bring(Numbered(9));
  EXPECT_EQ(second.present, 7);
  EXPECT_EQ(second.fetched, 2);
  for (const auto& [path, times] : world.asked) EXPECT_EQ(times, 1) << path;
}

TEST(ImageFetch, AsksOnceForAnImageOfManyTitles) {
  World world;
  auto twice = Numbered(2);
  twice.push_back(twice.front());
  EXPECT_EQ(world.Bring(twice).wanted, 2);
  EXPECT_EQ(world.asked["/w342/image0.jpg"], 1);
}

TEST(ImageFetch, KeepsNothingThatIsNotAWholeImage) {
  World world;
  world.replies["/w342/image0.jpg"] = {Reply::Status(200, "<html>busy</html>"), Reply::Status(200, Jpeg().substr(0, 50)),
                                       Reply::Status(200, Jpeg())};
  world.replies["/w342/image1.jpg"] = {Reply::Status(200, "")};
  const FetchReport report = world.Bring(Numbered(3));
  EXPECT_EQ(report.fetched, 2);
  EXPECT_EQ(report.failed, 1);
  EXPECT_EQ(world.asked["/w342/image1.jpg"], ImageFetch::kTries);
  EXPECT_EQ(world.kept, (std::vector<std::string>{"image0.jpg", "image2.jpg"}));
  EXPECT_EQ(report.last_failure, "/w342/image1.jpg: it does not begin as a JPEG");
}

TEST(ImageFetch, AsksAgainWhereTheHostHadTroubleAndNotWhereTheImageIsGone) {
  World world;
  world.replies["/w342/image0.jpg"] = {Reply::Status(503), Reply::Broken(), Reply::Status(200, Jpeg())};
  world.replies["/w342/image1.jpg"] = {Reply::Status(404)};
  world.replies["/w342/image2.jpg"] = {Reply::Status(429, "", {{"Retry-After", "30"}}), Reply::Status(200, Jpeg())};
  const FetchReport report = world.Bring(Numbered(3));
  EXPECT_EQ(report.fetched, 2);
  EXPECT_EQ(report.gone, 1);
  EXPECT_EQ(report.failed, 0);
  EXPECT_EQ(world.asked["/w342/image1.jpg"], 1);
  EXPECT_GE(world.transport.waited, std::chrono::seconds(30));
}

TEST(ImageFetch, GivesUpAHostThatNeverAnswersUsefully) {
  World world;
  for (const ImageName& image : Numbered(100)) world.replies[image.url_path()] = {Reply::Status(500)};
  const FetchReport report = world.Bring(Numbered(100));
  EXPECT_TRUE(report.host_failed);
  EXPECT_EQ(report.fetched, 0);
  EXPECT_EQ(report.failed + report.left, 100);
  EXPECT_LE(world.transport.seen.size(), std::size_t(ImageFetch::kFailuresInARow + 3));
}

TEST(ImageFetch, KeepsWithinTheBoundWhatIsWantedMost) {
  World world;
  const FetchReport report = world.Bring(Numbered(10), 350);
  EXPECT_TRUE(report.full);
  EXPECT_EQ(report.fetched + report.left, 10);
  EXPECT_EQ(world.kept, (std::vector<std::string>{"image0.jpg", "image1.jpg", "image2.jpg"}));
}

TEST(ImageFetch, MakesRoomForWhatIsWantedMoreNow) {
  World world;
  world.Bring(Numbered(3), 350);
  // 9 and 8 became popular, 0 is wanted still, 1 and 2 no more.
  std::vector<ImageName> wanted = {Numbered(10)[9], Numbered(10)[8], Numbered(10)[0], Numbered(10)[7]};
  const FetchReport report = world.Bring(wanted, 350);
  EXPECT_EQ(report.evicted, 2);
  EXPECT_EQ(report.left, 1);
  EXPECT_EQ(world.kept, (std::vector<std::string>{"image0.jpg", "image8.jpg", "image9.jpg"}));
  // Once more: nothing moves.
  const auto asked = world.asked;
  EXPECT_EQ(world.Bring(wanted, 350).evicted, 0);
  EXPECT_EQ(world.asked, asked);
}

TEST(ImageFetch, KeepsALowerBoundThanLastTimeThoughNothingIsFetched) {
  World world;
  world.Bring(Numbered(5));
  const auto asked = world.asked;
  const FetchReport report = world.Bring(Numbered(5), 350);
  EXPECT_EQ(report.evicted, 2);
  EXPECT_EQ(report.present, 3);
  EXPECT_EQ(report.left, 2);
  EXPECT_EQ(world.kept, (std::vector<std::string>{"image0.jpg", "image1.jpg", "image2.jpg"}));
  EXPECT_EQ(world.asked, asked);
}

TEST(ImageFetch, EvictsNothingWhileThereIsRoom) {
  World world;
  world.Bring(Numbered(5));
  EXPECT_EQ(world.Bring({Numbered(9)[8]}).evicted, 0);
  EXPECT_EQ(world.kept.size(), 6u);
}

TEST(ImageFetch, StopsWhenToldAndGoesOnNextTime) {
  World world;
  world.stop.Request();
  EXPECT_EQ(world.Bring(Numbered(5)).left, 5);
}

}  // namespace
}  // namespace tmdbc::images
