// SPDX-License-Identifier: MIT
// Folding: names and queries in the one spelling in which they are compared. NFKD, casefolded, marks dropped, letters
// that have no decomposition spelled out (ø o, ł l, æ ae); cut at everything that is neither letter nor digit; a run of
// Han, kana, Hangul or Thai cut into single characters, as these are written without blanks. "Amélie: 劇場版" is
// "amelie 劇 場 版". Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tmdbc::titles {

// Its words with a blank between; empty when it has none. Bytes that are no UTF-8 count as blanks.
std::string Fold(std::string_view text);

// What a query asks of a name: a word of it begins so; or, of a run of characters without blanks, that they stand in the
// name one after the other.
struct Wanted {
  std::vector<std::string> words;  // one: a prefix; several: whole, side by side
  bool operator==(const Wanted&) const = default;
};
struct FoldedQuery {
  std::string text;            // as Fold() gives it
  std::vector<Wanted> wanted;  // all of them; empty: it asks for nothing
};
FoldedQuery FoldQuery(std::string_view text);

}  // namespace tmdbc::titles
