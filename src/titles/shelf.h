// SPDX-License-Identifier: MIT
// Shelf: the title index of one media type on the disk: a few index files, the newest first wins, and a manifest that
// says which they are and up to which sequence number of the change feed they go. What has come since is held in
// memory, a thousand entries or so, and is read again from the feed after a restart. Files are made whole under new
// names and the manifest is replaced last, so a kill at any moment leaves the state before or the one after. Files of
// about one size are merged, those in memory, too, so there are never more than a handful, and a view of a few new
// entries costs about as much as these. docs/title-index.md has the bytes. One thread; what View() gives belongs to any.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "titles/titles.h"

namespace tmdbc::titles {

class Shelf {
 public:
  // The files are in `folder`, which exists. What is damaged, of another version, or not there is begun again: the
  // reason is in fresh_because(). Files that the manifest does not name are removed.
  static Result<Shelf> Open(const std::string& folder, MediaType type);

  MediaType type() const { return type_; }
  // The sequence number up to which everything is in the files, and the mark of that segment (OpenTail::MarkOf).
  std::int64_t saved_up_to() const { return saved_up_to_; }
  std::uint32_t mark() const { return mark_; }
  // Why it is empty; empty when it is not, or when there was none.
  const std::string& fresh_because() const { return fresh_because_; }

  // A file that was whole is so no longer (IndexFile::lost()): what Find() and View() give is not to be believed.
  bool lost() const;
  // Everything goes; the feed is read from its start.
  Result<void> Clear();

  void Put(const Entry& entry);
  // As it is now; nothing when there is none. A gone one is found.
  Result<std::optional<Entry>> Find(std::uint32_t id) const;
  // So many entries are in memory alone.
  std::size_t pending() const;

  // What is in memory becomes a file, with which others are merged: none, those that are not much larger, all. Durable
  // when it returns.
  // kCorrupt when it is lost: nothing has changed then.
  enum class Merge : std::uint8_t { kNone, kSome, kAll };
  Result<void> Save(std::int64_t up_to, std::uint32_t mark, Merge merge);

  // All of it, what is in memory too. The popularities of files that were there before are those of then.
  Result<TypeTitles> View(const PopularityOf& popularity);
  // Asks for all of them again; whether any is another one now.
  bool RefreshPopularity(const PopularityOf& popularity);

 private:
  struct Piece {
    std::string name;  // empty: it is in memory
    std::shared_ptr<const IndexFile> file;
    std::shared_ptr<const Bits> alive;  // beside the files newer than it
    std::shared_ptr<const std::vector<float>> popularity;
    std::shared_ptr<const std::vector<std::uint32_t>> top;

    void Take(std::vector<float> popularities);
  };

  Shelf(std::string folder, MediaType type);
  Result<void> Load();
  Result<void> WriteManifest(std::int64_t up_to, std::uint32_t mark, const std::vector<Piece>& pieces);
  Result<void> RemoveOthers();
  Result<std::string> WriteFile(const EachEntry& entries);
  Result<void> MakePieceOfPending();

  std::string folder_;
  std::unique_ptr<PosixFileSystem> files_;
  MediaType type_;
  std::vector<Piece> pieces_;  // the newest first: those in memory before those on the disk
  std::map<std::uint32_t, std::string> pending_;  // packed entries by id, since the last View()
  std::int64_t saved_up_to_ = 0;
  std::uint32_t mark_ = 0;
  std::int64_t next_number_ = 1;
  std::string fresh_because_;
};

}  // namespace tmdbc::titles
