// SPDX-License-Identifier: MIT
// IndexFile: the entries of one media type as one immutable file, made to be used where it lies, mapped into memory:
// columns, names, the words of the names in order with the names that have each, the values of attributes and the
// common beginnings of words with the titles that have each. docs/title-index.md has the bytes. A change is a newer file beside it (shelf.h).
//
// "Place" is where a title stands among those of its file, by ascending id; a name has a place among all names of the
// file, those of one title side by side.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/files.h"
#include "base/mapped_file.h"
#include "base/result.h"
#include "titles/entry.h"

namespace tmdbc::titles {

// Entries by ascending id, each id once.
using EachEntry = std::function<Result<void>(const std::function<Result<void>(const Entry&)>& visit)>;

// The bytes of the file of these, piece by piece. Takes about their size of memory while it works.
Result<void> WriteIndex(MediaType type, const EachEntry& entries, const std::function<Result<void>(std::string_view)>& out);

// Reads a file where it lies. Everything that it gives is a view of it. Any thread.
class IndexFile {
 public:
  // Of bytes in memory, which it keeps; of a file, which it maps. kCorrupt when the bytes are not those of such a file
  // of that type, be it of another version, cut off or damaged: all of it is checked, once. kNotFound: no such file.
  static Result<std::shared_ptr<const IndexFile>> FromBytes(MediaType type, std::string bytes);
  static Result<std::shared_ptr<const IndexFile>> Map(MediaType type, const std::string& path);
  IndexFile(const IndexFile&) = delete;
  IndexFile& operator=(const IndexFile&) = delete;

  // The mapped file was cut off meanwhile, or the disk does not give it back: parts of it read as zeros (MappedFile).
  // Nothing is read outside of it all the same, but what it says is not to be believed.
  bool lost() const { return mapped_ && mapped_->lost(); }

  std::size_t size() const { return fixed_.size(); }
  std::size_t bytes() const { return all_.size(); }
  std::span<const FixedPart> fixed() const { return fixed_; }
  // Where the id stands, or size().
  std::size_t Find(std::uint32_t id) const;
  std::string_view Tail(std::size_t place) const { return Piece(tails_, tail_offsets_, place); }
  // All of an entry.
  Result<Entry> Read(std::size_t place) const;

  // The places [first, last) of the title's names.
  std::pair<std::uint32_t, std::uint32_t> NamesOf(std::size_t place) const;
  std::size_t names() const { return name_titles_.size(); }
  std::string_view Name(std::size_t name) const { return Piece(names_, name_offsets_, name); }
  NameKind KindOf(std::size_t name) const { return NameKind(name_tags_[name] >> 16); }
  std::uint16_t LanguageOf(std::size_t name) const { return std::uint16_t(name_tags_[name]); }
  std::uint32_t TitleOf(std::size_t name) const { return name_titles_[name]; }

  std::size_t words() const { return word_offsets_.empty() ? 0 : word_offsets_.size() - 1; }
  std::string_view Word(std::size_t word) const { return Piece(words_, word_offsets_, word); }
  // The words [first, last) that begin so.
  std::pair<std::size_t, std::size_t> WordsFrom(std::string_view prefix) const;
  // The first word not below `text`, of those from `from` on.
  std::size_t WordAtOrAfter(std::string_view text, std::size_t from = 0) const;
  // The names of the words [first, last): ascending within each word.
  std::span<const std::uint32_t> NamesWith(std::size_t first, std::size_t last) const;

  // The titles with a name that has a word that begins so, in bits, the first the lowest; only of a beginning that is so
  // common that a list of them would be longer. Else empty.
  std::span<const std::uint64_t> TitlesFrom(std::string_view prefix) const;

  // The titles that have it, ascending.
  std::span<const std::uint32_t> TitlesWith(Attribute attribute) const;
  // Calls `visit(attribute, titles)` for every attribute of [first, last) that some title has, ascending.
  template <class Visit>
  void EachAttribute(Attribute first, Attribute last, const Visit& visit) const {
    for (std::size_t i = AttributeAtOrAfter(first); i < attributes_.size() && attributes_[i] < last; ++i)
      visit(attributes_[i], TitlesAt(i));
  }

 private:
  IndexFile() = default;
  Result<void> Check(MediaType type, const std::string& path);
  std::size_t AttributeAtOrAfter(Attribute attribute) const;
  std::span<const std::uint32_t> TitlesAt(std::size_t i) const;
  std::size_t prefixes() const { return prefix_offsets_.empty() ? 0 : prefix_offsets_.size() - 1; }
  std::size_t BitWords() const { return (size() + 63) / 64; }
  template <class Offset>
  static std::string_view Piece(std::string_view blob, std::span<const Offset> offsets, std::size_t i) {
    const auto [begin, length] = Range(offsets[i], offsets[i + 1], blob.size());
    return blob.substr(begin, length);
  }
  // Where begins and how long is what lies from `begin` to `end` of so many: nothing where that contradicts itself, as it
  // may in a lost file.
  static std::pair<std::size_t, std::size_t> Range(std::size_t begin, std::size_t end, std::size_t size) {
    return begin <= end && end <= size ? std::pair(begin, end - begin) : std::pair(std::size_t{0}, std::size_t{0});
  }

  std::string owned_;            // of FromBytes()
  std::optional<MappedFile> mapped_;  // of Map()
  std::string_view all_;
  std::span<const FixedPart> fixed_;
  std::span<const std::uint64_t> tail_offsets_;
  std::string_view tails_;
  std::span<const std::uint32_t> name_offsets_;
  std::string_view names_;
  std::span<const std::uint32_t> name_titles_, name_tags_;
  std::span<const std::uint32_t> word_offsets_;
  std::string_view words_;
  std::span<const std::uint32_t> posting_offsets_, postings_;
  std::span<const Attribute> attributes_;
  std::span<const std::uint32_t> attribute_offsets_, attribute_titles_;
  std::span<const std::uint32_t> prefix_offsets_;
  std::string_view prefixes_;
  std::span<const std::uint64_t> prefix_titles_;
};

}  // namespace tmdbc::titles
