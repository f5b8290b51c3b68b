// SPDX-License-Identifier: MIT
// ApiRequest: what a client asks of TMDB's v3 API, taken apart: the path behind /3 and the query. Lenient where TMDB
// is: empty pairs, empty values and unknown names mean nothing, of a repeated name the last counts. Pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tmdbc::read_api {

class Query {
 public:
  // "a=1&b=%20x+y", without the question mark. Percent escapes are undone and + is a blank; an escape that is none
  // stays as it is.
  static Query Parse(std::string_view text);

  // Its value; nothing when it is absent or empty.
  std::optional<std::string_view> Get(std::string_view name) const;
  // "true" in any case, else false.
  bool IsTrue(std::string_view name) const;
  // Its parts between commas, without the blanks around them and without empty ones.
  std::vector<std::string_view> List(std::string_view name) const;
  // The same query in one spelling, for caches: ascending names, escaped again. Leaves out what says who asks and in
  // which form (api_key, session_id, callback).
  std::string Canonical() const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

struct ApiRequest {
  std::vector<std::string> path;  // "movie", "550", "credits": decoded, without the 3 in front
  Query query;

  // Nothing when `target` (path and query, as they came) is not below /3.
  static std::optional<ApiRequest> Parse(std::string_view target);
};

}  // namespace tmdbc::read_api
