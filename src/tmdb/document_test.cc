// SPDX-License-Identifier: MIT
#include "tmdb/document.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "base/json.h"

namespace tmdbc {
namespace {

ContentHash HashOf(std::string_view json) {
  const auto hash = HashContent(json);
  EXPECT_TRUE(hash.has_value()) << json << ": " << (hash ? "" : hash.error().message);
  return hash.value_or(ContentHash{});
}

// --- the hashes, case by case ---

TEST(HashContent, DoesNotSeeHowADocumentIsWritten) {
  const std::vector<std::vector<std::string>> same = {
      {R"({"id":1,"title":"A"})", "{ \"title\" :\t\"A\",\r\n\"id\":1 }\n"},
      {"1", "1.0", "1e0", "10e-1", "0.1e1", " 1 "},
      {"0", "-0", "0.0", "-0.0", "0e9"},
      {"-7", "-7.0", "-70E-1"},
      {"8.4", "8.40", "84e-1"},
      {"9223372036854775808", "9223372036854775808.0", "9.223372036854775808e18"},
      {"-9223372036854775808", "-9223372036854775808.0"},
      {R"("a/b")", R"("a\/b")", R"("\u0061\u002fb")"},
      {"\"\xF0\x9F\x8E\xAC\"", R"("\ud83c\udfac")"},
      {R"({"watch/providers":{"a":1,"b":[1,2]}})", R"({"watch\/providers":{"b":[1,2],"\u0061":1}})"},
      {R"({"a":1,"a":2})", R"({"a":2,"a":1})"},  // two members of one name: both count
  };
  for (const auto& group : same) {
    for (const std::string& json : group)
      EXPECT_EQ(HashOf(json), HashOf(group[0])) << json << " and " << group[0];
  }
}

TEST(HashContent, SeesEveryDifferenceThatMeansSomething) {
  const std::vector<std::string> different = {
      "null",
      "true",
      "false",
      "0",
      "1",
      "-1",
      "0.5",
      "-0.5",
      "1e300",
      "18446744073709551615",
      "9223372036854775807",
      "9223372036854775808",
      R"("")",
      R"("0")",
      R"("1")",
      R"("null")",
      R"("a")",
      R"("a ")",
      R"("\u0000")",
      "[]",
      "{}",
      "[null]",
      "[[]]",
      "[{}]",
      "[0]",
      "[1]",
      "[1,2]",
      "[2,1]",
      "[[1],2]",
      "[1,[2]]",
      "[[1,2]]",
      "[1,2,null]",
      R"({"a":null})",
      R"({"a":[]})",
      R"({"a":{}})",
      R"({"a":""})",
      R"({"a":0})",
      R"({"a":false})",
      R"({"a":1})",
      R"({"b":1})",
      R"({"":1})",
      R"({"a":1,"b":2})",
      R"({"a":2,"b":1})",
      R"({"a":{"b":1}})",
      R"({"b":{"a":1}})",
      R"({"a":1,"a":1})",
      R"({"a":1,"a":1,"a":1})",
      R"({"a":[{"b":1},{"c":2}]})",
      R"({"a":[{"b":1,"c":2}]})",
      R"({"a":[{"c":2},{"b":1}]})",
      R"({"a":[{"b":1},{},{"c":2}]})",
      // A name that only resembles a volatile one.
      R"({"popularity ":1})",
      R"({"Popularity":1})",
      R"({"vote_averages":1})",
      R"({"vote_counts":1})",
      R"(["popularity"])",
  };
  std::map<std::uint64_t, std::string> seen;
  for (const std::string& json : different) {
    const auto [other, added] = seen.emplace(HashOf(json).content, json);
    EXPECT_TRUE(added) << json << " has the hash of " << other->second;
  }
}

TEST(HashContent, KeepsVolatileMembersApart) {
  struct Row {
    const char* before;
    const char* after;
    bool content;  // differs
    bool stats;    // differs
  };
  const Row rows[] = {
      {R"({"id":1,"popularity":1.5})", R"({"id":1,"popularity":1.6})", false, true},
      {R"({"id":1,"popularity":1.5})", R"({"popularity":1.50,"id":1})", false, false},
      {R"({"id":1,"popularity":1.5})", R"({"id":2,"popularity":1.5})", true, false},
      {R"({"id":1,"popularity":1.5})", R"({"id":2,"popularity":1.6})", true, true},
      {R"({"id":1,"vote_count":1,"vote_average":2})", R"({"id":1,"vote_count":2,"vote_average":1})", false,
       true},
      {R"({"id":1,"vote_count":0})", R"({"id":1})", false, true},
      {R"({"id":1,"vote_count":null})", R"({"id":1})", false, true},
      {R"({"id":1})", R"({"id":1})", false, false},
      // At any depth.
      {R"({"cast":[{"id":1,"popularity":1},{"id":2,"popularity":2}]})",
       R"({"cast":[{"id":1,"popularity":1},{"id":2,"popularity":3}]})", false, true},
      // A vote that moved from one to the other is another state, although the numbers are the same.
      {R"({"cast":[{"id":1,"popularity":1},{"id":2,"popularity":2}]})",
       R"({"cast":[{"id":1,"popularity":2},{"id":2,"popularity":1}]})", false, true},
      {R"({"a":{"vote_count":1},"b":{"vote_count":2}})", R"({"a":{"vote_count":2},"b":{"vote_count":1}})",
       false, true},
      {R"({"a":{"vote_count":1},"b":{"vote_count":2}})", R"({"b":{"vote_count":2},"a":{"vote_count":1}})",
       false, false},
      // Whatever a volatile member holds is volatile; what only holds one is not.
      {R"({"popularity":{"x":1,"vote_count":2}})", R"({"popularity":{"x":2,"vote_count":2}})", false, true},
      {R"({"popularity":{"x":1,"vote_count":2}})", R"({"popularity":{"x":1,"vote_count":3}})", false, true},
      {R"({"popularity":[1,2]})", R"({"popularity":[2,1]})", false, true},
      {R"({"cast":[{"popularity":1}]})", R"({"cast":[{}]})", false, true},
      {R"({"cast":[{"popularity":1}]})", R"({"cast":[]})", true, true},
      // TMDB orders images by votes: their order is volatile, what they are is not.
      {R"({"images":{"posters":[{"file_path":"/a.jpg","vote_count":2},{"file_path":"/b.jpg","vote_count":1}]}})",
       R"({"images":{"posters":[{"file_path":"/b.jpg","vote_count":3},{"file_path":"/a.jpg","vote_count":2}]}})",
       false, true},
      {R"({"backdrops":[{"a":1},{"a":2}]})", R"({"backdrops":[{"a":2},{"a":1}]})", false, true},
      {R"({"logos":[{"a":1},{"a":2}]})", R"({"logos":[{"a":2},{"a":1}]})", false, true},
      {R"({"profiles":[{"a":1},{"a":2}]})", R"({"profiles":[{"a":2},{"a":1}]})", false, true},
      {R"({"stills":[{"a":1},{"a":2}]})", R"({"stills":[{"a":2},{"a":1}]})", false, true},
      {R"({"posters":[{"a":1},{"a":2}]})", R"({"posters":[{"a":1},{"a":3}]})", true, true},
      {R"({"posters":[{"a":1},{"a":1}]})", R"({"posters":[{"a":1}]})", true, true},
      {R"({"posters":[{"a":1}]})", R"({"posters":[{"a":1}]})", false, false},
      {R"({"posters":[{"a":1}],"logos":[]})", R"({"posters":[],"logos":[{"a":1}]})", true, true},
      {R"({"cast":[{"a":1},{"a":2}]})", R"({"cast":[{"a":2},{"a":1}]})", true, false},
      {R"({"poster_sizes":["w92","w154"]})", R"({"poster_sizes":["w154","w92"]})", true, false},
      // A volatile name as a value is not a member.
      {R"({"change_keys":["popularity","vote_count"]})", R"({"change_keys":["vote_count","popularity"]})",
       true, false},
  };
  for (const Row& row : rows) {
    const ContentHash before = HashOf(row.before);
    const ContentHash after = HashOf(row.after);
    EXPECT_EQ(before.content != after.content, row.content) << row.before << " and " << row.after;
    EXPECT_EQ(before.stats != after.stats, row.stats) << row.before << " and " << row.after;
  }
}

// They are in people's catalogs: with other values each record would look changed once.
TEST(HashContent, GivesTheSameValuesForEver) {
  const ContentHash movie = HashOf(
      R"({"adult":false,"budget":63000000,"genres":[{"id":18,"name":"Drama"}],"id":550,"popularity":61.416,"runtime":139,)"
      R"("tagline":"Mischief. Mayhem. Soap.","title":"Fight Club","video":false,"vote_average":8.433,"vote_count":26280,)"
      R"("belongs_to_collection":null,"production_countries":[],"x":-1.5,"y":18446744073709551615})");
  EXPECT_EQ(fmt::format("{:016x} {:016x}", movie.content, movie.stats), "523904678a23644d 69d8a79860ea0b13");
}

TEST(HashContent, RefusesWhatIsNotOneWholeValue) {
  const std::vector<std::string> bad = {"",
                                        " ",
                                        "{",
                                        "}",
                                        "[1,]",
                                        R"({"a":1,})",
                                        R"({"a"})",
                                        R"({a:1})",
                                        "{'a':1}",
                                        "tru",
                                        "nul",
                                        "01",
                                        "1.",
                                        ".5",
                                        "+1",
                                        "0x1",
                                        "NaN",
                                        "Infinity",
                                        "[1] [2]",
                                        "1 2",
                                        "\"a",
                                        "\"a\nb\"",
                                        "\"\\x\"",
                                        "\"\\u12\"",
                                        "\"\xff\"",
                                        "\"\xc0\xaf\"",
                                        "// a\n1",
                                        std::string("1\0", 2),
                                        "\xEF\xBB\xBF",
                                        "\xEF\xBB\xBF\xEF\xBB\xBF{}",
                                        "{}\xEF\xBB\xBF",
                                        "099999999999999999999",
                                        "99999999999999999999.",
                                        "1e999e9",
                                        "[1e999,\"\\ud800]",
                                        "\x1f\x8b\x08"};
  for (const std::string& json : bad) {
    const auto hash = HashContent(json);
    ASSERT_FALSE(hash.has_value()) << json;
    EXPECT_EQ(hash.error().code, ErrorCode::kCorrupt) << json;
  }
}

// RFC 8259 allows all of these, and TMDB is free to send them; docs/decisions/content-hash.md.
TEST(HashContent, TakesWhatOtherReadersRefuse) {
  const auto same = [](const std::string& a, const std::string& b) { return HashOf(a) == HashOf(b); };
  // Half a surrogate pair in an escape counts as U+FFFD.
  EXPECT_TRUE(same(R"({"a":"x\ud800y"})", R"({"a":"x\ufffdy"})"));
  EXPECT_TRUE(
      same(R"({"a":"\uDC00\ud83d\ude00\ud83d"})", "{\"a\":\"\xEF\xBF\xBD\xF0\x9F\x98\x80\xEF\xBF\xBD\"}"));
  EXPECT_TRUE(same(R"({"\ud800\u0041":1})", R"({"\ufffdA":1})"));
  EXPECT_FALSE(
      same(R"({"a":"\\ud800","b":1e999})", R"({"a":"\\ufffd","b":1e999})"));  // no escape of that kind
  // A number beyond 64 bits counts by its text.
  EXPECT_TRUE(same(R"({"id":99999999999999999999})", R"({ "id" : 99999999999999999999 })"));
  EXPECT_FALSE(same(R"({"id":99999999999999999999})", R"({"id":99999999999999999998})"));
  EXPECT_FALSE(same(R"({"id":99999999999999999999})", R"({"id":"99999999999999999999"})"));
  EXPECT_FALSE(same("[1e400]", "[1e401]"));
  EXPECT_FALSE(same("[1e400]", "[-1e400]"));
  EXPECT_FALSE(same("[1e400,1e401]", "[1e401,1e400]"));
  EXPECT_TRUE(same("[1,18446744073709551615,-9223372036854775808,1e400,5]",
                   "[1,18446744073709551615,-9223372036854775808,1e400,5.0]"));
  EXPECT_TRUE(same("[1e-400,1e400]", "[0.0,1e400]"));  // too small is as good as 0, here and there
  // A mark in front is none of the content.
  EXPECT_TRUE(same("\xEF\xBB\xBF{\"a\":1}", R"({"a":1})"));
}

TEST(HashContent, ImagesHaveTheSameValuesForEver) {
  const ContentHash images =
      HashOf(R"({"images":{"posters":[{"file_path":"/a.jpg","vote_count":2},{"file_path":"/b.jpg"}]}})");
  EXPECT_EQ(fmt::format("{:016x} {:016x}", images.content, images.stats), "8520dc414443ff74 5585b1e910a60462");
}

TEST(HashContent, OddNumbersHaveTheSameValuesForEver) {
  const ContentHash odd = HashOf(R"({"id":99999999999999999999,"popularity":1e400})");
  EXPECT_EQ(fmt::format("{:016x} {:016x}", odd.content, odd.stats), "9d40dfc6e8efd5d5 d50ada48bd689c31");
}

TEST(HashContent, RefusesWhatNestsDeeperThanTheLimit) {
  const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  EXPECT_TRUE(HashContent(nested(kMaxJsonDepth)).has_value());
  for (const std::size_t levels : {kMaxJsonDepth + 1, 1024UZ, 1'000'000UZ}) {
    const auto hash = HashContent(nested(levels));
    ASSERT_FALSE(hash.has_value()) << levels;
    EXPECT_EQ(hash.error().code, ErrorCode::kCorrupt);
  }
  EXPECT_TRUE(HashContent(nested(3)).has_value());  // and goes on working after that
}

// --- the hashes, as properties of random documents ---

struct Value {
  enum class Kind { kLeaf, kArray, kObject } kind = Kind::kLeaf;
  std::vector<std::string> spellings;                        // of a leaf: ways to write the same value
  std::vector<std::pair<std::string, Value>> children = {};  // names are empty in an array
};

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {}

  std::size_t Below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }

  Value Leaf() {
    const auto number = static_cast<std::int64_t>(random_());
    const std::int64_t small = 1 + static_cast<std::int64_t>(Below(999));
    switch (Below(6)) {
      case 0:
        return {.spellings = {"null"}};
      case 1:
        return {.spellings = {Below(2) == 0 ? "true" : "false"}};
      case 2:
        return {.spellings = {fmt::format("{}", number)}};
      case 3:
        return {
            .spellings = {fmt::format("{}", small), fmt::format("{}.00", small), fmt::format("{}e0", small)}};
      case 4:
        return {.spellings = {fmt::format("{}.5", small), fmt::format("{}.500", small),
                              fmt::format("{}5e-1", small)}};
      default:
        return {.spellings = {fmt::format(R"("/{}\n")", number), fmt::format(R"("\/{}\u000A")", number)}};
    }
  }

  Value Tree(int depth) {
    if (depth == 0 || Below(4) == 0) return Leaf();
    Value value{.kind = Below(3) == 0 ? Value::Kind::kArray : Value::Kind::kObject, .spellings = {}};
    static constexpr const char* kNames[] = {"id",         "name",          "popularity", "vote_average",
                                             "vote_count", "cast",          "crew",       "watch/providers",
                                             "x\\\"y",     "\\u00e9t\u00e9"};
    for (std::size_t i = Below(6); i > 0; --i) {
      const bool object = value.kind == Value::Kind::kObject;
      value.children.emplace_back(object ? kNames[Below(std::size(kNames))] : "", Tree(depth - 1));
    }
    return value;
  }

  std::string Space() {
    static constexpr const char* kSpaces[] = {"", "", "", " ", "\n", "\r\n\t", "  "};
    return kSpaces[Below(std::size(kSpaces))];
  }

  // The value written in one of the many ways that mean the same.
  std::string Write(Value value) {
    if (value.kind == Value::Kind::kLeaf)
      return Space() + value.spellings[Below(value.spellings.size())] + Space();
    const bool object = value.kind == Value::Kind::kObject;
    if (object) std::shuffle(value.children.begin(), value.children.end(), random_);
    std::string text = object ? "{" : "[";
    bool first = true;
    for (const auto& [name, child] : value.children) {
      if (!std::exchange(first, false)) text += ",";
      if (object) text += Space() + "\"" + name + "\"" + Space() + ":";
      text += Write(child);
    }
    if (first) text += Space();
    return Space() + text + (object ? "}" : "]") + Space();
  }

  // Replaces one random leaf by another one; tells whether it stood below a volatile member. Nothing when
  // there is no leaf.
  std::optional<bool> ChangeOneLeaf(Value& value) {
    std::vector<std::pair<Value*, bool>> leaves;
    Collect(value, false, leaves);
    if (leaves.empty()) return std::nullopt;
    const auto& [leaf, is_volatile] = leaves[Below(leaves.size())];
    const Value old = *leaf;
    do {
      *leaf = Leaf();
    } while (leaf->spellings[0] == old.spellings[0]);
    return is_volatile;
  }

 private:
  static void Collect(Value& value, bool is_volatile, std::vector<std::pair<Value*, bool>>& leaves) {
    if (value.kind == Value::Kind::kLeaf) leaves.emplace_back(&value, is_volatile);
    for (auto& [name, child] : value.children) {
      const bool named = name == "popularity" || name == "vote_average" || name == "vote_count";
      Collect(child, is_volatile || named, leaves);
    }
  }

  std::mt19937_64 random_;
};

TEST(HashContent, IsTheSameHoweverARandomDocumentIsWritten) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    World world(seed);
    const Value value = world.Tree(4);
    const std::string one = world.Write(value);
    const std::string other = world.Write(value);
    ASSERT_EQ(HashOf(one), HashOf(other)) << "seed " << seed << "\n" << one << "\n" << other;
  }
}

TEST(HashContent, ChangesWithAnySingleLeafAndOnlyInThePartThatHoldsIt) {
  int volatile_changes = 0;
  int content_changes = 0;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    World world(seed);
    Value value = world.Tree(4);
    const std::string before = world.Write(value);
    const std::optional<bool> is_volatile = world.ChangeOneLeaf(value);
    if (!is_volatile.has_value()) continue;
    const std::string after = world.Write(value);
    const ContentHash one = HashOf(before);
    const ContentHash other = HashOf(after);
    ASSERT_EQ(one.stats != other.stats, *is_volatile) << "seed " << seed << "\n" << before << "\n" << after;
    ASSERT_EQ(one.content != other.content, !*is_volatile) << "seed " << seed << "\n"
                                                           << before << "\n"
                                                           << after;
    (*is_volatile ? volatile_changes : content_changes) += 1;
  }
  EXPECT_GT(volatile_changes, 500);
  EXPECT_GT(content_changes, 500);
}

// --- one line ---

TEST(OneLine, KeepsTheBytesOfWhatIsOneLineAlready) {
  for (const std::string json : {R"({"a":1})", R"( { "a" :  "b  c" } )", R"("a\nb")", "[1,\t2]"}) {
    EXPECT_EQ(OneLine(json).value(), json);
  }
}

TEST(OneLine, TakesLineBreaksAroundTheValueAwayAndNothingElse) {
  EXPECT_EQ(OneLine("{ \"a\" : 1 }\n").value(), "{ \"a\" : 1 }");
  EXPECT_EQ(OneLine("\r\n  { \"a\" : 1 } \r\n").value(), "{ \"a\" : 1 }");
}

TEST(OneLine, DropsAByteOrderMark) {
  EXPECT_EQ(OneLine("\xEF\xBB\xBF{\"a\":1}").value(), "{\"a\":1}");
  EXPECT_EQ(OneLine("\xEF\xBB\xBF\n{\"a\":1}\n").value(), "{\"a\":1}");
}

TEST(OneLine, RemovesWhiteSpaceBetweenTokensOnlyWhereALineBreakMakesItNecessary) {
  EXPECT_EQ(OneLine("{\n  \"a b\": \"c  d\\n\",\n  \"e\": [ 1, 2 ]\n}").value(),
            R"({"a b":"c  d\n","e":[1,2]})");
  EXPECT_EQ(OneLine("[\r1\r]").value(), "[1]");
}

TEST(OneLine, RefusesALineBreakThatIsWithinAString) {
  for (const char* json : {"\"a\nb\"", "{\"a\":\"\r\"}", "{\n\"a"}) {
    const auto line = OneLine(json);
    ASSERT_FALSE(line.has_value()) << json;
    EXPECT_EQ(line.error().code, ErrorCode::kCorrupt);
  }
}

TEST(OneLine, MeansTheSameForRandomDocuments) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    World world(seed);
    const std::string json = world.Write(world.Tree(4));
    const auto line = OneLine(json);
    ASSERT_TRUE(line.has_value()) << json;
    ASSERT_EQ(line->find_first_of("\r\n"), std::string::npos) << json;
    ASSERT_EQ(HashOf(*line), HashOf(json)) << json;
  }
}

// --- episodes ---

constexpr std::string_view kSeason =
    R"({"_id":"5256c89f19c2956ff6046d47","air_date":"2011-04-17","episodes":[ )"
    R"({"air_date":"2011-04-17","episode_number":1,"id":63056,"name":"Winter Is \"Coming\" ]}","crew":[{"id":63057}]},)"
    R"({"episode_number":185472180051, "id":63057,"guest_stars":[]} , )"
    R"({"episode_number":null,"id":63058},{"id":63059},{"episode_number":5},{"episode_number":6,"id":null},null,7,)"
    R"({"episode_number":5,"id":63060}],"id":3624,"name":"Season 1","season_number":1})";

TEST(EpisodesOf, GivesIdsAndNumbersInTheOrderOfTheBody) {
  const auto episodes = EpisodesOf(kSeason);
  ASSERT_TRUE(episodes.has_value()) << episodes.error().message;
  std::string text;
  for (const EpisodeRef& episode : *episodes) text += fmt::format("{}:{} ", episode.id, episode.number);
  EXPECT_EQ(text, "63056:1 63057:185472180051 63058:-1 63059:-1 63060:5 ");
}

TEST(EpisodesOf, FindsNoneWhereThereIsNoList) {
  for (const char* json :
       {"{}", R"({"episodes":null})", R"({"episodes":{}})", R"({"episodes":[]})", "[]", "1"}) {
    const auto episodes = EpisodesOf(json);
    ASSERT_TRUE(episodes.has_value()) << json;
    EXPECT_TRUE(episodes->empty()) << json;
  }
  EXPECT_EQ(EpisodesOf(R"({"episodes":[)").error().code, ErrorCode::kCorrupt);
}

TEST(EpisodeById, CutsTheEpisodeOutByteForByte) {
  EXPECT_EQ(
      EpisodeById(kSeason, 63056).value(),
      R"({"air_date":"2011-04-17","episode_number":1,"id":63056,"name":"Winter Is \"Coming\" ]}","crew":[{"id":63057}]})");
  EXPECT_EQ(EpisodeById(kSeason, 63057).value(),
            R"({"episode_number":185472180051, "id":63057,"guest_stars":[]})");
  EXPECT_EQ(EpisodeById(kSeason, 63060).value(), R"({"episode_number":5,"id":63060})");
}

TEST(EpisodeByNumber, CutsTheFirstEpisodeOfThatNumberOut) {
  EXPECT_EQ(EpisodeByNumber(kSeason, 185472180051).value(),
            R"({"episode_number":185472180051, "id":63057,"guest_stars":[]})");
  EXPECT_EQ(EpisodeByNumber(kSeason, 5).value(), R"({"episode_number":5})");
}

TEST(EpisodeById, SaysWhenThereIsNoSuchEpisode) {
  for (const std::int64_t id : {0, -1, 1, 3624, 63061}) {
    const auto episode = EpisodeById(kSeason, id);
    ASSERT_FALSE(episode.has_value()) << id;
    EXPECT_EQ(episode.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(episode.error().message, fmt::format("no episode with id {} in this season", id));
  }
  EXPECT_EQ(EpisodeByNumber(kSeason, -1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(EpisodeByNumber("[]", 1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(EpisodeByNumber("{", 1).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace tmdbc
