// SPDX-License-Identifier: MIT
// DetailFetch: the requests that one id takes, and what their answers mean. Knows TMDB's manners; does no I/O. The plan
// is a pure function (detail_plan.h); DetailFetch carries it through: the collector starts what TakeCalls() gives,
// hands each answer to Accept(), and when done() takes the documents. One thread.
//
// Sources: docs/tmdb-facts.md (absent seasons dropped in silence, appended seasons without id),
// docs/decisions/seasons.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "tmdb/detail_plan.h"
#include "tmdb/document.h"
#include "tmdb/media_id.h"

namespace tmdbc {

class ParsedJson;

// A show that lists more seasons is not believed: 500 further calls. (The most that is known of is a few
// hundred.)
inline constexpr std::size_t kMaxSeasons = 10'000;

class DetailFetch {
 public:
  // An id that PlanCalls() has no call for is done() at once, without documents.
  // A show whose seasons take `extras` has them within its seasons' documents.
  DetailFetch(MediaId id, std::span<const std::int64_t> known_seasons, const Namespaces& namespaces,
              SeasonExtras extras = {});

  MediaId id() const { return id_; }

  // Calls not handed out yet: first the plan's, later what the first answer showed to be missing. Each has an
  // index of its own, by which its answer comes back; a call that has to be tried again is simply started
  // again by the caller.
  struct NumberedCall {
    int index;
    Call call;
  };
  std::vector<NumberedCall> TakeCalls();

  // The decoded 200 body of a call; the answers of several calls may come in any order. kCorrupt when it
  // cannot be believed: not whole JSON, not an object, another id than asked for, an error body; the call is
  // then still open and may be tried again.
  Result<void> Accept(int index, std::string body, std::optional<std::string> etag, Time fetched_at);

  // A call that fails while others are answered, or whose answer is too large: from now on it is asked for in two
  // parts (SplitCall), which TakeCalls() hands out; their answers make up the same documents, member for member.
  // False when it is in its smallest part already, or not open.
  bool Split(int index);
  // A call that cannot be split and is for one season alone: the fetch goes on without it, and the season is among
  // absent_seasons(). False for any other call.
  bool Forgo(int index);
  // The same for one namespace alone: it is in Document::lacking.
  bool ForgoNamespace(int index);

  // Whether TMDB takes nested names (SeasonExtras::nested), as the answers showed; empty while nobody asked. What they
  // did not bring is asked for season by season, so a wrong `nested` costs requests and nothing else.
  std::optional<bool> nested_names() const { return nested_names_; }

  // True when every call was answered and nothing more is missing.
  bool done() const;
  // The show first, then its seasons in ascending order; for other types the one document. Once, after
  // done(). `data` is what TMDB sent, on one line: of a show without its season/N members; of a season that
  // member's value as it came, which has no `id` of its own (the id is in the show's seasons[], and in
  // Document::id).
  std::vector<Document> TakeDocuments();
  // Of a show, once its first call was answered: the seasons that its body lists, ascending. Their absence
  // afterwards means deletion. A body without a seasons[] array says nothing of them: then the known ones and
  // those that came. Empty for other types.
  const std::vector<std::int64_t>& listed_seasons() const { return season_list_.numbers; }
  // The same with what the deletion policy needs to know. `given` is false for other types.
  const SeasonList& season_list() const { return season_list_; }
  // Of these, after done(): the ones that did not come although they were asked for again. They cannot be
  // had; they are not deleted.
  std::vector<std::int64_t> absent_seasons() const;

 private:
  enum class CallState : std::uint8_t {
    kWaiting,
    kOut,
    kClosed
  };  // closed: answered, split, or done without
  // What is asked in turn; each begins when all calls of the one before are closed.
  enum class Stage : std::uint8_t { kPlan, kMissing, kExtras, kSeasonBySeason };
  enum class Kind : std::uint8_t {
    kShow,
    kNested,
    kSeason,
    kLanguage
  };  // what the answer is; of other types kShow
  struct OpenCall {
    Call call;
    Kind kind = Kind::kShow;
    CallState state = CallState::kWaiting;
  };
  struct Season {
    std::string data;
    ContentHash hash;
    std::vector<EpisodeRef> episodes;
    std::optional<std::int64_t> own_id;
    Time fetched_at{};
    std::map<std::string, std::string> extras = {};  // name: the bytes of its value
  };

  OpenCall* Out(int index);
  bool AllClosed() const;
  Result<void> ReadSeasonList(const ParsedJson& show);
  // Takes the season/N members of `body` and returns the rest of it.
  std::string TakeSeasons(const std::string& body, const ParsedJson& show, Time fetched_at);
  // Takes the namespaces that `call` was split off for.
  void TakeNamespaces(const Call& call, std::string_view body, const ParsedJson& parsed);
  Result<void> AcceptExtras(const OpenCall& open, std::string_view body, const ParsedJson& parsed);
  void Plan(Kind kind, std::vector<Call> calls);
  void PlanNext();
  void PlanMissingSeasons();
  void PlanExtras();
  void PlanSeasonBySeason();
  // Puts the namespaces that came apart behind the members of the base.
  void Join(Document& document) const;

  MediaId id_;
  std::vector<std::int64_t> known_seasons_;
  std::vector<OpenCall> calls_;             // an index is a place here
  int base_call_ = 0;                       // whose own body is the document's
  std::size_t most_seasons_ = kMaxAppends;  // in one call: less once one was too heavy
  Stage stage_ = Stage::kPlan;
  SeasonExtras extras_;
  std::optional<bool> nested_names_;

  std::optional<Document> document_;          // of the base call
  std::map<std::string, std::string> apart_;  // namespaces that came in other calls: name, member
  std::map<std::int64_t, Season> seasons_;    // that came, by number
  std::set<std::int64_t> forgone_;            // seasons that are not asked for again
  std::vector<std::string> lacking_;          // namespaces that are not
  SeasonList season_list_;
  std::map<std::int64_t, std::optional<std::int64_t>> season_ids_;  // of seasons[]: number -> id
};

}  // namespace tmdbc
