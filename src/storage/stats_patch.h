// SPDX-License-Identifier: MIT
// Stats patches: what a refresh says that moved nothing but numbers and the order of images, as an RFC 6902 patch
// against the body that began the version. Tens to hundreds of bytes instead of the body once more.
//
//   [{"op":"replace","path":"/popularity","value":61.5},{"op":"move","from":"/images/posters/2","path":"/images/posters/0"}]
//
// Any RFC 6902 program can apply one: it has `replace` and `move` only, all `replace` before the first `move`, a `move`
// stays within its list, and no path leads to a member whose name its object has twice. Values have TMDB's own bytes,
// so a number is never read or printed. A name stands in a path (RFC 6901) as it is spelled in the body: ~ is ~0, / and
// its escapes are ~1, every other escape is kept.
//
// What applying gives is fixed to the byte: a replaced value's bytes stand in the place of the old ones; moved elements
// change places, the bytes between them do not; everything else is the base's. So the writer and every reader of ours
// see one text. Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tmdbc {

// The patch that makes `base` say what `body` says, both JSON texts. Empty when there is none that `replace` of
// volatile members (popularity, vote_average, vote_count) and `move` within the lists of an `images` object can
// express, when it would be longer than half of `body`, or when applying it gives neither the bytes of `body` nor the
// same content hashes: then the whole body is to be kept.
std::optional<std::string> MakeStatsPatch(std::string_view base, std::string_view body);

// `base` with the patch applied. kCorrupt when the patch is not in the form above, or does not fit `base`.
Result<std::string> ApplyStatsPatch(std::string_view base, std::string_view patch);

}  // namespace tmdbc
