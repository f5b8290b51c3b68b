// SPDX-License-Identifier: MIT
#include "app/dashboard_view.h"

#include <utility>

#include "app/coverage.h"
#include "app/hints.h"
#include "app/opened_store.h"
#include "app/status_picture.h"
#include "app/summary.h"
#include "base/json_writer.h"
#include "base/version.h"
#include "queue/sqlite_queue_view.h"
#include "titles/search.h"

namespace tmdbc {
namespace {

// A page has no hints: what helps is said with what is wrong.
std::unexpected<Error> InWords(const Error& error) {
  return Fail(error.code, "{}", Explain(error));
}

class StoreView : public dashboard::MirrorView {
 public:
  StoreView(const Settings& settings, std::unique_ptr<OpenedStore> store)
      : settings_(settings), store_(std::move(store)), queue_(store_->catalog, store_->clock) {}

  Result<std::string> Status() override {
    const auto status = ReadStatus(store_->name, store_->catalog, queue_, counts_);
    if (!status) return InWords(status.error());
    return StatusJson(*status, nullptr);
  }

  Result<void> Count() override {
    // All of its catalog would have to come.
    if (store_->view() != nullptr)
      return Fail(ErrorCode::kUnavailable, "a mirror in a bucket is not counted");
    TRY_ASSIGN(counts_, CountStored(store_->ledger));
    return {};
  }

  Result<std::string> Coverage() override {
    if (store_->view() != nullptr)
      return Fail(ErrorCode::kUnavailable, "a mirror in a bucket is not compared id by id");
    const auto types = ReadCoverage(store_->files, store_->catalog, store_->ledger, queue_,
                                    settings_.include_adult, store_->clock.Now());
    if (!types) return InWords(types.error());
    JsonWriter json;
    AddCoverage(json, *types);
    return json.text();
  }

  Result<std::string> DeadLetters(int max) override {
    TRY_ASSIGN(const auto letters, queue_.DeadLetters(std::nullopt, max));
    JsonWriter json;
    json.BeginArray();
    for (const DeadLetter& letter : letters) {
      json.BeginObject().Field("type", Name(letter.id.type)).Field("id", letter.id.id);
      json.Field("tries", letter.receive_count).Field("died", FormatTime(letter.died));
      json.Field("reason", letter.reason).EndObject();
    }
    return json.EndArray().text();
  }

  RecordReader& reader() override { return store_->reader; }
  RecordLedger& ledger() override { return store_->ledger; }
  FileSystem& files() override { return store_->files; }
  Database& catalog() override { return store_->catalog; }
  bool lasting() const override { return !store_->catalog.frozen(); }

 private:
  const Settings& settings_;
  const std::unique_ptr<OpenedStore> store_;
  SqliteQueueView queue_;
  StoredCounts counts_;
};

}  // namespace

Result<std::unique_ptr<dashboard::MirrorView>> OpenDashboardView(const Settings& settings) {
  auto store = OpenedStore::ForReading(settings);
  if (!store) return InWords(store.error());
  return std::make_unique<StoreView>(settings, *std::move(store));
}

std::string DashboardFacts(const Settings& settings) {
  JsonWriter json;
  json.BeginObject().Field("version", kVersion).Key("rate_limit").Real(settings.rate_limit_requests, 2);
  return json.Field("flags", FlagsToRepeat(settings))
      .Field("bucket", !settings.s3_bucket_name.empty())
      .EndObject()
      .text();
}

std::function<Result<std::vector<MediaId>>(std::string_view)> SuggestFrom(const titles::TitleSource& titles) {
  return [&titles](std::string_view text) -> Result<std::vector<MediaId>> {
    constexpr std::size_t kOffered = 8;
    const auto current = titles.Current();
    if (!current) return Fail(ErrorCode::kUnavailable, "the index of titles is being built");
    std::vector<MediaId> ids;
    for (const titles::Found& found : titles::Suggest(*current, text, kOffered)) ids.push_back(found.id);
    return ids;
  };
}

}  // namespace tmdbc
