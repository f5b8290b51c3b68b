// SPDX-License-Identifier: MIT
// Titles: the title index as it is at one moment, for a reader: an immutable value that many threads may read while a
// newer one is made. TitleSource is the port through which the read API gets the newest: the follower publishes it
// (follower.h), a test makes its own (MemoryTitles).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "titles/bits.h"
#include "titles/entry.h"
#include "titles/index_file.h"

namespace tmdbc::titles {

// One file of a type, and which of its titles count: those that no newer file has, and that are not gone.
struct Layer {
  std::shared_ptr<const IndexFile> file;
  std::shared_ptr<const Bits> alive;
  std::shared_ptr<const std::vector<float>> popularity;  // by place: the last export's, else the body's
  std::shared_ptr<const std::vector<std::uint32_t>> top;  // MostPopular() of it
};

// All of a type, the newest file first.
struct TypeTitles {
  MediaType type{};
  std::vector<Layer> layers;

  // Where it is, if it is alive.
  struct Place {
    const Layer* layer;
    std::size_t at;
    const FixedPart& fixed() const { return layer->file->fixed()[at]; }
    float popularity() const { return (*layer->popularity)[at]; }
  };
  std::optional<Place> Find(std::int64_t id) const;
  std::size_t Count() const;
};


// The most popular of a type on a day: by ascending id.
struct PastPopularity {
  std::int32_t day = 0;  // since 1970
  std::vector<std::pair<std::uint32_t, float>> top;
  // 0 of what was not among them.
  float Of(std::uint32_t id) const;
};
using PastDays = std::map<MediaType, std::vector<std::shared_ptr<const PastPopularity>>>;

class Titles {
 public:
  Titles(std::vector<TypeTitles> types, std::uint64_t state, PastDays past = {})
      : types_(std::move(types)), past_(std::move(past)), state_(state) {}

  // An empty one for a type that is not indexed.
  const TypeTitles& Of(MediaType type) const;
  // The popularity of about so many days before the newest day; null when it is not known: that of less than half as
  // many days before is none.
  const PastPopularity* PastOf(MediaType type, int days) const;
  // Another one whenever anything has changed; never 0.
  std::uint64_t state() const { return state_; }

 private:
  std::vector<TypeTitles> types_;
  PastDays past_;
  std::uint64_t state_;
};

class TitleSource {
 public:
  virtual ~TitleSource() = default;
  // The newest; null while it is being built for the first time. Any thread.
  virtual std::shared_ptr<const Titles> Current() const = 0;
};

// A source that is told.
class PublishedTitles final : public TitleSource {
 public:
  std::shared_ptr<const Titles> Current() const override {
    const std::scoped_lock lock(mutex_);
    return current_;
  }
  void Publish(std::shared_ptr<const Titles> titles) {
    const std::scoped_lock lock(mutex_);
    current_ = std::move(titles);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Titles> current_;  // guarded by mutex_
};

// The popularity of an id by the last export.
using PopularityOf = std::function<std::optional<float>(std::int64_t id)>;

// The titles of `file` that count when `newer`, files of the same type, have later news.
Bits AliveIn(const IndexFile& file, const std::vector<std::shared_ptr<const IndexFile>>& newer);
std::vector<float> PopularitiesOf(const IndexFile& file, const PopularityOf& popularity);
// The places of the most popular kMostPopular, the first the most popular one; of equal ones the lower place. What is
// listed by popularity, as most lists are, is mostly among them: the first few are found without a look at all.
inline constexpr std::size_t kMostPopular = 16'384;
std::vector<std::uint32_t> MostPopular(const std::vector<float>& popularities);

// An index in memory, put together record by record.
class MemoryTitles final : public TitleSource {
 public:
  // kCorrupt when it is not a JSON object.
  Result<void> Put(MediaId id, std::string_view body, std::int64_t show = 0);
  void Remove(MediaId id) {
    entries_.erase(id);
    current_.reset();
  }
  // Of the last export.
  void SetPopularity(MediaId id, float popularity) {
    popularities_[id] = popularity;
    current_.reset();
  }
  std::shared_ptr<const Titles> Current() const override;

 private:
  std::map<MediaId, Entry> entries_;
  std::map<MediaId, float> popularities_;
  mutable std::uint64_t state_ = 0;
  mutable std::shared_ptr<const Titles> current_;  // null: made when it is asked for
};

}  // namespace tmdbc::titles
