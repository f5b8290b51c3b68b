// SPDX-License-Identifier: MIT
// tmdb-sim: TMDB on loopback. See docs/tmdb-sim.md.
#include <fmt/core.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <thread>

#include "base/files.h"
#include "corpus_world.h"
#include "simulator.h"
#include "synthetic_world.h"

namespace tmdbc::sim {
namespace {

struct Flags {
  http::ServerOptions server{.connections_per_address = 20};
  SimulatorOptions simulator;
  SyntheticOptions synthetic;
  CorpusOptions corpus;
  std::string port_file, truth_file, latency = "0", latency_shape = "uniform";
  std::vector<std::string> faults;
  double all_faults = 0, gone = 0, adult = 5, publish_delay_hours = 0, stall = 35, trickle = 2, burst = 2;
  std::size_t cache_mib = 256;
  bool warm = false, quiet = false;
  std::string epoch, log_events;
  double speed = 1, evolve = 0, feed_lag_minutes = 0, cache_hours = 0;
  std::vector<std::string> daily, export_faults, feed_floods, feed_odd_rows, oddities;
  double drop_after_idle = 0, date_ahead = 0;
  std::string deny;
  int heavy_above = 4;
  bool image_votes = true;
  DailyRates rates;
};

// What the Date of answers tells: that of a server, or of a proxy before it, whose clock is wrong.
class DateClock final : public Clock {
 public:
  DateClock(const Clock& world, Duration ahead) : world_(world), ahead_(ahead) {}
  Time Now() const override { return world_.Now() + ahead_; }
  MonoTime Mono() const override { return world_.Mono(); }

 private:
  const Clock& world_;
  const Duration ahead_;
};

void Declare(CLI::App& app, Flags& f) {
  app.add_option("--port", f.server.port, "TCP port; 0 takes any free one")->capture_default_str();
  app.add_option("--port-file", f.port_file, "writes the port there once it is open");
  app.add_option("--bind", f.server.address, "address to listen on")->capture_default_str();
  app.add_option("--seed", f.synthetic.seed, "the world and its faults follow from it")
      ->capture_default_str();
  static constexpr std::array<const char*, kKinds> kCounts = {
      "--movies", "--shows", "--people", "--collections", "--companies", "--networks", "--keywords"};
  for (std::size_t i = 0; i < kKinds; ++i) {
    app.add_option(kCounts[i], f.synthetic.counts[i], "ids in the export")
        ->check(CLI::Range(0, 20'000'000))
        ->capture_default_str();
  }
  app.add_option("--id-gaps", f.synthetic.gap_share, "share of ids that do not exist, 0..0.99")
      ->check(CLI::Range(0.0, 0.99))
      ->capture_default_str();
  app.add_option("--gone", f.gone, "percent of the ids in the exports that answer 404")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  app.add_option("--adult", f.adult, "percent of adult titles and people on top, in the adult exports only")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  app.add_option("--huge-show", f.synthetic.huge_show_episodes,
                 "episodes of the first show; 0: like any other")
      ->check(CLI::Range(0, 8000))
      ->capture_default_str();
  app.add_option("--corpus", f.corpus.folder,
                 "serves the recorded bodies of this folder instead of made-up ones");
  app.add_flag("--recorded-seasons-only", f.corpus.recorded_seasons_only,
               "with --corpus: seasons that were not recorded are absent");
  app.add_option("--rate", f.simulator.rate, "requests in any second from one address, then 429; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--connections", f.server.connections_per_address,
                 "connections from one address; 0: no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_flag("--close-excess", f.server.close_excess,
               "closes a connection above the limit instead of answering 429");
  app.add_option("--latency", f.latency, "milliseconds before each answer: MIN..MAX or one number")
      ->capture_default_str();
  app.add_option("--latency-shape", f.latency_shape, "uniform or lognormal")
      ->check(CLI::IsMember({"uniform", "lognormal"}))
      ->capture_default_str();
  app.add_option("--faults", f.all_faults, "percent of API requests that are spoiled, by every kind in turn")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  std::string kinds;
  for (int i = 0; i < kFaults; ++i)
    kinds += fmt::format("{}{}", i > 0 ? ", " : "", NameOf(static_cast<Fault>(i)));
  app.add_option("--fault", f.faults, "KIND=PERCENT, repeatable; kinds: " + kinds);
  app.add_flag("--fault-exports", f.simulator.faults.on_exports, "faults hit exports too");
  app.add_flag("--fault-images", f.simulator.faults.on_images, "faults hit images too");
  app.add_option("--stall-seconds", f.stall, "how long a stalled answer keeps its connection")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--trickle-seconds", f.trickle, "how long a slow body takes")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--burst-seconds", f.burst, "how long an outage lasts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--truth", f.truth_file,
                 "writes a JSON line with the SHA-256 of each live body there before it serves");
  app.add_option("--withhold-exports", f.simulator.exports.withheld_days,
                 "the exports of so many days back are not published")
      ->check(CLI::Range(0, 90))
      ->capture_default_str();
  app.add_option("--publish-delay", f.publish_delay_hours,
                 "hours after 08:00 UTC when today's exports appear; negative: earlier")
      ->check(CLI::Range(-8.0, 48.0))
      ->capture_default_str();
  app.add_option("--api-key", f.simulator.api_key,
                 "the only key or token that is accepted; default: any well-formed one");
  app.add_option("--cache-mb", f.cache_mib, "memory for bodies that are ready to be sent, MiB")
      ->capture_default_str();
  app.add_flag("--warm", f.warm,
               "makes the answers of a first fetch before it serves, as many as the cache holds");
  app.add_flag("--quiet", f.quiet, "prints nothing");
}

void DeclareTime(CLI::App& app, Flags& f) {
  app.add_option("--epoch", f.epoch,
                 "the world's time at the start, 2026-11-22 or 2026-11-22T08:30:00Z; "
                 "default: now");
  app.add_option("--speed", f.speed, "its clock runs so many times as fast as the machine's")
      ->check(CLI::Range(1.0, 100'000.0))
      ->capture_default_str();
  app.add_option("--date-ahead", f.date_ahead, "the Date of every answer is so many days ahead of the world's clock")
      ->check(CLI::Range(-100'000.0, 2'900'000.0))
      ->capture_default_str();
  app.add_option("--evolve", f.evolve, "things happen so many times as often as in a TMDB of this size")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  std::string families;
  for (int i = 0; i < kFamilies; ++i)
    families += fmt::format("{}{}", i > 0 ? ", " : "", NameOf(static_cast<Family>(i)));
  app.add_option("--daily", f.daily, "KIND.EVENT=N a day, repeatable: movie.edit=20; events: " + families);
  app.add_option("--log-events", f.log_events, "writes a JSON line there for each thing that happens");
  app.add_option("--feed-lag", f.feed_lag_minutes, "minutes until a change is listed in the feed")
      ->check(CLI::Range(0.0, 1440.0))
      ->capture_default_str();
  app.add_option("--feed-rows", f.simulator.feed.rows_per_page, "rows of a page of the feed")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--feed-flood", f.feed_floods, "DATE=ROWS more in each feed of that day, repeatable");
  app.add_option("--cache-hours", f.cache_hours,
                 "bodies are served for so long before they are made again (TMDB: 8)")
      ->check(CLI::Range(0.0, 48.0))
      ->capture_default_str();
  app.add_option(
      "--export-fault", f.export_faults,
      "DATE=FAULT, repeatable; faults: missing, late, truncated, halved, empty, inflated, padded, marked, html");
  app.add_option("--feed-total-off", f.simulator.feed.total_off,
                 "total_results of the feed says so many more than there are")
      ->check(CLI::Range(-1000, 1000));
  app.add_option("--feed-odd-row", f.feed_odd_rows,
                 "DATE: a row whose id has 20 digits that day, repeatable");
  app.add_flag("--image-votes,!--no-image-votes", f.image_votes,
               "votes are given to images too, and put their lists into another order (on)");
}

void DeclareOddities(CLI::App& app, Flags& f) {
  std::string names;
  for (int i = 0; i < kOddities; ++i)
    names += fmt::format("{}{}", i > 0 ? ", " : "", NameOf(static_cast<Oddity>(i)));
  app.add_option("--odd", f.oddities, "WHAT=KIND/ID or WHAT=KIND, repeatable; what: " + names);
  app.add_option("--heavy-above", f.heavy_above,
                 "a show that is odd by being heavy fails above so many appended seasons")
      ->check(CLI::Range(0, 20))
      ->capture_default_str();
  app.add_option("--foreign-videos", f.synthetic.foreign_videos,
                 "share of videos in other languages than English, 0..1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--drop-after-requests", f.simulator.drop_after_requests,
                 "a kept connection that brought so many requests is found closed; 0: never");
  app.add_option("--drop-after-idle", f.drop_after_idle,
                 "the same of one that rested so many seconds; 0: never")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--deny", f.deny,
                 "AFTER+COUNT: 401 to COUNT requests after the first AFTER; AFTER alone: to all that follow");
}

Result<void> ParseLatency(const std::string& text, Latency& latency) {
  const auto dots = text.find("..");
  const auto number = [](const std::string& part, std::chrono::microseconds& out) {
    double ms = 0;
    if (!CLI::detail::lexical_cast(part, ms) || ms < 0 || ms > 600'000) return false;
    out = std::chrono::microseconds(static_cast<std::int64_t>(ms * 1000));
    return true;
  };
  const bool range = dots != std::string::npos;
  if (!number(text.substr(0, dots), latency.min) ||
      !number(range ? text.substr(dots + 2) : text, latency.max) || latency.max < latency.min) {
    return Fail(ErrorCode::kInvalid, "--latency: {}: allowed is MIN..MAX or one number, in milliseconds",
                text);
  }
  return {};
}

Result<void> ParseFaults(const Flags& f, FaultOptions& faults) {
  faults.SetAll(f.all_faults);
  for (const std::string& item : f.faults) {
    const auto equals = item.find('=');
    const auto fault = FaultOf(std::string_view(item).substr(0, equals));
    double percent = 0;
    if (!fault || equals == std::string::npos ||
        !CLI::detail::lexical_cast(item.substr(equals + 1), percent) || percent < 0 || percent > 100) {
      return Fail(ErrorCode::kInvalid, "--fault: {}: allowed is KIND=PERCENT, see --help for the kinds",
                  item);
    }
    faults.percent[static_cast<std::size_t>(*fault)] = percent;
  }
  return {};
}

Duration Seconds(double seconds) {
  return Duration(static_cast<std::int64_t>(seconds * 1e6));
}

// "left=right"; nothing when there is no such thing.
std::optional<std::pair<std::string, std::string>> Halves(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) return std::nullopt;
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

Result<void> ParseDaily(Flags& f) {
  f.rates = TypicalRates(f.synthetic.counts, f.evolve);
  for (const std::string& item : f.daily) {
    const auto halves = Halves(item);
    const auto dot = item.find('.');
    const auto kind = KindOf(std::string_view(item).substr(0, dot));
    const auto family =
        halves && dot < halves->first.size() ? FamilyOf(halves->first.substr(dot + 1)) : std::nullopt;
    double rate = 0;
    if (!kind || !family || !CLI::detail::lexical_cast(halves->second, rate) || !(rate >= 0 && rate <= 1e7)) {
      return Fail(ErrorCode::kInvalid,
                  "--daily: {}: allowed is KIND.EVENT=N, such as movie.edit=20; see --help for the events",
                  item);
    }
    if (*family == Family::kSeason && *kind != Kind::kTv)
      return Fail(ErrorCode::kInvalid, "--daily: {}: only tv has seasons", item);
    f.rates.at(*kind, *family) = rate;
  }
  return {};
}

Result<void> ParseDays(Flags& f) {
  for (const std::string& item : f.export_faults) {
    const auto halves = Halves(item);
    const auto day = ParseDate(halves ? halves->first : "");
    const auto fault = ExportFaultOf(halves ? halves->second : "");
    if (!day || !fault) {
      return Fail(ErrorCode::kInvalid,
                  "--export-fault: {}: allowed is DATE=FAULT, such as 2026-11-22=missing; see --help", item);
    }
    f.simulator.exports.faults[*day] = *fault;
  }
  for (const std::string& item : f.feed_floods) {
    const auto halves = Halves(item);
    const auto day = ParseDate(halves ? halves->first : "");
    int rows = 0;
    if (!day || !CLI::detail::lexical_cast(halves->second, rows) || rows < 0 || rows > 10'000'000)
      return Fail(ErrorCode::kInvalid, "--feed-flood: {}: allowed is DATE=ROWS, such as 2026-11-22=60000",
                  item);
    f.simulator.feed.floods[*day] = rows;
  }
  return {};
}

Result<void> ParseOddities(Flags& f) {
  for (const std::string& item : f.oddities) {
    const auto halves = Halves(item);
    const auto oddity = OddityOf(halves ? halves->first : "");
    const std::string subject = halves ? halves->second : "";
    const auto slash = subject.find('/');
    const auto kind = KindOf(std::string_view(subject).substr(0, slash));
    const auto id =
        slash == std::string::npos ? std::nullopt : ParseId(std::string_view(subject).substr(slash + 1));
    if (!oddity || !kind || (slash != std::string::npos && !id)) {
      return Fail(ErrorCode::kInvalid,
                  "--odd: {}: allowed is WHAT=KIND/ID or WHAT=KIND, such as empty-seasons=tv/7; see --help",
                  item);
    }
    f.simulator.oddities.Set(*oddity, *kind, id, true);
  }
  f.simulator.oddities.SetHeavyAbove(f.heavy_above);
  for (const std::string& item : f.feed_odd_rows) {
    const auto day = ParseDate(item);
    if (!day)
      return Fail(ErrorCode::kInvalid, "--feed-odd-row: {}: allowed is a date, such as 2026-11-22", item);
    f.simulator.feed.odd_rows.insert(*day);
  }
  if (f.deny.empty()) return {};
  const auto plus = f.deny.find('+');
  f.simulator.deny_count = -1;
  if (!CLI::detail::lexical_cast(f.deny.substr(0, plus), f.simulator.deny_after) ||
      f.simulator.deny_after < 0 ||
      (plus != std::string::npos &&
       !CLI::detail::lexical_cast(f.deny.substr(plus + 1), f.simulator.deny_count)))
    return Fail(ErrorCode::kInvalid, "--deny: {}: allowed is AFTER or AFTER+COUNT, such as 100+1", f.deny);
  return {};
}

Result<void> Complete(Flags& f) {
  f.simulator.seed = f.synthetic.seed;
  f.synthetic.gone_share = f.gone / 100;
  f.synthetic.adult_share = f.adult / 100;
  f.simulator.cache_bytes = f.cache_mib << 20;
  f.simulator.exports.publish_delay =
      std::chrono::minutes(static_cast<std::int64_t>(f.publish_delay_hours * 60));
  f.simulator.latency.shape =
      f.latency_shape == "uniform" ? Latency::Shape::kUniform : Latency::Shape::kLognormal;
  f.simulator.faults.stall = Seconds(f.stall);
  f.simulator.faults.trickle = Seconds(f.trickle);
  f.simulator.faults.burst = Seconds(f.burst);
  f.simulator.feed.lag = Seconds(f.feed_lag_minutes * 60);
  f.simulator.cache = Seconds(f.cache_hours * 3600);
  // TMDB keeps pages of the feed for ten minutes where it keeps bodies for eight hours.
  f.simulator.feed_cache = f.cache_hours > 0 ? Duration(std::chrono::minutes(10)) : Duration(0);
  TRY(ParseDaily(f));
  TRY(ParseDays(f));
  TRY(ParseOddities(f));
  f.simulator.drop_after_idle = Seconds(f.drop_after_idle);
  if (!f.corpus.folder.empty() && f.rates.any())
    return Fail(ErrorCode::kInvalid,
                "--corpus: recorded bodies do not change: leave out --evolve and --daily");
  TRY(ParseLatency(f.latency, f.simulator.latency));
  return ParseFaults(f, f.simulator.faults);
}

Result<void> WriteTruth(const Simulator& simulator, const std::string& path) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  simulator.api().ForEachTruth([&](const std::string& line) { out << line << '\n'; });
  out.close();
  if (!out) return Fail(ErrorCode::kIo, "write {}: {}", path, std::strerror(errno));
  return {};
}

// Whole or not at all: a program that waits for the file to appear must not read half of it.
Result<void> WritePort(const std::string& path, std::uint16_t port) {
  const auto slash = path.rfind('/');
  PosixFileSystem files(slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1)));
  return WriteWhole(files, slash == std::string::npos ? path : path.substr(slash + 1),
                    fmt::format("{}\n", port));
}

// Every line is out before the next request is answered: a test may read the file at any time.
Result<std::unique_ptr<std::FILE, int (*)(std::FILE*)>> OpenLog(const std::string& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> log(std::fopen(path.c_str(), "w"), &std::fclose);
  if (!log) return Fail(ErrorCode::kIo, "write {}: {}", path, std::strerror(errno));
  std::setvbuf(log.get(), nullptr, _IOLBF, BUFSIZ);
  return log;
}

Result<void> Serve(Flags& f) {
  TRY(Complete(f));
  const SystemClock machine;
  Time epoch = machine.Now();
  if (!f.epoch.empty()) {
    const auto parsed = ParseTime(f.epoch);
    if (!parsed)
      return Fail(ErrorCode::kInvalid, "--epoch: {}: allowed is 2026-11-22 or 2026-11-22T08:30:00Z", f.epoch);
    epoch = *parsed;
  }
  VirtualClock clock(machine, epoch, f.speed);
  std::unique_ptr<World> recorded;
  std::unique_ptr<EvolvingWorld> world;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> log(nullptr, &std::fclose);
  if (f.corpus.folder.empty()) {
    world = std::make_unique<EvolvingWorld>(f.synthetic, f.rates, epoch);
    world->SetImageVotes(f.image_votes);
  } else {
    TRY_ASSIGN(auto corpus, CorpusWorld::Load(f.corpus));
    if (const auto& absent = corpus->absent(); !absent.empty()) {
      fmt::print(stderr, "tmdb-sim: {} of the recordings that PROVENANCE.tsv names {} not there, {} first\n",
                 absent.size(), absent.size() == 1 ? "is" : "are", absent.front());
    }
    recorded = std::move(corpus);
  }
  if (!f.log_events.empty()) {
    TRY_ASSIGN(log, OpenLog(f.log_events));
    if (world) world->on_event = [&](const Happened& h) { fmt::print(log.get(), "{}\n", ToJson(h)); };
  }
  const auto simulated = world ? std::make_unique<Simulator>(*world, f.simulator, clock)
                               : std::make_unique<Simulator>(*recorded, f.simulator, clock);
  Simulator& simulator = *simulated;
  simulator.Attach(&clock);
  const DateClock date_clock(clock, Seconds(f.date_ahead * 86'400));
  TRY_ASSIGN(const auto server,
             http::Server::Listen(f.server, date_clock, [&](const http::ServerRequest& request) {
               return simulator.Handle(request);
             }));
  simulator.Attach(server.get());
  if (!f.truth_file.empty()) TRY(WriteTruth(simulator, f.truth_file));
  simulator.PrepareExports();
  if (f.warm) simulator.PrepareAnswers();

  // Blocked before the thread is made, so that only sigwait() below sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread loop([&] { server->Run(); });
  const bool ipv6 = f.server.address.find(':') != std::string::npos;
  const std::string host =
      fmt::format("{}{}{}:{}", ipv6 ? "[" : "", f.server.address, ipv6 ? "]" : "", server->port());
  if (!f.quiet) {
    fmt::print("tmdb-sim ready: TMDB_API_BASE_URL=http://{0}/3 TMDB_EXPORT_BASE_URL=http://{0}/p/exports\n",
               host);
    std::fflush(stdout);
  }
  const Result<void> told = f.port_file.empty() ? Result<void>() : WritePort(f.port_file, server->port());
  int signal = 0;
  if (told) sigwait(&signals, &signal);
  server->Stop();
  loop.join();
  return told;
}

}  // namespace
}  // namespace tmdbc::sim

int main(int argc, char** argv) {
  CLI::App app("tmdb-sim: a simulated TMDB on loopback, with exports, details, limits, faults and counters",
               "tmdb-sim");
  tmdbc::sim::Flags flags;
  tmdbc::sim::Declare(app, flags);
  tmdbc::sim::DeclareTime(app, flags);
  tmdbc::sim::DeclareOddities(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const auto served = tmdbc::sim::Serve(flags);
  if (served) return 0;
  fmt::print(stderr, "tmdb-sim: {}\n", served.error().message);
  return served.error().code == tmdbc::ErrorCode::kInvalid ? 2 : 1;
}
