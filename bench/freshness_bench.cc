// SPDX-License-Identifier: MIT
// What the freshness policy is worth, on a simulated population (harvester/freshness_world_test.h): Markdown
// tables on stdout. The same seed gives the same figures on every machine, but for the last table.
#include <fmt/core.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "harvester/freshness_world_test.h"

namespace tmdbc {
namespace {

using World = FreshnessWorld;
constexpr double kLoads[] = {0.25, 1, 2};
constexpr World::Policy kPolicies[] = {World::Policy::kFifo,         World::Policy::kUniform,
                                       World::Policy::kNutch,        World::Policy::kTrueRates,
                                       World::Policy::kFetchedRates, World::Policy::kLearnedRates};

void PolicyTable(const char* title, World::Options options) {
  fmt::print(
      "\n### {}\n\n| load | optimum | first in, first out | round robin | Nutch adaptive | true rates | "
      "rates of "
      "own fetches | rates learned: ours |\n|{}\n",
      title, " --- | --- | --- | --- | --- | --- | --- | --- |");
  for (const double load : kLoads) {
    options.load = load;
    const World world(options);
    const double optimum = world.Optimum();
    fmt::print("| {} | {:.4f} |", load, optimum);
    for (const World::Policy policy : kPolicies) {
      const double freshness = world.Run(policy).freshness;
      fmt::print(" {:.4f} ({:.1f} %) |", freshness, 100 * freshness / optimum);
    }
    fmt::print("\n");
    std::fflush(stdout);
  }
}

void LearningTable(int records) {
  fmt::print(
      "\n### How long learning takes: ours in percent of the optimum at load 2\n\n"
      "| noise of the rates (sigma) | days 30..210 | days 180..545 | days 365..730 | days 1095..1825 | true "
      "rates, "
      "days 1095..1825 |\n| --- | --- | --- | --- | --- | --- |\n");
  for (const double spread : {0.6, 1.2, 1.8}) {
    fmt::print("| {} |", spread);
    World::Options options{.records = records, .load = 2, .spread = spread};
    for (const auto& [warm_up, days] : {std::pair{30, 180}, {180, 365}, {365, 365}, {1095, 730}}) {
      options.warm_up = warm_up;
      options.days = days;
      const World world(options);
      fmt::print(" {:.1f} |", 100 * world.Run(World::Policy::kLearnedRates).freshness / world.Optimum());
    }
    const World world(options);
    fmt::print(" {:.1f} |\n", 100 * world.Run(World::Policy::kTrueRates).freshness / world.Optimum());
    std::fflush(stdout);
  }
}

double Seconds(const timeval& time) {
  return double(time.tv_sec) + double(time.tv_usec) / 1e6;
}
rusage Usage() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage;
}

// A plan over a mirror of the whole of TMDB's size, the facts made up as they are visited.
void PlanTable() {
  fmt::print(
      "\n### A plan for everything\n\n| records | budget | CPU s to learn | CPU s to plan | chosen | peak "
      "RSS MiB grown "
      "by |\n| --- | --- | --- | --- | --- | --- |\n");
  for (const auto& [records, budget] : {std::pair{1'200'000, 200'000}, {5'900'000, 233'000}}) {
    std::mt19937_64 random(1);
    std::lognormal_distribution<double> popularity(0, 1.3);
    const auto facts = [&] {
      return RecordFacts{.popularity = popularity(random),
                         .changes = std::int64_t(random() % 4),
                         .observed = std::chrono::hours(24 * (30 + random() % 400)),
                         .unverified = std::chrono::hours(random() % (31 * 24))};
    };
    const rusage start = Usage();
    RateLearner learner(MediaType::kMovie);
    for (int i = 0; i < records; ++i) learner.Add(facts());
    const TypeRates rates = learner.Fit();
    const rusage learned = Usage();
    RefreshPlanner planner(budget, records, {});
    for (int i = 0; i < records; ++i) planner.Consider({MediaType::kMovie, i + 1}, facts(), rates);
    const auto plan = planner.Take();
    const rusage planned = Usage();
    fmt::print("| {} | {} | {:.2f} | {:.2f} | {} | {:.1f} |\n", records, budget,
               Seconds(learned.ru_utime) - Seconds(start.ru_utime),
               Seconds(planned.ru_utime) - Seconds(learned.ru_utime), plan.size(),
               double(planned.ru_maxrss - start.ru_maxrss) / 1024);
  }
}

}  // namespace
}  // namespace tmdbc

int main(int argc, char** argv) {
  using namespace tmdbc;
  const int records = argc > 1 ? std::atoi(argv[1]) : 20'000;
  PlanTable();  // first: the simulations would hide its memory
  const World::Options grown{.records = records, .warm_up = 1095, .days = 730};
  PolicyTable("Each change named half a day later; a mirror in its fourth and fifth year", grown);
  World::Options daily = grown;
  daily.feed = World::Feed::kDaily;
  PolicyTable("The feed read once a day, as the harvester does; fourth and fifth year", daily);
  LearningTable(records);
}
