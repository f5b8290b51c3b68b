// SPDX-License-Identifier: MIT
#include "simulator.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "images.h"
#include "json.h"

namespace tmdbc::sim {
namespace {

constexpr std::string_view kHtml =
    "<html>\r\n<head><title>Bad Gateway</title></head>\r\n<body>\r\n<center><h1>Something went "
    "wrong</h1></center>\r\n"
    "<hr><center>openresty</center>\r\n</body>\r\n</html>\r\n";

bool AllHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

std::string HttpDate(Time time) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

}  // namespace

Duration Latency::Draw(Random& random) const {
  if (max <= min) return min;
  if (shape == Shape::kUniform)
    return min +
           Duration(static_cast<std::int64_t>(random.Unit() * static_cast<double>((max - min).count())));
  const double low = std::log(std::max<double>(1, static_cast<double>(min.count())));
  const double high = std::log(static_cast<double>(max.count()));
  constexpr double kNinetyNinth = 2.326;  // of the normal distribution
  const double drawn = std::exp((low + high) / 2 + random.Normal() * (high - low) / 2 / kNinetyNinth);
  return std::max(min, Duration(static_cast<std::int64_t>(drawn)));
}

Simulator::Simulator(World& world, SimulatorOptions options, const Clock& clock)
    : Simulator(world, nullptr, std::move(options), clock) {}

Simulator::Simulator(EvolvingWorld& world, SimulatorOptions options, const Clock& clock)
    : Simulator(world, &world, std::move(options), clock) {}

Simulator::Simulator(World& world, EvolvingWorld* evolving, SimulatorOptions options, const Clock& clock)
    : world_(world),
      evolving_(evolving),
      options_(std::move(options)),
      clock_(clock),
      api_(world, options_.oddities),
      answers_(options_.seed, options_.cache_bytes),
      exports_(world, evolving, options_.exports, clock),
      changes_(options_.seed, evolving),
      rate_(options_.rate),
      faults_(options_.faults, options_.seed),
      jitter_(options_.seed, HashText("latency")) {}

void Simulator::SetFaults(const FaultOptions& faults) {
  options_.faults = faults;
  faults_.Set(faults);
}

void Simulator::SetCaches(Duration bodies, Duration feed) {
  options_.cache = bodies;
  options_.feed_cache = feed;
}

http::Answer Simulator::Handle(const http::ServerRequest& request) {
  const Target target = ParseTarget(request.target);
  if (target.path.starts_with("/sim/")) return HandleOwn(target);
  if (IsDropped(request)) {
    book_.Dropped();
    http::Answer answer;
    answer.silent = true;
    answer.ending = http::Answer::Ending::kReset;
    return answer;
  }
  book_.Arrived();
  constexpr std::string_view kExports = "/p/exports/";
  if (target.path.starts_with(kExports)) {
    http::Answer answer = exports_.Handle(request, std::string_view(target.path).substr(kExports.size()));
    const auto fault =
        options_.faults.on_exports ? faults_.Next(target.path, request.received) : std::nullopt;
    if (fault && answer.body && request.method == "GET") {
      answer =
          Spoil(*fault, target, {answer.status, "export", 0, answer.headers, answer.body, nullptr}, false);
      answer.framing = http::Answer::Framing::kLength;
    }
    book_.Answered(answer, request.method == "HEAD", "export", 0);
    return answer;
  }
  constexpr std::string_view kImages = "/t/p/";
  if (target.path.starts_with(kImages)) {
    http::Answer answer = AnswerImage(std::string_view(target.path).substr(kImages.size()));
    const auto fault = options_.faults.on_images ? faults_.Next(target.path, request.received) : std::nullopt;
    if (fault && answer.status == 200 && request.method == "GET") {
      answer = Spoil(*fault, target, {answer.status, "image", 0, answer.headers, answer.body, nullptr}, false);
      answer.framing = http::Answer::Framing::kLength;
    }
    book_.Answered(answer, request.method == "HEAD", "image", 0);
    return answer;
  }
  return HandleApi(request, target);
}

http::Answer Simulator::HandleApi(const http::ServerRequest& request, const Target& target) {
  const bool gzip = request.header("Accept-Encoding").find("gzip") != std::string_view::npos;
  const auto refuse = [&](int status, int code) {
    http::Answer answer =
        AnswerWith(*answers_.Prepare(TmdbError(status, code, "refused"), target.path), gzip);
    answer.delay = options_.latency.Draw(jitter_);
    book_.Answered(answer, request.method == "HEAD", "refused", 0);
    return answer;
  };
  // Counted at the moment the request came, whatever happens to it afterwards.
  book_.ApiArrived(clock_.Now(), request.received);
  const bool within_rate = rate_.Arrive(request.peer_address, request.received);
  if (request.over_connection_limit) {
    book_.Refused(Book::Refusal::kConnections);
    return refuse(429, 25);
  }
  if (!within_rate) {
    book_.Refused(Book::Refusal::kRate);
    return refuse(429, 25);
  }
  if (!KeyAccepted(request, target) || Denied()) {
    book_.Refused(Book::Refusal::kKey);
    return refuse(401, 7);
  }
  if (request.method != "GET" && request.method != "HEAD") return refuse(405, 42);

  const auto prepared = PreparedOfTheDay(target);
  http::Answer answer;
  // Which of two requests for one target comes first must not matter to the others, so the key is left out.
  const auto fault = options_.faults.any() ? faults_.Next(target.path, request.received) : std::nullopt;
  if (fault) {
    answer = Spoil(*fault, target, *prepared, gzip);
  } else if (faults_.in_burst(request.received)) {
    answer = Spoil(jitter_.Chance(0.5) ? Fault::kJson503 : Fault::kHtml502, target, *prepared, gzip);
  } else {
    answer = AnswerWith(*prepared, gzip);
  }
  answer.delay = options_.latency.Draw(jitter_);
  book_.Answered(answer, request.method == "HEAD", prepared->path_class, prepared->appended);
  return answer;
}

bool Simulator::KeyAccepted(const http::ServerRequest& request, const Target& target) const {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view authorization = request.header("Authorization");
  if (authorization.starts_with(kBearer) && authorization.size() > kBearer.size()) {
    return options_.api_key.empty() || authorization.substr(kBearer.size()) == options_.api_key;
  }
  const std::string_view key = target.parameter("api_key");
  return options_.api_key.empty() ? key.size() == 32 && AllHex(key) : key == options_.api_key;
}

bool Simulator::IsDropped(const http::ServerRequest& request) const {
  if (request.earlier == 0) return false;
  return (options_.drop_after_requests > 0 && request.earlier >= options_.drop_after_requests) ||
         (options_.drop_after_idle > Duration(0) && request.idle >= options_.drop_after_idle);
}

bool Simulator::Denied() {
  if (options_.deny_count == 0) return false;
  if (options_.deny_after > 0) {
    --options_.deny_after;
    return false;
  }
  if (options_.deny_count > 0) --options_.deny_count;
  return true;
}

std::shared_ptr<const Prepared> Simulator::PreparedFor(const Target& target) {
  std::string key = target.path;
  for (const char* name : {"append_to_response", "language", "include_video_language"})
    key.append("?").append(target.parameter(name));
  key += fmt::format("?{}", options_.oddities.edition());
  if (evolving_ != nullptr) {
    const auto parts = Split(target.path, '/');
    const auto kind = parts.size() >= 3 ? KindOf(parts[1]) : std::nullopt;
    const auto id = kind ? ParseId(parts[2]) : std::nullopt;
    const auto revision = id ? evolving_->Revision(*kind, *id) : 0;
    if (revision > 0) key += fmt::format("#{}", revision);
  }
  return answers_.Get(key, [&] { return api_.Get(target); });
}

Time Simulator::MadeAt(const Target& target, Duration lifetime, Time now) const {
  if (lifetime <= Duration(0)) return now;
  // One body after the other, as if somebody were always asking; each query string has its own beat.
  std::uint64_t key = HashText(target.path);
  for (const auto& [name, value] : target.query) {
    if (name != "api_key") key = Mix(key ^ HashText(name)) ^ HashText(value);
  }
  const auto beat = static_cast<std::uint64_t>(lifetime.count());
  const auto phase = static_cast<std::int64_t>(Random(options_.seed, key).Below(beat));
  return now - (now.time_since_epoch() - Duration(phase)) % lifetime;
}

std::shared_ptr<const Prepared> Simulator::PreparedOfTheDay(const Target& target) {
  const Time now = clock_.Now();
  const auto look = [&](Time at) {
    if (evolving_ != nullptr) evolving_->EvolveTo(at);
  };
  const Time listed_at = MadeAt(target, options_.feed_cache, now);
  look(listed_at);
  if (auto feed = changes_.Get(target, options_.feed, listed_at))
    return answers_.Prepare(std::move(*feed), target.path);
  // What happens by now has to happen before one looks back, so that it is the same for every client.
  look(now);
  const Time made_at = MadeAt(target, options_.cache, now);
  if (made_at == now || evolving_ == nullptr) return PreparedFor(target);
  look(made_at);
  auto prepared = PreparedFor(target);
  look(now);
  if (prepared->status != 200) return PreparedFor(target);
  // Kept under its revision, which is older than this moment of its life.
  auto aged = std::make_shared<Prepared>(*prepared);
  const auto age = std::chrono::floor<std::chrono::seconds>(now - made_at).count();
  const auto left = std::chrono::floor<std::chrono::seconds>(options_.cache).count() - age;
  for (auto& [name, value] : aged->headers) {
    if (name == "X-Memc") value = "HIT";
    if (name == "X-Memc-Age") value = std::to_string(age);
    if (name == "X-Memc-Expires") value = std::to_string(left);
    if (name == "Cache-Control") value = fmt::format("public, max-age={}", left);
  }
  return aged;
}

void Simulator::PrepareAnswers() {
  for (int i = 0; i < kKinds; ++i) {
    const auto kind = static_cast<Kind>(i);
    if (kind == Kind::kKeyword) continue;  // the export is their record
    std::string appends(DefaultAppends(kind));
    for (int season = 0; kind == Kind::kTv && season < 8; ++season)
      appends += fmt::format(",season/{}", season);
    world_.ForEachId(kind, [&](std::int64_t id, bool) {
      if (answers_.full()) return;  // the cache is full
      PreparedFor({fmt::format("/3/{}/{}", NameOf(kind), id), {{"append_to_response", appends}}});
    });
  }
}

http::Answer Simulator::Spoil(Fault fault, const Target& target, const Prepared& prepared, bool gzip) {
  const auto html = [&](int status) {
    return AnswerWith(
        *answers_.Prepare({.status = status, .body = std::string(kHtml)}, target.path, "text/html"), gzip);
  };
  const auto error = [&](int status, int code) {
    return AnswerWith(*answers_.Prepare(TmdbError(status, code, "fault"), target.path), gzip);
  };
  const auto throttled = [&](std::optional<std::string> retry_after) {
    book_.Refused(Book::Refusal::kFault);
    http::Answer answer = error(429, 25);
    if (retry_after) answer.headers.emplace_back("Retry-After", *retry_after);
    return answer;
  };
  const auto with_body = [&](std::string body) {
    return AnswerWith(*answers_.Prepare({.body = std::move(body)}, target.path), gzip);
  };
  // A fault that makes no sense for this answer does not happen, and does not count.
  bool applied = true;
  http::Answer answer = AnswerWith(prepared, gzip);
  const std::size_t size = answer.body->size();
  switch (fault) {
    case Fault::kResetBefore:
      answer.silent = true;
      answer.ending = http::Answer::Ending::kReset;
      break;
    case Fault::kResetMid:
      answer.cut_body_after = size / 2;
      answer.ending = http::Answer::Ending::kReset;
      break;
    case Fault::kCut:
      answer.body = std::make_shared<const std::string>(answer.body->substr(0, size / 2));
      break;
    case Fault::kWrongLength:
      answer.framing = http::Answer::Framing::kLength;
      answer.claimed_length = size + 1000;
      answer.ending = http::Answer::Ending::kClose;
      break;
    case Fault::kBadGzip: {
      applied = gzip || prepared.gzip == nullptr;
      if (!applied) break;
      std::string bytes = *answer.body;
      bytes[size / 2] = static_cast<char>(bytes[size / 2] ^ 0x55);
      answer.body = std::make_shared<const std::string>(std::move(bytes));
      break;
    }
    case Fault::kBareGzip:
      applied = prepared.gzip != nullptr;
      if (!applied) break;
      answer = AnswerWith(prepared, false);
      answer.body = prepared.gzip;
      break;
    case Fault::kHtml200:
      answer = html(200);
      break;
    case Fault::kHtml404:
      answer = html(404);
      break;
    case Fault::kHtml502:
      answer = html(502);
      break;
    case Fault::kHtml503:
      answer = html(503);
      break;
    case Fault::kJson500:
      answer = error(500, 11);
      break;
    case Fault::kJson502:
      answer = error(502, 43);
      break;
    case Fault::kJson503:
      answer = error(503, 9);
      break;
    case Fault::kJson504:
      answer = error(504, 24);
      break;
    case Fault::k429Bare:
      answer = throttled(std::nullopt);
      break;
    case Fault::k429Zero:
      answer = throttled("0");
      break;
    case Fault::k429Seconds:
      answer = throttled("1");
      break;
    case Fault::k429Date:
      answer = throttled(HttpDate(clock_.Now() + std::chrono::seconds(2)));
      break;
    case Fault::kEmpty200:
      answer.status = 200;
      answer.body = nullptr;
      std::erase_if(answer.headers, [](const http::Header& h) { return h.first == "Content-Encoding"; });
      break;
    case Fault::kCutJson:
      answer = with_body(prepared.plain->substr(0, prepared.plain->size() / 2));
      break;
    case Fault::kWrongId:
    case Fault::kStale: {
      const auto other = fault == Fault::kWrongId ? NeighbourOf(target) : OlderOf(target, prepared);
      applied = prepared.status == 200 && other.has_value();
      if (applied) answer = with_body(*other);
      break;
    }
    case Fault::kTrickle:
      answer.trickle_pieces = 20;
      answer.trickle_pause = options_.faults.trickle / 20;
      break;
    case Fault::kStall:
      answer.silent = true;
      answer.ending = http::Answer::Ending::kHang;
      answer.hang = options_.faults.stall;
      break;
    case Fault::kBurst:
      answer = error(503, 9);
      break;
  }
  if (applied) book_.Spoiled(fault);
  return answer;
}

std::optional<Simulator::Subject> Simulator::SubjectOf(const Target& target) {
  const auto parts = Split(target.path, '/');
  const auto kind = parts.size() == 3 && parts[0] == "3" ? KindOf(parts[1]) : std::nullopt;
  const auto id = kind ? ParseId(parts[2]) : std::nullopt;
  if (!id) return std::nullopt;
  return Subject{*kind, *id};
}

std::optional<std::string> Simulator::NeighbourOf(const Target& target) const {
  const auto subject = SubjectOf(target);
  if (!subject) return std::nullopt;
  for (std::int64_t id = subject->id + 1; id < subject->id + 1000; ++id) {
    if (!world_.Details(subject->kind, id)) continue;
    Target other = target;
    other.path = fmt::format("/3/{}/{}", NameOf(subject->kind), id);
    return api_.Get(other).body;
  }
  return std::nullopt;
}

std::optional<std::string> Simulator::OlderOf(const Target& target, const Prepared& prepared) const {
  const auto subject = SubjectOf(target);
  const auto older = subject ? world_.OlderDetails(subject->kind, subject->id) : std::nullopt;
  if (!older) return std::nullopt;
  // The members of the older body, then what is appended, as it is today.
  std::vector<RawPart> parts = PartsOf(*older);
  const std::vector<RawPart> today = PartsOf(*prepared.plain);
  if (today.size() > parts.size())
    parts.insert(parts.end(), today.begin() + static_cast<std::ptrdiff_t>(parts.size()), today.end());
  return ObjectOf(parts);
}

}  // namespace tmdbc::sim
