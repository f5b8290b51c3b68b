// SPDX-License-Identifier: MIT
// Documents from recorded bodies of TMDB (src/testing/corpus.h).
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "testing/corpus.h"
#include "tmdb/detail_fetch.h"
#include "base/json.h"

namespace tmdbc {
namespace {

namespace fs = std::filesystem;

constexpr Time kNow{std::chrono::sys_days{std::chrono::November / 22 / 2026}};

struct Body {
  std::string file;
  std::string text;
};

// The recorded bodies of one folder of the corpus, sorted by name.
std::vector<Body> Bodies(const std::string& folder) {
  std::vector<Body> bodies;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(testing::CorpusFolder() / folder, error)) {
    std::ifstream in(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    bodies.push_back({entry.path().filename().string(), text.str()});
  }
  std::sort(bodies.begin(), bodies.end(), [](const Body& a, const Body& b) { return a.file < b.file; });
  return bodies;
}

std::optional<std::int64_t> IntegerIn(std::string_view json, std::string_view name) {
  const auto parsed = ParsedJson::Parse(json);
  std::int64_t number = 0;
  if (!parsed || parsed->root()[name].get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

// What a record must hold of `piece` of an answer: its bytes, or without white space when the answer had line
// breaks.
std::string Expected(std::string piece, std::string_view answer) {
  if (answer.find_first_of("\r\n") == std::string_view::npos) return piece;
  std::string minified(piece.size(), '\0');
  std::size_t size = 0;
  EXPECT_EQ(simdjson::minify(piece.data(), piece.size(), minified.data(), size), simdjson::SUCCESS);
  minified.resize(size);
  return minified;
}

class Corpus : public ::testing::Test {
 protected:
  void SetUp() override { TMDBC_NEEDS_CORPUS("movie"); }
};

TEST_F(Corpus, EveryDetailBodyBecomesADocumentWithItsBytes) {
  const std::pair<const char*, MediaType> folders[] = {
      {"movie", MediaType::kMovie},           {"person", MediaType::kPerson},
      {"collection", MediaType::kCollection}, {"company", MediaType::kCompany},
      {"network", MediaType::kNetwork},       {"keyword", MediaType::kKeyword}};
  for (const auto& [folder, type] : folders) {
    for (const Body& body : Bodies(folder)) {
      const std::optional<std::int64_t> id = IntegerIn(body.text, "id");
      if (!id.has_value()) continue;  // a page of results
      DetailFetch fetch({type, *id}, {}, DefaultNamespaces());
      const auto accepted = fetch.Accept(fetch.TakeCalls().at(0).index, body.text, std::nullopt, kNow);
      ASSERT_TRUE(accepted.has_value()) << body.file << ": " << accepted.error().message;
      ASSERT_TRUE(fetch.done());
      const std::vector<Document> documents = fetch.TakeDocuments();
      ASSERT_EQ(documents.size(), 1U);
      EXPECT_EQ(documents[0].data, Expected(body.text, body.text)) << body.file;
      EXPECT_EQ(documents[0].hash, HashContent(body.text).value()) << body.file;

      DetailFetch other({type, *id + 1}, {}, DefaultNamespaces());
      EXPECT_FALSE(other.Accept(other.TakeCalls().at(0).index, body.text, std::nullopt, kNow).has_value())
          << body.file;
    }
  }
}

TEST_F(Corpus, EveryConfigurationListIsTaken) {
  for (const Body& body : Bodies("config")) {
    DetailFetch fetch({MediaType::kConfiguration, 1}, {}, DefaultNamespaces());
    const auto accepted = fetch.Accept(fetch.TakeCalls().at(0).index, body.text, std::nullopt, kNow);
    ASSERT_TRUE(accepted.has_value()) << body.file << ": " << accepted.error().message;
    EXPECT_EQ(fetch.TakeDocuments().at(0).data, Expected(body.text, body.text)) << body.file;
  }
}

TEST_F(Corpus, NoErrorBodyIsTakenForARecord) {
  for (const Body& body : Bodies("error")) {
    for (const MediaId id : {MediaId{MediaType::kMovie, 550}, MediaId{MediaType::kTv, 1399}}) {
      DetailFetch fetch(id, {}, DefaultNamespaces());
      const auto accepted = fetch.Accept(fetch.TakeCalls().at(0).index, body.text, std::nullopt, kNow);
      ASSERT_FALSE(accepted.has_value()) << body.file;
      EXPECT_EQ(accepted.error().code, ErrorCode::kCorrupt) << body.file;
    }
  }
}

// Each recorded show with each recorded season of it appended as TMDB appends them: without their id.
TEST_F(Corpus, SeasonsAppendedToAShowComeApartWithTheirBytes) {
  int pairs = 0;
  const std::vector<Body> seasons = Bodies("tv_season");
  for (const Body& show : Bodies("tv")) {
    const std::int64_t tv_id = IntegerIn(show.text, "id").value();
    for (const Body& season : seasons) {
      if (!season.file.starts_with(std::to_string(tv_id) + "_s1_")) continue;
      ++pairs;
      const std::vector<RawMember> members = RawMembers(season.text);
      std::vector<bool> is_id;
      for (const RawMember& raw : members) {
        is_id.push_back(std::string_view(season.text).substr(raw.begin).starts_with("\"id\""));
      }
      const std::string appended = WithoutMembers(season.text, members, is_id);
      ASSERT_FALSE(IntegerIn(appended, "id").has_value()) << season.file;

      std::string answer = show.text;
      answer.insert(answer.find_last_of('}'), ",\"season/1\":" + appended);
      DetailFetch fetch({MediaType::kTv, tv_id}, {}, DefaultNamespaces());
      const auto accepted = fetch.Accept(fetch.TakeCalls().at(0).index, answer, "W/\"1\"", kNow);
      ASSERT_TRUE(accepted.has_value()) << show.file << ": " << accepted.error().message;
      // The other listed seasons were not in the answer: asked for in one more call, which brings none of
      // them either.
      const auto more = fetch.TakeCalls();
      ASSERT_EQ(more.size(), 1U) << show.file;
      ASSERT_TRUE(fetch.Accept(more[0].index, show.text, std::nullopt, kNow).has_value());
      ASSERT_TRUE(fetch.done());
      EXPECT_EQ(fetch.absent_seasons().size() + 1, fetch.listed_seasons().size());

      const std::vector<Document> documents = fetch.TakeDocuments();
      ASSERT_EQ(documents.size(), 2U);
      EXPECT_EQ(documents[0].data, Expected(show.text, answer)) << show.file << " + " << season.file;
      EXPECT_EQ(documents[0].hash, HashContent(show.text).value()) << show.file << " + " << season.file;
      EXPECT_EQ(documents[1].data, Expected(appended, answer)) << show.file << " + " << season.file;
      EXPECT_EQ(documents[1].hash, HashContent(appended).value()) << show.file << " + " << season.file;
      EXPECT_EQ(documents[1].id.id, IntegerIn(season.text, "id").value()) << season.file;
      EXPECT_EQ(documents[1].episodes.size(), EpisodesOf(season.text).value().size()) << season.file;
    }
  }
  EXPECT_TRUE(seasons.empty() || pairs > 20) << pairs;
}

TEST_F(Corpus, EveryEpisodeIsFoundInItsSeason) {
  for (const Body& season : Bodies("tv_season")) {
    const auto episodes = EpisodesOf(season.text);
    ASSERT_TRUE(episodes.has_value()) << season.file;
    EXPECT_FALSE(episodes->empty()) << season.file;
    for (const EpisodeRef& ref : *episodes) {
      const auto by_id = EpisodeById(season.text, ref.id);
      ASSERT_TRUE(by_id.has_value()) << season.file << ": " << by_id.error().message;
      EXPECT_EQ(IntegerIn(*by_id, "id"), ref.id);
      EXPECT_EQ(IntegerIn(*by_id, "episode_number"), ref.number);
      EXPECT_NE(season.text.find(*by_id), std::string::npos) << season.file;
      EXPECT_EQ(EpisodeByNumber(season.text, ref.number).value(), *by_id) << season.file;
    }
  }
}

// TMDB's order of members varies from answer to answer.
TEST_F(Corpus, ABodyWithItsMembersTurnedAroundHasTheSameHash) {
  for (const char* folder : {"movie", "tv", "tv_season", "person", "collection"}) {
    for (const Body& body : Bodies(folder)) {
      std::string turned;
      for (const RawMember& raw : RawMembers(body.text)) {
        const std::string member = body.text.substr(raw.begin, raw.end - raw.begin);
        turned = turned.empty() ? member : member + "," + turned;
      }
      EXPECT_EQ(HashContent("{" + turned + "}").value(), HashContent(body.text).value()) << body.file;
    }
  }
}

}  // namespace
}  // namespace tmdbc
