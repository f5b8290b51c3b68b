// SPDX-License-Identifier: MIT
// Freshness: what to fetch first when requests are scarce, and what to verify again although no feed has
// named it. Pure: facts in, an order out. docs/freshness.md has the reasons and the figures,
// bench/freshness_bench.cc the simulator that they come from.
//
// The measure is the share of time in which a record is as TMDB has it, weighted by popularity: sum w*phi. A
// record that changes lambda times a day and is fetched phi of its time fresh costs lambda*phi requests a
// day, so w / lambda is what a request spent on it buys: the days until it changes again, times the people
// who look at it. The order of the queue is that quotient, highest first.
//
// Any thread: values and functions without state. Units: rates are changes a day.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "queue/id_sender.h"
#include "tmdb/media_id.h"

namespace tmdbc {

// What we know of one record. Durations below zero (a wall clock that was set back) count as zero; a record that is
// unverified for less than minus a day was dated by a clock that ran ahead, and is due.
struct RecordFacts {
  double popularity = 0;  // of the last export; 0 when it does not list the id
  // With a feed the days on which it listed the id since the first fetch (change_counts.h), this time not
  // counted; without one the new contents seen (LiveRecord::changes).
  std::int64_t changes = 0;
  Duration observed{};    // now - LiveRecord::first_at; zero for an id never fetched
  Duration unverified{};  // now - LiveRecord::verified_at
  bool has_feed = true;   // a change feed tells of its edits (movie, tv, person)
  // It was fetched since the feed first listed it for that day, but so soon that later edits of the day, or a
  // cache of TMDB's, may have been missed: worth another look, but not what a known change is worth.
  bool suspect = false;
};

// What is usual for records of one type. A single record is believed as far as it has been watched, and
// otherwise to be like others of its popularity: base * (popularity + kLeastWeight)^exponent changes a day.
struct TypeRates {
  double base = 0.01;
  double exponent = 0;        // 0..0.9: below 1, so that of two new ids the more popular one comes first
  double shape = 1;           // how alike records of one popularity are: a gamma distribution's
  double top_popularity = 0;  // one record in a thousand is at least this popular; 0: not known
  std::int64_t records = 0;   // that this was learned from
};

// Popularity can be 0, and a record nobody looks at is still worth more than nothing.
inline constexpr double kLeastWeight = 0.01;

// Before anything was seen: from the lengths of TMDB's feeds (docs/tmdb-facts.md).
TypeRates UsualRates(MediaType type);

// Learns a type's rates from its records, in one pass over them: Add() each live record, then Fit(). Of fixed
// size. Few records, or records watched for a short time, leave the usual rates nearly as they are.
class RateLearner {
 public:
  explicit RateLearner(MediaType type) : type_(type) {}
  void Add(const RecordFacts& facts);
  TypeRates Fit() const;

 private:
  // Records of about one popularity: half an octave.
  struct Bucket {
    double records = 0;
    double days = 0;          // watched, of all together
    double days_squared = 0;  // sum of each one's days^2
    double changes = 0;
    double pairs = 0;  // sum of each one's changes * (changes - 1)
  };
  static constexpr std::size_t kBuckets = 64;
  static std::size_t BucketOf(double popularity);
  static double PopularityOf(std::size_t bucket);  // in its middle

  MediaType type_;
  std::array<Bucket, kBuckets> buckets_{};
};

// Changes a day, > 0: (changes + shape) / (observed + shape / usual).
double EstimateRate(const RecordFacts& facts, const TypeRates& rates);

// The place in the queue of an id that needs a fetch: a record known to have changed, or an id never fetched
// (`facts` then has its popularity alone). In popularity * days + 1, comparable across types; from 1 to
// 10^10.
float FetchPriority(const RecordFacts& facts, const TypeRates& rates);

// Above everything else: a record that has to be verified or purged.
inline constexpr float kClausePriority = 1e12F;

struct RefreshOptions {
  Duration at_latest = std::chrono::days(30);     // nothing unverified for longer, where the budget allows
  Duration popular_every = std::chrono::days(7);  // votes are in no feed: the one in a thousand this often
  Duration soonest = std::chrono::days(1);        // nothing is verified again before
  std::int64_t most_clause = 1'000'000;  // in one plan, if the budget is smaller; the rest come with the next
};

// How long a record may go unverified before it is due: at_latest for most. Votes drift with popularity: the
// interval shrinks with its square root down to popular_every. Without a feed it is also the time in which
// one in ten of its like will have changed, if that is shorter.
Duration RefreshInterval(const RecordFacts& facts, const TypeRates& rates, const RefreshOptions& options);

// Chooses what to verify again. Consider() every live record, then Take(). What it keeps is bounded by the
// larger of the budget's part that can be used and most_clause, 24 bytes each; a million records take about
// 0.2 s.
//
// Chosen are: what the six-month clause makes due (FallsDue() in storage/care.h); what is older than its
// interval, the most overdue in proportion first (so a small budget stretches all intervals alike); and of
// the rest the nearest to due, until with what was verified within the last day, for whatever reason, it is
// an even share of the whole. So a mirror that was filled in a day is not due again in a day, and it does
// not matter how often a plan is made.
class RefreshPlanner {
 public:
  // `budget`: requests to spend. `records`: how many will be considered, about (TypeRates::records).
  RefreshPlanner(std::int64_t budget, std::int64_t records, const RefreshOptions& options);

  void Consider(MediaId id, const RecordFacts& facts, const TypeRates& rates);
  // Best first, ready to be sent: priorities are kClausePriority, or in (0, 1) and so below every
  // FetchPriority(). Leaves the planner empty.
  std::vector<QueueItem> Take();

  // Of what was considered: for the report, whatever the budget.
  std::int64_t clause_due() const { return clause_due_; }  // by the six-month clause
  std::int64_t due() const { return due_; }                // older than its interval, these included

 private:
  const std::int64_t budget_;
  const std::int64_t even_share_;  // of a day
  const RefreshOptions options_;
  std::vector<QueueItem> clause_;  // heaps: the least wanted in front
  std::vector<QueueItem> sweep_;
  std::int64_t clause_due_ = 0;
  std::int64_t due_ = 0;
  std::int64_t recent_ = 0;  // verified within the last day
};

// The requests left for refreshing until the next plan: what `requests_per_second` allows in that time, less
// a tenth for retries and what the feeds will bring, less what is queued already. Never below 0.
std::int64_t RefreshBudget(double requests_per_second, Duration until_next_plan, std::int64_t queued);

}  // namespace tmdbc
