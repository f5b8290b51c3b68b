// SPDX-License-Identifier: MIT
#include "read_api/read_api.h"

#include <gtest/gtest.h>

#include "read_api/json_slice.h"
#include "read_api/read_api_world_test.h"
#include "tmdb/configuration_lists.h"

namespace tmdbc::read_api {
namespace {

TEST(ReadApi, GivesAFilmAsTmdbWroteItWithoutWhatWasAppended) {
  ReadApiWorld world;
  world.Put({MediaType::kMovie, 550},
            R"({"id":550,"revenue":100853753,"title":"Fight Club","vote_average":8.0,"credits":{"cast":[]},)"
            R"("images":{}})");
  const Answer answer = world.Get("/3/movie/550?api_key=k");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"id":550,"revenue":100853753,"title":"Fight Club","vote_average":8.0})");
  EXPECT_EQ(answer.fidelity, Fidelity::kExact);
  ASSERT_EQ(answer.sources.size(), 1u);
  EXPECT_EQ(answer.sources[0].id, (MediaId{MediaType::kMovie, 550}));
}

TEST(ReadApi, SaysAsTmdbWhatIsNotThere) {
  ReadApiWorld world;
  constexpr auto kNoResource =
      R"({"success":false,"status_code":34,"status_message":"The resource you requested could not be found."})";
  EXPECT_EQ(world.Get("/3/movie/1").status, 404);
  EXPECT_EQ(world.Get("/3/movie/1").body, kNoResource);
  EXPECT_EQ(world.Get("/3/nonsense").body, kNoResource);
  EXPECT_EQ(world.Get("/3/movie/0").body,
            R"({"success":false,"status_code":6,)"
            R"("status_message":"Invalid id: The pre-requisite id is invalid or not found."})");
}

TEST(ReadApi, SaysWhenAnAnswerRestsOnWhatIsNotStored) {
  ReadApiWorld world;
  world.Put({MediaType::kMovie, 550}, R"({"id":550})");
  EXPECT_FALSE(world.Get("/3/movie/550").missed);
  EXPECT_TRUE(world.Get("/3/movie/551").missed);
}

TEST(ReadApi, SaysThatItIsOfflineWhenTheStoreCannotBeRead) {
  ReadApiWorld world;
  world.records.failure = Error{ErrorCode::kUnreadable, "read data/records: Input/output error"};
  const Answer answer = world.Get("/3/movie/550");
  EXPECT_EQ(answer.status, 503);
  ASSERT_EQ(answer.problems.size(), 1u);
  EXPECT_EQ(answer.problems[0].message, world.records.failure->message);
}

TEST(ReadApi, SaysThatItIsOfflineWhereTheRecordItselfIsDamaged) {
  ReadApiWorld world;
  const MediaId film{MediaType::kMovie, 550}, genres{MediaType::kConfiguration, *ConfigurationId("genre/movie/list")};
  for (const MediaId id : {film, genres}) world.Put(id, R"({"id":550})");
  world.records.damaged = {film, genres};
  for (const auto target : {"/3/movie/550", "/3/movie/550/credits", "/3/genre/movie/list", "/3/movie/popular"}) {
    const Answer answer = world.Get(target);
    EXPECT_EQ(answer.status, 503) << target;
    EXPECT_EQ(answer.problems.size(), 1u) << target;
  }
}

TEST(ReadApi, LeavesADamagedRecordOutOfAList) {
  ReadApiWorld world;
  for (const std::int64_t id : {1, 2, 3}) {
    const std::string body = R"({"id":)" + std::to_string(id) + R"(,"title":"Film","popularity":1})";
    world.Put({MediaType::kMovie, id}, body);
  }
  EXPECT_GT(world.Get("/3/movie/popular").max_age.count(), 0);
  world.records.damaged = {{MediaType::kMovie, 2}};
  const Answer answer = world.Get("/3/movie/popular");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(ElementsOf(MemberOf(answer.body, "results")).size(), 2u) << answer.body;
  EXPECT_EQ(answer.fidelity, Fidelity::kApproximate);
  EXPECT_EQ(answer.max_age.count(), 0);  // it may be mended at any time
  ASSERT_EQ(answer.problems.size(), 1u);
  EXPECT_EQ(answer.problems[0].message, "movie:2: bad checksum");
}

TEST(ReadApi, ClaimsNoFidelityForAnError) {
  ReadApiWorld world;
  for (const auto target : {"/3/movie/1", "/3/nonsense", "/3/account", "/3/search/movie", "/3/movie/popular?page=0"})
    EXPECT_EQ(world.Get(target).fidelity, Fidelity::kNone) << target;
}

}  // namespace
}  // namespace tmdbc::read_api
