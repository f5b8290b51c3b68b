// SPDX-License-Identifier: MIT
#include "queue/sqlite_queue_view.h"

#include <algorithm>
#include <functional>
#include <string>

#include "queue/queue_rank.h"
#include "queue/queue_tables.h"

namespace tmdbc {
namespace {

// Waiting, delayed, in flight and dead by type: the place of the state in kStates, the type, how many.
constexpr char kCounts[] = R"sql(
  SELECT 0, key, value FROM queue_counter WHERE key>0
  UNION ALL SELECT iif(visible_at<=?1, 0, 1+held), type, count(*) FROM queue_lease GROUP BY 1, 2
  UNION ALL SELECT 3, type, count(*) FROM queue_dead GROUP BY type)sql";
constexpr std::int64_t QueueCounts::* kStates[] = {&QueueCounts::waiting, &QueueCounts::delayed,
                                                   &QueueCounts::in_flight, &QueueCounts::dead};

constexpr char kDead[] = R"sql(
  SELECT type, rank, id, receives, died_at, reason FROM queue_dead
  WHERE ?1 IS NULL OR type=?1 ORDER BY ticket DESC LIMIT ?2)sql";

// 0 while something waits: that is now.
constexpr char kNextVisible[] = R"sql(
  SELECT iif((SELECT sum(value) FROM queue_counter WHERE key>0)>0,
             0, (SELECT min(visible_at) FROM queue_lease)))sql";

constexpr char kOldestSent[] = "SELECT sent_at FROM queue_batch ORDER BY batch LIMIT 1";

// One SELECT a type, each a walk along the key, and one for what is due in queue_lease: one statement, so one
// snapshot.
std::string PeekSql() {
  std::string sql;
  for (std::size_t type = 1; type < kQueueTypes; ++type) {
    sql += fmt::format(R"sql(
      SELECT * FROM (SELECT type, rank, id FROM queue_ready
                     WHERE type={0} AND (?1 IS NULL OR ?1={0}) AND receives<?3
                     ORDER BY rank, id LIMIT ?2)
      UNION ALL)sql",
                       type);
  }
  return sql + R"sql(
      SELECT * FROM (SELECT type, rank, id FROM queue_lease
                     WHERE visible_at<=?4 AND (?1 IS NULL OR ?1=type) AND receives<?3
                     ORDER BY rank, type, id LIMIT ?2)
      ORDER BY 2, 1, 3 LIMIT ?2)sql";
}

Result<void> EachRow(Statement& read, const std::function<void()>& visit) {
  for (;;) {
    const auto row = read.Step();
    if (!row) return QueueError("read the queue", row.error());
    if (!*row) return {};
    visit();
  }
}

}  // namespace

SqliteQueueView::SqliteQueueView(Database& db, const Clock& clock, QueueOptions options)
    : db_(db), clock_(clock), options_(options), opened_wall_(clock.Now()), opened_mono_(clock.Mono()) {}

Result<Statement*> SqliteQueueView::Use(const std::string& sql) {
  if (const auto known = statements_.find(sql); known != statements_.end()) return &known->second;
  TRY_ASSIGN(Statement tables,
             db_.Prepare("SELECT 1 FROM sqlite_schema WHERE type='table' AND name='queue_counter'"));
  bool found = false;
  TRY(EachRow(tables, [&] { found = true; }));
  if (!found) return nullptr;
  TRY_ASSIGN(Statement made, db_.Prepare(sql));
  return &statements_.emplace(sql, std::move(made)).first->second;
}

Result<std::map<MediaType, QueueCounts>> SqliteQueueView::Counts() {
  std::map<MediaType, QueueCounts> counts;
  TRY_ASSIGN(Statement * read, Use(kCounts));
  if (!read) return counts;
  read->Bind(QueueTime(Tick()));
  TRY(EachRow(*read, [&] {
    if (read->Int(2) > 0) counts[MediaType(read->Int(1))].*kStates[read->Int(0)] += read->Int(2);
  }));
  return counts;
}

Result<std::vector<QueueItem>> SqliteQueueView::Peek(std::optional<MediaType> type, int max) {
  std::vector<QueueItem> items;
  TRY_ASSIGN(Statement * read, Use(PeekSql()));
  if (!read) return items;
  read->Bind(type, std::max(max, 0), options_.max_receives, QueueTime(Tick()));
  TRY(EachRow(*read, [&] {
    items.push_back({{MediaType(read->Int(0)), read->Int(2)}, PopularityOfRank(read->Int(1))});
  }));
  return items;
}

Result<std::vector<DeadLetter>> SqliteQueueView::DeadLetters(std::optional<MediaType> type, int max) {
  std::vector<DeadLetter> letters;
  TRY_ASSIGN(Statement * read, Use(kDead));
  if (!read) return letters;
  read->Bind(type, std::max(max, 0));
  TRY(EachRow(*read, [&] {
    letters.push_back({.id = {MediaType(read->Int(0)), read->Int(2)},
                       .popularity = PopularityOfRank(read->Int(1)),
                       .receive_count = int(read->Int(3)),
                       .reason = std::string(read->Text(5)),
                       .died = Time(Duration(read->Int(4)))});
  }));
  return letters;
}

Result<std::optional<Time>> SqliteQueueView::NextVisible() {
  std::optional<Time> next;
  TRY_ASSIGN(Statement * read, Use(kNextVisible));
  if (!read) return next;
  read->Bind();
  TRY(EachRow(*read, [&] {
    if (read->IsNull(0)) return;
    next = clock_.Now() + std::max(Time(Duration(read->Int(0))) - Tick(), Duration::zero());
  }));
  return next;
}

Result<std::optional<Time>> SqliteQueueView::OldestSent() {
  std::optional<Time> sent;
  TRY_ASSIGN(Statement * read, Use(kOldestSent));
  if (!read) return sent;
  read->Bind();
  TRY(EachRow(*read, [&] { sent = Time(Duration(read->Int(0))); }));
  return sent;
}

}  // namespace tmdbc
