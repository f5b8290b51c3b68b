// SPDX-License-Identifier: MIT
#include "history/record_diff.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <numeric>
#include <random>
#include <variant>
#include <vector>

namespace tmdbc {
namespace {

// --- a JSON value and RFC 6902, made for this test and sharing nothing with what is tested ---

struct Json;
using Members = std::map<std::string, Json>;
using Elements = std::vector<Json>;
struct Json {
  // Scalars are strings: "s" and the text of a string, "n" and the digits of a number, "true", "false",
  // "null".
  std::variant<std::string, Members, Elements> value;
  bool operator==(const Json&) const = default;
};

Json Convert(simdjson::dom::element element) {
  namespace dom = simdjson::dom;
  if (dom::object object; element.get(object) == simdjson::SUCCESS) {
    Members members;
    for (const auto member : object) members[std::string(member.key)] = Convert(member.value);
    return {std::move(members)};
  }
  if (dom::array array; element.get(array) == simdjson::SUCCESS) {
    Elements elements;
    for (const auto item : array) elements.push_back(Convert(item));
    return {std::move(elements)};
  }
  if (std::string_view text; element.get(text) == simdjson::SUCCESS) return {"s" + std::string(text)};
  if (element.is_null()) return {std::string("null")};
  if (bool flag = false; element.get(flag) == simdjson::SUCCESS)
    return {std::string(flag ? "true" : "false")};
  return {"n" + simdjson::to_string(element)};
}

Json Parse(std::string_view text) {
  simdjson::dom::parser parser;
  return Convert(parser.parse(std::string(text)).value());
}

std::vector<std::string> Tokens(std::string pointer) {
  std::vector<std::string> tokens;
  while (!pointer.empty()) {
    if (pointer[0] != '/') throw std::runtime_error("not a pointer: " + pointer);
    const auto end = std::min(pointer.find('/', 1), pointer.size());
    std::string token = pointer.substr(1, end - 1);
    for (auto at = token.find("~1"); at != std::string::npos; at = token.find("~1", at + 1))
      token.replace(at, 2, "/");
    for (auto at = token.find("~0"); at != std::string::npos; at = token.find("~0", at + 1))
      token.replace(at, 2, "~");
    tokens.push_back(token);
    pointer.erase(0, end);
  }
  return tokens;
}

std::size_t Index(const std::string& token, std::size_t limit) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  const bool leading_zero = token.size() > 1 && token[0] == '0';
  if (error != std::errc() || end != token.data() + token.size() || leading_zero || index >= limit)
    throw std::runtime_error("no such index: " + token);
  return index;
}

// The value that holds the pointer's last token.
Json& Parent(Json& root, const std::vector<std::string>& tokens) {
  Json* at = &root;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (auto* members = std::get_if<Members>(&at->value)) {
      at = &members->at(tokens[i]);
    } else {
      auto& elements = std::get<Elements>(at->value);
      at = &elements[Index(tokens[i], elements.size())];
    }
  }
  return *at;
}

Json Remove(Json& root, const std::string& pointer) {
  const auto tokens = Tokens(pointer);
  Json& parent = Parent(root, tokens);
  Json removed;
  if (auto* members = std::get_if<Members>(&parent.value)) {
    removed = members->at(tokens.back());
    members->erase(tokens.back());
  } else {
    auto& elements = std::get<Elements>(parent.value);
    const auto place = elements.begin() + std::ptrdiff_t(Index(tokens.back(), elements.size()));
    removed = *place;
    elements.erase(place);
  }
  return removed;
}

void Add(Json& root, const std::string& pointer, Json value) {
  const auto tokens = Tokens(pointer);
  if (tokens.empty()) {
    root = std::move(value);
    return;
  }
  Json& parent = Parent(root, tokens);
  if (auto* members = std::get_if<Members>(&parent.value)) {
    (*members)[tokens.back()] = std::move(value);
  } else {
    auto& elements = std::get<Elements>(parent.value);
    elements.insert(elements.begin() + std::ptrdiff_t(Index(tokens.back(), elements.size() + 1)),
                    std::move(value));
  }
}

Json Apply(std::string_view patch, Json document) {
  simdjson::dom::parser parser;
  for (const auto edit : parser.parse(std::string(patch)).get_array()) {
    const std::string op(edit["op"].get_string().value());
    const std::string path(edit["path"].get_string().value());
    if (op == "remove") {
      Remove(document, path);
    } else if (op == "add") {
      Add(document, path, Convert(edit["value"].value()));
    } else if (op == "replace") {
      if (!path.empty()) Remove(document, path);
      Add(document, path, Convert(edit["value"].value()));
    } else if (op == "move") {
      Json moved = Remove(document, std::string(edit["from"].get_string().value()));
      Add(document, path, std::move(moved));
    } else {
      throw std::runtime_error("unknown op " + op);
    }
  }
  return document;
}

std::string Patch(std::string_view before, std::string_view after) {
  const auto diff = RecordDiff::Between(before, after);
  return diff ? diff->Patch() : diff.error().message;
}
std::string Text(std::string_view before, std::string_view after) {
  const auto diff = RecordDiff::Between(before, after);
  return diff ? diff->Text() : diff.error().message;
}
std::string Summary(std::string_view before, std::string_view after) {
  const auto diff = RecordDiff::Between(before, after);
  return diff ? diff->Summary() : diff.error().message;
}

// --- what a person reads ---

struct Shown {
  const char* before;
  const char* after;
  const char* text;
  const char* summary;
};

class RecordDiffText : public ::testing::TestWithParam<Shown> {};
TEST_P(RecordDiffText, NamesWhatChangedWithOldAndNewValue) {
  EXPECT_EQ(Text(GetParam().before, GetParam().after), GetParam().text);
  EXPECT_EQ(Summary(GetParam().before, GetParam().after), GetParam().summary);
}
INSTANTIATE_TEST_SUITE_P(
    Table, RecordDiffText,
    ::testing::Values(
        Shown{R"({"id":550,"title":"Fight Club"})", R"({"title":"Fight Club, 1999","id":550})",
              "~ title: \"Fight Club\" -> \"Fight Club, 1999\"\n", "title"},
        Shown{R"({"homepage":"","imdb_id":"tt0137523"})", R"({"imdb_id":"tt0137523","runtime":139})",
              "- homepage: \"\"\n+ runtime: 139\n", "homepage, runtime"},
        Shown{R"({"a":1,"b":[1.0,2e0]})", R"({"b":[1,2],"a":1.0})", "", ""},
        Shown{R"({"budget":null})", R"({"budget":0})", "~ budget: null -> 0\n", "budget"},
        // Members of records that TMDB tells apart by an id.
        Shown{
            R"({"credits":{"cast":[{"credit_id":"a","id":819,"order":0},{"credit_id":"b","id":287,"order":1}]}})",
            R"({"credits":{"cast":[{"credit_id":"b","id":287,"order":0},{"credit_id":"c","id":1283,"order":1}]}})",
            "- credits.cast[credit_id=a]: {\"credit_id\":\"a\",\"id\":819,\"order\":0}\n"
            "+ credits.cast[credit_id=c]: {\"credit_id\":\"c\",\"id\":1283,\"order\":1}\n"
            "~ credits.cast[credit_id=b].order: 1 -> 0\n",
            "credits.cast (+1 -1 ~1)"},
        // One person with two parts: the credit tells them apart, the person does not.
        Shown{
            R"({"crew":[{"id":7,"department":"Writing","job":"Novel"},{"id":7,"department":"Art","job":"X"}]})",
            R"({"crew":[{"id":7,"department":"Writing","job":"Story"},{"id":7,"department":"Art","job":"X"}]})",
            "~ crew[id=7,department=Writing].job: \"Novel\" -> \"Story\"\n", "crew (~1)"},
        Shown{
            R"({"translations":{"translations":[{"iso_639_1":"pt","iso_3166_1":"PT"},{"iso_639_1":"pt","iso_3166_1":"BR","name":""}]}})",
            R"({"translations":{"translations":[{"iso_639_1":"pt","iso_3166_1":"PT"},{"iso_639_1":"pt","iso_3166_1":"BR","name":"Português"}]}})",
            "~ translations.translations[iso_639_1=pt,iso_3166_1=BR].name: \"\" -> \"Português\"\n",
            "translations.translations (~1)"},
        Shown{
            R"({"images":{"posters":[{"file_path":"/a.jpg"},{"file_path":"/b.jpg"},{"file_path":"/c.jpg"}]}})",
            R"({"images":{"posters":[{"file_path":"/c.jpg"},{"file_path":"/a.jpg"},{"file_path":"/b.jpg"}]}})",
            "> images.posters: 1 in another place\n", "images.posters (moved)"},
        // Without anything to tell them apart, what is left between equals is matched in order.
        Shown{R"({"titles":[{"iso_3166_1":"US","title":"A"},{"iso_3166_1":"US","title":"B"}]})",
              R"({"titles":[{"iso_3166_1":"US","title":"A"},{"iso_3166_1":"US","title":"C"}]})",
              "~ titles[1].title: \"B\" -> \"C\"\n", "titles (~1)"},
        Shown{R"({"origin_country":["US","US","GB"]})", R"({"origin_country":["GB","US"]})",
              "- origin_country[1]: \"US\"\n> origin_country: 1 in another place\n", "origin_country (-1)"},
        // The record's own statistics are shown, those of what it holds are counted.
        Shown{R"({"popularity":1.50,"cast":[{"credit_id":"a","popularity":1,"name":"x"}]})",
              R"({"popularity":2,"cast":[{"credit_id":"a","popularity":3,"name":"y"}]})",
              "~ popularity: 1.50 -> 2\n~ cast[credit_id=a].name: \"x\" -> \"y\"\n"
              "  and popularity, vote_average or vote_count of what it holds, in 1 place\n",
              "cast (~1)"},
        Shown{R"({"watch/providers":{"results":{"US":{"link":"a"}}}})",
              R"({"watch/providers":{"results":{"US":{"link":"b"}}}})",
              "~ watch/providers.results.US.link: \"a\" -> \"b\"\n", "watch/providers.results"},
        Shown{R"({"a.b":1})", R"({"a.b":2})", "~ [\"a.b\"]: 1 -> 2\n", "[\"a.b\"]"},
        Shown{R"({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1})", R"({})",
              "- a: 1\n- b: 1\n- c: 1\n- d: 1\n- e: 1\n- f: 1\n- g: 1\n", "a, b, c, d, e, 2 more"},
        Shown{R"({"a":1})", "null", "~ (all of it): {\"a\":1} -> null\n", ""},
        // What came from outside cannot speak to the terminal.
        Shown{R"({"a":"x"})", "{\"a\":\"\\u001b[2Jy\\u009b\"}", "~ a: \"x\" -> \"\\u001b[2Jy\\u009b\"\n",
              "a"}));

TEST(RecordDiff, LongStringsAreShownWhereTheyDiffer) {
  const std::string start(500, 'a'), end(500, 'z');
  const std::string text = Text(fmt::format(R"({{"overview":"{}old{}"}})", start, end),
                                fmt::format(R"({{"overview":"{}new{}"}})", start, end));
  EXPECT_LT(text.size(), 300u) << text;
  EXPECT_NE(text.find("aaaoldzzz"), std::string::npos) << text;
  EXPECT_NE(text.find("aaanewzzz"), std::string::npos) << text;
}

TEST(RecordDiff, LettersAreNotCutInHalf) {
  std::string name;
  for (int i = 0; i < 200; ++i) name += "é";
  const std::string text = Text(R"({"name":""})", fmt::format(R"({{"name":"{}"}})", name));
  EXPECT_TRUE(simdjson::validate_utf8(text)) << text;
}

TEST(RecordDiff, WhatIsNoJsonIsRefused) {
  EXPECT_EQ(RecordDiff::Between("{}", "{").error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(RecordDiff::Between("", "{}").error().code, ErrorCode::kCorrupt);
}

// --- what a program gets ---

TEST(RecordDiffPatch, IsRfc6902) {
  EXPECT_EQ(Patch(R"({"a":1,"b":2})", R"({"a":1.50,"c":[true]})"),
            R"([{"op":"replace","path":"/a","value":1.50},{"op":"remove","path":"/b"},)"
            R"({"op":"add","path":"/c","value":[true]}])");
  EXPECT_EQ(Patch(R"({"a":1})", R"({"a":1})"), "[]");
  EXPECT_EQ(Patch(R"({"a":1})", "null"), R"([{"op":"replace","path":"","value":null}])");
}

TEST(RecordDiffPatch, EscapesPointers) {
  EXPECT_EQ(
      Patch(R"({"watch/providers":1,"a~b":1,"\"q\"":1})", R"({"watch/providers":2,"a~b":2,"\"q\"":2})"),
      R"([{"op":"replace","path":"/watch~1providers","value":2},{"op":"replace","path":"/a~0b","value":2},)"
      R"({"op":"replace","path":"/\"q\"","value":2}])");
}

TEST(RecordDiffPatch, KeepsTheTextOfNumbers) {
  EXPECT_EQ(Patch(R"({"v":1.10})", R"({"v":8.4330000})"),
            R"([{"op":"replace","path":"/v","value":8.4330000}])");
  EXPECT_EQ(Patch(R"({"v":9007199254740993})", R"({"v":9007199254740992})"),
            R"([{"op":"replace","path":"/v","value":9007199254740992}])");
}

TEST(RecordDiffPatch, AMovedElementIsMovedNotSentAgain) {
  EXPECT_EQ(Patch(R"([{"id":1},{"id":2},{"id":3}])", R"([{"id":2},{"id":3},{"id":1}])"),
            R"([{"op":"move","from":"/0","path":"/2"}])");
}

// A body in the shapes of TMDB's, from a seed.
class Bodies {
 public:
  explicit Bodies(unsigned seed) : random_(seed) {}

  std::string Body() {
    return fmt::format(
        R"({{"id":{},"title":{},"overview":{},"popularity":{},"genres":{},"origin_country":{},"credits":{{"cast":{},)"
        R"("crew":{}}},"translations":{{"translations":{}}},"watch/providers":{{"results":{}}},"titles":{},{}"x~y":{}}})",
        Number(), Word(), Word(), Scalar(), List([&] { return Identified("id"); }),
        List([&] { return Word(); }), List([&] { return Identified("credit_id"); }),
        List([&] { return Crew(); }), List([&] { return Translation(); }), Providers(),
        List([&] { return Anything(2); }), Some(2) ? R"("homepage":null,)" : "", Anything(3));
  }

 private:
  bool Some(int one_in) { return std::uniform_int_distribution(1, one_in)(random_) == 1; }
  int Number() { return std::uniform_int_distribution(0, 9)(random_); }
  std::string Word() {
    static constexpr const char* kWords[] = {"\"\"",           "\"US\"", "\"Fight Club\"", "\"a/b~c\"",
                                             "\"\\u00e9\\n\"", "\"é\"",  "\"\\\"\\\\\""};
    return kWords[std::size_t(Number()) % std::size(kWords)];
  }
  std::string Scalar() {
    static constexpr const char* kScalars[] = {"null", "true", "false", "0",    "1",
                                               "1.0",  "1e0",  "-7.25", "0.10", "18446744073709551615"};
    return Some(3) ? Word() : kScalars[std::size_t(Number())];
  }
  template <class Make>
  std::string List(Make make) {
    std::string list = "[";
    const int size = Number() / 2;
    for (int i = 0; i < size; ++i) list += (i > 0 ? "," : "") + make();
    return list + "]";
  }
  std::string Identified(std::string_view key) {
    return fmt::format(R"({{"{}":{},"name":{},"popularity":{}}})", key, Number(), Word(), Scalar());
  }
  std::string Crew() {
    return fmt::format(R"({{"id":{},"department":"{}","jobs":{}}})", Number() % 3,
                       Some(2) ? "Art" : "Writing", List([&] { return Identified("credit_id"); }));
  }
  std::string Translation() {
    return fmt::format(R"({{"iso_639_1":"{}","iso_3166_1":"{}","data":{{"title":{}}}}})",
                       Some(2) ? "pt" : "en", Some(2) ? "BR" : "US", Word());
  }
  std::string Providers() {
    std::string members;
    for (const char* country : {"DE", "GB", "US"}) {
      if (Some(3)) continue;
      members += fmt::format(R"({}"{}":{{"link":{},"flatrate":{}}})", members.empty() ? "" : ",", country,
                             Word(), List([&] { return Identified("provider_id"); }));
    }
    return "{" + members + "}";
  }
  std::string Anything(int depth) {
    if (depth == 0 || Some(3)) return Scalar();
    if (Some(2)) return List([&] { return Anything(depth - 1); });
    std::string members;
    for (const char* name : {"a", "b/c", "d~e"}) {
      if (Some(2)) continue;
      members += fmt::format(R"({}"{}":{})", members.empty() ? "" : ",", name, Anything(depth - 1));
    }
    return "{" + members + "}";
  }

  std::mt19937 random_;
};

// Numbers of the same value count as the same, so they are compared as such: 1, 1.0 and 1e0.
Json Normal(Json json) {
  if (auto* members = std::get_if<Members>(&json.value)) {
    for (auto& [name, value] : *members) value = Normal(std::move(value));
  } else if (auto* elements = std::get_if<Elements>(&json.value)) {
    for (Json& element : *elements) element = Normal(std::move(element));
  } else if (auto& text = std::get<std::string>(json.value); text == "n1.0") {
    text = "n1";
  }
  return json;
}

TEST(RecordDiffPatch, AppliedToTheFirstDocumentGivesTheSecond) {
  for (unsigned seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Bodies bodies(seed);
    const std::string before = bodies.Body(), after = bodies.Body();
    const std::string patch = Patch(before, after);
    Json applied;
    ASSERT_NO_THROW(applied = Apply(patch, Parse(before))) << before << "\n" << after << "\n" << patch;
    ASSERT_EQ(Normal(applied), Normal(Parse(after))) << before << "\n" << after << "\n" << patch;
    ASSERT_EQ(Patch(after, after), "[]");
    ASSERT_EQ(patch == "[]", Normal(Parse(before)) == Normal(Parse(after)));
  }
}

TEST(RecordDiffPatch, ShuffledListsAreMovesAlone) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<int> ids(30);
    std::iota(ids.begin(), ids.end(), 1);
    const auto body = [&] {
      std::string list;
      for (const int id : ids)
        list += fmt::format(R"({}{{"id":{},"name":"person {}"}})", list.empty() ? "" : ",", id, id);
      return fmt::format(R"({{"cast":[{}]}})", list);
    };
    std::ranges::shuffle(ids, random);
    const std::string before = body();
    std::ranges::shuffle(ids, random);
    const std::string after = body();
    const std::string patch = Patch(before, after);
    ASSERT_EQ(patch.find("\"value\""), std::string::npos) << patch;
    ASSERT_EQ(Apply(patch, Parse(before)), Parse(after)) << patch;
  }
}

TEST(RecordDiff, AShowOfManyCreditsIsComparedAtOnce) {
  const auto body = [](int shift) {
    std::string list;
    for (int i = 0; i < 5000; ++i)
      list += fmt::format(R"({}{{"credit_id":"{}","order":{}}})", i == 0 ? "" : ",", (i + shift) % 5000, i);
    return fmt::format(R"({{"cast":[{}]}})", list);
  };
  const std::string before = body(0), after = body(1);
  EXPECT_EQ(Apply(Patch(before, after), Parse(before)), Parse(after));
}

}  // namespace
}  // namespace tmdbc
