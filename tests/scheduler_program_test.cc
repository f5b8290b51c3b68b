// SPDX-License-Identifier: MIT
// The programs that stay, and `trigger`: what a person, a service manager and a second process see of them,
// and what becomes of them when the disk is full, or nobody reads what they say any more.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/sqlite.h"
#include "mirror.h"
#include "program.h"

namespace tmdbc::testing {
namespace {

using std::chrono::seconds;

constexpr seconds kPatience = seconds(60);

// True as soon as `holds` does, false when it never did.
bool Eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

int Count(const std::string& text, std::string_view part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

constexpr std::string_view kWaiting = "waiting for the next harvest";

class DaemonTest : public ::testing::Test {
 protected:
  DaemonTest() : sim_({"--movies=30", "--shows=4", "--people=20"}) {
    environment_ = sim_.Settings(data_dir());
    environment_["RATE_LIMIT_REQUESTS"] = "1000";
    environment_["COLLECTOR_CONCURRENCY"] = "20";
  }

  std::filesystem::path data_dir() const { return folder_.path() / "data"; }

  void Write(const std::string& name, std::string_view text) const {
    std::ofstream(folder_.path() / name, std::ios::binary) << text;
  }
  std::unique_ptr<Program> Start(std::vector<std::string> arguments = {"run"}) const {
    arguments.insert(arguments.begin(), CollectorPath());
    return std::make_unique<Program>(arguments, environment_, folder_.path());
  }
  Finished Run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), CollectorPath());
    return RunToEnd(arguments, environment_, folder_.path());
  }
  static bool Waits(const Program& program, int times = 1) {
    return Eventually([&] { return Count(program.err(), kWaiting) >= times; });
  }
  // Of a table that nobody has open.
  void Execute(const std::string& sql) const {
    auto catalog = Database::Open(data_dir() / "catalog.db", Database::Mode::kReadWrite);
    ASSERT_TRUE(catalog) << catalog.error().message;
    ASSERT_TRUE(catalog->Execute(sql));
  }
  std::string ExitCodes() const {
    auto catalog = Database::Open(data_dir() / "catalog.db", Database::Mode::kReadOnly).value();
    auto rows = catalog.Prepare("SELECT name, exit_code FROM schedule_runs ORDER BY name").value();
    std::string codes;
    while (rows.Step().value())
      codes += fmt::format("{}={} ", rows.Text(0), rows.IsNull(1) ? -1 : rows.Int(1));
    return codes;
  }

  const Sim sim_;
  const TempDir folder_;
  Environment environment_;
};

TEST_F(DaemonTest, MirrorsAtOnceWaitsAndEndsCleanly) {
  const auto daemon = Start();
  ASSERT_TRUE(Waits(*daemon)) << daemon->err();
  EXPECT_NE(daemon->out().find("Done in"), std::string::npos) << daemon->out();
  daemon->Signal(SIGTERM);
  EXPECT_EQ(daemon->Wait(kPatience), 0) << daemon->err();
  EXPECT_EQ(ExitCodes(), "collection=0 ");
}

TEST_F(DaemonTest, ARestartHarvestsOnlyWhatIsDue) {
  const auto restart = [&] {
    const auto daemon = Start();
    EXPECT_TRUE(Waits(*daemon)) << daemon->err();
    daemon->Signal(SIGTERM);
    EXPECT_EQ(daemon->Wait(kPatience), 0) << daemon->err();
    return Count(daemon->err(), "collecting schedule=collection");
  };
  EXPECT_EQ(restart(), 1);
  EXPECT_EQ(restart(), 0);
  // As after two days of downtime: once.
  Execute("UPDATE schedule_runs SET planned = planned - 172800000000, started = started - 172800000000");
  EXPECT_EQ(restart(), 1);
  EXPECT_EQ(restart(), 0);
  // As after a kill in the middle of it.
  Execute("UPDATE schedule_runs SET ended = NULL");
  EXPECT_EQ(restart(), 1);
  EXPECT_EQ(restart(), 0);
}

TEST_F(DaemonTest, ALostCatalogRunsNoScheduleASecondTime) {
  const auto run = [&] {
    const auto daemon = Start();
    EXPECT_TRUE(Waits(*daemon)) << daemon->err();
    daemon->Signal(SIGTERM);
    EXPECT_EQ(daemon->Wait(kPatience), 0) << daemon->err();
    return Count(daemon->err(), "collecting schedule=collection");
  };
  EXPECT_EQ(run(), 1);
  for (const char* suffix : {"", "-wal", "-shm"})
    std::filesystem::remove(data_dir() / (std::string("catalog.db") + suffix));
  const Finished rebuilt = Run({"verify", "--rebuild"});
  EXPECT_EQ(rebuilt.code, 0) << rebuilt.out << rebuilt.err;
  EXPECT_EQ(run(), 0);
  EXPECT_EQ(ExitCodes(), "collection=0 ");
}

// A day of more changes than TMDB gives: the daemon tries it again each time, until a person goes past it, once.
TEST_F(DaemonTest, AGapIsHeldUntilAPersonAcceptsIt) {
  using std::chrono::days;
  const auto today = std::chrono::floor<days>(SystemClock().Now());
  const auto day = [&](int by) { return FormatDate(today + days(by)); };
  const Sim flooded({"--movies=30", "--shows=0", "--people=0", "--gone=0", "--rate=0", "--feed-rows=5",
                     "--feed-flood=" + day(-2) + "=6000", "--epoch=" + day(-3) + "T12:00:00Z"});
  for (const auto& [name, value] : flooded.Settings(data_dir())) environment_[name] = value;
  environment_["MEDIA_TYPES"] = "movie";
  ASSERT_LE(Run({"run", "--once"}).code, 1);
  HttpGet(flooded.port(), "/sim/advance?hours=72");
  const auto watermark = [&] {
    auto catalog = Database::Open(data_dir() / "catalog.db", Database::Mode::kReadOnly).value();
    auto rows = catalog.Prepare("SELECT day FROM harvest_watermarks").value();
    return rows.Step().value() ? std::string(rows.Text(0)) : "";
  };
  const auto collect = [&](std::vector<std::string> arguments, int code) {
    const auto daemon = Start(std::move(arguments));
    EXPECT_TRUE(Waits(*daemon)) << daemon->err();
    daemon->Signal(SIGTERM);
    EXPECT_EQ(daemon->Wait(kPatience), code) << daemon->out() << daemon->err();
    return daemon->err() + daemon->out();
  };
  const std::string held = collect({"run"}, 1);
  EXPECT_NE(held.find("TMDB gives only the first 500"), std::string::npos) << held;
  EXPECT_NE(held.find("--accept-gap goes past it"), std::string::npos) << held;
  EXPECT_EQ(watermark(), day(-2));
  Execute("UPDATE schedule_runs SET ended = NULL");
  const std::string accepted = collect({"run", "--accept-gap"}, 0);
  EXPECT_NE(accepted.find("a gap is accepted"), std::string::npos) << accepted;
  EXPECT_GE(watermark(), day(-1));
  Execute("UPDATE schedule_runs SET ended = NULL");
  const std::string after = collect({"run"}, 0);
  EXPECT_EQ(after.find("gives only"), std::string::npos) << after;
}

TEST_F(DaemonTest, FollowsSeveralSchedules) {
  Write("tmdb-collector.toml",
        "[[schedule]]\nname = 'films'\nexpression = 'rate(1 day)'\ntypes = ['movie']\nmode = 'export'\n"
        "[[schedule]]\nname = 'people'\nexpression = 'cron(0 6 * * ? *)'\ntimezone = 'Europe/Berlin'\ntypes "
        "= 'person'\n"
        "limit = 5\n");
  const auto daemon = Start();
  ASSERT_TRUE(Waits(*daemon)) << daemon->err();
  EXPECT_NE(daemon->err().find("collecting schedule=films expression=\"rate(1 day)\""), std::string::npos)
      << daemon->err();
  EXPECT_NE(daemon->err().find("expression=\"cron(0 6 * * ? *) Europe/Berlin\""), std::string::npos)
      << daemon->err();
  daemon->Signal(SIGTERM);
  EXPECT_EQ(daemon->Wait(kPatience), 0);
  EXPECT_EQ(ExitCodes(), "films=0 people=0 ");
  std::map<std::string, int> stored;
  for (const Line& line : ReadStore(data_dir())) ++stored[line.type];
  EXPECT_GT(stored["movie"], 20);
  EXPECT_EQ(stored["person"], 5);
  EXPECT_FALSE(stored.contains("tv"));
}

TEST_F(DaemonTest, AScheduleThatCannotBeFollowedYetDoesNotStopTheOthers) {
  Write("tmdb-collector.toml",
        "media_types = 'movie'\n"
        "[[schedule]]\nname = 'changes'\nexpression = 'rate(1 hour)'\nmode = 'changes'\n"
        "[[schedule]]\nname = 'exports'\nexpression = 'rate(1 day)'\nmode = 'export'\n");
  const auto daemon = Start();
  ASSERT_TRUE(Waits(*daemon)) << daemon->err();
  daemon->Signal(SIGTERM);
  EXPECT_TRUE(daemon->Wait(kPatience));
  EXPECT_EQ(ExitCodes(), "changes=2 exports=0 ");
  EXPECT_NE(daemon->err().find("schedule=changes"), std::string::npos);
}

TEST_F(DaemonTest, TakesChangedSettingsWhenToldAndNamesThoseThatItCannot) {
  Write(".env", "LOG_LEVEL=info\n");
  const auto daemon = Start();
  ASSERT_TRUE(Waits(*daemon)) << daemon->err();
  environment_.erase("RATE_LIMIT_REQUESTS");
  Write(".env", "LOG_LEVEL=debug\nLOG_FORMAT=json\nCOLLECTION_SCHEDULE=cron(0 6 * * ? 2190)\n");
  daemon->Signal(SIGHUP);
  ASSERT_TRUE(Waits(*daemon, 2)) << daemon->err();
  EXPECT_NE(daemon->err().find("read the settings again"), std::string::npos) << daemon->err();
  EXPECT_NE(daemon->err().find("LOG_FORMAT has changed to 'json': that needs a restart"), std::string::npos)
      << daemon->err();
  EXPECT_NE(daemon->err().find("at=2190-01-01T06:00:00.000Z"), std::string::npos) << daemon->err();
  // A schedule that is new runs.
  Write("tmdb-collector.toml", "[[schedule]]\nname = 'new'\nexpression = 'rate(1 day)'\ntypes = 'movie'\n");
  daemon->Signal(SIGHUP);
  ASSERT_TRUE(Eventually([&] { return Count(daemon->err(), "collecting schedule=new") == 1; }))
      << daemon->err();
  ASSERT_TRUE(Waits(*daemon, 3)) << daemon->err();
  // The one that it took the place of is waited for no longer.
  EXPECT_EQ(ExitCodes(), "new=0 ");
  EXPECT_EQ(Run({"status"}).out.find("schedule  collection"), std::string::npos);
  daemon->Signal(SIGTERM);
  EXPECT_EQ(daemon->Wait(kPatience), 0);
}

TEST_F(DaemonTest, RefusesABadFileAndGoesOnAsItWas) {
  const auto daemon = Start();
  ASSERT_TRUE(Waits(*daemon)) << daemon->err();
  Write("tmdb-collector.toml",
        "log_level = 'debug'\n[[schedule]]\nname = 'x'\nexpression = 'cron(0 25 * * ? *)'\n");
  daemon->Signal(SIGHUP);
  ASSERT_TRUE(Eventually([&] { return Count(daemon->err(), "the settings stay as they were") == 1; }))
      << daemon->err();
  EXPECT_NE(daemon->err().find("(from tmdb-collector.toml:4): its hours field is '25': use 0-23"),
            std::string::npos)
      << daemon->err();
  daemon->Signal(SIGTERM);
  EXPECT_EQ(daemon->Wait(kPatience), 0);
}

TEST_F(DaemonTest, TakesAnotherRateInTheMiddleOfFetching) {
  environment_.erase("RATE_LIMIT_REQUESTS");
  Write(".env", "RATE_LIMIT_REQUESTS=0.1\n");
  const auto daemon = Start();
  ASSERT_TRUE(Eventually([&] { return Counter(sim_, "/api_requests") >= 1; })) << daemon->err();
  Write(".env", "RATE_LIMIT_REQUESTS=1000\n");
  daemon->Signal(SIGHUP);
  ASSERT_TRUE(Waits(*daemon)) << daemon->err();
  // One collection for the person who reads it, with its harvest and its end.
  EXPECT_EQ(Count(daemon->out(), "Done in"), 1) << daemon->out();
  EXPECT_EQ(Count(daemon->err(), "collecting schedule=collection"), 1) << daemon->err();
  daemon->Signal(SIGTERM);
  EXPECT_EQ(daemon->Wait(kPatience), 0);
  EXPECT_EQ(ExitCodes(), "collection=0 ");
}

TEST_F(DaemonTest, TellsOfEveryRequestToTmdbThoseForTheChangeFeedsToo) {
  for (const bool changes : {false, true}) {
    const std::int64_t before = Counter(sim_, "/api_requests");
    const Finished run = Run({"run", "--once", "--json"});
    ASSERT_EQ(run.code, 0) << run.err;
    const std::int64_t sent = Counter(sim_, "/api_requests") - before;
    EXPECT_NE(run.out.find(fmt::format("\"api_requests\":{},", sent)), std::string::npos) << run.out;
    EXPECT_EQ(Count(run.out, "\"changes\":{\"verdict\":\"read\""), changes ? 3 : 0) << run.out;
    EXPECT_NE(Run({"status", "--json"}).out.find(fmt::format("\"requests\":{},", sent)), std::string::npos);
  }
  const std::int64_t before = Counter(sim_, "/api_requests");
  const Finished run = Run({"run", "--once"});
  const std::int64_t sent = Counter(sim_, "/api_requests") - before;
  EXPECT_GE(sent, 3);
  EXPECT_NE(run.out.find(fmt::format("requests  {} to TMDB, ", sent)), std::string::npos) << run.out;
}

TEST_F(DaemonTest, EndsAfterItsWorkWhenNoScheduleWillEverBeDueAgain) {
  environment_["COLLECTION_SCHEDULE"] = "cron(0 6 * * ? 2020)";
  const Finished once = Run({"run"});
  EXPECT_EQ(once.code, 0) << once.err;
  EXPECT_NE(once.err.find("no schedule will ever be due again"), std::string::npos) << once.err;
}

TEST_F(DaemonTest, ASecondProcessIsRefusedInOneSentence) {
  const auto daemon = Start();
  ASSERT_TRUE(Waits(*daemon)) << daemon->err();
  Write("event.json",
        R"({"Source":"tmdb-data-collector","DetailType":"Collection Requested","Detail":"{}"})");
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"run"}, {"run", "--once"}, {"trigger", "event.json"}}) {
    const Finished second = Run(command);
    EXPECT_EQ(second.code, 2) << command[0];
    EXPECT_NE(second.err.find(fmt::format("is in use by process {}: one process at a time", daemon->pid())),
              std::string::npos)
        << second.err;
  }
  daemon->Signal(SIGTERM);
  EXPECT_EQ(daemon->Wait(kPatience), 0);
}

// A full disk is waited for: the daemon says so, and goes on when there is room.
class FullDiskTest : public DaemonTest {
 protected:
  FullDiskTest() {
    environment_["LD_PRELOAD"] = (BinaryDir() / "tests" / "libbad_disk.so").string();
    environment_["BAD_DISK_PLAN"] = folder_.path() / "plan";
  }
  void Fill() const {
    Write("plan", fmt::format("write {}/data ENOSPC\n", std::filesystem::canonical(folder_.path()).string()));
  }
  void MakeRoom() const { std::filesystem::remove(folder_.path() / "plan"); }
  void Follow(const std::string& schedule) const {
    Write("tmdb-collector.toml",
          "[[schedule]]\nname = '" + schedule + "'\nexpression = 'rate(1 day)'\ntypes = 'movie'\n");
  }

  static constexpr std::string_view kFull =
      "the disk is full: free some space, the schedules then go on by themselves";
};

TEST_F(FullDiskTest, TheDaemonWaitsForRoomAndGoesOn) {
  const auto daemon = Start();
  ASSERT_TRUE(Waits(*daemon)) << daemon->err();
  Fill();
  Follow("new");
  daemon->Signal(SIGHUP);
  ASSERT_TRUE(Eventually([&] { return Count(daemon->err(), kFull) >= 1; })) << daemon->err();
  EXPECT_FALSE(daemon->Finished());
  EXPECT_EQ(ExitCodes(), "collection=0 ");
  MakeRoom();
  ASSERT_TRUE(Eventually([&] { return ExitCodes() == "new=0 "; })) << daemon->err();
  daemon->Signal(SIGTERM);
  EXPECT_EQ(daemon->Wait(kPatience), 0) << daemon->err();
}

TEST_F(FullDiskTest, AStopEndsTheDaemonThatWaitsForRoom) {
  const auto daemon = Start();
  ASSERT_TRUE(Waits(*daemon)) << daemon->err();
  Fill();
  Follow("new");
  daemon->Signal(SIGHUP);
  ASSERT_TRUE(Eventually([&] { return Count(daemon->err(), kFull) >= 1; })) << daemon->err();
  daemon->Signal(SIGTERM);
  EXPECT_EQ(daemon->Wait(kPatience), 0) << daemon->err();
  MakeRoom();
  // Nothing is lost by it: the next start does what was due.
  const auto next = Start();
  ASSERT_TRUE(Waits(*next)) << next->err();
  next->Signal(SIGTERM);
  EXPECT_EQ(next->Wait(kPatience), 0) << next->err();
  EXPECT_EQ(ExitCodes(), "new=0 ");
}

// An operator's shell with a transaction open, say.
TEST_F(DaemonTest, WaitsForAnotherProgramThatHoldsTheDatabaseAndGoesOn) {
  const auto daemon = Start();
  ASSERT_TRUE(Waits(*daemon)) << daemon->err();
  auto other = Database::Open(data_dir() / "catalog.db", Database::Mode::kReadWrite);
  ASSERT_TRUE(other) << other.error().message;
  ASSERT_TRUE(other->Execute("BEGIN IMMEDIATE"));
  Write("tmdb-collector.toml",
        "[[schedule]]\nname = 'new'\nexpression = 'rate(1 day)'\ntypes = 'movie'\n");
  daemon->Signal(SIGHUP);
  ASSERT_TRUE(Eventually([&] {
    return Count(daemon->err(), "another program holds the database: end it or wait for it") >= 1;
  })) << daemon->err();
  EXPECT_FALSE(daemon->Finished());
  ASSERT_TRUE(other->Execute("COMMIT"));
  ASSERT_TRUE(Eventually([&] { return ExitCodes() == "new=0 "; })) << daemon->err();
  daemon->Signal(SIGTERM);
  EXPECT_EQ(daemon->Wait(kPatience), 0) << daemon->err();
}

// The end of a pipe with a name, one page wide, that a program is to write to.
class NamedPipe {
 public:
  explicit NamedPipe(const std::filesystem::path& path) {
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    fd_ = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ::fcntl(fd_, F_SETPIPE_SZ, kSize);
  }
  ~NamedPipe() { Close(); }
  NamedPipe(const NamedPipe&) = delete;
  NamedPipe& operator=(const NamedPipe&) = delete;

  bool IsFull() const {
    int waiting = 0;
    return ::ioctl(fd_, FIONREAD, &waiting) == 0 && waiting == kSize;
  }
  // All that came so far.
  const std::string& Read() {
    char buffer[kSize];
    for (ssize_t n; (n = ::read(fd_, buffer, sizeof buffer)) > 0;) seen_.append(buffer, std::size_t(n));
    return seen_;
  }
  void Close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  static constexpr int kSize = 4096;
  int fd_ = -1;
  std::string seen_;
};

TEST_F(DaemonTest, GoesOnWhenNobodyReadsWhatItSays) {
  NamedPipe pipe(folder_.path() / "pipe");
  Program daemon({"/bin/sh", "-c", "exec \"$0\" run >pipe 2>&1", CollectorPath()}, environment_,
                 folder_.path());
  ASSERT_TRUE(Eventually([&] { return Count(pipe.Read(), kWaiting) >= 1; })) << pipe.Read();
  pipe.Close();
  Write("tmdb-collector.toml", "[[schedule]]\nname = 'new'\nexpression = 'rate(1 day)'\ntypes = 'movie'\n");
  // Not on a terminal, it means that the settings are to be read again.
  daemon.Signal(SIGHUP);
  EXPECT_TRUE(Eventually([&] { return ExitCodes() == "new=0 "; }));
  daemon.Signal(SIGTERM);
  EXPECT_EQ(daemon.Wait(kPatience), 0);
}

TEST_F(DaemonTest, EndsInGoodOrderWithItsTerminal) {
  int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(terminal, 0) << std::strerror(errno);
  ASSERT_EQ(::grantpt(terminal), 0);
  ASSERT_EQ(::unlockpt(terminal), 0);
  const std::string name = ::ptsname(terminal);
  // The terminal that the first process of a session opens becomes that of the session.
  Program daemon({"/usr/bin/env", "setsid", "/bin/sh", "-c", "exec \"$0\" run <\"$1\" >\"$1\" 2>&1",
                  CollectorPath(), name},
                 environment_, folder_.path());
  std::string said;
  const bool waits = Eventually([&] {
    char buffer[4096];
    for (ssize_t n; (n = ::read(terminal, buffer, sizeof buffer)) > 0;) said.append(buffer, std::size_t(n));
    return Count(said, kWaiting) >= 1;
  });
  ::close(terminal);
  ASSERT_TRUE(waits) << said;
  EXPECT_EQ(daemon.Wait(kPatience), 0) << said;
  EXPECT_EQ(ExitCodes(), "collection=0 ");
  EXPECT_NE(Run({"status"}).out.find("not running; the last was run, ended"), std::string::npos);
}

TEST_F(DaemonTest, AFollowerOfChangesEndsForAStopThoughItsReaderStalls) {
  ASSERT_EQ(Run({"run", "--once"}).code, 0);
  NamedPipe pipe(folder_.path() / "pipe");
  for (const auto& [flags, code] : {std::pair{"--follow", 1}, std::pair{"", 3}}) {
    Program changes(
        {"/bin/sh", "-c", std::string("exec \"$0\" changes --since=0 ") + flags + " >pipe", CollectorPath()},
        environment_, folder_.path());
    ASSERT_TRUE(Eventually([&] { return pipe.IsFull(); })) << changes.err();
    EXPECT_FALSE(changes.Finished());
    changes.Signal(SIGTERM);
    EXPECT_EQ(changes.Wait(kPatience), code) << flags;
    // Without --follow its exit code would say that what it printed is complete.
    EXPECT_EQ(changes.err(), code == 1
                                 ? ""
                                 : "tmdb-collector: write to stdout: stopped while nobody read, the last "
                                   "lines are missing: go on from --since=0\n");
    (void)pipe.Read();
  }
}

// What a service manager hears, in order.
class ManagerTest : public DaemonTest {
 protected:
  ManagerTest() {
    const std::string path = folder_.path() / "notify";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    environment_["NOTIFY_SOCKET"] = path;
  }
  ~ManagerTest() override { ::close(socket_); }

  bool Hears(std::string_view message) {
    return Eventually([&] {
      char buffer[1024];
      for (ssize_t n; (n = ::recv(socket_, buffer, sizeof buffer, 0)) >= 0;)
        heard_.emplace_back(buffer, std::size_t(n));
      for (std::size_t i = next_; i < heard_.size(); ++i) {
        if (!heard_[i].starts_with(message)) continue;
        next_ = i + 1;
        return true;
      }
      return false;
    });
  }

  int socket_;
  std::vector<std::string> heard_;
  std::size_t next_ = 0;
};

TEST_F(ManagerTest, HearsHowTheDaemonIs) {
  environment_["WATCHDOG_USEC"] = "400000";
  const auto daemon = Start();
  EXPECT_TRUE(Hears("READY=1"));
  EXPECT_TRUE(Hears("STATUS=collecting by schedule collection"));
  EXPECT_TRUE(Hears("STATUS=waiting, the next harvest is at 20"));
  EXPECT_TRUE(Hears("WATCHDOG=1"));
  EXPECT_TRUE(Hears("WATCHDOG=1"));
  daemon->Signal(SIGHUP);
  EXPECT_TRUE(Hears("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_TRUE(Hears("READY=1"));
  daemon->Signal(SIGTERM);
  EXPECT_TRUE(Hears("STOPPING=1"));
  EXPECT_EQ(daemon->Wait(kPatience), 0);
}

TEST_F(DaemonTest, TriggerDoesWhatEachEventAsksFor) {
  Write("events.json", R"([
    {"Source":"tmdb-data-collector","DetailType":"Collection Requested","Detail":"{\"types\":[\"movie\"],\"limit\":3}"},
    {"Source":"tmdb-data-collector","DetailType":"Collection Requested","Detail":"{\"mode\":\"export\",\"types\":[\"person\"],\"limit\":2}"}])");
  const Finished run = Run({"trigger", "events.json"});
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(Count(run.out, "Done in"), 2) << run.out;
  std::map<std::string, int> stored;
  std::int64_t movie = 0;
  for (const Line& line : ReadStore(data_dir())) {
    ++stored[line.type];
    if (line.type == "movie") movie = line.id;
  }
  EXPECT_EQ(stored, (std::map<std::string, int>{{"movie", 3}, {"person", 2}}));
  // Ids are fetched although they are known.
  const std::int64_t before = Counter(sim_, "/api_requests");
  Write(
      "ids.json",
      fmt::format(
          R"({{"source":"tmdb-data-collector","detail-type":"Collection Requested","detail":{{"mode":"ids","types":["movie"],"ids":[{}]}}}})",
          movie));
  EXPECT_EQ(Run({"trigger", "ids.json"}).code, 0);
  EXPECT_EQ(Counter(sim_, "/api_requests"), before + 1);
}

TEST_F(DaemonTest, TriggerRunsTheSampleAsItStands) {
  const char* source = std::getenv("TMDBC_SOURCE_DIR");
  const Finished run = Run({"trigger", std::string(source ? source : ".") + "/samples/trigger-event.json"});
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(Count(run.out, "Done in"), 1) << run.out;
}

TEST_F(DaemonTest, TriggerNamesAMistakeBeforeItDoesAnything) {
  Write("bad.json",
        R"([{"Source":"tmdb-data-collector","DetailType":"Collection Requested","Detail":"{\"typ\":[]}"}])");
  for (const auto& [arguments, sentence] :
       {std::pair{std::vector<std::string>{"trigger", "bad.json"},
                  "bad.json: entry 1: Detail: 'typ' is not a member that it may have, did you mean types?"},
        std::pair{std::vector<std::string>{"trigger", "absent.json"},
                  "read absent.json: No such file or directory"},
        std::pair{std::vector<std::string>{"trigger", "."}, "read .: it is a folder, not a file"},
        std::pair{std::vector<std::string>{"trigger"}, "trigger needs a file of events"}}) {
    const Finished run = Run(arguments);
    EXPECT_EQ(run.code, 2);
    EXPECT_NE(run.err.find(sentence), std::string::npos) << run.err;
  }
  EXPECT_FALSE(std::filesystem::exists(data_dir()));
}

TEST_F(DaemonTest, AnEventThatCannotRunHasItsLineAndTakesNoOtherAlong) {
  Write("mixed.json",
        "\xef\xbb\xbf"
        R"([{"Source":"tmdb-data-collector","DetailType":"Collection Requested","Detail":"{\"types\":null}"},
    {"Source":"tmdb-data-collector","DetailType":"Collection Requested","Detail":"{\"types\":[\"movie\"],\"limit\":3}"}])");
  const Finished run = Run({"trigger", "mixed.json", "--json"});
  EXPECT_EQ(run.code, 1) << run.err;
  EXPECT_EQ(Count(run.out, "\n"), 2) << run.out;
  EXPECT_TRUE(
      run.out.starts_with(R"({"event":1,"exit_code":2,"error":"mixed.json: entry 1: Detail: types is null)"))
      << run.out;
  EXPECT_NE(run.out.find(R"({"event":2,"exit_code":0,"ending":"done")"), std::string::npos) << run.out;
}

// What a drain brought is sealed at its end, not an hour later or with the next commit.
TEST_F(DaemonTest, AFollowerHasWhatADrainBroughtWhileTheDaemonWaits) {
  const auto daemon = Start();
  ASSERT_TRUE(Waits(*daemon)) << daemon->err();
  const Finished changes = Run({"changes", "--since=0"});
  EXPECT_EQ(changes.code, 0) << changes.err;
  EXPECT_GE(Count(changes.out, "\n"), 50) << changes.out;
  daemon->Signal(SIGTERM);
  EXPECT_EQ(daemon->Wait(kPatience), 0);
}

// Where nothing ever answered it is a mistake in the settings, not an outage to wait for.
TEST_F(DaemonTest, EndsWithinFifteenSecondsWhenNothingEverAnswered) {
  environment_["TMDB_API_BASE_URL"] = "http://127.0.0.1:9/3";
  environment_["TMDB_EXPORT_BASE_URL"] = "http://127.0.0.1:9/p/exports";
  const auto began = std::chrono::steady_clock::now();
  const Finished run = Run({"run"});
  EXPECT_EQ(run.code, 3) << run.err;
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(15));
  EXPECT_NE(run.out.find("TMDB could not be reached"), std::string::npos) << run.out;
}

// A service manager must not hammer with it: RestartPreventExitStatus names this code.
TEST_F(DaemonTest, EndsWithACodeOfItsOwnWhenTheKeyIsRefused) {
  const Sim denying({"--movies=30", "--shows=4", "--people=20", "--deny=0"});
  for (const auto& [name, value] : denying.Settings(data_dir())) environment_[name] = value;
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"run"}, {"run", "--once"}, {"collect"}}) {
    const Finished run = Run(arguments);
    EXPECT_EQ(run.code, 4) << run.err;
    EXPECT_NE(run.out.find("TMDB refused the key"), std::string::npos) << run.out;
  }
}

// The unit, with this build's program in place of the installed one.
TEST(ServiceUnit, IsOneThatSystemdTakes) {
  if (std::system("command -v systemd-analyze >/dev/null 2>&1") != 0) {
    std::puts("systemd-analyze is not here: the unit was not checked");
    return;
  }
  const char* source = std::getenv("TMDBC_SOURCE_DIR");
  const TempDir folder;
  std::string unit = ReadFile(std::string(source ? source : ".") + "/deploy/systemd/tmdb-collector.service");
  const std::string installed = "/usr/bin/tmdb-collector";
  ASSERT_EQ(Count(unit, installed), 1);
  unit.replace(unit.find(installed), installed.size(), CollectorPath());
  const auto path = folder.path() / "tmdb-collector.service";
  std::ofstream(path) << unit;
  const Finished verify =
      RunToEnd({"/usr/bin/env", "systemd-analyze", "verify", "--man=no", path.string()}, {}, folder.path());
  EXPECT_EQ(verify.code, 0);
  EXPECT_EQ(verify.err, "");
}

}  // namespace
}  // namespace tmdbc::testing
