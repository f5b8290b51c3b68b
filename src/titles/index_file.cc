// SPDX-License-Identifier: MIT
#include "titles/index_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <iterator>
#include <numeric>
#include <utility>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace tmdbc::titles {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is little-endian and used where it lies");

constexpr std::array<char, 8> kMagic = {'T', 'M', 'D', 'B', 'C', 't', 'i', 'x'};
constexpr std::uint32_t kVersion = 3;
// Of so many titles one in a list takes 32 bits, and all of them in bits one each.
constexpr std::size_t kListedInBits = 32;

enum Section : std::size_t {
  kFixed,
  kTailOffsets,
  kTails,
  kNameOffsets,
  kNames,
  kNameTitles,
  kNameTags,
  kWordOffsets,
  kWords,
  kPostingOffsets,
  kPostings,
  kAttributes,
  kAttributeOffsets,
  kAttributeTitles,
  kPrefixOffsets,
  kPrefixes,
  kPrefixTitles,
  kSections,
};

struct Header {
  std::array<char, 8> magic = kMagic;
  std::uint32_t version = kVersion;
  std::uint32_t type = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t content_hash = 0;  // of what is behind the header
  struct Range {
    std::uint64_t offset = 0, bytes = 0;
  };
  std::array<Range, kSections> sections;
  std::uint64_t header_hash = 0;  // of what is before this
};

std::uint64_t HashOf(const Header& header) {
  return XXH3_64bits(&header, offsetof(Header, header_hash));
}

constexpr std::uint64_t kAlignment = 8;
std::uint64_t Aligned(std::uint64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

template <class T>
std::string_view BytesOf(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// Calls `visit` with each of the words with a blank between.
template <class Visit>
void EachWord(std::string_view text, const Visit& visit) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    visit(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

std::uint64_t HashOf(std::string_view word) {
  return XXH3_64bits(word.data(), word.size());
}
std::uint64_t HashOf(Attribute attribute) {
  return XXH3_64bits(&attribute, sizeof attribute);
}

// Sets of places, each with a key, from a walk over the keys of each place by ascending place.
template <class Key>
class Sets {
 public:
  // Of the place after the last.
  template <class AnyKey>
  void Add(const AnyKey& key) {
    const std::uint32_t number = NumberOf(key);
    ++counts_[number];
    walk_.push_back(number);
  }
  void EndPlace() { ends_.push_back(walk_.size()); }

  // After the walk: gives the keys their order and fills the sets.
  Result<void> Arrange() {
    if (walk_.size() > UINT32_MAX) {
      return Fail(ErrorCode::kInternal, "the title index has more than 2^32 occurrences of words");
    }
    slots_ = {};
    std::vector<std::uint32_t> order(numbered_.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, {}, [&](std::uint32_t number) -> const Key& { return numbered_[number]; });
    keys.reserve(order.size());
    offsets.reserve(order.size() + 1);
    std::uint32_t offset = 0;
    for (const std::uint32_t number : order) {
      keys.push_back(std::move(numbered_[number]));
      offsets.push_back(offset);
      offset += std::exchange(counts_[number], offset);  // from now on where its next place goes
    }
    offsets.push_back(offset);
    numbered_ = {};
    places.resize(offset);
    for (std::size_t at = 0, place = 0; place < ends_.size(); ++place) {
      for (; at < ends_[place]; ++at) places[counts_[walk_[at]]++] = std::uint32_t(place);
    }
    counts_ = {};
    walk_ = {};
    ends_ = {};
    return {};
  }

  std::vector<Key> keys;
  std::vector<std::uint32_t> offsets, places;

 private:
  // Open addressing: a look-up is one miss of the cache where a node of std::unordered_map is three, and building an
  // index is mostly this.
  struct Slot {
    std::uint32_t hash = 0;    // its upper half
    std::uint32_t number = 0;  // of the key, from 1; 0: free
  };

  template <class AnyKey>
  std::uint32_t NumberOf(const AnyKey& key) {
    if ((numbered_.size() + 1) * 3 > slots_.size() * 2) Grow();
    const std::uint64_t hash = HashOf(key);
    for (std::size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
      Slot& slot = slots_[at];
      if (slot.number == 0) {
        numbered_.emplace_back(key);
        counts_.push_back(0);
        slot = {std::uint32_t(hash >> 32), std::uint32_t(numbered_.size())};
      } else if (slot.hash != std::uint32_t(hash >> 32) || numbered_[slot.number - 1] != key) {
        continue;
      }
      return slot.number - 1;
    }
  }
  void Grow() {
    slots_.assign(std::max<std::size_t>(slots_.size() * 2, 64), {});
    for (std::size_t i = 0; i < numbered_.size(); ++i) {
      const std::uint64_t hash = HashOf(numbered_[i]);
      std::size_t at = hash & (slots_.size() - 1);
      while (slots_[at].number != 0) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = {std::uint32_t(hash >> 32), std::uint32_t(i + 1)};
    }
  }

  std::vector<Slot> slots_;
  std::vector<Key> numbered_;            // in the order in which they came
  std::vector<std::uint32_t> counts_;    // by number
  std::vector<std::uint32_t> walk_;      // numbers
  std::vector<std::size_t> ends_;        // of each place in walk_
};

class IndexBuilder {
 public:
  Result<void> Take(const Entry& entry) {
    FixedPart fixed = entry.fixed;
    fixed.first_name = std::uint32_t(name_tags_.size());
    fixed_.push_back(fixed);
    for (const TitleName& name : entry.names) {
      name_offsets_.push_back(std::uint32_t(names_.size()));
      names_ += name.text;
      name_titles_.push_back(std::uint32_t(fixed_.size() - 1));
      name_tags_.push_back(std::uint32_t(name.kind) << 16 | name.language);
      EachDistinct(name.text, [&](std::string_view word) { words_.Add(word); });
      words_.EndPlace();
    }
    if (names_.size() > UINT32_MAX) return Fail(ErrorCode::kInternal, "the title index has more than 4 GiB of names");
    for (const Attribute one : entry.attributes) attributes_.Add(one);
    attributes_.EndPlace();
    tail_offsets_.push_back(tails_.size());
    PackTail(entry, tails_);
    return {};
  }
  Result<void> Arrange() {
    TRY(words_.Arrange());
    TRY(attributes_.Arrange());
    CollectPrefixes(0, words_.keys.size(), 0);
    return {};
  }

  Result<void> Write(MediaType type, const std::function<Result<void>(std::string_view)>& out) {
    tail_offsets_.push_back(tails_.size());
    name_offsets_.push_back(std::uint32_t(names_.size()));
    std::string words;
    std::vector<std::uint32_t> word_offsets;
    for (const std::string& word : words_.keys) {
      word_offsets.push_back(std::uint32_t(words.size()));
      words += word;
    }
    word_offsets.push_back(std::uint32_t(words.size()));
    prefix_offsets_.push_back(std::uint32_t(prefixes_.size()));
    const std::array<std::string_view, kSections> sections = {BytesOf(fixed_),
                                                              BytesOf(tail_offsets_),
                                                              tails_,
                                                              BytesOf(name_offsets_),
                                                              names_,
                                                              BytesOf(name_titles_),
                                                              BytesOf(name_tags_),
                                                              BytesOf(word_offsets),
                                                              words,
                                                              BytesOf(words_.offsets),
                                                              BytesOf(words_.places),
                                                              BytesOf(attributes_.keys),
                                                              BytesOf(attributes_.offsets),
                                                              BytesOf(attributes_.places),
                                                              BytesOf(prefix_offsets_),
                                                              prefixes_,
                                                              BytesOf(prefix_titles_)};
    Header header;
    header.type = std::uint32_t(type);
    header.file_bytes = Aligned(sizeof header);
    XXH3_state_t hash;
    XXH3_64bits_reset(&hash);
    constexpr std::array<char, kAlignment> kZeros{};
    for (std::size_t i = 0; i < kSections; ++i) {
      header.sections[i] = {header.file_bytes, sections[i].size()};
      XXH3_64bits_update(&hash, sections[i].data(), sections[i].size());
      XXH3_64bits_update(&hash, kZeros.data(), Aligned(sections[i].size()) - sections[i].size());
      header.file_bytes += Aligned(sections[i].size());
    }
    header.content_hash = XXH3_64bits_digest(&hash);
    header.header_hash = HashOf(header);
    static_assert(sizeof header % kAlignment == 0);
    TRY(out({reinterpret_cast<const char*>(&header), sizeof header}));
    for (const std::string_view section : sections) {
      TRY(out(section));
      TRY(out({kZeros.data(), Aligned(section.size()) - section.size()}));
    }
    return {};
  }

 private:
  // A name that has a word twice has it once.
  template <class Visit>
  void EachDistinct(std::string_view text, const Visit& visit) {
    seen_.clear();
    EachWord(text, [&](std::string_view word) {
      if (std::ranges::find(seen_, word) != seen_.end()) return;
      seen_.push_back(word);
      visit(word);
    });
  }

  // The common beginnings among the words [first, last), which all begin with the same `length` bytes.
  void CollectPrefixes(std::size_t first, std::size_t last, std::size_t length) {
    const auto& keys = words_.keys;
    while (first < last) {
      const std::size_t longer = NextCharacter(keys[first], length);
      std::size_t end = first + 1;
      while (end < last && keys[end].compare(length, longer - length, keys[first], length, longer - length) == 0) ++end;
      if (longer > length && TakePrefix(first, end, longer)) CollectPrefixes(first, end, longer);
      first = end;
    }
  }
  static std::size_t NextCharacter(std::string_view word, std::size_t at) {
    if (at >= word.size()) return at;
    do ++at;
    while (at < word.size() && (static_cast<unsigned char>(word[at]) & 0xC0) == 0x80);
    return at;
  }
  // Whether so many titles have it that their bits take no more room than a list of them.
  bool TakePrefix(std::size_t first, std::size_t last, std::size_t length) {
    const std::size_t names = words_.offsets[last] - words_.offsets[first];
    if (names * kListedInBits < fixed_.size()) return false;
    const std::size_t begin = prefix_titles_.size();
    prefix_titles_.resize(begin + (fixed_.size() + 63) / 64);
    const std::span<std::uint64_t> bits = std::span(prefix_titles_).subspan(begin);
    for (std::size_t i = words_.offsets[first]; i < words_.offsets[last]; ++i) {
      const std::uint32_t title = name_titles_[words_.places[i]];
      bits[title / 64] |= std::uint64_t{1} << title % 64;
    }
    std::size_t titles = 0;
    for (const std::uint64_t word : bits) titles += std::size_t(std::popcount(word));
    if (titles * kListedInBits < fixed_.size()) {
      prefix_titles_.resize(begin);
      return false;
    }
    prefix_offsets_.push_back(std::uint32_t(prefixes_.size()));
    prefixes_.append(words_.keys[first], 0, length);
    return true;
  }

  std::vector<FixedPart> fixed_;
  std::vector<std::uint64_t> tail_offsets_;
  std::string tails_;
  std::vector<std::uint32_t> name_offsets_;
  std::string names_;
  std::vector<std::uint32_t> name_titles_, name_tags_;
  Sets<std::string> words_;
  Sets<Attribute> attributes_;
  std::vector<std::string_view> seen_;
  std::vector<std::uint32_t> prefix_offsets_;
  std::string prefixes_;
  std::vector<std::uint64_t> prefix_titles_;
};

// The offsets say where pieces of `bytes` bytes (or values) begin and end.
template <class Offset>
bool AreOffsets(std::span<const Offset> offsets, std::size_t pieces, std::size_t bytes) {
  return offsets.size() == pieces + 1 && offsets.front() == 0 && offsets.back() == bytes &&
         std::ranges::is_sorted(offsets);
}

}  // namespace

Result<void> WriteIndex(MediaType type, const EachEntry& entries, const std::function<Result<void>(std::string_view)>& out) {
  IndexBuilder builder;
  TRY(entries([&](const Entry& entry) { return builder.Take(entry); }));
  TRY(builder.Arrange());
  return builder.Write(type, out);
}

Result<std::shared_ptr<const IndexFile>> IndexFile::FromBytes(MediaType type, std::string bytes) {
  std::shared_ptr<IndexFile> file(new IndexFile);
  file->owned_ = std::move(bytes);
  file->all_ = file->owned_;
  TRY(file->Check(type, "an index in memory"));
  return file;
}

Result<std::shared_ptr<const IndexFile>> IndexFile::Map(MediaType type, const std::string& path) {
  TRY_ASSIGN(MappedFile mapped, MappedFile::Open(path));
  std::shared_ptr<IndexFile> file(new IndexFile);
  file->mapped_.emplace(std::move(mapped));
  file->all_ = file->mapped_->bytes();
  TRY(file->Check(type, path));
  return file;
}

Result<void> IndexFile::Check(MediaType type, const std::string& path) {
  Header header;
  if (all_.size() < sizeof header) return Fail(ErrorCode::kCorrupt, "{} is cut off", path);
  std::memcpy(&header, all_.data(), sizeof header);
  if (header.magic != kMagic || header.version != kVersion || header.header_hash != HashOf(header)) {
    return Fail(ErrorCode::kCorrupt, "{} is not a file of this title index", path);
  }
  if (header.type != std::uint32_t(type)) return Fail(ErrorCode::kCorrupt, "{} is of another media type", path);
  const std::string_view content = all_.substr(sizeof header);
  if (header.file_bytes != all_.size() || header.content_hash != XXH3_64bits(content.data(), content.size())) {
    return Fail(ErrorCode::kCorrupt, "{} is damaged", path);
  }
  bool fits = true;
  const auto take = [&]<class T>(Section section, std::span<const T>& values) {
    const auto [offset, bytes] = header.sections[section];
    if (offset % alignof(T) != 0 || offset > all_.size() || bytes > all_.size() - offset || bytes % sizeof(T) != 0) {
      fits = false;
      return;
    }
    values = {reinterpret_cast<const T*>(all_.data() + offset), bytes / sizeof(T)};
  };
  const auto take_text = [&](Section section, std::string_view& text) {
    std::span<const char> bytes;
    take(section, bytes);
    text = {bytes.data(), bytes.size()};
  };
  take(kFixed, fixed_);
  take(kTailOffsets, tail_offsets_);
  take_text(kTails, tails_);
  take(kNameOffsets, name_offsets_);
  take_text(kNames, names_);
  take(kNameTitles, name_titles_);
  take(kNameTags, name_tags_);
  take(kWordOffsets, word_offsets_);
  take_text(kWords, words_);
  take(kPostingOffsets, posting_offsets_);
  take(kPostings, postings_);
  take(kAttributes, attributes_);
  take(kAttributeOffsets, attribute_offsets_);
  take(kAttributeTitles, attribute_titles_);
  take(kPrefixOffsets, prefix_offsets_);
  take_text(kPrefixes, prefixes_);
  take(kPrefixTitles, prefix_titles_);
  // The hash says that these are the bytes that were written; this, that nothing is read outside of them whatever was.
  const bool whole = fits && AreOffsets(tail_offsets_, fixed_.size(), tails_.size()) &&
                     AreOffsets(name_offsets_, name_titles_.size(), names_.size()) &&
                     name_tags_.size() == name_titles_.size() && !word_offsets_.empty() &&
                     AreOffsets(word_offsets_, words(), words_.size()) &&
                     AreOffsets(posting_offsets_, words(), postings_.size()) &&
                     AreOffsets(attribute_offsets_, attributes_.size(), attribute_titles_.size()) &&
                     !prefix_offsets_.empty() && AreOffsets(prefix_offsets_, prefixes(), prefixes_.size()) &&
                     prefix_titles_.size() == prefixes() * BitWords();
  if (!whole) return Fail(ErrorCode::kCorrupt, "{} contradicts itself", path);
  return {};
}

std::size_t IndexFile::Find(std::uint32_t id) const {
  const auto found = std::ranges::lower_bound(fixed_, id, {}, &FixedPart::id);
  return found != fixed_.end() && found->id == id ? std::size_t(found - fixed_.begin()) : size();
}

Result<Entry> IndexFile::Read(std::size_t place) const {
  Entry entry;
  entry.fixed = fixed_[place];
  const auto [first, last] = NamesOf(place);
  for (std::size_t name = first; name < last; ++name)
    entry.names.push_back({KindOf(name), LanguageOf(name), std::string(Name(name))});
  TRY(UnpackTail(Tail(place), entry));
  return entry;
}

std::pair<std::uint32_t, std::uint32_t> IndexFile::NamesOf(std::size_t place) const {
  const std::size_t end = place + 1 < size() ? fixed_[place + 1].first_name : names();
  const auto [first, count] = Range(fixed_[place].first_name, end, names());
  return {std::uint32_t(first), std::uint32_t(first + count)};
}

std::size_t IndexFile::WordAtOrAfter(std::string_view text, std::size_t from) const {
  std::size_t first = from, count = words() - std::min(from, words());
  while (count > 0) {
    const std::size_t half = count / 2;
    if (Word(first + half) < text) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return first;
}

std::pair<std::size_t, std::size_t> IndexFile::WordsFrom(std::string_view prefix) const {
  const std::size_t first = WordAtOrAfter(prefix);
  // No byte of UTF-8 is 0xFF.
  return {first, WordAtOrAfter(std::string(prefix) + '\xFF', first)};
}

std::span<const std::uint32_t> IndexFile::NamesWith(std::size_t first, std::size_t last) const {
  const auto [begin, count] = Range(posting_offsets_[first], posting_offsets_[last], postings_.size());
  return postings_.subspan(begin, count);
}

std::size_t IndexFile::AttributeAtOrAfter(Attribute attribute) const {
  return std::size_t(std::ranges::lower_bound(attributes_, attribute) - attributes_.begin());
}

std::span<const std::uint32_t> IndexFile::TitlesAt(std::size_t i) const {
  const auto [begin, count] = Range(attribute_offsets_[i], attribute_offsets_[i + 1], attribute_titles_.size());
  return attribute_titles_.subspan(begin, count);
}

std::span<const std::uint32_t> IndexFile::TitlesWith(Attribute attribute) const {
  const std::size_t i = AttributeAtOrAfter(attribute);
  return i < attributes_.size() && attributes_[i] == attribute ? TitlesAt(i) : std::span<const std::uint32_t>();
}

std::span<const std::uint64_t> IndexFile::TitlesFrom(std::string_view prefix) const {
  std::size_t first = 0, last = prefixes();
  while (first < last) {
    const std::size_t middle = first + (last - first) / 2;
    if (Piece(prefixes_, prefix_offsets_, middle) < prefix) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  if (first == prefixes() || Piece(prefixes_, prefix_offsets_, first) != prefix) return {};
  return prefix_titles_.subspan(first * BitWords(), BitWords());
}

}  // namespace tmdbc::titles
