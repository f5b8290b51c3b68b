// SPDX-License-Identifier: MIT
// RecordCard: what a person looks for first in a record of TMDB's: its title, when it is of, what it is about, who is
// in it. Text alone: images are TMDB's and are not asked for. What a body lacks, or has in another shape, is left out.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>


namespace tmdbc::dashboard {

struct RecordCard {
  static constexpr std::size_t kPeople = 12;
  static constexpr std::size_t kMaxText = 4000;  // bytes of one text

  std::string title, original_title;  // the latter only when it differs
  std::string date;                   // "1999-10-15"
  std::string text;                   // overview, biography or description
  std::vector<std::string> genres;
  struct Credit {
    std::string name, role;  // of a person: a title, and the character in it
  };
  std::vector<Credit> people;                              // the first kPeople
  std::vector<std::pair<std::string, std::string>> facts;  // "runtime", "139 min"
};

// Of a body that is not a JSON object an empty card.
RecordCard CardOf(std::string_view data);
// Its title alone.
std::string TitleOf(std::string_view data);

// An object.
std::string CardJson(const RecordCard& card);

}  // namespace tmdbc::dashboard
