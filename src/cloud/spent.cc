// SPDX-License-Identifier: MIT
#include "cloud/spent.h"

#include <string_view>

namespace tmdbc {
namespace {

struct Amount {
  std::string_view name;
  std::int64_t Spent::*amount;
};
constexpr Amount kAmounts[] = {{"puts", &Spent::puts},
                               {"gets", &Spent::gets},
                               {"messages", &Spent::messages},
                               {"invocations", &Spent::invocations},
                               {"gb_ms", &Spent::gb_ms}};
constexpr std::string_view kSince = "since";

}  // namespace

Spent& Spent::operator+=(const Spent& more) {
  for (const auto& [name, amount] : kAmounts) this->*amount += more.*amount;
  return *this;
}

Spent Spent::operator-(const Spent& less) const {
  Spent rest = *this;
  for (const auto& [name, amount] : kAmounts) rest.*amount -= less.*amount;
  return rest;
}

Spent SpentOn(const std::map<std::string, std::int64_t>& requests) {
  Spent spent;
  for (const auto& [name, count] : requests) {
    if (name.starts_with("sqs:")) spent.messages += count;
    if (!name.starts_with("s3:")) continue;
    if (name == "s3:GetObject" || name == "s3:HeadObject") {
      spent.gets += count;
    } else if (name != "s3:DeleteObjects" && name != "s3:DeleteObject" && name != "s3:AbortMultipartUpload") {
      spent.puts += count;
    }
  }
  return spent;
}

Result<SpentSoFar> AddSpent(Database& catalog, const Spent& more, Time now) {
  SpentSoFar so_far;
  const auto done = catalog.Transact([&]() -> Result<void> {
    TRY(catalog.Execute(
        "CREATE TABLE IF NOT EXISTS spent(name TEXT PRIMARY KEY, amount INTEGER NOT NULL) STRICT, WITHOUT ROWID"));
    TRY_ASSIGN(Statement begin, catalog.Prepare("INSERT OR IGNORE INTO spent(name, amount) VALUES (?1, ?2)"));
    TRY(begin.Bind(kSince, now.time_since_epoch().count()).Run());
    TRY_ASSIGN(Statement add, catalog.Prepare("INSERT INTO spent(name, amount) VALUES (?1, ?2) "
                                              "ON CONFLICT(name) DO UPDATE SET amount=amount+?2"));
    for (const auto& [name, amount] : kAmounts) TRY(add.Bind(name, more.*amount).Run());
    TRY_ASSIGN(Statement all, catalog.Prepare("SELECT name, amount FROM spent"));
    for (;;) {
      TRY_ASSIGN(const bool row, all.Step());
      if (!row) return {};
      if (all.Text(0) == kSince) so_far.since = Time(Duration(all.Int(1)));
      for (const auto& [name, amount] : kAmounts)
        if (all.Text(0) == name) so_far.sum.*amount = all.Int(1);
    }
  });
  TRY(done);
  return so_far;
}

}  // namespace tmdbc
