// SPDX-License-Identifier: MIT
#include "history/record_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/json_writer.h"
#include "base/safe_text.h"

namespace tmdbc {
namespace {

namespace dom = simdjson::dom;
using Kind = dom::element_type;

constexpr std::size_t kShownBytes = 100;    // of a value in a line for a person
constexpr std::size_t kShownBefore = 24;    // of them, before the place where two strings differ
constexpr std::size_t kSummaryMembers = 5;  // in a line of a history

// --- the two documents ---

// A value with its bytes. `name` is a member's, `text` a string's, escapes undone; views of what was parsed.
struct Node {
  Kind kind = Kind::NULL_VALUE;
  std::string_view name;
  std::string_view raw;
  std::string_view text;
  dom::element value;
  std::vector<Node> members;
  std::vector<Node> elements;
  bool repeats_name = false;  // an object with two members of one name

  bool IsNumber() const { return kind == Kind::INT64 || kind == Kind::UINT64 || kind == Kind::DOUBLE; }
  const Node* Find(std::string_view member) const {
    const auto found = std::ranges::find(members, member, &Node::name);
    return found == members.end() ? nullptr : &*found;
  }
};

bool RepeatsName(const std::vector<Node>& members) {
  std::set<std::string_view> names;
  return !std::ranges::all_of(members, [&](const auto& member) { return names.insert(member.name).second; });
}

Node Build(dom::element value, std::string_view raw) {
  Node node;
  node.kind = value.type();
  node.raw = raw;
  node.value = value;
  if (node.kind == Kind::STRING) {
    node.text = value.get_string().value_unsafe();
  } else if (dom::object members; value.get(members) == simdjson::SUCCESS) {
    const auto places = RawMembers(raw);
    auto place = places.begin();
    for (const dom::key_value_pair member : members) {
      node.members.push_back(Build(member.value, raw.substr(place->value, place->end - place->value)));
      node.members.back().name = member.key;
      ++place;
    }
    node.repeats_name = RepeatsName(node.members);
  } else if (dom::array elements; value.get(elements) == simdjson::SUCCESS) {
    const auto places = RawMembers(raw);
    auto place = places.begin();
    for (const dom::element element : elements) {
      node.elements.push_back(Build(element, raw.substr(place->value, place->end - place->value)));
      ++place;
    }
  }
  return node;
}

struct Tree {
  ParsedJson parsed;
  Node root;

  static Result<Tree> Parse(std::string_view json) {
    TRY_ASSIGN(ParsedJson parsed, ParsedJson::Parse(json));
    const auto begin = std::min(json.find_first_not_of(" \t\r\n"), json.size());
    const auto end = json.find_last_not_of(" \t\r\n") + 1;
    Node root = Build(parsed.root(), json.substr(begin, end - begin));
    return Tree{std::move(parsed), std::move(root)};
  }
};

bool SameNumber(const Node& a, const Node& b) {
  if (a.raw == b.raw) return true;
  if (a.kind == b.kind && a.kind == Kind::INT64)
    return a.value.get_int64().value_unsafe() == b.value.get_int64().value_unsafe();
  if (a.kind == b.kind && a.kind == Kind::UINT64)
    return a.value.get_uint64().value_unsafe() == b.value.get_uint64().value_unsafe();
  double x = 0, y = 0;
  return a.value.get(x) == simdjson::SUCCESS && b.value.get(y) == simdjson::SUCCESS && x == y;
}

bool Same(const Node& a, const Node& b);

bool SameMembers(const Node& a, const Node& b) {
  if (a.members.size() != b.members.size()) return false;
  // Which of two members of one name counts is nobody's promise: only the same bytes are the same then.
  if (a.repeats_name || b.repeats_name) return a.raw == b.raw;
  // TMDB's order seldom varies: the member is mostly at the same place.
  for (std::size_t i = 0; i < a.members.size(); ++i) {
    const Node& member = a.members[i];
    const Node* other = b.members[i].name == member.name ? &b.members[i] : b.Find(member.name);
    if (other == nullptr || !Same(member, *other)) return false;
  }
  return true;
}

bool Same(const Node& a, const Node& b) {
  if (a.IsNumber() && b.IsNumber()) return SameNumber(a, b);
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Kind::STRING:
      return a.text == b.text;
    case Kind::OBJECT:
      return SameMembers(a, b);
    case Kind::ARRAY:
      return std::ranges::equal(a.elements, b.elements, Same);
    default:
      return a.raw == b.raw;  // true, false, null
  }
}

// --- which elements of two arrays belong together ---

using Names = std::span<const std::string_view>;

// What TMDB tells the elements of its arrays apart by, the better first (docs/tmdb-facts.md):
// a credit's id is unique where a person's is not, for somebody may have two parts; a crew
// member appears once a department.
constexpr std::string_view kCreditId[] = {"credit_id"};
constexpr std::string_view kId[] = {"id"};
constexpr std::string_view kIdInDepartment[] = {"id", "department"};
constexpr std::string_view kFilePath[] = {"file_path"};
constexpr std::string_view kProviderId[] = {"provider_id"};
constexpr std::string_view kLocale[] = {"iso_639_1", "iso_3166_1"};
constexpr std::string_view kCountry[] = {"iso_3166_1"};
constexpr std::string_view kLanguage[] = {"iso_639_1"};
constexpr std::string_view kDepartment[] = {"department"};
constexpr std::string_view kType[] = {"type"};
constexpr Names kIdentities[] = {kCreditId, kId,      kIdInDepartment, kFilePath,   kProviderId,
                                 kLocale,   kCountry, kLanguage,       kDepartment, kType};

// "credit_id=52fe4250c3a36847f80149f3", "iso_639_1=en,iso_3166_1=US"; empty when the element lacks one of
// them.
std::string IdentityOf(const Node& element, Names names) {
  std::string identity;
  if (element.kind != Kind::OBJECT) return identity;
  for (const std::string_view name : names) {
    const Node* value = element.Find(name);
    if (value == nullptr || !(value->IsNumber() || value->kind == Kind::STRING)) return "";
    fmt::format_to(std::back_inserter(identity), "{}{}={}", identity.empty() ? "" : ",", name,
                   value->kind == Kind::STRING ? value->text : value->raw);
  }
  return identity;
}

// Of every element, when all have one and no two the same.
std::optional<std::vector<std::string>> Identities(const std::vector<Node>& elements, Names names) {
  std::vector<std::string> identities;
  std::set<std::string> seen;
  for (const Node& element : elements) {
    identities.push_back(IdentityOf(element, names));
    if (identities.back().empty() || !seen.insert(identities.back()).second) return std::nullopt;
  }
  return identities;
}

// The value with its members sorted, so that what is the same has the same text.
void AppendCanonical(const Node& node, std::string& out) {
  if (node.kind == Kind::OBJECT && !node.repeats_name) {
    std::vector<const Node*> sorted;
    sorted.reserve(node.members.size());
    for (const Node& member : node.members) sorted.push_back(&member);
    std::ranges::sort(sorted, {}, &Node::name);
    for (const Node* member : sorted) {
      fmt::format_to(std::back_inserter(out), "{{{}:{}=", member->name.size(), member->name);
      AppendCanonical(*member, out);
    }
    out += '}';
  } else if (node.kind == Kind::ARRAY) {
    out += '[';
    for (const Node& element : node.elements) {
      AppendCanonical(element, out);
      out += ',';
    }
    out += ']';
  } else if (node.kind == Kind::STRING) {
    fmt::format_to(std::back_inserter(out), "\"{}:{}", node.text.size(), node.text);
  } else if (double number = 0; node.IsNumber() && node.value.get(number) == simdjson::SUCCESS) {
    // Integers that a double does not tell apart keep their own text.
    constexpr double kExact = 9007199254740992.0;
    number > -kExact&& number < kExact ? fmt::format_to(std::back_inserter(out), "{}", number)
                                       : fmt::format_to(std::back_inserter(out), "{}", node.raw);
  } else {
    out += node.raw;
  }
}

// How the elements of two arrays go together. Either all have an identity, or they are matched by content
// and, what is left between two matches, by their order.
struct Matching {
  static constexpr std::size_t kNone = SIZE_MAX;

  std::vector<std::size_t> before_of;                    // of each element after: its place before, or kNone
  std::vector<bool> stays;                               // of each element before: it has a place after
  std::vector<std::string> labels_before, labels_after;  // empty: by index
};

// By key, which no two elements of one side share.
Matching MatchKeys(const std::vector<std::string>& before, const std::vector<std::string>& after) {
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < before.size(); ++i) places.emplace(before[i], i);
  Matching matching{.before_of = std::vector(after.size(), Matching::kNone),
                    .stays = std::vector(before.size(), false),
                    .labels_before = {},
                    .labels_after = {}};
  for (std::size_t i = 0; i < after.size(); ++i) {
    const auto found = places.find(after[i]);
    if (found == places.end()) continue;
    matching.before_of[i] = found->second;
    matching.stays[found->second] = true;
  }
  return matching;
}

// The content, and for its repeats which of them it is.
std::vector<std::string> ContentKeys(const std::vector<Node>& elements) {
  std::map<std::string, int> seen;
  std::vector<std::string> keys;
  for (const Node& element : elements) {
    std::string key;
    AppendCanonical(element, key);
    const int repeat = seen[key]++;
    keys.push_back(fmt::format("{}#{}", key, repeat));
  }
  return keys;
}

// An object that changed has other content: those without a partner that follow on the same element (or on
// none) are taken for changed ones, first with first.
void PairByPlace(const std::vector<Node>& before, const std::vector<Node>& after, Matching& matching) {
  const auto is_object = [](const Node& node) { return node.kind == Kind::OBJECT; };
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (matching.before_of[i] != Matching::kNone || !is_object(after[i])) continue;
    const std::size_t previous = i == 0 ? Matching::kNone : matching.before_of[i - 1];
    if (i > 0 && previous == Matching::kNone) continue;
    const std::size_t candidate = i == 0 ? 0 : previous + 1;
    if (candidate >= before.size() || matching.stays[candidate] || !is_object(before[candidate])) continue;
    matching.before_of[i] = candidate;
    matching.stays[candidate] = true;
  }
}

Matching Match(const std::vector<Node>& before, const std::vector<Node>& after) {
  for (const Names names : kIdentities) {
    auto keys_before = Identities(before, names);
    auto keys_after = keys_before ? Identities(after, names) : std::nullopt;
    if (!keys_after) continue;
    Matching matching = MatchKeys(*keys_before, *keys_after);
    matching.labels_before = *std::move(keys_before);
    matching.labels_after = *std::move(keys_after);
    return matching;
  }
  Matching matching = MatchKeys(ContentKeys(before), ContentKeys(after));
  PairByPlace(before, after, matching);
  return matching;
}

// Which elements after need not be moved: a longest run of them whose places before ascend.
std::vector<bool> InOrder(const std::vector<std::size_t>& before_of) {
  std::vector<std::size_t> last_of_length;  // the element that ends the best run of that length
  std::vector<std::size_t> previous(before_of.size(), Matching::kNone);
  for (std::size_t i = 0; i < before_of.size(); ++i) {
    if (before_of[i] == Matching::kNone) continue;
    const auto place = std::ranges::lower_bound(last_of_length, before_of[i], {},
                                                [&](std::size_t element) { return before_of[element]; });
    if (place != last_of_length.begin()) previous[i] = *std::prev(place);
    if (place == last_of_length.end()) {
      last_of_length.push_back(i);
    } else {
      *place = i;
    }
  }
  std::vector<bool> in_order(before_of.size(), false);
  for (std::size_t i = last_of_length.empty() ? Matching::kNone : last_of_length.back(); i != Matching::kNone;
       i = previous[i]) {
    in_order[i] = true;
  }
  return in_order;
}

// --- the differences ---

enum class Act : std::uint8_t { kAdd, kRemove, kReplace, kMove };

// Where a difference is: for programs (RFC 6901) and for people.
struct JsonPlace {
  std::string pointer;  // in the document as it is when the edits before this one have been made
  std::string path;     // "credits.cast[id=819].name"
  std::string member;   // the last name on the way
  std::string group;    // what a summary calls it: "credits.cast"
  int depth = 0;        // elements and members on the way
  int group_depth = 0;  // names in `group`
  bool in_array = false;

  JsonPlace Member(std::string_view name) const {
    JsonPlace place = *this;
    place.pointer += '/';
    for (const char c : name) {
      if (c == '~') {
        place.pointer += "~0";
      } else if (c == '/') {
        place.pointer += "~1";
      } else {
        place.pointer += c;
      }
    }
    const bool plain = !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
      return std::isalnum(c) || c == '_' || c == '-' || c == '/';
    });
    if (plain) {
      place.path += fmt::format("{}{}", path.empty() ? "" : ".", name);
    } else {
      place.path += fmt::format("[{}]", JsonWriter().Text(name).text());
    }
    place.member = name;
    ++place.depth;
    if (!in_array && group_depth < 2) {
      place.group = place.path;
      ++place.group_depth;
    }
    return place;
  }

  JsonPlace Element(std::size_t index, std::string_view label) const {
    JsonPlace place = *this;
    fmt::format_to(std::back_inserter(place.pointer), "/{}", index);
    if (label.empty()) {
      fmt::format_to(std::back_inserter(place.path), "[{}]", index);
    } else {
      fmt::format_to(std::back_inserter(place.path), "[{}]", label);
    }
    place.member.clear();
    ++place.depth;
    place.in_array = true;
    return place;
  }
};

bool IsStatistic(std::string_view member) {
  return member == "popularity" || member == "vote_average" || member == "vote_count";
}

struct Edit {
  Act act;
  JsonPlace place;
  std::string from;  // of a move: the pointer it comes from
  const Node* before = nullptr;
  const Node* after = nullptr;

  bool statistic() const { return IsStatistic(place.member); }
  // Of the array that the summary counts in: a whole element came, went or moved.
  bool whole_element() const { return place.in_array && place.member.empty(); }
};

class Walk {
 public:
  explicit Walk(std::vector<Edit>& edits) : edits_(edits) {}

  void Visit(const Node& before, const Node& after, const JsonPlace& place) {
    if (Same(before, after)) return;
    const bool objects = before.kind == Kind::OBJECT && after.kind == Kind::OBJECT;
    if (objects && !before.repeats_name && !after.repeats_name) return VisitObjects(before, after, place);
    if (before.kind == Kind::ARRAY && after.kind == Kind::ARRAY) return VisitArrays(before, after, place);
    edits_.push_back({Act::kReplace, place, "", &before, &after});
  }

 private:
  void VisitObjects(const Node& before, const Node& after, const JsonPlace& place) {
    for (const Node& member : before.members) {
      const Node* other = after.Find(member.name);
      if (other != nullptr) {
        Visit(member, *other, place.Member(member.name));
      } else {
        edits_.push_back({Act::kRemove, place.Member(member.name), "", &member, nullptr});
      }
    }
    for (const Node& member : after.members) {
      if (before.Find(member.name) == nullptr)
        edits_.push_back({Act::kAdd, place.Member(member.name), "", nullptr, &member});
    }
  }

  // In this order, so that every index is right when its edit is made: what goes, from the last on; then from
  // the first on what comes or moves, each behind its neighbour; then what changed, by the final indices.
  void VisitArrays(const Node& before, const Node& after, const JsonPlace& place) {
    const Matching matching = Match(before.elements, after.elements);
    const auto label = [](const std::vector<std::string>& labels, std::size_t i) {
      return labels.empty() ? std::string_view() : std::string_view(labels[i]);
    };
    // The array as it stands: each element by its place after, or kNone of one that goes.
    std::vector<std::size_t> now(before.elements.size(), Matching::kNone);
    for (std::size_t i = 0; i < matching.before_of.size(); ++i) {
      if (matching.before_of[i] != Matching::kNone) now[matching.before_of[i]] = i;
    }
    for (std::size_t i = before.elements.size(); i-- > 0;) {
      if (matching.stays[i]) continue;
      edits_.push_back({Act::kRemove, place.Element(i, label(matching.labels_before, i)), "",
                        &before.elements[i], nullptr});
    }
    std::erase(now, Matching::kNone);
    const std::vector<bool> in_order = InOrder(matching.before_of);
    for (std::size_t i = 0; i < after.elements.size(); ++i) {
      if (in_order[i]) continue;
      const std::string_view name = label(matching.labels_after, i);
      const bool moves = matching.before_of[i] != Matching::kNone;
      std::string from;
      if (moves) {
        const auto at = std::ranges::find(now, i);
        from = place.Element(std::size_t(at - now.begin()), name).pointer;
        now.erase(at);
      }
      const auto at = i == 0 ? now.begin() : std::next(std::ranges::find(now, i - 1));
      const JsonPlace there = place.Element(std::size_t(at - now.begin()), name);
      now.insert(at, i);
      edits_.push_back({moves ? Act::kMove : Act::kAdd, there, std::move(from), nullptr, &after.elements[i]});
    }
    for (std::size_t i = 0; i < after.elements.size(); ++i) {
      if (matching.before_of[i] == Matching::kNone) continue;
      Visit(before.elements[matching.before_of[i]], after.elements[i],
            place.Element(i, label(matching.labels_after, i)));
    }
  }

  std::vector<Edit>& edits_;
};

// --- for a person ---

// `text` from `begin`, at most `bytes` of it, without half letters at the ends, with dots where it was cut
// and nothing that could speak to a terminal.
std::string Shorten(std::string_view text, std::size_t begin, std::size_t bytes) {
  const auto inside = [&](std::size_t at) { return at < text.size() && (text[at] & 0xc0) == 0x80; };
  while (begin > 0 && inside(begin)) --begin;
  std::size_t end = std::min(text.size(), begin + bytes);
  while (end > begin && inside(end)) --end;
  std::string shown = begin > 0 ? "..." : "";
  AppendPrintable(shown, text.substr(begin, end - begin));
  return shown + (end < text.size() ? "..." : "");
}

std::string Shown(const Node& node, std::size_t begin = 0) {
  if (node.kind == Kind::STRING) return '"' + Shorten(node.text, begin, kShownBytes) + '"';
  return Shorten(node.raw, 0, kShownBytes);
}

std::string ReplacedText(const Node& before, const Node& after) {
  std::size_t begin = 0;
  if (before.kind == Kind::STRING && after.kind == Kind::STRING) {
    const auto [a, b] = std::ranges::mismatch(before.text, after.text);
    const auto differs = std::size_t(a - before.text.begin());
    const bool all_fits = std::max(before.text.size(), after.text.size()) <= kShownBytes;
    if (!all_fits && differs > kShownBefore) begin = differs - kShownBefore;
  }
  return Shown(before, begin) + " -> " + Shown(after, begin);
}

std::string PathText(const Edit& edit) {
  return edit.place.path.empty() ? "(all of it)" : Shorten(edit.place.path, 0, 4 * kShownBytes);
}

}  // namespace

struct RecordDiff::Impl {
  Tree before, after;
  std::vector<Edit> edits;
};

RecordDiff::RecordDiff(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RecordDiff::RecordDiff(RecordDiff&&) noexcept = default;
RecordDiff::~RecordDiff() = default;

Result<RecordDiff> RecordDiff::Between(std::string_view before, std::string_view after) {
  TRY_ASSIGN(Tree tree_before, Tree::Parse(before));
  TRY_ASSIGN(Tree tree_after, Tree::Parse(after));
  std::unique_ptr<Impl> impl(new Impl{std::move(tree_before), std::move(tree_after), {}});
  Walk(impl->edits).Visit(impl->before.root, impl->after.root, JsonPlace());
  return RecordDiff(std::move(impl));
}

bool RecordDiff::empty() const {
  return impl_->edits.empty();
}

std::string RecordDiff::Text() const {
  std::string text;
  std::int64_t nested_statistics = 0;
  std::map<std::string, int> moved;  // by array: that it is in another order is one line
  for (const Edit& edit : impl_->edits) {
    if (edit.statistic() && edit.place.depth > 1) {
      ++nested_statistics;
    } else if (edit.act == Act::kMove) {
      ++moved[edit.place.path.substr(0, edit.place.path.rfind('['))];
    } else if (edit.act == Act::kReplace) {
      text += fmt::format("~ {}: {}\n", PathText(edit), ReplacedText(*edit.before, *edit.after));
    } else if (edit.act == Act::kAdd) {
      text += fmt::format("+ {}: {}\n", PathText(edit), Shown(*edit.after));
    } else {
      text += fmt::format("- {}: {}\n", PathText(edit), Shown(*edit.before));
    }
  }
  for (const auto& [path, count] : moved) text += fmt::format("> {}: {} in another place\n", path, count);
  if (nested_statistics > 0) {
    text += fmt::format("  and popularity, vote_average or vote_count of what it holds, in {} {}\n",
                        nested_statistics, nested_statistics == 1 ? "place" : "places");
  }
  return text;
}

std::string RecordDiff::Summary() const {
  struct Group {
    std::string name;
    int added = 0, removed = 0, moved = 0;
    std::set<std::string> changed;  // elements
  };
  std::vector<Group> groups;
  for (const Edit& edit : impl_->edits) {
    if (edit.statistic() || edit.place.group.empty()) continue;
    auto group = std::ranges::find(groups, edit.place.group, &Group::name);
    if (group == groups.end()) group = groups.insert(group, Group{.name = edit.place.group, .changed = {}});
    if (!edit.place.in_array) continue;
    // The element of the group's own array that this edit is in.
    const std::string element = edit.place.path.substr(0, edit.place.path.find(']', group->name.size()));
    const bool outermost = edit.whole_element() && element.size() + 1 == edit.place.path.size();
    group->added += outermost && edit.act == Act::kAdd;
    group->removed += outermost && edit.act == Act::kRemove;
    group->moved += outermost && edit.act == Act::kMove;
    if (!outermost || edit.act == Act::kReplace) group->changed.insert(element);
  }
  std::string summary;
  for (std::size_t i = 0; i < std::min(groups.size(), kSummaryMembers); ++i) {
    const Group& group = groups[i];
    std::string counts;
    if (group.added > 0) counts += fmt::format(" +{}", group.added);
    if (group.removed > 0) counts += fmt::format(" -{}", group.removed);
    if (!group.changed.empty()) counts += fmt::format(" ~{}", group.changed.size());
    if (counts.empty() && group.moved > 0) counts = " moved";
    summary += fmt::format("{}{}", summary.empty() ? "" : ", ", Shorten(group.name, 0, kShownBytes));
    if (!counts.empty()) summary += fmt::format(" ({})", counts.substr(1));
  }
  if (groups.size() > kSummaryMembers) summary += fmt::format(", {} more", groups.size() - kSummaryMembers);
  return summary;
}

std::string RecordDiff::Patch() const {
  JsonWriter json;
  json.BeginArray();
  for (const Edit& edit : impl_->edits) {
    json.BeginObject();
    switch (edit.act) {
      case Act::kRemove:
        json.Field("op", "remove").Field("path", edit.place.pointer);
        break;
      case Act::kMove:
        json.Field("op", "move").Field("from", edit.from).Field("path", edit.place.pointer);
        break;
      case Act::kAdd:
      case Act::kReplace:
        json.Field("op", edit.act == Act::kAdd ? "add" : "replace").Field("path", edit.place.pointer);
        json.Key("value").Raw(edit.after->raw);
        break;
    }
    json.EndObject();
  }
  return json.EndArray().text();
}

}  // namespace tmdbc
