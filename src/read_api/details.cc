// SPDX-License-Identifier: MIT
#include "read_api/details.h"

#include <algorithm>
#include <array>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "read_api/paging.h"
#include "read_api/parts.h"
#include "read_api/plain_body.h"
#include "read_api/subject.h"
#include "titles/find.h"
#include "tmdb/media_traits.h"

namespace tmdbc::read_api {
namespace {

// TMDB's own (docs/tmdb-facts.md): its details may be so old.
constexpr std::chrono::hours kDetailsMaxAge{8};

constexpr std::string_view kSeasonPrefix = "season/";

// What a path leads to: a subject, or the answer that there is none.
using Found = std::expected<Subject, Answer>;

Found FindSubject(Call& call) {
  const auto type = ParseMediaType(call.part(0));
  const std::string_view text = call.part(1);
  auto id = PositiveInteger(text);
  if (*type == MediaType::kMovie && text.starts_with("tt")) {
    const titles::Titles* const index = call.Titles();
    if (index == nullptr) {
      call.Lack();
      return std::unexpected(IndexAwaited());
    }
    const auto found = titles::FindExternal(*index, MediaType::kMovie, titles::ExternalSource::kImdb, text);
    if (found.empty()) {
      call.Lack();
      return std::unexpected(ErrorAnswer(34));
    }
    id = found.front().id.id;
  }
  if (!id) return std::unexpected(ErrorAnswer(6));
  auto record = call.Find({*type, *id});
  if (record == nullptr) return std::unexpected(call.NotFound({*type, *id}));
  return Subject(std::move(record));
}

Found FindSeasonSubject(Call& call) {
  const auto tv_id = PositiveInteger(call.part(1));
  if (!tv_id) return std::unexpected(ErrorAnswer(6));
  const auto number = WholeNumber(call.part(3));
  if (!number) return std::unexpected(ErrorAnswer(34));
  auto record = call.FindSeason(*tv_id, *number);
  if (record == nullptr) return std::unexpected(call.NotFound({MediaType::kTv, *tv_id}));
  return Subject(std::move(record));
}

// `text` receives the episode as it stands in its season.
Found FindEpisodeSubject(Call& call, JsonSlice& text) {
  Found found = FindSeasonSubject(call);
  if (!found) return found;
  const auto number = WholeNumber(call.part(5));
  if (number) text = EpisodeAt(*found, *number);
  if (number && text.empty()) call.Lack();
  if (text.empty()) return std::unexpected(ErrorAnswer(34));
  found->type = MediaType::kEpisode;
  found->episode = JsonObject(text);
  found->id = IntegerOf(found->episode["id"]).value_or(0);
  return found;
}

// Whether the show's own list of seasons has that one.
bool HasSeason(const Subject& show, std::int64_t number) {
  return std::ranges::any_of(ElementsOf(show.body["seasons"]), [&](JsonSlice season) {
    return IntegerOf(MemberOf(season, "season_number")) == number;
  });
}

// season/N, or season/N/credits, appended to a show. Clients ask for twenty at a venture: only one that TMDB lists is
// missed.
std::string AppendedSeason(Call& call, const Subject& show, std::string_view name) {
  name.remove_prefix(kSeasonPrefix.size());
  const std::size_t slash = std::min(name.find('/'), name.size());
  const auto number = WholeNumber(name.substr(0, slash));
  auto record = number ? call.FindSeason(show.id, *number) : nullptr;
  if (record == nullptr) {
    if (number && HasSeason(show, *number)) call.LackRecord({MediaType::kTv, show.id});
    return {};
  }
  const Subject season(std::move(record));
  if (slash == name.size()) return Closed(OpenSeasonBody(call, season, call.language(), SeasonId::kWithout));
  const PartKind* kind = FindPart(MediaType::kSeason, name.substr(slash + 1));
  return kind == nullptr ? std::string() : MakePart(call, *kind, season);
}

// `make_open` gives the plain body without its closing brace. A name that the subject's type does not know is dropped
// in silence, as TMDB does.
template <class MakeOpen>
Answer DetailsOf(Call& call, const Subject& subject, const MakeOpen& make_open) {
  const auto names = call.Appends();
  if (!names) return ErrorAnswer(27);
  std::string open = make_open();
  for (const std::string_view name : *names) {
    std::string part;
    if (subject.type == MediaType::kTv && name.starts_with(kSeasonPrefix)) {
      part = AppendedSeason(call, subject, name);
    } else if (const PartKind* kind = FindPart(subject.type, name); kind != nullptr && kind->appendable) {
      part = MakePart(call, *kind, subject);
      if (part.empty()) call.Lack();
    }
    if (!part.empty()) AppendMember(open, name, part);
  }
  return {.body = Closed(std::move(open)), .max_age = kDetailsMaxAge};
}

Answer PartOf(Call& call, const Subject& subject, std::string_view name) {
  if (name == "account_states") return ErrorAnswer(3);
  const PartKind* kind = FindPart(subject.type, name);
  if (kind == nullptr) return ErrorAnswer(34);
  const auto page = kind->paged ? PageOf(call.query()) : 1;
  if (!page) return ErrorAnswer(22);
  std::string part = MakePart(call, *kind, subject);
  if (part.empty()) {
    Answer none = ErrorAnswer(34);
    none.fidelity = Fidelity::kMissing;  // the mirror does not collect it
    call.Lack();
    return none;
  }
  // What is ranked here and now is the page that was asked for; of what is stored there is the first.
  if (*page > 1 && IntegerOf(MemberOf(part, "page")) != *page) {
    const auto pages = IntegerOf(MemberOf(part, "total_pages")).value_or(1);
    if (*page <= pages) call.Worsen(Fidelity::kEmpty);  // TMDB has rows there
    part = WithValues(JsonObject(part),
                      std::array{NewValue{"page", std::to_string(*page)}, NewValue{"results", "[]"}});
  }
  return {.body = WithId(*kind, std::move(part), subject.id), .max_age = kDetailsMaxAge};
}

}  // namespace

Answer Details(Call& call) {
  Found found = FindSubject(call);
  if (!found) return std::move(found.error());
  return DetailsOf(call, *found, [&] { return OpenPlainBody(call, *found, call.language()); });
}

Answer DetailsOf(Call& call, MediaId id) {
  auto record = call.Find(id);
  if (record == nullptr) return call.NotFound(id);
  const Subject subject(std::move(record));
  return DetailsOf(call, subject, [&] { return OpenPlainBody(call, subject, call.language()); });
}

Answer DetailsPart(Call& call) {
  Found found = FindSubject(call);
  if (!found) return std::move(found.error());
  return PartOf(call, *found, call.path(2));
}

Answer SeasonDetails(Call& call) {
  Found found = FindSeasonSubject(call);
  if (!found) return std::move(found.error());
  return DetailsOf(call, *found,
                   [&] { return OpenSeasonBody(call, *found, call.language(), SeasonId::kWith); });
}

Answer SeasonPart(Call& call) {
  Found found = FindSeasonSubject(call);
  if (!found) return std::move(found.error());
  return PartOf(call, *found, call.path(4));
}

Answer EpisodeDetails(Call& call) {
  JsonSlice text;
  Found found = FindEpisodeSubject(call, text);
  if (!found) return std::move(found.error());
  return DetailsOf(call, *found, [&] { return OpenEpisodeBody(call, *found, text, call.language()); });
}

Answer EpisodePart(Call& call) {
  JsonSlice text;
  Found found = FindEpisodeSubject(call, text);
  if (!found) return std::move(found.error());
  return PartOf(call, *found, call.path(6));
}

}  // namespace tmdbc::read_api
