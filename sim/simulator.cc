// SPDX-License-Identifier: MIT
#include "simulator.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "base/compression.h"
#include "base/hash.h"
#include "json.h"
#include "md5.h"

namespace tmdbc::sim {
namespace {

constexpr int kMaxAppends = 20;
// Fast rather than small: bodies are compressed once, in the thread that answers.
constexpr int kGzipLevel = 4;

struct Message {
  int code;
  std::string_view text;
};
constexpr std::array<Message, 10> kMessages = {{{6, "Invalid id: The pre-requisite id is invalid or not found."},
                                                {7, "Invalid API key: You must be granted a valid key."},
                                                {9, "Service offline: This service is temporarily offline, try again later."},
                                                {11, "Internal error: Something went wrong, contact TMDB."},
                                                {24, "Your request to the backend server timed out. Try again."},
                                                {25, "Your request count (41) is over the allowed limit of 40."},
                                                {27, "Too many append to response objects: The maximum number of remote calls is 20."},
                                                {34, "The resource you requested could not be found."},
                                                {42, "This request method is not supported for this resource."},
                                                {43, "Couldn't connect to the backend server."}}};

constexpr std::string_view kHtml =
    "<html>\r\n<head><title>Bad Gateway</title></head>\r\n<body>\r\n<center><h1>Something went wrong</h1></center>\r\n"
    "<hr><center>openresty</center>\r\n</body>\r\n</html>\r\n";

std::vector<std::string_view> Split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto at = text.find(by);
    if (at != 0) parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) break;
    text.remove_prefix(at + 1);
  }
  return parts;
}

std::string PercentDecode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

// "550" and, as TMDB has it, "550-some-title".
std::optional<std::int64_t> ParseId(std::string_view text) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || (end != text.data() + text.size() && *end != '-')) return std::nullopt;
  return id;
}

std::optional<int> ParseNumber(std::string_view text) {
  const auto id = ParseId(text);
  if (!id || *id < 0 || *id > 1'000'000) return std::nullopt;
  return static_cast<int>(*id);
}

bool AllHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

// `part` as the sub-resource's own path answers it: with the id in front.
std::string Alone(std::int64_t id, const std::string& part) {
  return part == "{}" ? fmt::format("{{\"id\":{}}}", id) : fmt::format("{{\"id\":{},{}", id, std::string_view(part).substr(1));
}

std::string JoinFrom(const std::vector<std::string_view>& parts, std::size_t first) {
  std::string joined;
  for (std::size_t i = first; i < parts.size(); ++i) joined.append(i > first ? "/" : "").append(parts[i]);
  return joined;
}

std::string HttpDate(Time time) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

}  // namespace

Duration Latency::Draw(Random& random) const {
  if (max <= min) return min;
  if (shape == Shape::kUniform) return min + Duration(static_cast<std::int64_t>(random.Unit() * static_cast<double>((max - min).count())));
  const double low = std::log(std::max<double>(1, static_cast<double>(min.count())));
  const double high = std::log(static_cast<double>(max.count()));
  constexpr double kNinetyNinth = 2.326;  // of the normal distribution
  const double drawn = std::exp((low + high) / 2 + random.Normal() * (high - low) / 2 / kNinetyNinth);
  return std::max(min, Duration(static_cast<std::int64_t>(drawn)));
}

std::string_view DefaultAppends(Kind kind) {
  switch (kind) {
    case Kind::kMovie:
      return "alternative_titles,credits,external_ids,images,keywords,release_dates,reviews,translations,videos,watch/providers";
    case Kind::kTv:
      return "aggregate_credits,alternative_titles,content_ratings,episode_groups,external_ids,images,keywords,reviews,"
             "screened_theatrically,translations,videos,watch/providers";
    case Kind::kPerson: return "combined_credits,external_ids,images,translations";
    case Kind::kCollection: return "images,translations";
    case Kind::kCompany:
    case Kind::kNetwork: return "alternative_names,images";
    case Kind::kKeyword: return "";
  }
  return "";
}

Simulator::Simulator(World& world, SimulatorOptions options, const Clock& clock)
    : world_(world),
      options_(std::move(options)),
      clock_(clock),
      exports_(world, options_.exports, clock),
      rate_(options_.rate),
      faults_(options_.faults, options_.seed),
      jitter_(options_.seed, HashText("latency")) {}

Simulator::Target Simulator::ParseTarget(std::string_view target) {
  Target parsed;
  const auto question = target.find('?');
  parsed.path = PercentDecode(target.substr(0, question));
  if (question == std::string_view::npos) return parsed;
  for (const std::string_view pair : Split(target.substr(question + 1), '&')) {
    const auto equals = pair.find('=');
    const std::string_view value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
    parsed.query[PercentDecode(pair.substr(0, equals))] = PercentDecode(value);
  }
  return parsed;
}

Simulator::Reply Simulator::TmdbError(int status, int code, std::string_view path_class) {
  const auto message = std::find_if(kMessages.begin(), kMessages.end(), [&](const Message& m) { return m.code == code; });
  Reply reply;
  reply.status = status;
  reply.path_class = path_class;
  reply.body = fmt::format("{{\"success\":false,\"status_code\":{},\"status_message\":\"{}\"}}", code, message->text);
  return reply;
}

http::Answer Simulator::Handle(const http::ServerRequest& request) {
  const Target target = ParseTarget(request.target);
  if (target.path.starts_with("/sim/")) return HandleOwn(request, target);
  CountArrival(request);
  constexpr std::string_view kExports = "/p/exports/";
  if (target.path.starts_with(kExports)) {
    http::Answer answer = exports_.Handle(request, std::string_view(target.path).substr(kExports.size()));
    const auto fault = options_.faults.on_exports ? faults_.Next(target.path, request.received) : std::nullopt;
    if (fault && answer.body && request.method == "GET") {
      answer = Spoil(*fault, target, {answer.status, "export", answer.headers, answer.body, nullptr, 0}, false);
      answer.framing = http::Answer::Framing::kLength;
    }
    CountAnswer(request, answer, "export", 0);
    return answer;
  }
  return HandleApi(request, target);
}

http::Answer Simulator::HandleApi(const http::ServerRequest& request, const Target& target) {
  const bool gzip = request.header("Accept-Encoding").find("gzip") != std::string_view::npos;
  const auto refuse = [&](int status, int code) {
    http::Answer answer = AnswerWith(*Prepare(TmdbError(status, code, "refused"), target.path), gzip);
    answer.delay = options_.latency.Draw(jitter_);
    CountAnswer(request, answer, "refused", 0);
    return answer;
  };
  // Counted at the moment the request came, whatever happens to it afterwards.
  const bool within_rate = rate_.Arrive(request.peer_address, request.received);
  if (request.over_connection_limit) {
    ++counters_.refused_connections;
    return refuse(429, 25);
  }
  if (!within_rate) {
    ++counters_.refused_rate;
    return refuse(429, 25);
  }
  if (!KeyAccepted(request, target)) return refuse(401, 7);
  if (request.method != "GET" && request.method != "HEAD") return refuse(405, 42);

  const auto prepared = PreparedFor(target);
  http::Answer answer;
  // Which of two requests for one target comes first must not matter to the others, so the key is left out.
  const auto fault = options_.faults.any() ? faults_.Next(target.path, request.received) : std::nullopt;
  if (fault) {
    answer = Spoil(*fault, target, *prepared, gzip);
  } else if (faults_.in_burst(request.received)) {
    answer = Spoil(Random(options_.seed, counters_.requests).Chance(0.5) ? Fault::kJson503 : Fault::kHtml502, target, *prepared, gzip);
  } else {
    answer = AnswerWith(*prepared, gzip);
  }
  answer.delay = options_.latency.Draw(jitter_);
  CountAnswer(request, answer, prepared->path_class, prepared->appended);
  return answer;
}

bool Simulator::KeyAccepted(const http::ServerRequest& request, const Target& target) const {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view authorization = request.header("Authorization");
  if (authorization.starts_with(kBearer) && authorization.size() > kBearer.size()) {
    return options_.api_key.empty() || authorization.substr(kBearer.size()) == options_.api_key;
  }
  const auto key = target.query.find("api_key");
  if (key == target.query.end()) return false;
  return options_.api_key.empty() ? key->second.size() == 32 && AllHex(key->second) : key->second == options_.api_key;
}

void Simulator::CountArrival(const http::ServerRequest& request) {
  const Time now = clock_.Now();
  if (!counters_.first) {
    counters_.first = now;
    counters_.first_mono = request.received;
  }
  counters_.last = now;
  counters_.last_mono = request.received;
  ++counters_.requests;
}

void Simulator::CountAnswer(const http::ServerRequest& request, const http::Answer& answer, std::string_view path_class, int appended) {
  const int status = answer.silent ? 0 : answer.status;
  auto known = counters_.by_class.find(path_class);
  if (known == counters_.by_class.end()) known = counters_.by_class.emplace(path_class, std::map<int, std::uint64_t>()).first;
  ++known->second[status];
  ++counters_.by_status[status];
  if (status == 200) counters_.appended += static_cast<std::uint64_t>(appended);
  if (answer.body && !answer.silent && request.method != "HEAD") counters_.body_bytes += answer.cut_body_after.value_or(answer.body->size());
}

// Routing ------------------------------------------------------------------------------------------------------------------------

Simulator::Reply Simulator::Route(const Target& target) const {
  constexpr std::string_view kApi = "/3/";
  if (!target.path.starts_with(kApi)) return TmdbError(404, 34, "other");
  const std::string_view path = std::string_view(target.path).substr(kApi.size());
  if (auto list = world_.List(path)) {
    Reply reply;
    reply.path_class = "configuration";
    reply.body = std::move(*list);
    return reply;
  }
  const std::vector<std::string_view> parts = Split(path, '/');
  const auto kind = parts.size() < 2 ? std::nullopt : KindOf(parts[0]);
  if (!kind) return TmdbError(404, 34, "other");
  return RouteSubject(*kind, parts, target);
}

Simulator::Reply Simulator::RouteSubject(Kind kind, const std::vector<std::string_view>& parts, const Target& target) const {
  const std::string_view path_class = NameOf(kind);
  const auto id = ParseId(parts[1]);
  if (!id || *id <= 0) return TmdbError(404, 6, path_class);
  if (kind == Kind::kTv && parts.size() >= 4 && parts[2] == "season") return RouteSeason(*id, parts, target);
  if (parts.size() > 2) {
    const auto part = world_.Part(kind, *id, JoinFrom(parts, 2));
    if (!part) return TmdbError(404, 34, "part");
    Reply reply;
    reply.path_class = "part";
    reply.body = Alone(*id, *part);
    return reply;
  }
  auto details = world_.Details(kind, *id);
  if (!details) return TmdbError(404, 34, path_class);
  const auto appends = target.query.find("append_to_response");
  return Compose(std::move(*details), path_class, appends == target.query.end() ? "" : appends->second,
                 [&](std::string_view name) -> std::optional<std::string> {
                   constexpr std::string_view kSeason = "season/";
                   if (kind != Kind::kTv || !name.starts_with(kSeason)) return world_.Part(kind, *id, name);
                   const auto number = ParseNumber(name.substr(kSeason.size()));
                   if (!number) return std::nullopt;
                   return SeasonTruth(*id, *number);
                 });
}

Simulator::Reply Simulator::RouteSeason(std::int64_t show, const std::vector<std::string_view>& parts, const Target& target) const {
  const auto season = ParseNumber(parts[3]);
  if (!season) return TmdbError(404, 6, "season");
  const auto query = target.query.find("append_to_response");
  const std::string_view appends = query == target.query.end() ? std::string_view() : query->second;
  const auto part_of = [&](std::int64_t id, const std::optional<std::string>& part) {
    if (!part) return TmdbError(404, 34, "part");
    Reply reply;
    reply.path_class = "part";
    reply.body = Alone(id, *part);
    return reply;
  };
  const auto id_of = [](const std::string& body) { return ParseId(PartOf(body, "id").value_or("0")).value_or(0); };
  if (parts.size() >= 6 && parts[4] == "episode") {
    const auto number = ParseNumber(parts[5]);
    auto episode = number ? world_.Episode(show, *season, *number) : std::nullopt;
    if (!episode) return TmdbError(404, 34, "episode");
    if (parts.size() > 6) return part_of(id_of(*episode), world_.EpisodePart(show, *season, *number, JoinFrom(parts, 6)));
    return Compose(std::move(*episode), "episode", appends,
                   [&](std::string_view name) { return world_.EpisodePart(show, *season, *number, name); });
  }
  auto body = world_.Season(show, *season);
  if (!body) return TmdbError(404, 34, "season");
  if (parts.size() > 4) return part_of(id_of(*body), world_.SeasonPart(show, *season, JoinFrom(parts, 4)));
  return Compose(std::move(*body), "season", appends, [&](std::string_view name) { return world_.SeasonPart(show, *season, name); });
}

Simulator::Reply Simulator::Compose(std::string body, std::string_view path_class, std::string_view appends,
                                    const std::function<std::optional<std::string>(std::string_view)>& append) const {
  const std::vector<std::string_view> names = Split(appends, ',');
  if (names.size() > kMaxAppends) return TmdbError(400, 27, path_class);
  Reply reply;
  reply.path_class = path_class;
  std::set<std::string_view> done;
  for (const std::string_view name : names) {
    if (!done.insert(name).second) continue;
    // What does not exist, be it a season or a namespace, is left out without a word.
    const auto part = append(name);
    if (!part) continue;
    body.back() = ',';
    AppendQuoted(body, name);
    body.append(":").append(*part).append("}");
    ++reply.appended;
  }
  reply.body = std::move(body);
  return reply;
}

// Sending ------------------------------------------------------------------------------------------------------------------------

std::shared_ptr<const Simulator::Prepared> Simulator::PreparedFor(const Target& target) {
  std::string key = target.path;
  if (const auto appends = target.query.find("append_to_response"); appends != target.query.end()) {
    key.append("?").append(appends->second);
  }
  if (const auto known = young_.find(key); known != young_.end()) return known->second;
  std::shared_ptr<const Prepared> prepared;
  if (const auto known = old_.find(key); known != old_.end()) {
    prepared = known->second;
  } else {
    prepared = Prepare(Route(target), key);
  }
  young_bytes_ += prepared->plain->size() + prepared->gzip->size() + 1000;
  if (young_bytes_ > options_.cache_bytes / 2) {
    old_ = std::move(young_);
    young_.clear();
    young_bytes_ = 0;
  }
  young_.emplace(std::move(key), prepared);
  return prepared;
}

std::shared_ptr<const Simulator::Prepared> Simulator::Prepare(Reply reply, std::string_view target) const {
  Random random(options_.seed, HashText(target));
  auto prepared = std::make_shared<Prepared>();
  prepared->status = reply.status;
  prepared->path_class = reply.path_class;
  prepared->appended = reply.appended;
  auto& headers = prepared->headers;
  headers = std::move(reply.headers);
  if (reply.content_type != "application/json") {
    headers.emplace_back("Content-Type", reply.content_type);
  } else {
    const auto form = random.Below(10);
    headers.emplace_back("Content-Type", form < 7   ? "application/json; charset=utf-8"
                                         : form < 9 ? "application/json;charset=utf-8"
                                                    : "application/json");
  }
  headers.emplace_back("Server", "openresty");
  headers.emplace_back("Vary", "accept-encoding, Origin");
  headers.emplace_back("Via", "1.1 0123456789abcdef.cloudfront.net (CloudFront)");
  if (reply.status == 200) {
    const auto age = random.Below(20'000);
    headers.emplace_back("Cache-Control", fmt::format("public, max-age={}", 28'800 - age));
    headers.emplace_back("ETag", fmt::format("W/\"{}\"", Md5Hex(reply.body)));
    headers.emplace_back("X-Memc", random.Chance(0.5) ? "HIT" : "MISS, STORE");
    headers.emplace_back("X-Memc-Age", std::to_string(age));
    headers.emplace_back("X-Memc-Expires", std::to_string(28'800 - age));
    headers.emplace_back("X-Cache", random.Chance(0.5) ? "Hit from cloudfront" : "Miss from cloudfront");
    headers.emplace_back("Alt-Svc", "h3=\":443\"; ma=86400");
  } else {
    headers.emplace_back("X-Cache", "Error from cloudfront");
  }
  prepared->gzip = std::make_shared<const std::string>(Gzip(reply.body, kGzipLevel));
  prepared->plain = std::make_shared<const std::string>(std::move(reply.body));
  return prepared;
}

http::Answer Simulator::AnswerWith(const Prepared& prepared, bool gzip) const {
  http::Answer answer;
  answer.status = prepared.status;
  answer.headers = prepared.headers;
  if (gzip) answer.headers.emplace_back("Content-Encoding", "gzip");
  answer.body = gzip ? prepared.gzip : prepared.plain;
  // A few answers have a length, most are chunked.
  answer.framing = prepared.plain->size() % 50 == 0 ? http::Answer::Framing::kLength : http::Answer::Framing::kChunked;
  return answer;
}

http::Answer Simulator::Spoil(Fault fault, const Target& target, const Prepared& prepared, bool gzip) {
  const auto html = [&](int status) {
    Reply reply;
    reply.status = status;
    reply.content_type = "text/html";
    reply.body = kHtml;
    return AnswerWith(*Prepare(std::move(reply), target.path), gzip);
  };
  const auto error = [&](int status, int code) { return AnswerWith(*Prepare(TmdbError(status, code, "fault"), target.path), gzip); };
  const auto throttled = [&](std::optional<std::string> retry_after) {
    ++counters_.refused_fault;
    http::Answer answer = error(429, 25);
    if (retry_after) answer.headers.emplace_back("Retry-After", *retry_after);
    return answer;
  };
  const auto with_body = [&](std::string body) {
    Reply reply;
    reply.body = std::move(body);
    return AnswerWith(*Prepare(std::move(reply), target.path), gzip);
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
    case Fault::kCut: answer.body = std::make_shared<const std::string>(answer.body->substr(0, size / 2)); break;
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
    case Fault::kHtml200: answer = html(200); break;
    case Fault::kHtml404: answer = html(404); break;
    case Fault::kHtml502: answer = html(502); break;
    case Fault::kHtml503: answer = html(503); break;
    case Fault::kJson500: answer = error(500, 11); break;
    case Fault::kJson502: answer = error(502, 43); break;
    case Fault::kJson503: answer = error(503, 9); break;
    case Fault::kJson504: answer = error(504, 24); break;
    case Fault::k429Bare: answer = throttled(std::nullopt); break;
    case Fault::k429Zero: answer = throttled("0"); break;
    case Fault::k429Seconds: answer = throttled("1"); break;
    case Fault::k429Date: answer = throttled(HttpDate(clock_.Now() + std::chrono::seconds(2))); break;
    case Fault::kEmpty200:
      answer.status = 200;
      answer.body = nullptr;
      std::erase_if(answer.headers, [](const http::Header& h) { return h.first == "Content-Encoding"; });
      break;
    case Fault::kCutJson: answer = with_body(prepared.plain->substr(0, prepared.plain->size() / 2)); break;
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
    case Fault::kBurst: answer = error(503, 9); break;
  }
  if (applied) ++counters_.faults[static_cast<std::size_t>(fault)];
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
    return Route(other).body;
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
  if (today.size() > parts.size()) parts.insert(parts.end(), today.begin() + static_cast<std::ptrdiff_t>(parts.size()), today.end());
  return ObjectOf(parts);
}

// The judge's own paths ----------------------------------------------------------------------------------------------------------

http::Answer Simulator::HandleOwn(const http::ServerRequest& request, const Target& target) {
  (void)request;
  http::Answer answer;
  const auto text = [&](std::string body) {
    answer.headers = {{"Content-Type", "application/json"}};
    answer.body = std::make_shared<const std::string>(std::move(body));
    return answer;
  };
  const auto parameter = [&](const char* name) {
    const auto found = target.query.find(name);
    return found == target.query.end() ? std::string() : found->second;
  };
  if (target.path == "/sim/counters") return text(CountersJson());
  if (target.path == "/sim/reset") {
    counters_ = Counters{};
    rate_.ResetMost();
    if (server_ != nullptr) server_->ResetStats();
    return text("{}");
  }
  if (target.path == "/sim/truth") {
    const auto id = ParseId(parameter("id"));
    std::optional<std::string> truth;
    if (parameter("type") == "season") {
      const auto show = ParseId(parameter("tv_id"));
      const auto number = ParseNumber(parameter("season_number"));
      if (show && number) truth = SeasonTruth(*show, *number);
    } else if (const auto kind = KindOf(parameter("type")); kind && id) {
      const bool told = target.query.contains("append_to_response");
      truth = Truth(*kind, *id, told ? parameter("append_to_response") : std::string(DefaultAppends(*kind)));
    }
    if (truth) return text(std::move(*truth));
  }
  answer.status = 404;
  return text(R"({"error":"try /sim/counters, /sim/reset, /sim/truth?type=&id= or /sim/truth?type=season&tv_id=&season_number="})");
}

std::string Simulator::CountersJson() const {
  const http::ServerStats server = server_ == nullptr ? http::ServerStats{} : server_->stats();
  JsonWriter json;
  const auto statuses = [&](const std::map<int, std::uint64_t>& counts) {
    json.Object();
    for (const auto& [status, count] : counts) {
      json.Int(status == 0 ? "none" : std::to_string(status), static_cast<std::int64_t>(count));
    }
    json.EndObject();
  };
  json.Object().Int("requests", static_cast<std::int64_t>(counters_.requests)).Key("by_class").Object();
  for (const auto& [name, counts] : counters_.by_class) {
    json.Key(name);
    statuses(counts);
  }
  json.EndObject().Key("by_status");
  statuses(counters_.by_status);
  json.Int("appended_objects", static_cast<std::int64_t>(counters_.appended));
  json.Int("most_in_a_second", rate_.most_in_a_second());
  json.Key("refused").Object().Int("rate", static_cast<std::int64_t>(counters_.refused_rate));
  json.Int("connections", static_cast<std::int64_t>(counters_.refused_connections));
  json.Int("fault", static_cast<std::int64_t>(counters_.refused_fault)).EndObject();
  json.Key("connections").Object().Int("open", server.open).Int("peak", server.peak_open);
  json.Int("peak_per_address", server.peak_per_address).Int("accepted", static_cast<std::int64_t>(server.connections));
  json.Int("excess", static_cast<std::int64_t>(server.excess_connections)).EndObject();
  json.Key("faults").Object();
  for (int i = 0; i < kFaults; ++i) {
    const auto count = counters_.faults[static_cast<std::size_t>(i)];
    if (count > 0) json.Int(NameOf(static_cast<Fault>(i)), static_cast<std::int64_t>(count));
  }
  json.EndObject().Int("body_bytes", static_cast<std::int64_t>(counters_.body_bytes));
  json.Int("bytes_sent", static_cast<std::int64_t>(server.bytes_sent));
  json.TextOrNull("first_request", counters_.first ? FormatTime(*counters_.first) : "");
  json.TextOrNull("last_request", counters_.last ? FormatTime(*counters_.last) : "");
  json.Real("seconds", std::chrono::duration<double>(counters_.last_mono - counters_.first_mono).count(), 6);
  return json.EndObject().Take();
}

// Truth --------------------------------------------------------------------------------------------------------------------------

std::optional<std::string> Simulator::Truth(Kind kind, std::int64_t id, std::string_view appends) const {
  if (kind == Kind::kKeyword) return world_.Details(kind, id) ? world_.ExportLine(kind, id) : std::nullopt;
  auto details = world_.Details(kind, id);
  if (!details) return std::nullopt;
  Reply reply = Compose(std::move(*details), NameOf(kind), appends, [&](std::string_view name) { return world_.Part(kind, id, name); });
  if (reply.status != 200) return std::nullopt;
  return std::move(reply.body);
}

std::optional<std::string> Simulator::SeasonTruth(std::int64_t show, int number) const {
  const auto season = world_.Season(show, number);
  if (!season) return std::nullopt;
  return WithoutPart(*season, "id");
}

void Simulator::ForEachTruth(const std::function<void(const std::string&)>& sink) const {
  for (int i = 0; i < kKinds; ++i) {
    const auto kind = static_cast<Kind>(i);
    world_.ForEachId(kind, [&](std::int64_t id, bool adult) {
      const auto truth = Truth(kind, id, DefaultAppends(kind));
      if (!truth) return;
      sink(fmt::format(R"({{"type":"{}","id":{},"adult":{},"sha256":"{}","bytes":{}}})", NameOf(kind), id, adult, Sha256Hex(*truth),
                       truth->size()));
      if (kind != Kind::kTv) return;
      for (const SeasonRef& season : world_.Seasons(id)) {
        const auto body = SeasonTruth(id, season.number);
        if (!body) continue;
        sink(fmt::format(R"({{"type":"season","id":{},"tv_id":{},"season_number":{},"adult":{},"sha256":"{}","bytes":{}}})", season.id,
                         id, season.number, adult, Sha256Hex(*body), body->size()));
      }
    });
  }
}

}  // namespace tmdbc::sim
