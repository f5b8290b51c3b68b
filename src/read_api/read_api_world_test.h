// SPDX-License-Identifier: MIT
// A mirror in memory, and the read API over it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "read_api/read_api.h"
#include "testing/fake_clock.h"

namespace tmdbc::read_api {

class MemoryRecords : public Records {
 public:
  Result<std::shared_ptr<const Record>> Get(MediaId id) override {
    if (failure) return std::unexpected(*failure);
    if (damaged.contains(id)) return Fail(ErrorCode::kCorrupt, "{}: bad checksum", ToString(id));
    const auto found = all.find(id);
    if (found == all.end()) return Fail(ErrorCode::kNotFound, "{} is not stored", ToString(id));
    return found->second;
  }
  Result<std::shared_ptr<const Record>> GetSeason(std::int64_t tv_id, std::int64_t season_number) override {
    if (failure) return std::unexpected(*failure);
    for (const auto& [id, record] : all) {
      if (id.type == MediaType::kSeason && record->tv_id == tv_id && record->season_number == season_number)
        return record;
    }
    return Fail(ErrorCode::kNotFound, "season {} of tv:{} is not stored", season_number, tv_id);
  }
  Result<Source> SourceOf(MediaId id) override {
    TRY_ASSIGN(const auto record, Get(id));
    return record->source;
  }
  Result<bool> IsAwaited(MediaId id) override { return awaited.contains(id); }

  std::map<MediaId, std::shared_ptr<const Record>> all;
  std::set<MediaId> awaited;
  std::set<MediaId> damaged;
  std::optional<Error> failure;  // of every look-up
};

struct ReadApiWorld {
  void Put(MediaId id, std::string body, std::int64_t tv_id = 0, std::int64_t season_number = 0) {
    records.all[id] =
        std::make_shared<const Record>(Source{id, ++stamp, clock.Now()}, tv_id, season_number, std::move(body));
    if (id.type == MediaType::kConfiguration) return;  // a list, and no title
    EXPECT_TRUE(titles.Put(id, records.all[id]->body, tv_id));
  }
  Answer Get(std::string_view target) { return api.Get(*ApiRequest::Parse(target)); }

  testing::FakeClock clock;
  MemoryRecords records;
  std::uint64_t stamp = 0;
  titles::MemoryTitles titles;
  ReadApi api{records, clock, &titles};
};

}  // namespace tmdbc::read_api
