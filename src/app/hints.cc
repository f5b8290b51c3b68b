// SPDX-License-Identifier: MIT
#include "app/hints.h"

#include <cerrno>
#include <cstring>
#include <utility>

namespace tmdbc {

std::string WordsOf(Hint hint) {
  switch (hint) {
    case Hint::kNone:
      return "";
    case Hint::kVerify:
      return "run `verify`";
    case Hint::kRebuild:
      return "run `verify --rebuild`";
    case Hint::kRefetch:
      return "`verify --deep` names its records, `harvest --ids` fetches them again";
    case Hint::kSkipDamaged:
      return "`changes --skip-damaged` reads on behind it; `verify --deep` names its records, and "
             "`harvest --ids` fetches them again";
    case Hint::kOldStore:
      return "it was written by an earlier version of this program: name another folder with DATA_DIR and start "
             "again there, or run `verify --rebuild --upgrade`";
    case Hint::kNewStore:
      return "it was written by a later version of this program: use that one";
    case Hint::kNeedKey:
      return "get a key at https://www.themoviedb.org/settings/api and put TMDB_API_KEY=... in .env or the "
             "environment (./dev run needs none: it uses the simulated TMDB)";
    case Hint::kCheckKey:
      return "check TMDB_API_KEY; `verify --key` tries it";
    case Hint::kCheckApiUrl:
      return "check TMDB_API_BASE_URL";
    case Hint::kCheckExportUrl:
      return "check TMDB_EXPORT_BASE_URL";
    case Hint::kAcceptExport:
      return "--accept-export takes it";
    case Hint::kAcceptGap:
      return "--accept-gap goes past it";
    case Hint::kAcceptDeletions:
      return "--accept-deletions lets them go";
    case Hint::kAcceptPurge:
      return "--accept-deletions lets them go";
    case Hint::kExportFirst:
      return "run `harvest --mode=auto` first, or name the first day with --since=2026-11-22";
    case Hint::kExportOnly:
      return "use --mode=export";
    case Hint::kClock:
      return "set this machine's clock; until then nothing is deleted by age and no watermark moves by it";
    case Hint::kFreeSpace:
      return "free some space, or raise the quota";
    case Hint::kLocalDisk:
      return "put DATA_DIR on a disk of this machine";
    case Hint::kPermission:
      return "run this as the user that owns DATA_DIR, or give this one the right to it";
    case Hint::kReadOnly:
      return "mount it for writing, or name another folder with DATA_DIR";
    case Hint::kProxy:
      return "check http_proxy, https_proxy and no_proxy (docs/configuration.md)";
    case Hint::kCertificate:
      return "where the certificate is your own or a proxy's, name its authority with SSL_CERT_FILE or SSL_CERT_DIR";
  }
  return "";
}

std::string Explain(std::string message, Hint hint) {
  if (hint == Hint::kFreeSpace && message.contains(std::strerror(EFBIG))) {
    message += ": a file may be no larger here: raise `ulimit -f` in the shell or LimitFSIZE in its unit, or name a "
               "disk that takes larger files with DATA_DIR";
  } else if (hint != Hint::kNone) {
    message += ": " + WordsOf(hint);
  } else if (message.contains(std::strerror(EMFILE)) || message.contains(std::strerror(ENFILE))) {
    // Any call may meet it, ours and those of SQLite, DuckDB and libcurl, and what helps is always the same.
    message += ": let it hold more open, with `ulimit -n 1024` in the shell or LimitNOFILE=1024 in its unit";
  }
  return message;
}

std::string Explain(const Error& error) {
  return Explain(error.message, error.hint);
}

}  // namespace tmdbc
