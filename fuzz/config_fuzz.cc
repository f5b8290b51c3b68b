// SPDX-License-Identifier: MIT
// Whatever stands in a .env or tmdb-collector.toml: one sentence or settings within their bounds, and no word
// of it in an error that could be a key.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "settings/env_file.h"
#include "settings/settings.h"
#include "settings/toml_file.h"

namespace {

constexpr std::string_view kCanary = "c4na7yc4na7y";

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void CheckError(const tmdbc::Error& error) {
  Require(error.code == tmdbc::ErrorCode::kInvalid, "an error is the user's");
  Require(error.message.find(kCanary) == std::string::npos, "an error shows the key");
}

void CheckSettings(const tmdbc::Settings& settings) {
  Require(settings.rate_limit_requests >= 0.1 && settings.rate_limit_requests <= 1000, "rate");
  Require(settings.collector_concurrency >= 1 && settings.collector_concurrency <= 1000, "concurrency");
  Require(settings.collection_interval.count() >= 1 && settings.collection_interval.count() <= 525'600,
          "interval");
  Require(!settings.media_types.empty() && !settings.data_dir.empty(), "types and folder");
  for (const tmdbc::GivenSetting& given : settings.given)
    Require(given.text.find(kCanary) == std::string::npos, "a list shows the key");
}

}  // namespace

// The first byte chooses the grammar. The canary may only be a key: anywhere else it may be shown, so such
// input is passed over.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto given =
      data[0] % 2 == 0 ? tmdbc::ParseEnvFile(text, ".env") : tmdbc::ParseTomlSettings(text, "c.toml");
  if (!given) {
    // A name may be shown, and what stands around a mistake in a file without a key.
    const bool names = given.error().message.find(" is not a s") != std::string::npos;
    const bool has_key = data[0] % 2 == 0 || text.find("tmdb_api_key") != std::string_view::npos;
    if (has_key && !names) CheckError(given.error());
    return 0;
  }
  for (const tmdbc::GivenSetting& value : *given) {
    if (value.name != "TMDB_API_KEY" && (value.name + value.text).find(kCanary) != std::string::npos)
      return 0;
  }
  const auto settings = tmdbc::ResolveSettings(*given);
  settings ? CheckSettings(*settings) : CheckError(settings.error());
  return 0;
}
