// SPDX-License-Identifier: MIT
// Any bytes as the answer of a show: either refused, or apart into documents whose hashes, lines and episodes agree
// with each other; and read with the second pass, for odd numbers and halves of surrogate pairs, they say what they say
// without it. Seeds are written by hand in TMDB's shape: {"id":1,"seasons":[...],"season/0":{...}}.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/json.h"
#include "tmdb/detail_fetch.h"
#include "tmdb/parsed_body.h"

using namespace tmdbc;

namespace {

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

void CheckDocument(const Document& document) {
  Require(document.data.find_first_of("\r\n") == std::string::npos, "a document is one line");
  const auto hash = HashContent(document.data);
  Require(hash.has_value(), "a document is JSON");
  Require(*hash == document.hash, "a document has the hash of its bytes");
  if (document.id.type != MediaType::kSeason) return;
  const auto episodes = EpisodesOf(document.data);
  Require(episodes.has_value(), "a season can be read");
  Require(episodes->size() == document.episodes.size(), "a season has the episodes of its bytes");
  if (episodes->size() > 64) return;  // each look-up parses the season again
  for (const EpisodeRef& episode : *episodes) {
    const auto by_id = EpisodeById(document.data, episode.id);
    Require(by_id.has_value() && HashContent(*by_id).has_value(), "an episode can be cut out");
  }
}

// What stands beside an odd number and half a surrogate pair, which take a second pass, is what it is alone.
void CheckSecondPass(const std::string& body, const Result<ContentHash>& hash) {
  if (body.starts_with(kByteOrderMark)) return;
  const auto beside = ParsedJson::ParseString(R"(["\ud800",1e999,)" + body + R"(,-1e999,"\udfff"])");
  if (!hash) return;
  if (!beside) return Require(!ParsedJson::ParseString("[" + body + "]"), "only depth makes the difference");
  const auto value = beside->root().at(2);
  Require(value.error() == simdjson::SUCCESS && HashParsed(value.value_unsafe()) == *hash,
          "the passes agree");
  Require(
      IsOddNumber(beside->root().at(1).value_unsafe()) && IsOddNumber(beside->root().at(3).value_unsafe()),
      "the numbers around it are odd");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  (void)RawMembers(body);  // any bytes: must stay within them
  const auto hash = HashContent(body);
  CheckSecondPass(body, hash);

  DetailFetch list({MediaType::kConfiguration, 1}, {}, DefaultNamespaces());
  if (list.Accept(list.TakeCalls().at(0).index, body, std::nullopt, Time{})) {
    Require(hash.has_value(), "only JSON is accepted");
    const std::vector<Document> documents = list.TakeDocuments();
    Require(documents.size() == 1 && documents[0].hash == *hash, "a list is one document");
    CheckDocument(documents[0]);
  }

  DetailFetch show({MediaType::kTv, 1}, {}, DefaultNamespaces());
  if (!show.Accept(show.TakeCalls().at(0).index, body, std::nullopt, Time{})) return 0;
  for (int round = 0; !show.done(); ++round) {
    Require(round < 2, "missing seasons are asked for once");
    for (const auto& open : show.TakeCalls()) {
      Require(open.call.appends.size() <= kMaxAppends, "20 appends a call");
      Require(show.Accept(open.index, body, std::nullopt, Time{}).has_value(),
              "the same body is accepted again");
    }
  }
  const std::vector<Document> documents = show.TakeDocuments();
  Require(!documents.empty() && documents[0].id.type == MediaType::kTv, "the show comes first");
  for (const Document& document : documents) CheckDocument(document);
  return 0;
}
