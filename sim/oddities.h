// SPDX-License-Identifier: MIT
// Oddities: what is lastingly strange about the answers of some ids, until a test takes it away again. A fault strikes
// one request and the next try may be fine; an oddity is there however often one asks. Each was seen at TMDB, at a
// service like it, or in front of one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "world.h"

namespace tmdbc::sim {

enum class Oddity : std::uint8_t {
  kEmptySeasons,      // "seasons":[], and no season comes along, though they are there
  kNullSeasonNumber,  // the first entry of seasons[] has "season_number":null
  kLoneSurrogate,     // half a surrogate pair, escaped, in the name
  kHugeInteger,       // a member that 64 bits do not hold
  kHugeReal,          // a member of 1e400
  kByteOrderMark,     // EF BB BF in front of the body
  kDeep,              // a member of 900 arrays, one in the other
  kHeavy504,          // with more than heavy_above() seasons appended: 504 code 24,
  kHeavy500,          // 500 code 11,
  kHeavyLarge,        // or 90 MB
};
inline constexpr int kOddities = 10;
// "empty-seasons", "heavy-504"...
std::string_view NameOf(Oddity oddity);
std::optional<Oddity> OddityOf(std::string_view name);

class Oddities {
 public:
  // `id` empty: every id of the kind.
  void Set(Oddity oddity, Kind kind, std::optional<std::int64_t> id, bool on);
  bool Has(Oddity oddity, Kind kind, std::int64_t id) const;
  // Raised by every Set(): while it stays, bodies stay.
  std::uint64_t edition() const { return edition_; }

  int heavy_above() const { return heavy_above_; }
  void SetHeavyAbove(int seasons) { heavy_above_ = seasons; }

  // The body of /3/{kind}/{id}, without what is appended, as strange as it has to be. The byte order mark is not
  // part of the body: the answer has it in front.
  std::string Applied(Kind kind, std::int64_t id, std::string body) const;

 private:
  std::map<std::pair<Oddity, Kind>, std::set<std::int64_t>> of_;  // 0: every id
  std::uint64_t edition_ = 0;
  int heavy_above_ = 4;
};

}  // namespace tmdbc::sim
