// SPDX-License-Identifier: MIT
#include "storage/segment_path.h"

#include <gtest/gtest.h>

namespace tmdbc {
namespace {

TEST(SegmentPath, PutsNumbersIntoFoldersOfAThousand) {
  EXPECT_EQ(SealedPath(MediaType::kMovie, 1), "records/movie/000/000/001.jsonl.zst");
  EXPECT_EQ(OpenPath(MediaType::kMovie, 1), "records/movie/000/000/001.jsonl.zst.open");
  EXPECT_EQ(SealedPath(MediaType::kTv, 1000), "records/tv/000/001/000.jsonl.zst");
  EXPECT_EQ(SealedPath(MediaType::kSeason, 12'345'678), "records/season/012/345/678.jsonl.zst");
  EXPECT_EQ(StatePath(MediaType::kPerson), "records/person/state.json");
  EXPECT_EQ(FolderOfPath(SealedPath(MediaType::kTv, 1000)), "records/tv/000/001");
}

TEST(SegmentPath, ReadsItsOwnPathsBack) {
  for (const std::uint32_t number : {1U, 999U, 1000U, 1001U, 999'999U, 1'000'000U, kMaxSegmentNumber}) {
    EXPECT_EQ(ParseSegmentPath(SealedPath(MediaType::kTv, number)),
              (SegmentName{MediaType::kTv, number, false}));
    EXPECT_EQ(ParseSegmentPath(OpenPath(MediaType::kTv, number)),
              (SegmentName{MediaType::kTv, number, true}));
  }
}

TEST(SegmentPath, RefusesEverythingElse) {
  for (const char* path : {"", "records", "records/movie/state.json", "records/movie/000/000/000.jsonl.zst",
                           "records/movie/000/000/1.jsonl.zst", "records/movie/000/000/001.jsonl",
                           "records/movie/000/000/001.jsonl.zst.open.tmp",
                           "records/film/000/000/001.jsonl.zst", "records/movie/000-000/001.jsonl.zst",
                           "records/movie/000/000/0a1.jsonl.zst", "records/movie/000/000/001/001.jsonl.zst",
                           "exports/movie/000/000/001.jsonl.zst", "records//000/000/001.jsonl.zst"}) {
    EXPECT_FALSE(ParseSegmentPath(path)) << path;
  }
}

}  // namespace
}  // namespace tmdbc
