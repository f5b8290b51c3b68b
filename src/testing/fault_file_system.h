// SPDX-License-Identifier: MIT
// FaultFileSystem: files in memory on a disk that loses power, fills up and fails when a test says so. It
// knows for every file which bytes were synced, and for every folder which entries were, and after a power
// cut gives back only what a real disk promises: synced bytes under synced names. Of the rest it keeps some,
// none, or garbage, by a seeded choice.
//
//   files.CutPowerAt(17);      the 17th change from now does not happen any more, nor does anything after it
//   ... the program under test sees errors ...
//   files.Restart(seed);       what is left on the disk
//
// One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace tmdbc::testing {

class FaultFileSystem final : public FileSystem {
 public:
  FaultFileSystem();
  ~FaultFileSystem() override;

  Result<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) override;
  Result<std::string> Read(const std::string& path, std::uint64_t offset, std::uint64_t length) override;
  Result<std::uint64_t> Size(const std::string& path) override;
  Result<bool> Exists(const std::string& path) override;
  Result<void> Rename(const std::string& from, const std::string& to) override;
  Result<void> Remove(const std::string& path) override;
  Result<void> SyncFolder(const std::string& folder) override;
  Result<std::vector<std::string>> List(const std::string& folder) override;

  // How many changes there have been: opening (making) a file, append, sync, truncate, rename, remove, folder
  // sync. Each takes part in the counts below, reads do not.
  std::int64_t changes() const;

  // The `nth` change from now (1: the next) finds the power off; an append may still leave some of its bytes
  // in the cache.
  void CutPowerAt(std::int64_t nth);
  // Now.
  void CutPower();
  bool power_is_off() const;
  // The disk as it is found after a power cut, power on again: what was synced, and of what was not a random
  // part. Files that were open before stay useless.
  void Restart(std::uint64_t seed);

  // The `nth` change from now fails with `code`, once; an append has then written half of its bytes.
  void FailAt(std::int64_t nth, ErrorCode code);
  // All files together hold at most so many bytes; an append beyond writes what fits and gives kNoSpace.
  // Empty: no limit.
  void SetCapacity(std::optional<std::uint64_t> bytes);
  std::uint64_t bytes_used() const;

  // Flips one bit where it lies, past every check. Requires that the file has the byte.
  void FlipBit(const std::string& path, std::uint64_t byte, int bit);
  // From now on a Read() that touches one of these bytes of the file is kUnreadable, for ever, whatever its
  // name becomes. Requires that the file exists.
  void Spoil(const std::string& path, std::uint64_t at, std::uint64_t bytes = 512);
  // Makes or replaces a file, durably.
  void Put(const std::string& path, std::string bytes);

 private:
  struct Node;
  class File;
  using Names = std::map<std::string, std::shared_ptr<Node>>;
  // One change of a folder that has not been synced.
  struct Entry {
    std::string path;
    std::shared_ptr<Node> node;  // null: the name goes
  };

  // Counts a change. An error when it does not happen.
  Result<void> Change(const char* act, const std::string& path);
  void SetEntry(const std::string& path, std::shared_ptr<Node> node);

  Names names_;                  // as programs see them
  Names durable_;                // as they are after a power cut
  std::vector<Entry> unsynced_;  // from durable_ to names_, in order
  std::int64_t changes_ = 0;
  std::optional<std::int64_t> cut_at_, fail_at_;
  ErrorCode fail_code_ = ErrorCode::kIo;
  std::optional<std::uint64_t> capacity_;
  bool off_ = false;
  std::uint64_t boots_ = 0;  // files opened before the last restart are useless
};

}  // namespace tmdbc::testing
