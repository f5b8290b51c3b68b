// SPDX-License-Identifier: MIT
// FindBody(): a record's body without the rest of its frame.
#include "storage/record_reader.h"

#include <gtest/gtest.h>

#include "storage/store_world_test.h"

namespace tmdbc {
namespace {

using testing::Movie;
using testing::StoreWorld;

constexpr const char* kSegment = "records/movie/000/000/001.jsonl.zst";
constexpr std::int64_t kFilms = 600;  // of about 500 bytes, so that one frame has several of zstd's blocks

constexpr MediaId NumberedFilm(std::int64_t id) {
  return {MediaType::kMovie, id};
}

// One sealed frame of films.
struct FilmWorld : StoreWorld {
  FilmWorld() {
    for (std::int64_t id = 1; id <= kFilms; ++id) Put(Movie(id, fmt::format("Film {}", id), 1, clock.Now()));
    Commit();
    Seal();
  }
  static std::string Body(std::int64_t id) { return Movie(id, fmt::format("Film {}", id), 1, {}).data; }
};

TEST(FindBody, GivesWhatFindGives) {
  FilmWorld world;
  // A patch, a restored one, a tombstone, a season.
  world.clock.Advance(std::chrono::hours(24));
  world.Put(Movie(2, "Film 2", 7, world.clock.Now()));
  ASSERT_TRUE(world.store->writer->PutGone(NumberedFilm(3), world.clock.Now(), DeletionEvidence::kNotFound));
  world.Put(testing::Show(1399, "Game of Thrones", world.clock.Now()));
  world.Put(testing::Season(3624, 1399, 1, 10, world.clock.Now()));
  world.Commit();
  for (const std::size_t kept : {std::size_t{0}, std::size_t{1} << 20}) {
    RecordReader reader(world.files, world.catalog, kept);
    for (const std::int64_t id : {std::int64_t{1}, std::int64_t{2}, std::int64_t{3}, kFilms / 2, kFilms, kFilms + 1}) {
      const auto whole = world.store->reader.Find(NumberedFilm(id));
      const auto body = reader.FindBody(NumberedFilm(id));
      ASSERT_EQ(body.has_value(), whole.has_value()) << id;
      if (!whole) {
        EXPECT_EQ(body.error().message, whole.error().message);
        continue;
      }
      EXPECT_EQ(body->row.id, whole->id);
      EXPECT_EQ(body->row.version, whole->version);
      EXPECT_EQ(body->row.fetched_at, whole->fetched_at);
      EXPECT_EQ(body->row.live(), whole->live());
      EXPECT_EQ(body->data, whole->data);
    }
    const auto season = reader.FindSeasonBody(1399, 1);
    ASSERT_TRUE(season) << season.error().message;
    EXPECT_EQ(season->data, world.store->reader.FindSeason(1399, 1)->data);
    EXPECT_EQ(season->row.tv_id, 1399);
    EXPECT_EQ(reader.FindSeasonBody(1399, 2).error().code, ErrorCode::kNotFound);
  }
}

TEST(FindBody, NeverGivesOtherBytesWhateverBitIsFlipped) {
  FilmWorld world;
  const std::uint64_t size = world.files.Size(kSegment).value();
  for (std::uint64_t at = 0; at < size; at += size / 400) {
    world.files.FlipBit(kSegment, at, int(at % 8));
    for (const std::int64_t id : {std::int64_t{1}, kFilms / 2, kFilms}) {
      const auto found = RecordReader(world.files, world.catalog).FindBody(NumberedFilm(id));
      if (found) {
        EXPECT_EQ(found->data, FilmWorld::Body(id)) << at;
      } else {
        EXPECT_EQ(found.error().code, ErrorCode::kCorrupt);
        EXPECT_NE(found.error().message.find(kSegment), std::string::npos) << found.error().message;
      }
    }
    world.files.FlipBit(kSegment, at, int(at % 8));
  }
}

TEST(FindBody, ReadsWhatStandsBeforeDamage) {
  FilmWorld world;
  const std::uint64_t size = world.files.Size(kSegment).value();
  world.files.FlipBit(kSegment, size - 100, 0);
  EXPECT_FALSE(world.store->reader.Find(NumberedFilm(1)));
  EXPECT_FALSE(world.store->reader.FindBody(NumberedFilm(kFilms)));
  const auto found = world.store->reader.FindBody(NumberedFilm(1));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->data, FilmWorld::Body(1));
}

TEST(FindBody, KeepsFramesAtHandAndNeverWhatIsDamaged) {
  FilmWorld world;
  RecordReader reader(world.files, world.catalog, 1 << 20);
  ASSERT_TRUE(reader.FindBody(NumberedFilm(1)));         // its start
  ASSERT_TRUE(reader.FindBody(NumberedFilm(kFilms)));    // all of it
  world.files.Spoil(kSegment, 0, 4096);
  EXPECT_TRUE(reader.FindBody(NumberedFilm(kFilms / 2)));  // from memory
  EXPECT_FALSE(RecordReader(world.files, world.catalog).FindBody(NumberedFilm(kFilms / 2)));

  FilmWorld other;
  RecordReader another(other.files, other.catalog, 1 << 20);
  other.files.FlipBit(kSegment, 2000, 3);
  EXPECT_FALSE(another.FindBody(NumberedFilm(kFilms)));
  other.files.FlipBit(kSegment, 2000, 3);  // as if it had been put back
  EXPECT_TRUE(another.FindBody(NumberedFilm(kFilms)));
}

}  // namespace
}  // namespace tmdbc
