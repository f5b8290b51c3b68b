// SPDX-License-Identifier: MIT
#include "titles/index_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <unordered_map>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/system_error.h"

namespace tmdbc::titles {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is little-endian and used where it lies");

constexpr std::array<char, 8> kMagic = {'T', 'M', 'D', 'B', 'C', 't', 'i', 'x'};
constexpr std::uint32_t kVersion = 1;

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

struct WordHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view word) const { return XXH3_64bits(word.data(), word.size()); }
};

// Sets of places, each with a key: counted first, then filled.
template <class Key, class Hash = std::hash<Key>>
class Sets {
 public:
  // In the first walk.
  template <class AnyKey>
  void Count(const AnyKey& key) {
    auto found = counts_.find(key);
    if (found == counts_.end()) found = counts_.emplace(Key(key), 0).first;
    ++found->second;
  }
  // Between the walks: gives the keys their order.
  Result<void> Arrange() {
    std::vector<std::pair<Key, std::uint32_t>> sorted;
    sorted.reserve(counts_.size());
    std::uint64_t total = 0;
    while (!counts_.empty()) {
      auto node = counts_.extract(counts_.begin());
      total += node.mapped();
      sorted.emplace_back(std::move(node.key()), node.mapped());
    }
    if (total > UINT32_MAX) return Fail(ErrorCode::kInternal, "the title index has more than 2^32 occurrences of words");
    std::ranges::sort(sorted, {}, &std::pair<Key, std::uint32_t>::first);
    offsets.reserve(sorted.size() + 1);
    keys.reserve(sorted.size());
    std::uint32_t offset = 0;
    for (auto& [key, count] : sorted) {
      offsets.push_back(offset);
      next_.emplace(key, std::uint32_t(keys.size()));
      keys.push_back(std::move(key));
      offset += count;
    }
    offsets.push_back(offset);
    places.resize(offset);
    filled_.assign(offsets.begin(), offsets.end() - 1);
    return {};
  }
  // In the second, by ascending place.
  template <class AnyKey>
  void Put(const AnyKey& key, std::uint32_t place) {
    places[filled_[next_.find(key)->second]++] = place;
  }
  void ForgetOrder() {
    next_ = {};
    filled_ = {};
  }

  std::vector<Key> keys;
  std::vector<std::uint32_t> offsets, places;

 private:
  std::unordered_map<Key, std::uint32_t, Hash, std::equal_to<>> counts_, next_;
  std::vector<std::uint32_t> filled_;
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
      EachDistinct(name.text, [&](std::string_view word) { words_.Count(word); });
    }
    if (names_.size() > UINT32_MAX) return Fail(ErrorCode::kInternal, "the title index has more than 4 GiB of names");
    for (const Attribute one : entry.attributes) attributes_.Count(one);
    tail_offsets_.push_back(tails_.size());
    PackTail(entry, tails_);
    return {};
  }
  Result<void> Arrange() {
    TRY(words_.Arrange());
    return attributes_.Arrange();
  }
  void TakeAgain(const Entry& entry) {
    for (const TitleName& name : entry.names) {
      EachDistinct(name.text, [&](std::string_view word) { words_.Put(word, name_); });
      ++name_;
    }
    for (const Attribute one : entry.attributes) attributes_.Put(one, place_);
    ++place_;
  }

  Result<void> Write(MediaType type, const std::function<Result<void>(std::string_view)>& out) {
    words_.ForgetOrder();
    attributes_.ForgetOrder();
    tail_offsets_.push_back(tails_.size());
    name_offsets_.push_back(std::uint32_t(names_.size()));
    std::string words;
    std::vector<std::uint32_t> word_offsets;
    for (const std::string& word : words_.keys) {
      word_offsets.push_back(std::uint32_t(words.size()));
      words += word;
    }
    word_offsets.push_back(std::uint32_t(words.size()));
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
                                                              BytesOf(attributes_.places)};
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

  std::vector<FixedPart> fixed_;
  std::vector<std::uint64_t> tail_offsets_;
  std::string tails_;
  std::vector<std::uint32_t> name_offsets_;
  std::string names_;
  std::vector<std::uint32_t> name_titles_, name_tags_;
  Sets<std::string, WordHash> words_;
  Sets<Attribute> attributes_;
  std::vector<std::string_view> seen_;
  std::uint32_t name_ = 0, place_ = 0;  // of the second walk
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
  TRY(entries([&](const Entry& entry) -> Result<void> {
    builder.TakeAgain(entry);
    return {};
  }));
  return builder.Write(type, out);
}

Result<std::shared_ptr<const IndexFile>> IndexFile::FromBytes(MediaType type, std::string bytes) {
  const std::shared_ptr<IndexFile> file(new IndexFile);
  file->owned_ = std::move(bytes);
  file->all_ = file->owned_;
  TRY(file->Check(type, "an index in memory"));
  return file;
}

Result<std::shared_ptr<const IndexFile>> IndexFile::Map(MediaType type, const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return SystemError("open", path, errno);
  }
  struct stat status {};
  const std::shared_ptr<IndexFile> file(new IndexFile);
  if (::fstat(descriptor, &status) == 0 && status.st_size >= off_t(sizeof(Header))) {
    void* mapped = ::mmap(nullptr, std::size_t(status.st_size), PROT_READ, MAP_SHARED, descriptor, 0);
    if (mapped != MAP_FAILED) {
      file->mapped_ = mapped;
      file->all_ = {static_cast<const char*>(mapped), std::size_t(status.st_size)};
    }
  }
  ::close(descriptor);
  if (file->mapped_ == nullptr) return Fail(ErrorCode::kCorrupt, "{} is no file of the title index", path);
  TRY(file->Check(type, path));
  return file;
}

IndexFile::~IndexFile() {
  if (mapped_ != nullptr) ::munmap(mapped_, all_.size());
}

Result<void> IndexFile::Check(MediaType type, const std::string& path) {
  Header header;
  if (all_.size() < sizeof header) return Fail(ErrorCode::kCorrupt, "{} is cut off", path);
  std::memcpy(&header, all_.data(), sizeof header);
  if (header.magic != kMagic || header.version != kVersion || header.header_hash != HashOf(header)) {
    return Fail(ErrorCode::kCorrupt, "{} is no file of this title index", path);
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
  // The hash says that these are the bytes that were written; this, that nothing is read outside of them whatever was.
  const bool whole = fits && AreOffsets(tail_offsets_, fixed_.size(), tails_.size()) &&
                     AreOffsets(name_offsets_, name_titles_.size(), names_.size()) &&
                     name_tags_.size() == name_titles_.size() && !word_offsets_.empty() &&
                     AreOffsets(word_offsets_, words(), words_.size()) &&
                     AreOffsets(posting_offsets_, words(), postings_.size()) &&
                     AreOffsets(attribute_offsets_, attributes_.size(), attribute_titles_.size());
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
  const auto end = place + 1 < size() ? fixed_[place + 1].first_name : std::uint32_t(names());
  return {fixed_[place].first_name, end};
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
  return postings_.subspan(posting_offsets_[first], posting_offsets_[last] - posting_offsets_[first]);
}

std::size_t IndexFile::AttributeAtOrAfter(Attribute attribute) const {
  return std::size_t(std::ranges::lower_bound(attributes_, attribute) - attributes_.begin());
}

std::span<const std::uint32_t> IndexFile::TitlesAt(std::size_t i) const {
  return attribute_titles_.subspan(attribute_offsets_[i], attribute_offsets_[i + 1] - attribute_offsets_[i]);
}

std::span<const std::uint32_t> IndexFile::TitlesWith(Attribute attribute) const {
  const std::size_t i = AttributeAtOrAfter(attribute);
  return i < attributes_.size() && attributes_[i] == attribute ? TitlesAt(i) : std::span<const std::uint32_t>();
}

}  // namespace tmdbc::titles
