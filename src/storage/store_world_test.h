// SPDX-License-Identifier: MIT
// StoreWorld: a record store on a fake disk, a real SQLite and a fake clock, and documents of TMDB's shape.
// For the tests of this folder only: its name ends in _test because it stands on src/testing.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/store_pieces_test.h"
#include "testing/fake_clock.h"
#include "testing/fault_file_system.h"

namespace tmdbc::testing {

// The first segment of films.
inline constexpr const char* kFirst = "records/movie/000/000/001.jsonl.zst";

constexpr MediaId Film(std::int64_t id) {
  return {MediaType::kMovie, id};
}

inline constexpr std::string_view kFightClub =
    R"({"adult":false,"id":550,"title":"Fight Club","popularity":61.416,"vote_average":8.433,"vote_count":26280})";

// So long that new numbers are less than half of a body: they are stored as a patch.
inline constexpr std::string_view kOverview =
    "A ticking-time-bomb insomniac and a slippery soap salesman channel primal male aggression into a shocking new form "
    "of therapy. Their concept catches on, with underground clubs forming in every town, until an eccentric gets in the "
    "way and ignites an out-of-control spiral toward oblivion.";

inline Document MakeDocument(MediaId id, std::string data, Time fetched_at) {
  Document document;
  document.id = id;
  document.fetched_at = fetched_at;
  document.hash = HashContent(data).value();
  document.data = std::move(data);
  return document;
}

inline Document Movie(std::int64_t id, std::string_view title, double popularity, Time fetched_at) {
  return MakeDocument(
      {MediaType::kMovie, id},
      fmt::format(R"({{"adult":false,"id":{},"title":"{}","overview":"{}","popularity":{:.3f},"vote_count":{}}})", id,
                  title, kOverview, popularity, int(popularity * 10)),
      fetched_at);
}

inline Document Show(std::int64_t id, std::string_view name, Time fetched_at) {
  return MakeDocument({MediaType::kTv, id}, fmt::format(R"({{"adult":false,"id":{},"name":"{}"}})", id, name),
                      fetched_at);
}

// Its episodes get the ids id * 100 + 1, id * 100 + 2...
inline Document Season(std::int64_t id, std::int64_t tv_id, std::int64_t number, int episodes,
                       Time fetched_at) {
  std::string list;
  for (int i = 1; i <= episodes; ++i) {
    list += fmt::format(R"({}{{"id":{},"episode_number":{},"name":"Episode {}"}})", i == 1 ? "" : ",",
                        id * 100 + i, i, i);
  }
  Document document =
      MakeDocument({MediaType::kSeason, id},
                   fmt::format(R"({{"id":{},"name":"Season {}","season_number":{},"episodes":[{}]}})", id,
                               number, number, list),
                   fetched_at);
  document.tv_id = tv_id;
  document.season_number = number;
  document.episodes = EpisodesOf(document.data).value();
  return document;
}

// `Files` is a FileSystem, or becomes one.
template <class Files>
struct StoreWorldOn {
  FakeClock clock;
  Files files;
  Database catalog = Database::Open(":memory:", Database::Mode::kReadWrite).value();
  RecordWriterOptions options;
  std::unique_ptr<StorePieces> store;

  explicit StoreWorldOn(RecordWriterOptions with = {}) : options(with) { Reopen(); }

  // As after a kill: what was not committed is gone.
  void Reopen() {
    store.reset();
    auto opened = StorePieces::Open(files, catalog, clock, options);
    ASSERT_TRUE(opened) << opened.error().message;
    store = *std::move(opened);
  }
  Change Put(const Document& document) { return store->writer->Put(document).value(); }
  void Commit() {
    const auto done = store->writer->Commit({});
    ASSERT_TRUE(done) << done.error().message;
  }
  void Seal() {
    const auto done = store->writer->Seal();
    ASSERT_TRUE(done) << done.error().message;
  }
  // "404", "no longer listed", "none", or the data of the current view; an error's message when it cannot be read.
  std::string View(MediaId id) {
    const auto found = store->reader.Find(id);
    if (!found) return found.error().code == ErrorCode::kNotFound ? "none" : found.error().message;
    return found->live() ? found->data : found->status == 404 ? "404" : "no longer listed";
  }
  // "1 insert, 2 update"
  std::string Steps(MediaId id) {
    const auto history = store->reader.History(id);
    if (!history) return history.error().message;
    std::string text;
    for (const StoredRecord& record : *history) {
      text += fmt::format("{}{} {}{}", text.empty() ? "" : ", ", record.version, Name(record.change),
                          record.damage.empty() ? "" : " damaged");
    }
    return text;
  }
  // What a deep verification finds, one line each; empty when all is well.
  std::string Damage() {
    const auto report = store->Verify(true);
    if (!report) return report.error().message;
    std::string text;
    for (const auto& damage : report->damage)
      text += fmt::format("{} at {}: {}\n", damage.file, damage.offset, damage.what);
    return text;
  }
};

using StoreWorld = StoreWorldOn<FaultFileSystem>;

}  // namespace tmdbc::testing
