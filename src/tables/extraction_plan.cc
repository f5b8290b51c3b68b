// SPDX-License-Identifier: MIT
#include "tables/extraction_plan.h"

#include <algorithm>
#include <cassert>
#include <map>

#include "tmdb/configuration_lists.h"

namespace tmdbc::tables {
namespace {

Said SaidBy(std::string_view source) {
  if (source == "$id") return Said::kId;
  if (source == "$version") return Said::kVersion;
  if (source == "$fetched_at") return Said::kFetchedAt;
  if (source == "$tv_id") return Said::kTvId;
  if (source == "$season_number") return Said::kSeasonNumber;
  if (source == "$media_type") return Said::kMediaType;
  if (source == "$locale") return Said::kLocale;
  return Said::kNothing;
}

// A path's parts: "images", "{}", "[]", "?".
std::vector<std::string_view> Parts(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    std::size_t length = path.find_first_of(".[{?");
    if (length == 0) {
      length = path[0] == '?' ? 1 : path[0] == '.' ? 0 : 2;
      if (length > 0) parts.push_back(path.substr(0, length));
      path.remove_prefix(std::max<std::size_t>(length, 1));
      continue;
    }
    length = std::min(length, path.size());
    parts.push_back(path.substr(0, length));
    path.remove_prefix(length);
  }
  return parts;
}

// The columns of a key that the record may give two rows; empty where each row has its own position, or is the only
// one.
std::vector<std::uint32_t> KeyOf(const Table& table) {
  if (table.rows.empty()) return {};
  std::vector<std::uint32_t> key;
  for (std::uint32_t i = 0; i < table.columns.size(); ++i) {
    if (!table.IsKey(table.columns[i].name)) continue;
    if (table.columns[i].source == "$position") return {};
    key.push_back(i);
  }
  return key;
}

bool IsLevel(std::string_view part) {
  return part == "[]" || part == "{}" || part == "?";
}

}  // namespace

std::size_t ExtractionPlan::Node::Bucket(std::string_view name) {
  if (name.empty()) return 0;
  const auto first = static_cast<unsigned char>(name.front()), last = static_cast<unsigned char>(name.back());
  const auto middle = static_cast<unsigned char>(name[name.size() / 2]);
  return (name.size() * 7 + first * 3u + middle * 5u + last * 11u) % kBuckets;
}

ExtractionPlan::NodeId ExtractionPlan::Node::Find(std::string_view name) const {
  for (std::uint16_t place = first_[Bucket(name)]; place != 0; place = next_[place - 1u]) {
    if (names[place - 1u].first == name) return names[place - 1u].second;
  }
  return kNone;
}

class ExtractionPlan::Compiler {
 public:
  void Add(std::size_t place) {
    const Table& table = Tables()[place];
    const auto planned = std::uint32_t(plan_.tables_.size());
    plan_.tables_.push_back({.table = place,
                             .said = {},
                             .positions = {},
                             .indexes = {},
                             .level_columns = {},
                             .counted = {},
                             .key = KeyOf(table)});
    FollowRows(planned, table);
    plan_.tables_[planned].level_columns.resize(levels_.size());
    for (std::uint32_t column = 0; column < table.columns.size(); ++column) AddColumn(planned, column, table);
    if (!table.rows.empty()) {
      for (std::uint32_t level = 1; level < levels_.size(); ++level)
        plan_.nodes_[levels_[level]].opens.push_back({planned, level});
      plan_.nodes_[levels_.back()].emits.push_back(planned);
      if (table.keeps_empty) plan_.nodes_[levels_[levels_.size() - 2]].emits_if_none.push_back(planned);
    }
  }

  void AddUnused(const UnusedPath& path) {
    NodeId node = kRoot;
    for (const std::string_view part : Parts(path.path)) node = Step(node, part);
    plan_.nodes_[node].unused = true;
    plan_.nodes_[node].same_as = SaidBy(path.same_as);
  }

  ExtractionPlan Finish() {
    for (Node& node : plan_.nodes_) {
      node.next_.resize(node.names.size());
      for (std::size_t i = 0; i < node.names.size(); ++i) {
        std::uint16_t& first = node.first_[Node::Bucket(node.names[i].first)];
        node.next_[i] = first;
        first = std::uint16_t(i + 1);
      }
    }
    return std::move(plan_);
  }

 private:
  // The node one part further on, made when it is new.
  NodeId Step(NodeId from, std::string_view part) {
    if (part == "?") {
      plan_.nodes_[from].optional_row = true;
      return from;
    }
    const auto make = [&] {
      plan_.nodes_.emplace_back();
      return NodeId(plan_.nodes_.size() - 1);
    };
    if (part == "[]" || part == "{}") {
      const auto member = part == "[]" ? &Node::element : &Node::any;
      if (plan_.nodes_[from].*member == kNone) {
        const NodeId made = make();
        plan_.nodes_[from].*member = made;
      }
      return plan_.nodes_[from].*member;
    }
    auto& names = plan_.nodes_[from].names;
    const auto found = std::ranges::find(names, part, &std::pair<std::string, NodeId>::first);
    if (found != names.end()) return found->second;
    const NodeId made = make();
    plan_.nodes_[from].names.emplace_back(part, made);
    return made;
  }

  // Sets levels_ to the nodes at which a row's levels begin, the root first, and members_ to those that {} leads to.
  void FollowRows(std::uint32_t, const Table& table) {
    levels_ = {kRoot};
    members_.clear();
    NodeId node = kRoot;
    for (const std::string_view part : Parts(table.rows)) {
      node = Step(node, part);
      if (IsLevel(part)) levels_.push_back(node);
      if (part == "{}") members_.emplace_back(node, levels_.size() - 1);
    }
    assert(table.rows.empty() || levels_.back() == node);
  }

  void AddColumn(std::uint32_t planned, std::uint32_t column, const Table& table) {
    PlannedTable& into = plan_.tables_[planned];
    std::string_view source = table.columns[column].source;
    const auto at_level = [&](std::size_t level) { into.level_columns[level].push_back(column); };
    if (const Said said = SaidBy(source); said != Said::kNothing) {
      into.said.emplace_back(column, said);
    } else if (source == "$position") {
      into.positions.push_back(column);
    } else if (source == "$index") {
      into.indexes.push_back(column);
    } else if (source.starts_with("$count(")) {
      const std::string_view list = source.substr(7, source.size() - 8);
      plan_.nodes_[Step(kRoot, list)].counts.push_back({planned, column});
      into.counted.push_back(column);
    } else if (source.starts_with('{')) {
      const auto& [node, level] = members_[std::size_t(source[1] - '0')];
      plan_.nodes_[node].keys.push_back({planned, column});
      at_level(level);
    } else {
      std::uint8_t rank = 0;
      std::size_t level = 0;
      while (!source.empty()) {
        std::string_view one = source.substr(0, source.find('|'));
        source.remove_prefix(std::min(one.size() + 1, source.size()));
        level = levels_.size() - 1;
        for (; one.starts_with('^'); one.remove_prefix(1)) --level;
        NodeId node = levels_[level];
        if (one != ".") {
          for (const std::string_view part : Parts(one)) node = Step(node, part);
        }
        plan_.nodes_[node].leaves.push_back({planned, column, rank++});
      }
      at_level(level);
    }
  }

  ExtractionPlan plan_;
  std::vector<NodeId> levels_;
  std::vector<std::pair<NodeId, std::size_t>> members_;
};

const ExtractionPlan& ExtractionPlan::Of(MediaType type) {
  static const std::map<MediaType, ExtractionPlan> plans = [] {
    std::map<MediaType, ExtractionPlan> made;
    for (const MediaType one : kRecordTypes) {
      Compiler compiler;
      for (std::size_t i = 0; i < Tables().size(); ++i) {
        if (Tables()[i].type == one) compiler.Add(i);
      }
      for (const UnusedPath& path : UnusedPaths()) {
        if (path.type == one) compiler.AddUnused(path);
      }
      made.emplace(one, compiler.Finish());
    }
    return made;
  }();
  return plans.at(type);
}

const ExtractionPlan& ExtractionPlan::OfList(std::string_view path) {
  static const std::map<std::string, ExtractionPlan, std::less<>> plans = [] {
    std::map<std::string, ExtractionPlan, std::less<>> made;
    std::vector<std::string_view> paths(ConfigurationPaths().begin(), ConfigurationPaths().end());
    paths.insert(paths.end(), GenreListPaths().begin(), GenreListPaths().end());
    for (const std::string_view list : paths) {
      Compiler compiler;
      for (std::size_t i = 0; i < Tables().size(); ++i) {
        if (std::ranges::find(Tables()[i].lists, list) != Tables()[i].lists.end()) compiler.Add(i);
      }
      made.emplace(list, compiler.Finish());
    }
    return made;
  }();
  static const ExtractionPlan none;
  const std::size_t tag = path.find('=');
  const auto found = plans.find(tag == std::string_view::npos ? path : path.substr(0, tag + 1));
  return found == plans.end() ? none : found->second;
}

}  // namespace tmdbc::tables
