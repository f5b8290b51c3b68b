// SPDX-License-Identifier: MIT
// images: TMDB's pictures of the most popular records, by rule, into DATA_DIR/images. Beside every other command: it
// reads the store, and its folder has a lock of its own.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <random>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/command.h"
#include "app/opened_store.h"
#include "app/output.h"
#include "app/progress.h"
#include "app/stop_signals.h"
#include "base/folder_lock.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/rate_limiter.h"
#include "base/safe_text.h"
#include "base/version.h"
#include "base/words.h"
#include "http/curl_transport.h"
#include "http/paced_requester.h"
#include "images/image_fetch.h"
#include "images/image_folder.h"
#include "images/selection.h"
#include "storage/popularity_table.h"

namespace tmdbc {
namespace {

constexpr std::int64_t kMostPopular = 10'000;        // of each type
constexpr std::uint64_t kMaxBytes = 20ull << 30;
constexpr std::int64_t kMaxPerTitle = 1000;
constexpr std::int64_t kMaxTitles = 10'000'000;
constexpr std::array kTypesWithImages = {MediaType::kMovie,  MediaType::kTv,      MediaType::kSeason, MediaType::kPerson,
                                         MediaType::kCollection, MediaType::kCompany, MediaType::kNetwork};

struct Wish {
  images::Rule rule;
  std::vector<MediaType> types;
  std::int64_t most_popular = kMostPopular;
  std::uint64_t max_bytes = kMaxBytes;
};

// "20G", "500M", "1048576": bytes, K, M, G and T being powers of 1024.
Result<std::uint64_t> ParseBytes(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, text.data() + text.size());
  constexpr std::string_view kUnits = "KMGT";
  const std::size_t power = unit.empty() ? 0 : kUnits.find(unit) + 1;
  const bool known = unit.empty() || (unit.size() == 1 && power > 0);
  if (error != std::errc() || !known || number == 0 || number > (std::uint64_t{1} << 50) >> (10 * power))
    return Fail(ErrorCode::kInvalid, "'{}' is not a size: use 500M, 20G or a number of bytes", ShowValue(text));
  return number << (10 * power);
}

// "en, null": each part by `parse`.
template <class Parse>
auto ParseList(std::string_view text, const Parse& parse) -> Result<std::vector<typename decltype(parse(text))::value_type>> {
  std::vector<typename decltype(parse(text))::value_type> list;
  for (const auto part : text | std::views::split(',')) {
    std::string_view item(part.begin(), part.end());
    item.remove_prefix(std::min(item.find_first_not_of(' '), item.size()));
    TRY_ASSIGN(auto value, parse(item.substr(0, item.find_last_not_of(' ') + 1)));
    list.push_back(std::move(value));
  }
  return list;
}

Result<MediaType> ParseTypeWithImages(std::string_view text) {
  const auto type = ParseMediaType(text);
  if (type && std::ranges::find(kTypesWithImages, *type) != kTypesWithImages.end()) return *type;
  return Fail(ErrorCode::kInvalid, "'{}' has no images: use movie, tv, season, person, collection, company or network",
              ShowValue(text));
}

Result<std::string> ParseSize(std::string_view text) {
  if (images::IsSize(text)) return std::string(text);
  return Fail(ErrorCode::kInvalid, "'{}' is not a size of TMDB's: use {}", ShowValue(text),
              fmt::join(images::kSizes, ", "));
}

Result<Wish> WishOf(const Arguments& arguments) {
  Wish wish;
  const auto types = ParseList(arguments.Get("--types").value_or("movie,tv,person"), ParseTypeWithImages);
  if (!types) return WithinFlag("--types", types.error());
  wish.types = *types;
  const auto kinds = ParseList(arguments.Get("--kinds").value_or("poster,backdrop,profile"), images::ParseKind);
  if (!kinds) return WithinFlag("--kinds", kinds.error());
  wish.rule.kinds = *kinds;
  const auto sizes = ParseList(arguments.Get("--sizes").value_or("w342"), ParseSize);
  if (!sizes) return WithinFlag("--sizes", sizes.error());
  wish.rule.sizes = *sizes;
  if (const auto text = arguments.Get("--languages")) {
    auto languages = ParseList(*text, images::ParseImageLanguage);
    if (!languages) return WithinFlag("--languages", languages.error());
    wish.rule.languages = *std::move(languages);
  }
  TRY_ASSIGN(const auto per_title, arguments.Number("--per-title", 1, kMaxPerTitle));
  if (per_title) wish.rule.per_title = static_cast<std::size_t>(*per_title);
  TRY_ASSIGN(const auto most_popular, arguments.Number("--most-popular", 1, kMaxTitles));
  if (most_popular) wish.most_popular = *most_popular;
  if (const auto text = arguments.Get("--max-bytes")) {
    const auto bytes = ParseBytes(*text);
    if (!bytes) return WithinFlag("--max-bytes", bytes.error());
    wish.max_bytes = *bytes;
  }
  return wish;
}

struct Title {
  float popularity;
  MediaId id;
};

// The most popular live records of each type, the most popular first; of types without a popularity the oldest ids.
Result<std::vector<Title>> MostPopular(OpenedStore& store, const Wish& wish, const StopFlag& stop) {
  PopularityTable popularity(store.catalog);
  const auto before = [](const Title& a, const Title& b) {
    return a.popularity != b.popularity ? a.popularity > b.popularity : a.id < b.id;
  };
  std::vector<Title> all;
  for (const MediaType type : wish.types) {
    std::vector<Title> titles;
    std::optional<Error> failure;
    PopularityTable::Walk walk(popularity, type);
    TRY(store.ledger.VisitLive(
        type,
        [&](const LiveRecord& record) {
          const auto found = walk.Find(record.id);
          if (!found && !failure) failure = found.error();
          titles.push_back({found ? found->value_or(0) : 0, {type, record.id}});
        },
        stop));
    if (failure) return std::unexpected(*failure);
    const auto count = std::min(titles.size(), static_cast<std::size_t>(wish.most_popular));
    std::ranges::partial_sort(titles, titles.begin() + static_cast<std::ptrdiff_t>(count), before);
    all.insert(all.end(), titles.begin(), titles.begin() + static_cast<std::ptrdiff_t>(count));
  }
  std::ranges::sort(all, before);
  return all;
}

// What is wanted of them all, in their order. A record that cannot be read wants nothing; how many there were is told.
Result<std::vector<images::ImageName>> WantedOf(OpenedStore& store, const std::vector<Title>& titles, const images::Rule& rule,
                                                const StopFlag& stop, std::int64_t& unreadable) {
  std::vector<images::ImageName> wanted;
  for (const Title& title : titles) {
    if (stop.requested()) break;
    const auto record = store.reader.Find(title.id);
    auto chosen = record ? images::SelectImages(record->data, rule) : std::unexpected(record.error());
    if (!chosen && !IsDamage(chosen.error()) && chosen.error().code != ErrorCode::kNotFound)
      return std::unexpected(chosen.error());
    if (!chosen) {
      unreadable += IsDamage(chosen.error());
      continue;
    }
    std::ranges::move(*chosen, std::back_inserter(wanted));
  }
  return wanted;
}

std::string Megabytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::string TextOf(const images::FetchReport& report, const images::ImageFolder& folder, std::int64_t unreadable) {
  std::string text = fmt::format("{} wanted: {} fetched ({}), {} were there, {} are gone from TMDB, {} failed\n",
                                 Counted(report.wanted, "image"), FormatCount(report.fetched), Megabytes(report.bytes_fetched),
                                 FormatCount(report.present), FormatCount(report.gone), FormatCount(report.failed));
  if (report.full) {
    text += fmt::format("the bound is met: {} less popular ones have no room, {} were removed to make some\n",
                        FormatCount(report.left), FormatCount(report.evicted));
  } else if (report.left > 0) {
    text += fmt::format("{} are left for the next time\n", FormatCount(report.left));
  }
  if (report.failed > 0 || report.host_failed) text += fmt::format("the last failure: {}\n", Printable(report.last_failure));
  if (unreadable > 0) text += fmt::format("{} cannot be read: `verify --deep` tells which\n", Counted(unreadable, "record"));
  return text + fmt::format("{} kept, {}\n", Counted(std::ssize(folder.all()), "image"),
                            Megabytes(folder.bytes()));
}

std::string JsonOf(const images::FetchReport& report, const images::ImageFolder& folder, std::int64_t unreadable) {
  JsonWriter json;
  json.BeginObject()
      .Field("wanted", report.wanted)
      .Field("present", report.present)
      .Field("fetched", report.fetched)
      .Field("bytes_fetched", report.bytes_fetched)
      .Field("gone", report.gone)
      .Field("failed", report.failed)
      .Field("evicted", report.evicted)
      .Field("left", report.left);
  json.Field("full", report.full)
      .Field("host_failed", report.host_failed)
      .Field("unreadable_records", unreadable)
      .Field("images", folder.all().size())
      .Field("bytes", folder.bytes());
  return json.EndObject().text() + "\n";
}

// What is removed here is fetched again by the next run.
Result<int> Check(images::ImageFolder& folder, bool as_json, const StopFlag& stop) {
  std::vector<std::string> damaged;
  TRY_ASSIGN(const auto checked, folder.Check(stop, [&](const images::ImageName& image) -> Result<void> {
    damaged.push_back(image.url_path());
    if (as_json) return {};
    return WriteOut(fmt::format("{} is damaged: removed\n", damaged.back()));
  }));
  if (as_json) {
    JsonWriter json;
    json.BeginObject().Field("checked", checked).Key("damaged").BeginArray();
    for (const std::string& path : damaged) json.Text(path);
    TRY(WriteOut(json.EndArray().Field("stopped", stop.requested()).EndObject().text() + "\n"));
  } else {
    TRY(WriteOut(fmt::format("{} checked, {} damaged\n", Counted(checked, "image"), FormatCount(damaged.size()))));
  }
  return damaged.empty() && !stop.requested() ? kExitDone : kExitPartly;
}

}  // namespace

Result<int> ImagesCommand(const Settings& settings, const Arguments& arguments) {
  TRY_ASSIGN(const Wish wish, WishOf(arguments));
  TRY_ASSIGN(const auto store, OpenedStore::ForReading(settings));
  const std::string kept = settings.data_dir + "/images";
  TRY(store->MakeFolderBeside(kept));
  TRY_ASSIGN(const auto lock, FolderLock::Take(kept, "is fetching images"));
  const StopSignals signals;
  PosixFileSystem files(settings.data_dir);
  TRY_ASSIGN(auto folder, images::ImageFolder::Open(files));
  if (arguments.Has("--check")) return Check(folder, arguments.Has("--json"), signals.flag());

  std::int64_t unreadable = 0;
  TRY_ASSIGN(const auto titles, MostPopular(*store, wish, signals.flag()));
  TRY_ASSIGN(const auto wanted, WantedOf(*store, titles, wish.rule, signals.flag(), unreadable));

  const SystemClock clock;
  Log log(LogStream(stderr, settings.log_format == LogFormat::kText), settings.log_level, settings.log_format, clock);
  TRY_ASSIGN(const auto transport, http::CurlTransport::Create(clock));
  RateLimiter limiter(settings.image_rate, clock);
  std::mt19937_64 random(std::random_device{}());
  http::PacedRequester requester(clock, *transport, limiter, random);
  images::ImageFetch fetch(clock, requester, folder, random,
                           {.base_url = settings.image_base_url,
                            .user_agent = std::string(kUserAgent),
                            .max_bytes = wish.max_bytes});
  ProgressMeter meter(clock, log, stderr, settings.log_format == LogFormat::kText && TakesEscapes(STDERR_FILENO));
  const auto report = fetch.Bring(wanted, signals.flag(), [&](const images::FetchReport& so_far) {
    Progress progress;
    progress.done = so_far.present + so_far.fetched + so_far.gone + so_far.failed;
    progress.total = so_far.wanted;
    progress.requests_per_second = limiter.pace();
    progress.left = TimeLeft(progress.total - progress.done, limiter.pace());
    progress.errors = so_far.failed;
    meter.Show(progress);
  });
  meter.Clear();
  if (!report) return std::unexpected(report.error());
  TRY(WriteOut(arguments.Has("--json") ? JsonOf(*report, folder, unreadable) : TextOf(*report, folder, unreadable)));
  if (report->host_failed)
    return Fail(ErrorCode::kUnavailable, "the host of the images does not answer usefully: {}", report->last_failure);
  const bool left = report->failed > 0 || unreadable > 0 || (report->left > 0 && !report->full);
  return left ? kExitPartly : kExitDone;
}

}  // namespace tmdbc
