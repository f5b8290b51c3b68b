// SPDX-License-Identifier: MIT
#include "read_api/read_api.h"

#include <gtest/gtest.h>

#include "read_api/read_api_world_test.h"

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
  EXPECT_EQ(world.Get("/3/movie/550").status, 503);
}

}  // namespace
}  // namespace tmdbc::read_api
