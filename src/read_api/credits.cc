// SPDX-License-Identifier: MIT
#include "read_api/credits.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

namespace tmdbc::read_api {
namespace {

using CreditIds = std::unordered_set<std::string>;

constexpr std::string_view kOfAggregates[] = {"roles", "jobs", "total_episode_count", "order", "department"};
constexpr std::string_view kOfCredits[] = {"character", "credit_id", "order", "department", "job"};

// The members of a person in a list of credits, without those of the credit itself.
template <std::size_t n>
void AddPerson(JsonSplice& out, const JsonObject& entry, const std::string_view (&not_the_persons)[n]) {
  for (const JsonMember& member : entry.members()) {
    if (std::ranges::find(not_the_persons, member.name) == std::end(not_the_persons)) out.Add(member.whole);
  }
}

void AddCreditIds(JsonSlice list, CreditIds& ids) {
  for (const JsonSlice entry : ElementsOf(list)) ids.emplace(MemberOf(entry, "credit_id"));
}

struct EpisodeCreditIds {
  CreditIds guests;
  CreditIds crew;
};

void AddEpisodes(const JsonObject& season, EpisodeCreditIds& ids) {
  for (const JsonSlice entry : ElementsOf(season["episodes"])) {
    const JsonObject episode(entry);
    AddCreditIds(episode["guest_stars"], ids.guests);
    AddCreditIds(episode["crew"], ids.crew);
  }
}

// Who is credited in no single episode: the regulars of a show, or its producers.
std::string Regulars(JsonSlice aggregate, const EpisodeCreditIds& of_episodes) {
  const JsonObject credits(aggregate);
  if (credits.members().empty()) return {};
  JsonSplice cast = JsonSplice::Array(), crew = JsonSplice::Array();
  for (const JsonSlice entry : ElementsOf(credits["cast"])) {
    const JsonObject person(entry);
    for (const JsonSlice part : ElementsOf(person["roles"])) {
      const JsonObject role(part);
      if (of_episodes.guests.contains(std::string(role["credit_id"]))) continue;
      JsonSplice row = JsonSplice::Object(entry.size());
      AddPerson(row, person, kOfAggregates);
      row.Add("character", role["character"])
          .Add("credit_id", role["credit_id"])
          .Add("order", person["order"]);
      cast.Add(std::move(row).Take());
    }
  }
  for (const JsonSlice entry : ElementsOf(credits["crew"])) {
    const JsonObject person(entry);
    for (const JsonSlice part : ElementsOf(person["jobs"])) {
      const JsonObject job(part);
      if (of_episodes.crew.contains(std::string(job["credit_id"]))) continue;
      JsonSplice row = JsonSplice::Object(entry.size());
      AddPerson(row, person, kOfAggregates);
      row.Add("credit_id", job["credit_id"]).Add("department", person["department"]).Add("job", job["job"]);
      crew.Add(std::move(row).Take());
    }
  }
  JsonSplice out = JsonSplice::Object();
  out.Add("cast", std::move(cast).Take()).Add("crew", std::move(crew).Take());
  return std::move(out).Take();
}

// The season numbers of a show, as its seasons[] lists them.
std::vector<std::int64_t> SeasonNumbers(const JsonObject& show) {
  std::vector<std::int64_t> numbers;
  for (const JsonSlice season : ElementsOf(show["seasons"])) {
    if (const auto number = IntegerOf(MemberOf(season, "season_number"))) numbers.push_back(*number);
  }
  return numbers;
}

std::string RegularsOfShow(Call& call, std::int64_t tv_id, const JsonObject& show) {
  if (show["aggregate_credits"].empty()) return {};
  EpisodeCreditIds ids;
  for (const std::int64_t number : SeasonNumbers(show)) {
    if (const auto season = call.FindSeason(tv_id, number)) AddEpisodes(JsonObject(season->body), ids);
  }
  call.Worsen(Fidelity::kApproximate);
  return Regulars(show["aggregate_credits"], ids);
}

// One row of aggregated credits under way: a person, or a person in a department.
struct Counted {
  JsonObject person;
  JsonSlice order;
  JsonSlice department;
  struct Part {
    JsonSlice credit_id;
    JsonSlice what;  // the character, or the job
    std::int64_t episodes = 0;
  };
  std::vector<Part> parts = {};
  std::int64_t total() const {
    std::int64_t sum = 0;
    for (const Part& part : parts) sum += part.episodes;
    return sum;
  }
};

class Counting {
 public:
  // Of cast: what = "character"; of crew: "job", and a person counts once a department.
  explicit Counting(std::string_view what) : what_(what) {}

  void Count(JsonSlice entry, std::int64_t episodes) {
    JsonObject credit(entry);
    const JsonSlice department = what_ == "job" ? credit["department"] : JsonSlice();
    const auto [place, is_new] = places_.try_emplace({credit["id"], department}, rows_.size());
    if (is_new)
      rows_.push_back({.person = credit, .order = credit["order"], .department = department, .parts = {}});
    std::vector<Counted::Part>& parts = rows_[place->second].parts;
    auto part = std::ranges::find(parts, credit["credit_id"], &Counted::Part::credit_id);
    if (part == parts.end())
      part = parts.insert(part, {.credit_id = credit["credit_id"], .what = credit[what_], .episodes = 0});
    part->episodes += episodes;
  }

  // In TMDB's order: the department, how many episodes, the order of the credits.
  std::string Rows() {
    std::ranges::stable_sort(rows_, [](const Counted& a, const Counted& b) {
      return std::tuple(a.department, -a.total(), NumberOf(a.order)) <
             std::tuple(b.department, -b.total(), NumberOf(b.order));
    });
    JsonSplice out = JsonSplice::Array();
    for (const Counted& row : rows_) {
      JsonSplice parts = JsonSplice::Array();
      for (const Counted::Part& part : row.parts) {
        JsonSplice one = JsonSplice::Object();
        one.Add("credit_id", part.credit_id).Add(what_, part.what);
        one.Add("episode_count", std::to_string(part.episodes));
        parts.Add(std::move(one).Take());
      }
      JsonSplice counted = JsonSplice::Object();
      AddPerson(counted, row.person, kOfCredits);
      counted.Add(what_ == "job" ? "jobs" : "roles", std::move(parts).Take())
          .Add("department", row.department);
      counted.Add("total_episode_count", std::to_string(row.total()));
      if (what_ != "job") counted.Add("order", row.order);
      out.Add(std::move(counted).Take());
    }
    return std::move(out).Take();
  }

 private:
  std::string_view what_;
  std::map<std::pair<JsonSlice, JsonSlice>, std::size_t> places_;
  std::vector<Counted> rows_;
};

}  // namespace

std::string CreditsOfType(JsonSlice combined_credits, MediaType type) {
  const JsonObject credits(combined_credits);
  if (credits.members().empty()) return {};
  JsonSplice out = JsonSplice::Object(combined_credits.size());
  for (const std::string_view list : {"cast", "crew"}) {
    JsonSplice rows = JsonSplice::Array(credits[list].size());
    for (const JsonSlice entry : ElementsOf(credits[list])) {
      const JsonObject credit(entry);
      if (PlainText(credit["media_type"]) != Name(type)) continue;
      JsonSplice row = JsonSplice::Object(entry.size());
      for (const JsonMember& member : credit.members()) {
        if (member.name != "media_type") row.Add(member.whole);
      }
      rows.Add(std::move(row).Take());
    }
    out.Add(list, std::move(rows).Take());
  }
  return std::move(out).Take();
}

std::string ShowCredits(Call& call, const Subject& show) {
  if (const JsonSlice stored = show.body["credits"]; !stored.empty()) return std::string(stored);
  std::vector<std::int64_t> numbers = SeasonNumbers(show.body);
  if (!numbers.empty()) {
    const auto season = call.FindSeason(show.id, *std::ranges::max_element(numbers));
    const JsonSlice credits = season == nullptr ? JsonSlice() : MemberOf(season->body, "credits");
    if (!credits.empty()) {
      call.Worsen(Fidelity::kDerived);
      return std::string(credits);
    }
  }
  return RegularsOfShow(call, show.id, show.body);
}

std::string SeasonCredits(Call& call, const Subject& season) {
  if (const JsonSlice stored = season.body["credits"]; !stored.empty()) return std::string(stored);
  const auto show = call.Find({MediaType::kTv, season.record->tv_id});
  return show == nullptr ? std::string() : RegularsOfShow(call, season.record->tv_id, JsonObject(show->body));
}

std::string SeasonAggregateCredits(Call& call, const Subject& season) {
  if (const JsonSlice stored = season.body["aggregate_credits"]; !stored.empty()) return std::string(stored);
  const std::string regulars = SeasonCredits(call, season);
  if (regulars.empty()) return {};
  call.Worsen(Fidelity::kDerived);
  const JsonObject credits(regulars);
  const std::vector<JsonSlice> episodes = ElementsOf(season.body["episodes"]);
  Counting cast("character"), crew("job");
  for (const JsonSlice entry : ElementsOf(credits["cast"])) cast.Count(entry, std::ssize(episodes));
  for (const JsonSlice entry : episodes) {
    const JsonObject episode(entry);
    for (const JsonSlice guest : ElementsOf(episode["guest_stars"])) cast.Count(guest, 1);
    for (const JsonSlice member : ElementsOf(episode["crew"])) crew.Count(member, 1);
  }
  for (const JsonSlice entry : ElementsOf(credits["crew"])) crew.Count(entry, std::ssize(episodes));
  JsonSplice out = JsonSplice::Object();
  out.Add("cast", cast.Rows()).Add("crew", crew.Rows());
  return std::move(out).Take();
}

std::string EpisodeCredits(Call& call, const Subject& season, const JsonObject& episode) {
  const std::string of_season = SeasonCredits(call, season);
  call.Worsen(of_season.empty() ? Fidelity::kApproximate : Fidelity::kDerived);
  const JsonSlice cast = MemberOf(of_season, "cast");
  const auto or_none = [](JsonSlice list) { return list.empty() ? JsonSlice("[]") : list; };
  JsonSplice out = JsonSplice::Object();
  out.Add("cast", or_none(cast)).Add("crew", or_none(episode["crew"]));
  out.Add("guest_stars", or_none(episode["guest_stars"]));
  return std::move(out).Take();
}

}  // namespace tmdbc::read_api
