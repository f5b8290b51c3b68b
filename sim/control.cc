// SPDX-License-Identifier: MIT
// The paths below /sim/: what the judge tells, and how a test makes time pass and things happen.
#include <fmt/core.h>

#include <charconv>

#include "json.h"
#include "simulator.h"

namespace tmdbc::sim {
namespace {

constexpr std::string_view kHelp =
    R"({"error":"try /sim/counters, /sim/reset, /sim/time, /sim/advance?hours=, )"
    R"(/sim/edit?kind=&id=&what=[&into=], /sim/votes[?kind=], /sim/odd?what=&kind=[&id=][&on=0], /sim/deny?count=, )"
    R"(/sim/truth, /sim/truth?type=&id= )"
    R"(or /sim/truth?type=season&tv_id=&season_number="})";

std::string Error(std::string_view text) {
  return JsonWriter().Object().Text("error", text).EndObject().Take();
}

std::optional<double> RealNumber(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

http::Answer Simulator::HandleOwn(const Target& target) {
  http::Answer answer;
  const auto text = [&](std::string body) {
    answer.headers = {{"Content-Type", "application/json"}};
    answer.body = std::make_shared<const std::string>(std::move(body));
    return answer;
  };
  if (evolving_ != nullptr) evolving_->EvolveTo(clock_.Now());
  if (target.path == "/sim/counters")
    return text(
        book_.Json(rate_.most_in_a_second(), server_ == nullptr ? http::ServerStats{} : server_->stats()));
  if (target.path == "/sim/reset") {
    book_ = Book();
    rate_.ResetMost();
    if (server_ != nullptr) server_->ResetStats();
    return text("{}");
  }
  if (target.path == "/sim/advance") {
    constexpr double kMostHours = 24 * 3660;  // ten years: more is a slip of the hand
    const auto hours = RealNumber(target.parameter("hours"));
    if (virtual_clock_ == nullptr || !hours || !(*hours >= 0 && *hours <= kMostHours)) {
      answer.status = 400;
      return text(Error(virtual_clock_ == nullptr ? "this simulator's clock cannot be set forward"
                                                  : "hours: allowed is 0 to 87840"));
    }
    virtual_clock_->Advance(Duration(static_cast<std::int64_t>(*hours * 3.6e9)));
    if (evolving_ != nullptr) evolving_->EvolveTo(clock_.Now());
  }
  if (target.path == "/sim/advance" || target.path == "/sim/time")
    return text(JsonWriter().Object().Text("now", FormatTime(clock_.Now())).EndObject().Take());
  if (target.path == "/sim/edit") return text(Edit(target, answer.status));
  if (target.path == "/sim/votes") return text(Vote(target, answer.status));
  if (target.path == "/sim/odd") return text(SetOddity(target, answer.status));
  if (target.path == "/sim/deny") {
    options_.deny_after = 0;
    options_.deny_count = static_cast<std::int64_t>(RealNumber(target.parameter("count")).value_or(1));
    return text("{}");
  }
  if (target.path == "/sim/truth") {
    if (auto truth = Truth(target)) return text(std::move(*truth));
  }
  answer.status = 404;
  return text(std::string(kHelp));
}

std::string Simulator::Edit(const Target& target, int& status) {
  const auto kind = KindOf(target.parameter("kind"));
  const auto event = EventOf(target.parameter("what"));
  status = 400;
  if (evolving_ == nullptr) return Error("recorded bodies do not change");
  if (!kind) return Error("kind: allowed is movie, tv, person, collection, company, network or keyword");
  if (!event) {
    std::string names;
    for (int i = 0; i < kEvents; ++i) names.append(i == 0 ? "" : ", ").append(NameOf(static_cast<Event>(i)));
    return Error("what: allowed is " + names);
  }
  const auto id = ParseId(target.parameter("id"));
  if (!id && *event != Event::kAdd) return Error("id: a number is needed");
  const auto done =
      evolving_->Happen(*kind, id.value_or(0), *event, ParseId(target.parameter("into")).value_or(0));
  if (!done) return Error(done.error().message);
  status = 200;
  return JsonWriter().Object().Int("id", *done).Text("time", FormatTime(clock_.Now())).EndObject().Take();
}

std::string Simulator::Vote(const Target& target, int& status) {
  const auto kind = KindOf(target.parameter("kind"));
  if (evolving_ == nullptr || (!kind && !target.parameter("kind").empty())) {
    status = 400;
    return Error(evolving_ == nullptr ? "recorded bodies do not change"
                                      : "kind: allowed is movie, tv or person");
  }
  std::int64_t voted = 0;
  for (const Kind each : {Kind::kMovie, Kind::kTv, Kind::kPerson}) {
    if (!kind || *kind == each) voted += evolving_->VoteOnAll(each);
  }
  return JsonWriter().Object().Int("voted", voted).EndObject().Take();
}

std::string Simulator::SetOddity(const Target& target, int& status) {
  const auto oddity = OddityOf(target.parameter("what"));
  const auto kind = KindOf(target.parameter("kind"));
  if (!oddity || !kind) {
    status = 400;
    std::string names;
    for (int i = 0; i < kOddities; ++i)
      names.append(i == 0 ? "" : ", ").append(NameOf(static_cast<Oddity>(i)));
    return Error(oddity ? "kind: allowed is movie, tv, person, collection, company or network"
                        : "what: allowed is " + names);
  }
  options_.oddities.Set(*oddity, *kind, ParseId(target.parameter("id")), target.parameter("on") != "0");
  return "{}";
}

std::optional<std::string> Simulator::Truth(const Target& target) const {
  if (target.parameter("type").empty()) {
    std::string lines;
    api_.ForEachTruth([&](const std::string& line) { lines.append(line).append("\n"); });
    return lines;
  }
  if (target.parameter("type") == "season") {
    const auto show = ParseId(target.parameter("tv_id"));
    const auto number = ParseNumber(target.parameter("season_number"));
    if (!show || !number) return std::nullopt;
    return api_.SeasonTruth(*show, *number);
  }
  const auto kind = KindOf(target.parameter("type"));
  const auto id = ParseId(target.parameter("id"));
  if (!kind || !id) return std::nullopt;
  const bool told = target.query.contains("append_to_response");
  return api_.Truth(*kind, *id, told ? target.parameter("append_to_response") : DefaultAppends(*kind));
}

}  // namespace tmdbc::sim
