// SPDX-License-Identifier: MIT
#include "storage/stats_patch.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "storage/json_tape.h"
#include "tmdb/document.h"

namespace tmdbc {
namespace {

// Long enough that a patch is below half of it.
const std::string kOverview(400, 'x');

std::string Film(std::string_view popularity, std::string_view votes, std::string_view more = "") {
  return fmt::format(R"({{"adult":false,"id":550,"overview":"{}","popularity":{},"vote_count":{}{}}})",
                     kOverview, popularity, votes, more);
}

// The patch; "-" when there is none. What it makes of the base is checked.
std::string Patch(const std::string& base, const std::string& body) {
  const auto patch = MakeStatsPatch(base, body);
  if (!patch) return "-";
  const auto applied = ApplyStatsPatch(base, *patch);
  EXPECT_TRUE(applied) << applied.error().message;
  if (applied && *applied != body) {
    EXPECT_EQ(HashContent(*applied).value(), HashContent(body).value()) << *applied;
  }
  return *patch;
}

std::string Images(std::initializer_list<const char*> posters, std::string_view votes = "5") {
  std::string list;
  for (const char* poster : posters) {
    list +=
        fmt::format(R"({}{{"file_path":"/{}.jpg","vote_count":{}}})", list.empty() ? "" : ",", poster, votes);
  }
  return fmt::format(R"(,"images":{{"posters":[{}]}})", list);
}

TEST(StatsPatch, ReplacesWhatMovedWithTheBytesThatCame) {
  EXPECT_EQ(Patch(Film("1", "2"), Film("1", "2")), "[]");
  EXPECT_EQ(Patch(Film("61.4", "26280"), Film("61.50", "26280")),
            R"([{"op":"replace","path":"/popularity","value":61.50}])");
  EXPECT_EQ(Patch(Film("61.4", "26280"), Film("1e400", "123456789012345678901234567890")),
            R"([{"op":"replace","path":"/popularity","value":1e400},)"
            R"({"op":"replace","path":"/vote_count","value":123456789012345678901234567890}])");
  EXPECT_EQ(
      Patch(Film("61.4", "null"), Film("null", "[1, {}]")),
      R"([{"op":"replace","path":"/popularity","value":null},{"op":"replace","path":"/vote_count","value":[1, {}]}])");
  EXPECT_EQ(
      Patch(Film("1", "2", R"(,"credits":{"cast":[{"id":1,"popularity":1},{"id":2,"popularity":2.0}]})"),
            Film("1", "2", R"(,"credits":{"cast":[{"id":1,"popularity":1},{"id":2,"popularity":2}]})")),
      R"([{"op":"replace","path":"/credits/cast/1/popularity","value":2}])");
}

TEST(StatsPatch, SpellsPathsAsRfc6901Has) {
  const auto body = [](std::string_view name, int votes) {
    return Film("1", "2", fmt::format(R"(,"{}":{{"vote_count":{}}})", name, votes));
  };
  for (const auto& [name, token] : {std::pair{"a/b~c", "a~1b~0c"},
                                    {R"(a\/b)", "a~1b"},
                                    {R"(\u002fx\u007e\u002F)", "~1x~0~1"},
                                    {R"(q\"\\)", R"(q\"\\)"},
                                    {R"(\ud83d)", R"(\ud83d)"},
                                    {"", ""},
                                    {"~1", "~01"},
                                    {"\xc3\xa9", "\xc3\xa9"},
                                    {"0", "0"}}) {
    EXPECT_EQ(Patch(body(name, 3), body(name, 4)),
              fmt::format(R"([{{"op":"replace","path":"/{}/vote_count","value":4}}])", token));
  }
}

TEST(StatsPatch, MovesImagesAndAsFewAsCanBe) {
  EXPECT_EQ(Patch(Film("1", "2", Images({"a", "b", "c", "d"})), Film("1", "2", Images({"b", "c", "d", "a"}))),
            R"([{"op":"move","from":"/images/posters/0","path":"/images/posters/3"}])");
  EXPECT_EQ(Patch(Film("1", "2", Images({"a", "b", "c", "d"})), Film("1", "2", Images({"d", "a", "b", "c"}))),
            R"([{"op":"move","from":"/images/posters/3","path":"/images/posters/0"}])");
  // Votes and order at once: first the votes, where the images were.
  EXPECT_EQ(Patch(Film("1", "2", Images({"a", "b"}, "5")), Film("1", "2", Images({"b", "a"}, "6"))),
            R"([{"op":"replace","path":"/images/posters/1/vote_count","value":6},)"
            R"({"op":"replace","path":"/images/posters/0/vote_count","value":6},)"
            R"({"op":"move","from":"/images/posters/1","path":"/images/posters/0"}])");
}

TEST(StatsPatch, IsNotMadeOfWhatIsMoreThanNumbers) {
  const std::string base = Film("1", "2", R"(,"cast":[{"id":1},{"id":2}],"title":"x")");
  for (const char* more :
       {R"(,"cast":[{"id":2},{"id":1}],"title":"x")", R"(,"cast":[{"id":1}],"title":"x")",
        R"(,"cast":[{"id":1},{"id":2}],"title":"y")", R"(,"cast":[{"id":1},{"id":2}],"title":null)",
        R"(,"cast":[{"id":1},{"id":2}],"name":"x")", R"(,"cast":[{"id":1},{"id":2}])"}) {
    EXPECT_EQ(Patch(base, Film("1", "3", more)), "-") << more;
  }
  EXPECT_EQ(Patch(Film("1", "2"), Film("1", "2", R"(,"vote_average":1)")), "-");  // would need `add`
  EXPECT_EQ(Patch(Film("1", "2", Images({"a", "b"})), Film("1", "2", Images({"a", "c"}))), "-");
  EXPECT_EQ(Patch(Film("1", "2"), "{"), "-");
  EXPECT_EQ(Patch("[", Film("1", "2")), "-");
  // A name that its object has twice is not a path.
  const std::string twice = R"(,"a":{"vote_count":1},"a":{"vote_count":2})";
  EXPECT_EQ(Patch(Film("1", "2", twice), Film("1", "2", R"(,"a":{"vote_count":1},"a":{"vote_count":3})")),
            "-");
  EXPECT_NE(Patch(Film("1", "2", twice), Film("1", "3", twice)), "-");
}

TEST(StatsPatch, IsNotMadeWhenItIsLongerThanHalfOfTheBody) {
  EXPECT_EQ(Patch(R"({"id":1,"popularity":1,"vote_count":2})", R"({"id":1,"popularity":2,"vote_count":3})"),
            "-");
}

TEST(StatsPatch, KeepsTheOrderOfMembersThatTheVersionBeganWith) {
  const std::string base = R"({"id":1,"o":")" + kOverview + R"(","popularity":1,"x":[ 1 , 2 ]})";
  const std::string body = R"({"popularity": 2, "x":[1,2], "o":")" + kOverview + R"(","id":1})";
  const auto patch = Patch(base, body);
  EXPECT_EQ(ApplyStatsPatch(base, patch).value(),
            R"({"id":1,"o":")" + kOverview + R"(","popularity":2,"x":[ 1 , 2 ]})");
}

TEST(StatsPatch, LeavesTheBytesBetweenMovedElementsWhereTheyAre) {
  EXPECT_EQ(ApplyStatsPatch(R"({"images":{"logos":[ 1,2 , {"n":3}]}})",
                            R"([{"op":"replace","path":"/images/logos/2/n","value":"4"},)"
                            R"({"op":"move","from":"/images/logos/2","path":"/images/logos/0"}])")
                .value(),
            R"({"images":{"logos":[ {"n":"4"},1 , 2]}})");
}

TEST(StatsPatch, RefusesWhatDoesNotFit) {
  const std::string base = R"({"a":1,"b":[1,2,[3,4]],"c":{"d":1},"a~1":2})";
  for (const char* bad :
       {"",
        "{}",
        "[1]",
        "[{}]",
        R"([{"op":"add","path":"/x","value":1}])",
        R"([{"op":"remove","path":"/a"}])",
        R"([{"op":"replace","path":"","value":1}])",
        R"([{"op":"replace","path":"a","value":1}])",
        R"([{"op":"replace","path":"/x","value":1}])",
        R"([{"op":"replace","path":"/b/3","value":1}])",
        R"([{"op":"replace","path":"/b/00","value":1}])",
        R"([{"op":"replace","path":"/b/-","value":1}])",
        R"([{"op":"replace","path":"/a/b","value":1}])",
        R"([{"path":"/a","op":"replace","value":1}])",
        R"([{"op":"replace","path":"/a","value":1,"x":1}])",
        R"([{"op":"replace","path":"/a","value":1},{"op":"replace","path":"/a","value":2}])",
        R"([{"op":"replace","path":"/c/d","value":1},{"op":"replace","path":"/c","value":2}])",
        R"([{"op":"move","from":"/b/0","path":"/b/3"}])",
        R"([{"op":"move","from":"/b/0","path":"/c/0"}])",
        R"([{"op":"move","from":"/c/d","path":"/c/e"}])",
        R"([{"op":"move","from":"/b/0","path":"/b/1"},{"op":"replace","path":"/a","value":1}])",
        R"([{"op":"move","from":"/b/0","path":"/b/1"},{"op":"move","from":"/b/2/0","path":"/b/2/1"}])",
        R"([{"op":"replace","path":"/b","value":[1]},{"op":"move","from":"/b/0","path":"/b/1"}])"}) {
    const auto applied = ApplyStatsPatch(base, bad);
    ASSERT_FALSE(applied) << bad << " gives " << *applied;
    EXPECT_EQ(applied.error().code, ErrorCode::kCorrupt);
  }
  EXPECT_FALSE(ApplyStatsPatch("{", "[]"));
  EXPECT_EQ(ApplyStatsPatch(base, R"([{"op":"replace","path":"/a~01","value":3}])").value(),
            R"({"a":1,"b":[1,2,[3,4]],"c":{"d":1},"a~1":3})");
}

// --- random documents ---

struct Maker {
  std::mt19937_64 random;

  std::size_t Below(std::size_t count) { return random() % count; }
  std::string Number() {
    static constexpr const char* kOdd[] = {
        "0", "-0", "0.0", "1e400", "-1E-400", "98765432109876543210987", "1.50", "null"};
    return Below(3) == 0 ? kOdd[Below(std::size(kOdd))] : fmt::format("{}.{}", Below(100), Below(1000));
  }
  std::string Name() {
    static constexpr const char* kNames[] = {"a",         "b/c",       "~",        "~1",     R"(\/)",
                                             R"(\ud800)", R"(\u002f)", "\xc3\xa9", "images", "x y"};
    return kNames[Below(std::size(kNames))];
  }
  // A document, and the same after a refresh: numbers moved, image lists in another order, members too.
  std::pair<std::string, std::string> Value(int depth, bool images) {
    const std::size_t kind = depth == 0 ? Below(2) : Below(5);
    if (kind == 0) return Twice(Number());
    if (kind == 1) return Twice(fmt::format(R"("{}{}")", R"(s\"\\\ud83d)", Below(1000)));
    const std::size_t count = Below(5);
    std::vector<std::pair<std::string, std::string>> parts;
    if (kind == 2) {
      for (std::size_t i = 0; i < count; ++i) parts.push_back(Value(depth - 1, false));
      return Join(parts, "[]", false);
    }
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name =
          fmt::format(R"("{}")", Below(4) == 0 ? fmt::format("{}{}", Name(), i) : fmt::format("m{}", i));
      auto [one, other] = images ? ImageList() : Value(depth - 1, false);
      parts.emplace_back(name + ":" + one, name + ":" + other);
    }
    for (const char* name : {"popularity", "vote_count", "vote_average"}) {
      if (Below(2) == 0) continue;
      const std::string key = fmt::format(R"("{}":)", name);
      parts.emplace_back(key + Number(), key + Number());
    }
    if (depth > 1 && Below(3) != 0) {
      auto [one, other] = Value(1, true);
      parts.emplace_back(R"("images":)" + one, R"("images":)" + other);
    }
    return Join(parts, "{}", true);
  }
  std::pair<std::string, std::string> ImageList() {
    std::vector<std::string> one, other;
    for (std::size_t i = 0, count = Below(7); i < count; ++i) {
      const std::string path = fmt::format(R"("file_path":"/{}.jpg")", Below(20));
      const std::string width = fmt::format(R"("width":{})", i);
      if (std::ranges::any_of(
              one, [&](const std::string& image) { return image.find(path) != std::string::npos; }))
        continue;
      one.push_back(fmt::format(R"({{{},{},"vote_count":{}}})", path, width, Number()));
      other.push_back(fmt::format(R"({{{},{},"vote_count":{}}})", path, width, Number()));
    }
    std::ranges::shuffle(other, random);
    return {fmt::format("[{}]", fmt::join(one, ",")), fmt::format("[{}]", fmt::join(other, ","))};
  }
  static std::pair<std::string, std::string> Twice(const std::string& text) { return {text, text}; }
  std::pair<std::string, std::string> Join(std::vector<std::pair<std::string, std::string>>& parts,
                                           const char* brackets, bool shuffle) {
    std::vector<std::string> one, other;
    for (auto& [before, after] : parts) {
      one.push_back(before);
      other.push_back(after);
    }
    if (shuffle && Below(4) == 0) std::ranges::shuffle(other, random);
    return {fmt::format("{}{}{}", brackets[0], fmt::join(one, Below(3) == 0 ? " , " : ","), brackets[1]),
            fmt::format("{}{}{}", brackets[0], fmt::join(other, ","), brackets[1])};
  }
};

// That a patch says the same is what MakeStatsPatch() itself makes sure of; here by another way: every value, looked up
// by its path in both documents. (Hashing refuses what no double holds, so the check must not rest on it.)
bool SameMeaning(const JsonTape& one, std::uint32_t a, const JsonTape& other, std::uint32_t b) {
  if (one.at(a).kind != other.at(b).kind || one.at(a).children != other.at(b).children) return false;
  if (one.at(a).kind == JsonTape::Kind::kScalar) return one.Raw(a) == other.Raw(b);
  auto left = one.Children(a), right = other.Children(b);
  if (one.at(a).kind == JsonTape::Kind::kObject) {
    std::ranges::sort(left, {}, [&](std::uint32_t node) { return one.Name(node); });
    std::ranges::sort(right, {}, [&](std::uint32_t node) { return other.Name(node); });
  }
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (one.Name(left[i]) != other.Name(right[i]) || !SameMeaning(one, left[i], other, right[i]))
      return false;
  }
  return true;
}

TEST(StatsPatch, MakesOfRandomDocumentsWhatTheRefreshBrought) {
  int patched = 0, moved = 0;
  for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
    Maker maker{std::mt19937_64(seed)};
    auto [base, body] = maker.Value(4, false);
    const std::string pad = fmt::format(R"({{"o":"{}","v":)", std::string(4000, 'o'));
    base = pad + base + "}";
    body = pad + body + "}";
    const auto patch = MakeStatsPatch(base, body);
    if (!patch) continue;
    ++patched;
    moved += patch->find("move") != std::string::npos;
    const auto applied = ApplyStatsPatch(base, *patch);
    ASSERT_TRUE(applied) << applied.error().message;
    ASSERT_TRUE(SameMeaning(*JsonTape::Parse(*applied), 0, *JsonTape::Parse(body), 0)) << base << "\n"
                                                                                       << *patch << "\n"
                                                                                       << *applied << "\n"
                                                                                       << body;
  }
  EXPECT_GT(patched, 1500);
  EXPECT_GT(moved, 30);
}

TEST(JsonTape, FindsItsWayOrRefuses) {
  for (const char* good :
       {"1", " [ ] ", "{}", R"({"a":[1,"]",{"b":"\\"}],"c":null})", "[[[]]]", "1e400", R"("\ud800")"}) {
    const auto tape = JsonTape::Parse(good);
    ASSERT_TRUE(tape) << good;
  }
  for (const char* bad : {"", " ", "[", "]", "[1,]", "[,1]", "{1:2}", R"({"a"})", R"({"a":})", R"({"a":1,})",
                          "1 2", "[1}", R"("a)", R"("a\")", R"(["a"1])", "[1 2]", "{\"a\":1 \"b\":2}"}) {
    EXPECT_FALSE(JsonTape::Parse(bad)) << bad;
  }
  EXPECT_TRUE(JsonTape::Parse(std::string(1000, '[') + std::string(1000, ']')));
  EXPECT_FALSE(JsonTape::Parse(std::string(1001, '[') + std::string(1001, ']')));
}

}  // namespace
}  // namespace tmdbc
