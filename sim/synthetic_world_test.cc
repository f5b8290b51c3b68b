// SPDX-License-Identifier: MIT
#include "synthetic_world.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "json.h"
#include "simulator.h"
#include "testing/corpus.h"

namespace tmdbc::sim {
namespace {

constexpr Kind kAllKinds[] = {Kind::kMovie,   Kind::kTv,      Kind::kPerson, Kind::kCollection,
                              Kind::kCompany, Kind::kNetwork, Kind::kKeyword};

std::vector<std::int64_t> LiveIds(World& world, Kind kind) {
  std::vector<std::int64_t> ids;
  world.ForEachId(kind, [&](std::int64_t id, bool) { ids.push_back(id); });
  return ids;
}

std::vector<std::string> Lines(World& world, Kind kind, bool adult = false) {
  std::vector<std::string> lines;
  world.ForEachLine(kind, adult, [&](std::string_view line) { lines.emplace_back(line); });
  return lines;
}

std::vector<std::string> SplitNames(std::string_view names) {
  std::vector<std::string> split;
  while (!names.empty()) {
    const auto comma = names.find(',');
    split.emplace_back(names.substr(0, comma));
    names.remove_prefix(comma == std::string_view::npos ? names.size() : comma + 1);
  }
  return split;
}

std::string MemberNames(std::string_view json) {
  std::string names;
  for (const RawPart& part : PartsOf(json)) names.append(names.empty() ? "" : " ").append(part.name);
  return names;
}

TEST(SyntheticWorld, HasTheFilmOfEveryExampleWhateverTheSeed) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SyntheticOptions options;
    options.seed = seed;
    options.gone_share = 0.5;
    EXPECT_TRUE(SyntheticWorld(options).Details(Kind::kMovie, 550)) << "seed " << seed;
  }
}

TEST(IdSpace, FindsTheIdsItGivesAndNoOthers) {
  for (const double gaps : {0.0, 0.3, 0.9}) {
    const IdSpace space(7, Kind::kMovie, 1000, gaps);
    std::map<std::int64_t, std::int64_t> index_of;
    for (std::int64_t i = 0; i < 1000; ++i) EXPECT_TRUE(index_of.emplace(space.At(i), i).second);
    const std::int64_t last = space.At(999);
    for (std::int64_t id = -2; id <= last + 5; ++id) {
      const auto known = index_of.find(id);
      EXPECT_EQ(space.IndexOf(id), known == index_of.end() ? std::nullopt : std::optional(known->second))
          << id;
    }
    EXPECT_NEAR(1 - 1000.0 / static_cast<double>(last), gaps, 0.02);
  }
}

TEST(SyntheticWorld, IsTheSameForTheSameSeedInWhateverOrderItIsAsked) {
  SyntheticWorld first({.seed = 5}), second({.seed = 5}), other({.seed = 6});
  auto ids = LiveIds(first, Kind::kMovie);
  EXPECT_EQ(ids, LiveIds(second, Kind::kMovie));
  EXPECT_NE(ids, LiveIds(other, Kind::kMovie));
  std::map<std::int64_t, std::string> bodies;
  for (const auto id : ids)
    bodies[id] = *first.Details(Kind::kMovie, id) + *first.Part(Kind::kMovie, id, "credits");
  std::reverse(ids.begin(), ids.end());
  for (const auto id : ids) {
    const std::string credits = *second.Part(Kind::kMovie, id, "credits");
    EXPECT_EQ(*second.Details(Kind::kMovie, id) + credits, bodies[id]);
  }
}

TEST(SyntheticWorld, ServesValidJsonOfEveryKindAndPart) {
  SyntheticWorld world({.seed = 11, .counts = {60, 20, 60, 20, 20, 10, 20}});
  simdjson::dom::parser parser;
  const auto valid = [&](const std::optional<std::string>& json, const std::string& what) {
    ASSERT_TRUE(json.has_value()) << what;
    EXPECT_EQ(parser.parse(*json).error(), simdjson::SUCCESS) << what << ": " << json->substr(0, 300);
  };
  for (const Kind kind : kAllKinds) {
    for (const auto id : LiveIds(world, kind)) {
      const std::string name = std::string(NameOf(kind)) + "/" + std::to_string(id);
      valid(world.Details(kind, id), name);
      EXPECT_EQ(PartOf(*world.Details(kind, id), "id"), std::to_string(id)) << name;
      for (const auto& part : SplitNames(DefaultAppends(kind)))
        valid(world.Part(kind, id, part), name + "/" + part);
      if (kind != Kind::kTv) continue;
      for (const SeasonRef& season : world.Seasons(id)) {
        valid(world.Season(id, season.number), name + "/season");
        valid(world.Episode(id, season.number, 1), name + "/episode");
        for (const char* part : {"aggregate_credits", "credits", "external_ids", "images", "translations",
                                 "videos", "watch/providers"}) {
          valid(world.SeasonPart(id, season.number, part), name + "/season/" + part);
        }
        for (const char* part : {"credits", "external_ids", "images", "translations", "videos"}) {
          valid(world.EpisodePart(id, season.number, 1, part), name + "/episode/" + part);
        }
      }
    }
  }
  for (const char* part : {"lists", "recommendations", "similar"}) {
    valid(world.Part(Kind::kMovie, LiveIds(world, Kind::kMovie)[0], part), part);
    valid(world.Part(Kind::kTv, LiveIds(world, Kind::kTv)[0], part), part);
  }
  for (const char* part : {"movie_credits", "tv_credits", "tagged_images"}) {
    valid(world.Part(Kind::kPerson, LiveIds(world, Kind::kPerson)[0], part), part);
  }
  EXPECT_EQ(world.Part(Kind::kMovie, LiveIds(world, Kind::kMovie)[0], "nonsense"), std::nullopt);
}

TEST(SyntheticWorld, ServesEveryListOfTheConfiguration) {
  SyntheticWorld world({});
  simdjson::dom::parser parser;
  for (const char* path :
       {"configuration", "configuration/countries", "configuration/jobs", "configuration/languages",
        "configuration/primary_translations", "configuration/timezones", "certification/movie/list",
        "certification/tv/list", "genre/movie/list", "genre/tv/list", "watch/providers/regions",
        "watch/providers/movie", "watch/providers/tv"}) {
    const auto list = world.List(path);
    ASSERT_TRUE(list.has_value()) << path;
    EXPECT_EQ(parser.parse(*list).error(), simdjson::SUCCESS) << path;
  }
  EXPECT_EQ(world.List("movie/1"), std::nullopt);
}

// docs/tmdb-facts.md.
TEST(SyntheticWorld, KeepsTmdbsOrderOfMembers) {
  SyntheticWorld world({.seed = 3});
  const auto first = [&](Kind kind) { return *world.Details(kind, LiveIds(world, kind)[0]); };
  EXPECT_EQ(MemberNames(first(Kind::kMovie)),
            "adult backdrop_path belongs_to_collection budget genres homepage id imdb_id origin_country "
            "original_language original_title "
            "overview popularity poster_path production_companies production_countries release_date revenue "
            "runtime softcore "
            "spoken_languages status tagline title video vote_average vote_count");
  const std::string show = first(Kind::kTv);
  EXPECT_EQ(MemberNames(show),
            "adult backdrop_path created_by episode_run_time first_air_date genres homepage id in_production "
            "languages last_air_date "
            "last_episode_to_air name next_episode_to_air networks number_of_episodes number_of_seasons "
            "origin_country original_language "
            "original_name overview popularity poster_path production_companies production_countries seasons "
            "softcore spoken_languages "
            "status tagline type vote_average vote_count");
  EXPECT_EQ(MemberNames(*PartOf(show, "last_episode_to_air")),
            "id name overview vote_average vote_count air_date episode_number episode_type production_code "
            "runtime season_number show_id "
            "still_path");
  EXPECT_EQ(MemberNames(ElementsOf(*PartOf(show, "seasons"))[0]),
            "air_date episode_count id name overview poster_path season_number vote_average");
  const std::string season = *world.Season(LiveIds(world, Kind::kTv)[0], 1);
  EXPECT_EQ(MemberNames(season),
            "_id air_date episodes name networks overview id poster_path season_number vote_average");
  EXPECT_EQ(MemberNames(ElementsOf(*PartOf(season, "episodes"))[0]),
            "air_date episode_number episode_type id name overview production_code runtime season_number "
            "show_id still_path vote_average "
            "vote_count crew guest_stars");
  EXPECT_EQ(MemberNames(*world.Episode(LiveIds(world, Kind::kTv)[0], 1, 1)),
            "air_date crew episode_number episode_type guest_stars name overview id production_code runtime "
            "season_number still_path "
            "vote_average vote_count");
  EXPECT_EQ(MemberNames(first(Kind::kPerson)),
            "adult also_known_as biography birthday deathday gender homepage id imdb_id known_for_department "
            "name place_of_birth popularity "
            "profile_path");
  EXPECT_EQ(MemberNames(first(Kind::kCollection)),
            "id name original_language original_name overview poster_path backdrop_path parts");
  EXPECT_EQ(MemberNames(first(Kind::kCompany)),
            "description headquarters homepage id logo_path name origin_country parent_company");
  EXPECT_EQ(MemberNames(first(Kind::kNetwork)), "headquarters homepage id logo_path name origin_country");
  EXPECT_EQ(MemberNames(first(Kind::kKeyword)), "id name");
}

TEST(SyntheticWorld, SaysTheSameOfASeasonInTheShowAndInTheSeason) {
  SyntheticWorld world({.seed = 9, .counts = {10, 40, 30, 2, 5, 5, 10}});
  for (const auto id : LiveIds(world, Kind::kTv)) {
    const auto refs = world.Seasons(id);
    const std::string show = *world.Details(Kind::kTv, id);
    const auto seasons = ElementsOf(*PartOf(show, "seasons"));
    ASSERT_EQ(seasons.size(), refs.size());
    for (std::size_t i = 0; i < refs.size(); ++i) {
      const std::string season = *world.Season(id, refs[i].number);
      for (const char* member :
           {"id", "air_date", "name", "overview", "poster_path", "season_number", "vote_average"}) {
        EXPECT_EQ(PartOf(season, member), PartOf(seasons[i], member))
            << id << " season " << refs[i].number << " " << member;
      }
      EXPECT_EQ(std::to_string(ElementsOf(*PartOf(season, "episodes")).size()),
                PartOf(seasons[i], "episode_count"));
    }
  }
}

TEST(SyntheticWorld, HasTheShowsThatAreHardToCollect) {
  SyntheticWorld world({.seed = 2, .huge_show_episodes = 4829});
  std::vector<std::size_t> seasons;
  std::size_t most_episodes = 0;
  std::set<std::int64_t> season_ids, episode_ids;
  std::size_t season_count = 0, episode_count = 0;
  for (const auto id : LiveIds(world, Kind::kTv)) {
    const auto refs = world.Seasons(id);
    seasons.push_back(refs.size());
    season_count += refs.size();
    std::size_t episodes = 0;
    for (const SeasonRef& ref : refs) {
      season_ids.insert(ref.id);
      const std::string season = *world.Season(id, ref.number);
      for (const auto episode : ElementsOf(*PartOf(season, "episodes"))) {
        episode_ids.insert(std::stoll(std::string(*PartOf(episode, "id"))));
        ++episodes;
      }
    }
    episode_count += episodes;
    most_episodes = std::max(most_episodes, episodes);
  }
  EXPECT_EQ(*std::min_element(seasons.begin(), seasons.end()), 0u);
  EXPECT_EQ(*std::max_element(seasons.begin(), seasons.end()), 60u);
  EXPECT_EQ(most_episodes, 4829u);
  EXPECT_EQ(season_ids.size(), season_count);
  EXPECT_EQ(episode_ids.size(), episode_count);
}

TEST(SyntheticWorld, ListsInTheExportsWhatIsAskedForUnsortedAndOnce) {
  SyntheticWorld world({.seed = 4, .counts = {500, 80, 300, 50, 50, 20, 200}});
  simdjson::dom::parser parser;
  const std::map<Kind, std::string> members = {{Kind::kMovie, "adult id original_title popularity video"},
                                               {Kind::kTv, "id original_name popularity"},
                                               {Kind::kPerson, "adult id name popularity"},
                                               {Kind::kCollection, "id name"},
                                               {Kind::kCompany, "id name"},
                                               {Kind::kNetwork, "id name"},
                                               {Kind::kKeyword, "id name"}};
  std::size_t escapes = 0;
  for (const Kind kind : kAllKinds) {
    const auto lines = Lines(world, kind);
    std::set<std::string> ids;
    int descents = 0;
    std::int64_t last = 0;
    for (const std::string& line : lines) {
      ASSERT_TRUE(line.ends_with("}\n"));
      EXPECT_EQ(parser.parse(line).error(), simdjson::SUCCESS) << line;
      EXPECT_EQ(MemberNames(line), members.at(kind));
      const std::string id(*PartOf(line, "id"));
      ids.insert(id);
      descents += std::stoll(id) < last ? 1 : 0;
      last = std::stoll(id);
      escapes += line.find("\\u0026") != std::string::npos ? 1 : 0;
      EXPECT_EQ(line.find('&'), std::string::npos) << line;
      if (PartOf(line, "adult")) {
        EXPECT_EQ(PartOf(line, "adult"), "false");
      }
    }
    EXPECT_EQ(ids.size(), lines.size());
    EXPECT_GT(descents, 3) << NameOf(kind);
  }
  EXPECT_EQ(Lines(world, Kind::kMovie).size(), 500u);
  EXPECT_GT(escapes, 10u);
}

TEST(SyntheticWorld, KeepsAdultTitlesInExportsOfTheirOwn) {
  SyntheticWorld world({.counts = {200, 40, 100, 5, 5, 5, 5}, .adult_share = 0.1});
  EXPECT_EQ(Lines(world, Kind::kMovie, true).size(), 20u);
  EXPECT_EQ(Lines(world, Kind::kTv, true).size(), 4u);
  EXPECT_EQ(Lines(world, Kind::kPerson, true).size(), 10u);
  EXPECT_EQ(Lines(world, Kind::kCompany, true).size(), 0u);
  for (const std::string& line : Lines(world, Kind::kMovie, true)) {
    EXPECT_EQ(PartOf(line, "adult"), "true");
    EXPECT_EQ(PartOf(*world.Details(Kind::kMovie, std::stoll(std::string(*PartOf(line, "id")))), "adult"),
              "true");
  }
}

TEST(SyntheticWorld, LeavesTheGoneInTheExports) {
  SyntheticWorld world({.counts = {1000, 10, 10, 1, 1, 1, 1}, .gone_share = 0.1, .adult_share = 0});
  std::size_t gone = 0;
  for (const std::string& line : Lines(world, Kind::kMovie)) {
    gone += world.Details(Kind::kMovie, std::stoll(std::string(*PartOf(line, "id")))) ? 0 : 1;
  }
  EXPECT_EQ(gone + LiveIds(world, Kind::kMovie).size(), 1000u);
  EXPECT_GT(gone, 60u);
  EXPECT_LT(gone, 140u);
}

// docs/tmdb-facts.md and what mirrors report: the median film is about 5 KB of gzip, the mean about 18 KB
// before it.
TEST(SyntheticWorld, SpreadsSizesAsTmdbDoes) {
  SyntheticWorld world({.seed = 21, .counts = {600, 80, 300, 50, 50, 20, 200}});
  SystemClock clock;
  Simulator simulator(world, {}, clock);
  std::vector<std::size_t> sizes;
  for (const auto id : LiveIds(world, Kind::kMovie))
    sizes.push_back(simulator.api().Truth(Kind::kMovie, id, DefaultAppends(Kind::kMovie))->size());
  std::sort(sizes.begin(), sizes.end());
  std::size_t sum = 0;
  for (const auto size : sizes) sum += size;
  EXPECT_NEAR(static_cast<double>(sum) / static_cast<double>(sizes.size()), 18'000, 4'000);
  EXPECT_NEAR(static_cast<double>(sizes[sizes.size() / 2]), 13'500, 3'000);
  EXPECT_LT(sizes.front(), 6'000u);
  EXPECT_GT(sizes.back(), 80'000u);
}

TEST(SyntheticWorld, AnswersForAMillionFilmsWithoutListingThem) {
  SyntheticWorld world({.counts = {1'200'000, 230'000, 4'700'000, 6'000, 200'000, 5'000, 70'000}});
  const IdSpace ids(1, Kind::kMovie, 1'260'000, 0.3);
  const std::int64_t last = ids.At(1'199'999);
  EXPECT_TRUE(world.Details(Kind::kMovie, last).has_value());
  EXPECT_EQ(PartOf(*world.Details(Kind::kMovie, last), "adult"), "false");
}

TEST(SyntheticWorld, HasTextsWithEverythingThatTextsHave) {
  SyntheticWorld world({.seed = 8});
  std::string all;
  for (const auto id : LiveIds(world, Kind::kMovie))
    all += *world.Details(Kind::kMovie, id) + *world.Part(Kind::kMovie, id, "translations");
  EXPECT_NE(all.find("\\n\\n"), std::string::npos) << "line feeds";
  EXPECT_NE(all.find("\u00a0"), std::string::npos) << "no-break space";
  EXPECT_NE(all.find("\u200b"), std::string::npos) << "zero-width space";
  EXPECT_NE(all.find("🎬"), std::string::npos) << "four bytes of UTF-8";
  EXPECT_NE(all.find("\\\""), std::string::npos) << "quotes";
  EXPECT_NE(all.find("\"overview\":\"\""), std::string::npos) << "empty text";
}

// FIELD_TYPES.tsv of the recordings: every path and type that we make up was seen there.
class FieldTypes {
 public:
  static std::optional<FieldTypes> Read() {
    std::ifstream in(testing::CorpusFolder() / "FIELD_TYPES.tsv");
    if (!in) return std::nullopt;
    FieldTypes types;
    std::string line;
    while (std::getline(in, line)) {
      const auto tab = line.find('\t');
      const auto end = line.find('\t', tab + 1);
      if (end == std::string::npos) continue;
      types.seen_[line.substr(0, tab)][line.substr(tab + 1, end - tab - 1)] =
          line.substr(end + 1, line.find('\t', end + 1) - end - 1);
    }
    return types;
  }

  void Check(const std::string& group, const std::string& json, const std::string& prefix) const {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    ASSERT_EQ(parser.parse(json).get(root), simdjson::SUCCESS);
    Walk(group, root, prefix);
  }

 private:
  void Walk(const std::string& group, simdjson::dom::element value, const std::string& path) const {
    std::string type;
    switch (value.type()) {
      case simdjson::dom::element_type::OBJECT:
        type = "object";
        for (const auto member : simdjson::dom::object(value)) {
          // Countries are names of members under watch/providers.
          const bool country = path == "results" && member.key.size() == 2;
          Walk(group, member.value,
               (path.empty() ? "" : path + ".") + (country ? "{CC}" : std::string(member.key)));
        }
        break;
      case simdjson::dom::element_type::ARRAY:
        type = "array";
        for (const auto element : simdjson::dom::array(value)) Walk(group, element, path + "[]");
        break;
      case simdjson::dom::element_type::DOUBLE:
        type = "float";
        break;
      case simdjson::dom::element_type::STRING:
        type = "string";
        break;
      case simdjson::dom::element_type::BOOL:
        type = "bool";
        break;
      case simdjson::dom::element_type::NULL_VALUE:
        return;
      default:
        type = "int";
    }
    if (path.empty()) return;
    const auto known = seen_.at(group).find(path);
    ASSERT_NE(known, seen_.at(group).end()) << group << ": " << path << " was never recorded";
    const bool only_null =
        known->second.find(':') == known->second.rfind(':') && known->second.starts_with("null");
    const bool number = type == "int" && known->second.find("float") != std::string::npos;
    EXPECT_TRUE(known->second.find(type) != std::string::npos || only_null || number)
        << group << ": " << path << " is " << type << ", recorded " << known->second;
  }

  std::map<std::string, std::map<std::string, std::string>> seen_;
};

TEST(SyntheticWorld, MakesUpNoMemberAndNoTypeThatWasNotRecorded) {
  TMDBC_NEEDS_CORPUS("FIELD_TYPES.tsv");
  const auto types = FieldTypes::Read();
  ASSERT_TRUE(types);
  SyntheticWorld world({.seed = 13, .counts = {60, 20, 60, 20, 20, 10, 20}});
  for (const Kind kind : {Kind::kMovie, Kind::kTv, Kind::kPerson, Kind::kCollection}) {
    for (const auto id : LiveIds(world, kind)) {
      const std::string group(NameOf(kind));
      types->Check(group, *world.Details(kind, id), "");
      if (kind == Kind::kCollection) continue;
      for (const auto& part : SplitNames(DefaultAppends(kind))) {
        // Of a person's translations there is no recording.
        if (kind == Kind::kPerson && part == "translations") continue;
        // Episode groups were only recorded as part of a show.
        const bool grouped = part == "episode_groups";
        types->Check(grouped ? group : group + "_sub", *world.Part(kind, id, part), grouped ? part : "");
      }
      if (kind != Kind::kTv) continue;
      for (const SeasonRef& season : world.Seasons(id)) {
        types->Check("tv_season", *world.Season(id, season.number), "");
        types->Check("tv_episode", *world.Episode(id, season.number, 1), "");
      }
    }
  }
}

}  // namespace
}  // namespace tmdbc::sim
