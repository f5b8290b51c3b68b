// SPDX-License-Identifier: MIT
#include "cloud/dispatcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <span>
#include <utility>

#include "base/rate_limiter.h"
#include "cloud/catalog_time.h"

namespace tmdbc {
namespace {

// What one lane carries: 20 connections at half a second each.
constexpr double kLaneRate = 40;
constexpr double kBatchSeconds = 60;
// An overdue batch goes out again in so many parts: a poisonous id of 2,000 is alone after four rounds.
constexpr std::size_t kParts = 8;
// What each bundle with 429s adds to the margin, and what so long without one takes off it.
constexpr double kMarginStep = 0.02, kMostMargin = 0.5;
constexpr double kMarginSeconds = 1200;

constexpr char kTables[] = R"sql(
CREATE TABLE IF NOT EXISTS sent_batches(
  name TEXT PRIMARY KEY, lane INTEGER NOT NULL, sent_at INTEGER NOT NULL, rounds INTEGER NOT NULL,
  idle_at INTEGER, receipts BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dispatch_state(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
)sql";

// Of each id type * 2^52 + id and its receipt, both as 8 bytes, little-endian.
struct Entry {
  std::int64_t key;
  std::int64_t receipt;
};
constexpr int kTypeShift = 52;

// Bytes that an id takes in a message, at most.
std::size_t BytesOf(const IdBatch::Item& item) {
  std::size_t bytes = fmt::formatted_size(R"(["{}",{},[]],)", Name(item.id.type), item.id.id);
  for (const std::int64_t season : item.seasons) bytes += fmt::formatted_size("{},", season);
  return bytes;
}
constexpr std::size_t kEnvelopeBytes = 200;

template <class T>
T Number(std::string_view text, T otherwise) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : otherwise;
}

}  // namespace

int LanesFor(double rate, int concurrency) {
  return std::min(concurrency, std::max(1, int(std::ceil(rate / kLaneRate))));
}

Duration CycleFor(double rate) {
  return rate < 10 ? std::chrono::minutes(30) : std::chrono::minutes(10);
}

std::int64_t WindowFor(double rate) {
  return std::int64_t(kUsedRate * rate * 2 * std::chrono::duration<double>(CycleFor(rate)).count());
}

int BatchIdsFor(double rate, int lanes) {
  return std::clamp(int(kBatchSeconds * kUsedRate * rate / lanes), 1, int(kMostBatchIds));
}

// --- the tables ---

Result<Dispatcher> Dispatcher::Open(Database& catalog, IdReceiver& queue, RecordLedger& ledger, const Clock& clock,
                                    DispatchOptions options) {
  Dispatcher dispatcher(catalog, queue, ledger, clock, options);
  TRY(catalog.Execute(kTables));
  TRY(dispatcher.Load());
  return dispatcher;
}

Result<void> Dispatcher::Forget(Database& catalog) {
  return catalog.Execute("DROP TABLE IF EXISTS sent_batches; DROP TABLE IF EXISTS dispatch_state");
}

Result<void> Dispatcher::Load() {
  TRY_ASSIGN(Statement all, catalog_.Prepare("SELECT name, value FROM dispatch_state"));
  for (;;) {
    TRY_ASSIGN(const bool row, all.Step());
    if (!row) return {};
    const std::string_view name = all.Text(0), value = all.Text(1);
    if (name == "health") state_.health = Health(std::clamp(Number(value, 0), 0, int(Health::kDenied)));
    if (name == "lanes") state_.lanes = Number(value, 0);
    if (name == "margin") state_.margin = std::clamp(Number(value, 0.0), 0.0, kMostMargin);
  }
}

Result<void> Dispatcher::SaveState() {
  const std::pair<std::string_view, std::string> values[] = {
      {"health", fmt::to_string(int(state_.health))},
      {"margin", fmt::format("{:.4f}", state_.margin)},
      {"lanes", fmt::to_string(state_.lanes)},
  };
  return catalog_.Transact([&]() -> Result<void> {
    TRY_ASSIGN(Statement put, catalog_.Prepare("INSERT OR REPLACE INTO dispatch_state(name, value) VALUES (?1, ?2)"));
    for (const auto& [name, value] : values) TRY(put.Bind(name, value).Run());
    return {};
  });
}

Result<std::vector<Dispatcher::Row>> Dispatcher::Rows() {
  TRY_ASSIGN(Statement all, catalog_.Prepare("SELECT name, lane, sent_at, rounds, idle_at, receipts "
                                             "FROM sent_batches ORDER BY name"));
  std::vector<Row> rows;
  for (;;) {
    TRY_ASSIGN(const bool more, all.Step());
    if (!more) return rows;
    Row row{std::string(all.Text(0)), int(all.Int(1)), Time(Duration(all.Int(2))), int(all.Int(3)), {}, {}};
    if (!all.IsNull(4)) row.idle_at = Time(Duration(all.Int(4)));
    const auto blob = all.Blob(5);
    if (blob.size() % sizeof(Entry) != 0)
      return Fail(ErrorCode::kCorrupt, "sent_batches: {} has {} bytes of receipts", row.name, blob.size());
    for (std::size_t at = 0; at < blob.size(); at += sizeof(Entry)) {
      Entry entry;
      std::memcpy(&entry, blob.data() + at, sizeof entry);
      const MediaId id{MediaType(entry.key >> kTypeShift), entry.key & ((std::int64_t{1} << kTypeShift) - 1)};
      row.held.push_back({id, Receipt(entry.receipt)});
    }
    rows.push_back(std::move(row));
  }
}

Result<std::optional<Dispatcher::Row>> Dispatcher::Find(const std::string& name) {
  // There are a few dozen.
  TRY_ASSIGN(std::vector<Row> rows, Rows());
  for (Row& row : rows) {
    if (row.name == name) return std::move(row);
  }
  return std::nullopt;
}

Result<void> Dispatcher::PutRow(const Row& row) {
  std::vector<Entry> entries;
  for (const Held& held : row.held)
    entries.push_back({std::int64_t(held.id.type) << kTypeShift | held.id.id, std::int64_t(held.receipt)});
  std::optional<std::int64_t> idle_at;
  if (row.idle_at) idle_at = Micros(*row.idle_at);
  TRY_ASSIGN(Statement put, catalog_.Prepare("INSERT OR REPLACE INTO sent_batches(name, lane, sent_at, rounds, "
                                             "idle_at, receipts) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"));
  return put.Bind(row.name, row.lane, Micros(row.sent_at), row.rounds, idle_at, std::as_bytes(std::span(entries)))
      .Run();
}

Result<void> Dispatcher::RemoveRow(const std::string& name) {
  TRY_ASSIGN(Statement remove, catalog_.Prepare("DELETE FROM sent_batches WHERE name=?1"));
  return remove.Bind(name).Run();
}

// --- what comes back ---

Result<void> Dispatcher::CameBack(const std::string& batch, const BatchOutcome& outcome, const BundleSummary& summary) {
  if (summary.denied) {
    state_.health = Health::kDenied;
  } else if (summary.answered) {
    state_.health = Health::kWell;
  } else if (summary.requests > 0) {
    state_.health = Health::kOut;
  }
  if (summary.throttled > 0) {
    state_.margin = std::min(kMostMargin, state_.margin + kMarginStep);
  } else {
    state_.margin = std::max(0.0, state_.margin - kMarginStep * std::max(0.0, summary.seconds) / kMarginSeconds);
  }
  return catalog_.Transact([&]() -> Result<void> {
    TRY(SaveState());
    TRY_ASSIGN(const auto row, Find(batch));
    if (!row) return {};
    std::map<MediaId, Receipt> held;
    for (const Held& one : row->held) held[one.id] = one.receipt;
    std::vector<Receipt> done, left;
    for (const MediaId id : outcome.done) {
      if (const auto one = held.extract(id)) done.push_back(one.mapped());
    }
    for (const auto& [id, reason] : outcome.failed) {
      if (const auto one = held.extract(id)) TRY(queue_.Bury(one.mapped(), reason));
    }
    for (const auto& [id, receipt] : held) left.push_back(receipt);
    TRY(queue_.Settle(done));
    TRY(queue_.Release(left, Duration::zero(), true));
    return RemoveRow(batch);
  });
}

Result<void> Dispatcher::CameBackSpoiled(const std::string& batch) {
  return catalog_.Transact([&]() -> Result<void> {
    TRY_ASSIGN(auto row, Find(batch));
    if (!row) return {};
    row->sent_at = clock_.Now() - 2 * kOverdue;
    return PutRow(*row);
  });
}

Result<void> Dispatcher::TmdbIsNotItself() {
  state_.health = Health::kOut;
  return SaveState();
}

Result<void> Dispatcher::TryAgain() {
  if (state_.health != Health::kDenied) return {};
  state_.health = Health::kOut;
  return SaveState();
}

// --- what goes out ---

Result<IdBatch> Dispatcher::BatchOf(const Row& row) {
  // Of what is out, which may be of an earlier rate.
  const int lanes = state_.lanes > 0 ? state_.lanes : LanesFor(options_.rate, options_.concurrency);
  IdBatch batch{.name = row.name, .lane = row.lane, .rate = 0, .items = {}};
  batch.rate = std::max(0.1, std::round(options_.rate / lanes * (1 - state_.margin) * 100) / 100);
  for (const Held& held : row.held) {
    IdBatch::Item item{held.id, {}};
    if (held.id.type == MediaType::kTv) {
      TRY_ASSIGN(item.seasons, ledger_.SeasonNumbers(held.id.id));
    }
    batch.items.push_back(std::move(item));
  }
  return batch;
}

Result<void> Dispatcher::SendOut(std::int64_t epoch, std::vector<Held> held, int rounds, std::vector<IdBatch>& out) {
  if (epoch != epoch_) number_ = 0;
  epoch_ = epoch;
  const int lanes = LanesFor(options_.rate, options_.concurrency);
  while (!held.empty()) {
    ++number_;
    Row row{BatchName(epoch, number_), int(number_ % lanes), clock_.Now(), rounds, {}, std::move(held)};
    TRY_ASSIGN(IdBatch batch, BatchOf(row));
    std::size_t bytes = kEnvelopeBytes, fit = 0;
    while (fit < batch.items.size() && fit < kMostBatchIds) {
      bytes += BytesOf(batch.items[fit]);
      if (bytes > kMostBatchBytes && fit > 0) break;
      ++fit;
    }
    held.assign(row.held.begin() + std::ptrdiff_t(fit), row.held.end());
    row.held.resize(fit);
    batch.items.resize(fit);
    if (fit == 1 && row.rounds == 0) row.rounds = 1;
    TRY(PutRow(row));
    out.push_back(std::move(batch));
  }
  return {};
}

Result<void> Dispatcher::GoAgain(Row row, std::int64_t epoch, bool in_parts, std::vector<IdBatch>& out) {
  TRY(RemoveRow(row.name));
  std::vector<Receipt> receipts;
  for (const Held& held : row.held) receipts.push_back(held.receipt);
  if (!in_parts) return queue_.Release(receipts, Duration::zero(), true);
  if (row.rounds >= kMostLonelyRounds) {
    return queue_.Bury(receipts.front(), fmt::format("went out {} times, never came back whole", row.rounds));
  }
  TRY(queue_.Extend(receipts, std::chrono::duration_cast<std::chrono::seconds>(kOwnersQueue.longest_hidden)));
  const std::size_t size = (row.held.size() + kParts - 1) / kParts;
  for (std::size_t at = 0; at < row.held.size(); at += size) {
    const auto begin = row.held.begin() + std::ptrdiff_t(at);
    std::vector<Held> part(begin, begin + std::ptrdiff_t(std::min(size, row.held.size() - at)));
    TRY(SendOut(epoch, std::move(part), row.rounds == 0 ? 0 : row.rounds + 1, out));
  }
  return {};
}

// What is out keeps its rate: beside it a lane more or less would go beyond what all of them may have.
Result<bool> Dispatcher::LanesAgree() {
  const int lanes = LanesFor(options_.rate, options_.concurrency);
  if (state_.lanes == lanes) return true;
  TRY_ASSIGN(const Out out, CountOut());
  if (state_.lanes != 0 && out.batches > 0) return false;
  state_.lanes = lanes;
  TRY(SaveState());
  return true;
}

Result<std::vector<IdBatch>> Dispatcher::HandOut(std::int64_t epoch, const ChannelCounts& counts, bool hold) {
  std::vector<IdBatch> out;
  const Time now = clock_.Now();
  const bool idle = counts.waiting == 0 && counts.in_flight == 0;
  const auto work = [&]() -> Result<void> {
    TRY_ASSIGN(const bool agree, LanesAgree());
    const bool goes = !hold && agree && state_.health == Health::kWell;
    TRY_ASSIGN(std::vector<Row> rows, Rows());
    for (Row& row : rows) {
      const bool overdue = now - row.sent_at > kOverdue;
      if (IsLost(row, counts) || overdue) {
        // A batch whose collectors died four times in a row is among the dead letters.
        const bool in_parts = goes && (overdue || counts.dead > 0);
        if (in_parts && std::ssize(out) >= kMostBatches) continue;
        TRY(GoAgain(std::move(row), epoch, in_parts, out));
      } else if (idle != row.idle_at.has_value()) {
        row.idle_at = idle ? std::optional(now) : std::nullopt;
        TRY(PutRow(row));
      }
    }
    if (hold || state_.health == Health::kDenied) return {};
    TRY_ASSIGN(const bool agree_now, LanesAgree());
    if (!agree_now) return {};
    TRY_ASSIGN(const Out now_out, CountOut());
    const bool probe = state_.health == Health::kOut;
    const std::int64_t window = probe ? 1 : WindowFor(options_.rate);
    const int size = probe ? kProbeIds : BatchIdsFor(options_.rate, LanesFor(options_.rate, options_.concurrency));
    for (std::int64_t ids = now_out.ids; ids < window && std::ssize(out) < kMostBatches;) {
      TRY_ASSIGN(const std::vector<Message> messages,
                 queue_.Receive(size, std::chrono::duration_cast<std::chrono::seconds>(kOwnersQueue.longest_hidden)));
      if (messages.empty()) return {};
      std::vector<Held> held;
      for (const Message& message : messages) held.push_back({message.id, message.receipt});
      ids += std::int64_t(held.size());
      TRY(SendOut(epoch, std::move(held), 0, out));
    }
    return {};
  };
  TRY(catalog_.Transact(work));
  return out;
}

Result<std::vector<IdBatch>> Dispatcher::Unsent(std::int64_t sent) {
  TRY_ASSIGN(const std::vector<Row> rows, Rows());
  std::vector<IdBatch> batches;
  for (const Row& row : rows) {
    const std::string_view epoch = std::string_view(row.name).substr(0, row.name.find('-'));
    if (Number(epoch, std::int64_t{0}) <= sent) continue;
    TRY_ASSIGN(IdBatch batch, BatchOf(row));
    batches.push_back(std::move(batch));
  }
  return batches;
}

Result<Dispatcher::Out> Dispatcher::CountOut(Database& catalog) {
  TRY(catalog.Execute(kTables));
  TRY_ASSIGN(Statement count, catalog.Prepare("SELECT count(*), coalesce(sum(length(receipts)), 0) "
                                               "FROM sent_batches"));
  TRY(count.Step());
  return Out{count.Int(0), count.Int(1) / std::int64_t(sizeof(Entry))};
}

// Its bundle would have been there before the channel was found empty for the first time.
bool Dispatcher::IsLost(const Row& row, const ChannelCounts& counts) const {
  return counts.waiting == 0 && counts.in_flight == 0 && row.idle_at && clock_.Now() - *row.idle_at >= kIdle;
}

Result<bool> Dispatcher::NothingOut(const ChannelCounts& counts) {
  TRY_ASSIGN(const std::vector<Row> rows, Rows());
  // A message may outlive its row: it came twice, or what it asks for was taken back because it took so long.
  if (rows.empty()) return counts.waiting == 0 && counts.in_flight == 0;
  return std::ranges::all_of(rows, [&](const Row& row) { return IsLost(row, counts); });
}

std::optional<std::string> Dispatcher::stopped() const {
  if (state_.health != Health::kDenied) return std::nullopt;
  return std::string(kKeyRefused);
}

}  // namespace tmdbc
