// SPDX-License-Identifier: MIT
#include "titles/search.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <tuple>
#include <utility>

#include "titles/air_days.h"
#include "titles/fold.h"
#include "titles/spelling.h"
#include "titles/top.h"

namespace tmdbc::titles {
namespace {

// So few candidates are compared with the query letter by letter sooner than the sets of all its words are joined.
constexpr std::size_t kFewNames = 4'000;

// The name has a word that begins with it.
bool HasWordFrom(std::string_view name, std::string_view prefix) {
  for (std::size_t at = name.find(prefix); at != std::string_view::npos; at = name.find(prefix, at + 1)) {
    if (at == 0 || name[at - 1] == ' ') return true;
  }
  return false;
}

// The name has these words whole, side by side.
bool HasRun(std::string_view name, std::string_view run) {
  for (std::size_t at = name.find(run); at != std::string_view::npos; at = name.find(run, at + 1)) {
    const std::size_t end = at + run.size();
    if ((at == 0 || name[at - 1] == ' ') && (end == name.size() || name[end] == ' ')) return true;
  }
  return false;
}

std::string RunOf(const Wanted& wanted) {
  std::string run;
  for (const std::string& word : wanted.words) {
    if (!run.empty()) run += ' ';
    run += word;
  }
  return run;
}

// How a word of a query means one of a name: as its beginning; with one letter wrong, too, but in runs; as the whole.
enum class Match : std::uint8_t { kBeginning, kForgiving, kWhole };

// The names of one file that a query means.
class NameFinder {
 public:
  NameFinder(const IndexFile& file, const FoldedQuery& query, Match match) : file_(file), query_(query), match_(match) {
    for (const Wanted& one : query.wanted) {
      const bool run = one.words.size() > 1;
      if (run) runs_.push_back(RunOf(one));
      for (const std::string& word : one.words) {
        if (match == Match::kWhole) {
          terms_.push_back({WholeWord(word)});
        } else {
          terms_.push_back(match == Match::kForgiving && !run ? WordsNear(file, word) : WordRanges{file.WordsFrom(word)});
        }
      }
    }
  }

  // Calls `visit` with each, ascending.
  template <class Visit>
  void Each(const Visit& visit) const {
    if (terms_.empty()) return;
    const auto occurrences = [&](const WordRanges& ranges) { return Occurrences(ranges); };
    const auto rarest = std::ranges::min_element(terms_, {}, occurrences);
    if (Occurrences(*rarest) == 0) return;
    if (terms_.size() == 1 && Occurrences(*rarest) > kFewNames) {
      Join(*rarest).Each(visit);
      return;
    }
    if (Occurrences(*rarest) <= kFewNames && match_ != Match::kForgiving) {
      std::vector<std::uint32_t> names;
      for (const auto& [first, last] : *rarest) {
        const auto some = file_.NamesWith(first, last);
        names.insert(names.end(), some.begin(), some.end());
      }
      std::ranges::sort(names);
      const auto twice = std::ranges::unique(names);
      names.erase(twice.begin(), twice.end());
      for (const std::uint32_t name : names) {
        if (Means(file_.Name(name))) visit(std::size_t(name));
      }
      return;
    }
    Bits names = Join(*rarest);
    for (const WordRanges& ranges : terms_) {
      if (&ranges != &*rarest) names.Keep(Join(ranges));
    }
    names.Each([&](std::size_t name) {
      const auto has = [&](const std::string& run) { return HasRun(file_.Name(name), run); };
      if (std::ranges::all_of(runs_, has)) visit(name);
    });
  }

 private:
  std::size_t Occurrences(const WordRanges& ranges) const {
    std::size_t count = 0;
    for (const auto& [first, last] : ranges) count += file_.NamesWith(first, last).size();
    return count;
  }
  Bits Join(const WordRanges& ranges) const {
    Bits names(file_.names());
    for (const auto& [first, last] : ranges) names.SetAll(file_.NamesWith(first, last));
    return names;
  }
  // That word alone, or no word.
  std::pair<std::size_t, std::size_t> WholeWord(const std::string& word) const {
    const std::size_t at = file_.WordAtOrAfter(word);
    return {at, at < file_.words() && file_.Word(at) == word ? at + 1 : at};
  }
  bool Means(std::string_view name) const {
    return std::ranges::all_of(query_.wanted, [&](const Wanted& one) {
      const bool beginning = one.words.size() == 1 && match_ == Match::kBeginning;
      return beginning ? HasWordFrom(name, one.words.front()) : HasRun(name, RunOf(one));
    });
  }

  const IndexFile& file_;
  const FoldedQuery& query_;
  const Match match_;
  std::vector<WordRanges> terms_;
  std::vector<std::string> runs_;
};

struct Ranked {
  bool exact = false;
  bool whole = false;    // of companies alone: whole words of the name are those of the query
  float popularity = 0;  // of a company how many titles name it
  std::uint32_t votes = 0;
  std::uint32_t id = 0;
  MediaType type{};
  // Comes first.
  friend bool operator<(const Ranked& a, const Ranked& b) {
    return std::tuple(!a.exact, !a.whole, -a.popularity, ~a.votes, a.id, a.type) <
           std::tuple(!b.exact, !b.whole, -b.popularity, ~b.votes, b.id, b.type);
  }
};

bool InYear(std::int32_t day, int year) {
  using namespace std::chrono;
  return day != kNoDay && year_month_day(sys_days(days(day))).year() == std::chrono::year(year);
}

// The titles of a file that have a release in that year; of shows, an episode.
Bits OfYear(const Titles& titles, const TypeTitles& type, const IndexFile& file, int year) {
  Bits found(file.size());
  using namespace std::chrono;
  const auto first = std::int32_t(sys_days(std::chrono::year(year) / 1 / 1).time_since_epoch().count());
  const auto last = std::int32_t(sys_days(std::chrono::year(year) / 12 / 31).time_since_epoch().count());
  if (type.type == MediaType::kMovie) {
    file.EachAttribute(AttributeOf(AttributeKind::kReleaseMonth, MonthOf(first)),
                       AttributeOf(AttributeKind::kReleaseMonth, MonthOf(last)) + 1,
                       [&](Attribute, std::span<const std::uint32_t> places) { found.SetAll(places); });
  } else {
    for (const std::uint32_t show : ShowsOnAir(titles, first, last)) {
      if (const std::size_t at = file.Find(show); at < file.size()) found.Set(at);
    }
  }
  for (std::size_t at = 0; at < file.size(); ++at) {
    if (InYear(file.fixed()[at].day, year)) found.Set(at);
  }
  return found;
}

bool IsExact(const IndexFile& file, std::size_t name, std::string_view text, std::uint16_t language) {
  return file.Name(name) == text && (file.KindOf(name) != NameKind::kTranslation || file.LanguageOf(name) == language);
}

// How many films and shows may name each of the companies, whose ids ascend: those that are gone are counted, too.
std::vector<float> MayName(const Titles& titles, const std::vector<Ranked>& companies) {
  std::vector<float> counts(companies.size());
  if (companies.empty()) return counts;
  const auto attribute_of = [](const Ranked& one) { return AttributeOf(AttributeKind::kCompany, one.id); };
  for (const MediaType type : {MediaType::kMovie, MediaType::kTv}) {
    for (const Layer& layer : titles.Of(type).layers) {
      std::size_t i = 0;
      layer.file->EachAttribute(attribute_of(companies.front()), attribute_of(companies.back()) + 1,
                                [&](Attribute attribute, std::span<const std::uint32_t> places) {
                                  while (attribute_of(companies[i]) < attribute) ++i;
                                  if (attribute_of(companies[i]) == attribute) counts[i] += float(places.size());
                                });
    }
  }
  return counts;
}

float CountNaming(const Titles& titles, std::uint32_t company) {
  std::ptrdiff_t count = 0;
  for (const MediaType type : {MediaType::kMovie, MediaType::kTv}) {
    for (const Layer& layer : titles.Of(type).layers) {
      count += std::ranges::count_if(layer.file->TitlesWith(AttributeOf(AttributeKind::kCompany, company)),
                                     [&](std::uint32_t at) { return layer.alive->Test(at); });
    }
  }
  return float(count);
}

class Searcher {
 public:
  Searcher(const Titles& titles, const SearchQuery& query, std::size_t wanted, Match match)
      : titles_(titles), query_(query), match_(match), folded_(FoldQuery(query.text)), best_(wanted) {}

  void Look(const TypeTitles& type) {
    for (const Layer& layer : type.layers) Look(type, layer);
  }
  std::int64_t total() const { return total_; }
  std::vector<Ranked> Best() { return best_.Sorted(); }

 private:
  void Look(const TypeTitles& type, const Layer& layer) {
    const IndexFile& file = *layer.file;
    const Bits passing = Passing(type, layer);
    if (type.type == MediaType::kCompany) return LookAtCompanies(file, passing);
    if (const auto titles = OfOneCommonWord(file); !titles.empty()) return LookAmong(type, layer, titles, passing);
    bool exact = false;
    std::size_t at = file.size();  // the title whose names are seen now
    NameFinder(file, folded_, match_).Each([&](std::size_t name) {
      const std::size_t title = file.TitleOf(name);
      if (!passing.Test(title)) return;
      if (title != at && at < file.size()) Take(type, layer, at, std::exchange(exact, false));
      at = title;
      exact = exact || IsExact(file, name, folded_.text, query_.language);
    });
    if (at < file.size()) Take(type, layer, at, exact);
  }
  // Companies have no popularity: the titles that name them say who is known. Of the tens of thousands that a common
  // word means no name is looked at but those that have it whole.
  void LookAtCompanies(const IndexFile& file, Bits passing) {
    if (const auto common = OfOneCommonWord(file); !common.empty()) {
      passing.Keep(common);
    } else {
      Bits meant(file.size());
      NameFinder(file, folded_, match_).Each([&](std::size_t name) { meant.Set(file.TitleOf(name)); });
      passing.Keep(meant);
    }
    Bits whole(file.size()), exact(file.size());
    NameFinder(file, folded_, Match::kWhole).Each([&](std::size_t name) {
      whole.Set(file.TitleOf(name));
      if (IsExact(file, name, folded_.text, query_.language)) exact.Set(file.TitleOf(name));
    });
    std::vector<Ranked> companies;
    passing.Each([&](std::size_t at) {
      companies.push_back({.exact = exact.Test(at),
                           .whole = whole.Test(at),
                           .id = file.fixed()[at].id,
                           .type = MediaType::kCompany});
    });
    const std::vector<float> at_most = MayName(titles_, companies);
    for (std::size_t i = 0; i < companies.size(); ++i) {
      Ranked& one = companies[i];
      one.popularity = at_most[i];
      if (const Ranked* const worst = best_.Worst(); worst != nullptr && !(one < *worst)) continue;
      one.popularity = CountNaming(titles_, one.id);
      best_.Take(one);
    }
    total_ += std::ssize(companies);
  }
  // The titles that the query means when it is one common beginning whose titles the file has at hand: a single
  // letter means half a million of a million and a quarter, whose names take long to go through. Else empty.
  std::span<const std::uint64_t> OfOneCommonWord(const IndexFile& file) const {
    if (match_ != Match::kBeginning || folded_.wanted.size() != 1 || folded_.wanted[0].words.size() != 1) return {};
    return file.TitlesFrom(folded_.wanted[0].words[0]);
  }
  void LookAmong(const TypeTitles& type, const Layer& layer, std::span<const std::uint64_t> titles, Bits passing) {
    const IndexFile& file = *layer.file;
    passing.Keep(titles);
    // A name that is the query has it as a word.
    const std::size_t word = file.WordAtOrAfter(folded_.text);
    if (word < file.words() && file.Word(word) == folded_.text) {
      for (const std::uint32_t name : file.NamesWith(word, word + 1)) {
        const std::size_t at = file.TitleOf(name);
        if (!IsExact(file, name, folded_.text, query_.language) || !passing.Test(at)) continue;
        Take(type, layer, at, true);
        passing.Clear(at);
      }
    }
    passing.Each([&](std::size_t at) { Take(type, layer, at, false); });
  }
  // What may be found at all. Rows are looked at for a year alone: a row is a miss of the cache, a bit is none.
  Bits Passing(const TypeTitles& type, const Layer& layer) const {
    const IndexFile& file = *layer.file;
    Bits passing = *layer.alive;
    if (!query_.include_adult) {
      for (const std::uint32_t at : file.TitlesWith(AttributeOf(AttributeKind::kFlag, kAdult))) passing.Clear(at);
    }
    if (query_.year) passing.Keep(OfYear(titles_, type, file, *query_.year));
    if (query_.primary_year)
      passing.KeepIf([&](std::size_t at) { return InYear(file.fixed()[at].day, *query_.primary_year); });
    return passing;
  }
  void Take(const TypeTitles& type, const Layer& layer, std::size_t at, bool exact) {
    ++total_;
    const Ranked* const worst = best_.Worst();
    if (worst != nullptr && !exact && (worst->exact || (*layer.popularity)[at] < worst->popularity)) return;
    const FixedPart& fixed = layer.file->fixed()[at];
    best_.Take({.exact = exact,
                .popularity = (*layer.popularity)[at],
                .votes = fixed.vote_count,
                .id = fixed.id,
                .type = type.type});
  }

  const Titles& titles_;
  const SearchQuery& query_;
  const Match match_;
  const FoldedQuery folded_;
  std::int64_t total_ = 0;
  Top<Ranked> best_;
};

}  // namespace

FoundPage Search(const Titles& titles, std::span<const MediaType> types, const SearchQuery& query, std::size_t skip,
                 std::size_t count) {
  Searcher searcher(titles, query, skip + count, Match::kBeginning);
  for (const MediaType type : types) searcher.Look(titles.Of(type));
  FoundPage page;
  page.total = searcher.total();
  const std::vector<Ranked> best = searcher.Best();
  for (std::size_t i = skip; i < best.size(); ++i) page.rows.push_back({{best[i].type, best[i].id}, best[i].popularity});
  return page;
}

std::vector<Found> Suggest(const Titles& titles, std::string_view text, std::size_t count) {
  constexpr std::array kTypes = {MediaType::kMovie, MediaType::kTv, MediaType::kPerson};
  std::vector<Found> rows;
  for (const Match match : {Match::kBeginning, Match::kForgiving}) {
    if (rows.size() >= count) break;
    const SearchQuery query{.text = text};
    Searcher searcher(titles, query, count, match);
    for (const MediaType type : kTypes) searcher.Look(titles.Of(type));
    for (const Ranked& one : searcher.Best()) {
      const Found found{{one.type, one.id}, one.popularity};
      if (rows.size() < count && std::ranges::find(rows, found) == rows.end()) rows.push_back(found);
    }
  }
  return rows;
}

}  // namespace tmdbc::titles
