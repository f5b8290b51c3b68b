// SPDX-License-Identifier: MIT
// What to say about a word that is not known: which known one was meant, and how to show it without giving
// away a secret.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tmdbc {

// ASCII letters in lower case.
std::string Lower(std::string_view text);

// How many letters must be changed, added or dropped to make one of the other.
int EditDistance(std::string_view a, std::string_view b);

// ", did you mean X?" for the candidate that is closest to `word`; empty when none is close.
std::string DidYouMean(std::string_view word, std::span<const std::string> candidates);

// `text` with everything that looks like a key (32 hex digits, a token eyJ...) replaced by ***.
std::string MaskKeys(std::string_view text);

// A value that somebody gave, fit for one line of a message: keys and what follows a '?' or precedes an '@'
// hidden, made printable (safe_text.h), cut to 100 bytes.
std::string ShowValue(std::string_view text);

// `text` as one word of a shell's command line: as it is when it holds nothing that a shell would take for
// itself, else in single quotes.
std::string ShellQuote(std::string_view text);

}  // namespace tmdbc
