// SPDX-License-Identifier: MIT
// title_index: the title index at the size of the whole of TMDB, beside SQLite's FTS5 over the same names in the same run.
// The same arguments make the same titles.
//
//   title_index FOLDER [TITLES=1250000] [QUERIES=2000]
//
// Bodies have TMDB's shape but are small, so the time to build says what the index takes, not what reading bodies of
// 20 KB takes. FOLDER keeps the index: a second run measures the start.
#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/sqlite.h"
#include "titles/discover.h"
#include "titles/search.h"
#include "titles/shelf.h"

namespace tmdbc::titles {
namespace {

using Random = std::minstd_rand;

constexpr std::uint32_t kCompanies = 200'000;

template <class T>
T Must(Result<T> result) {
  if (result) return *std::move(result);
  fmt::print(stderr, "title_index: {}\n", result.error().message);
  std::exit(1);
}
void Must(const Result<void>& result) {
  if (result) return;
  fmt::print(stderr, "title_index: {}\n", result.error().message);
  std::exit(1);
}

// "RssAnon", "RssFile", in MB.
double MemoryMb(std::string_view what) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(what)) return std::strtod(line.c_str() + what.size() + 1, nullptr) / 1024;
  }
  return 0;
}
double PeakMb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_maxrss) / 1024;
}

// Words as often as words are: the k-th is drawn 1/k as often as the first.
class Words {
 public:
  explicit Words(std::size_t count) {
    constexpr std::array kFirst = {"the", "of", "a", "and", "in", "love", "la", "de", "el", "night", "man", "my", "day", "life", "girl"};
    constexpr std::array kParts = {"ba", "ri", "ton", "el", "mas", "ke", "vor", "in", "da", "shi", "lo", "gre", "an", "pu", "st", "wen",
                                   "qa", "fi", "du", "ch", "yo", "ze", "har", "jo", "nik", "ob", "tra", "ul", "ix", "me"};
    Random random(7);
    for (std::size_t i = 0; i < count; ++i) {
      std::string word;
      if (i < kFirst.size()) {
        word = kFirst[i];
      } else {
        for (std::size_t parts = 2 + random() % 3; parts > 0; --parts) word += kParts[random() % kParts.size()];
      }
      words_.push_back(std::move(word));
      weights_.push_back((weights_.empty() ? 0 : weights_.back()) + 1.0 / double(i + 3));
    }
  }
  const std::string& Draw(Random& random) const {
    const double at = std::uniform_real_distribution<double>(0, weights_.back())(random);
    return words_[std::size_t(std::ranges::lower_bound(weights_, at) - weights_.begin())];
  }
  std::string Name(Random& random) const {
    std::string name;
    for (std::size_t i = 1 + random() % 5; i > 0; --i) name += (name.empty() ? "" : " ") + Draw(random);
    return name;
  }

 private:
  std::vector<std::string> words_;
  std::vector<double> weights_;
};

std::vector<std::string> NamesOf(const Words& words, std::uint32_t id) {
  Random random(id * 2'654'435'761u);
  std::vector<std::string> names{words.Name(random)};
  for (std::size_t more = random() % 4; more > 0; --more) names.push_back(words.Name(random));
  return names;
}

std::string BodyOf(const Words& words, std::uint32_t id) {
  const auto names = NamesOf(words, id);
  Random random(id + 1);
  std::string translations, genres, keywords, cast, companies;
  for (std::size_t i = 1; i < names.size(); ++i) {
    translations += fmt::format(R"({}{{"iso_3166_1":"DE","iso_639_1":"de","data":{{"title":"{}"}}}})", i > 1 ? "," : "", names[i]);
  }
  for (std::size_t i = 0; i < 1 + random() % 3; ++i) genres += fmt::format(R"({}{{"id":{}}})", i > 0 ? "," : "", 10 + random() % 19);
  for (std::size_t i = 0; i < random() % 6; ++i) keywords += fmt::format(R"({}{{"id":{}}})", i > 0 ? "," : "", 1 + random() % 30'000);
  for (std::size_t i = 0; i < random() % 9; ++i) cast += fmt::format(R"({}{{"id":{}}})", i > 0 ? "," : "", 1 + random() % 2'000'000);
  // As with words, a few companies make many films; ids say nothing of it.
  for (std::size_t i = 0; i < random() % 4; ++i) {
    const double rank = std::pow(double(kCompanies), std::uniform_real_distribution<double>(0, 1)(random));
    companies += fmt::format(R"({}{{"id":{}}})", i > 0 ? "," : "", 1 + std::uint64_t(rank) * 7'919 % kCompanies);
  }
  const auto date = fmt::format("{}-{:02}-{:02}", 1930 + random() % 97, 1 + random() % 12, 1 + random() % 28);
  return fmt::format(
      R"({{"adult":{},"id":{},"title":"{}","original_title":"{}","release_date":"{}","popularity":{},"vote_average":{},)"
      R"("vote_count":{},"runtime":{},"original_language":"en","genres":[{}],"production_companies":[{}],"keywords":{{"keywords":[{}]}},)"
      R"("credits":{{"cast":[{}]}},"release_dates":{{"results":[{{"iso_3166_1":"US","release_dates":[{{"certification":"R",)"
      R"("release_date":"{}T00:00:00.000Z","type":3}}]}}]}},"translations":{{"translations":[{}]}}}})",
      random() % 12 == 0, id, names[0], names[0], date, double(random() % 1'000'000) / 10'000, double(random() % 100) / 10,
      random() % 3'000, 60 + random() % 90, genres, companies, keywords, cast, date, translations);
}

// "Vorin Night Pictures": two of five end in the same few words.
std::string CompanyOf(const Words& words, std::uint32_t id) {
  constexpr std::array kLast = {"Productions", "Films", "Pictures", "Entertainment", "Studios", "Media"};
  Random random(id * 2'246'822'519u);
  std::string name = words.Name(random);
  if (random() % 5 < 2) name += fmt::format(" {}", kLast[random() % kLast.size()]);
  return fmt::format(R"({{"id":{},"name":"{}"}})", id, name);
}

double ThreadSeconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + double(now.tv_nsec) / 1e9;
}

struct Times {
  std::vector<double> ms;
  double At(double share) {
    std::ranges::sort(ms);
    return ms.empty() ? 0 : ms[std::min(ms.size() - 1, std::size_t(double(ms.size()) * share))];
  }
  std::string Text() { return fmt::format("p50 {:8.3f}  p99 {:8.3f}  max {:8.3f} ms", At(0.5), At(0.99), At(1)); }
};

template <class Work>
void Time(Times& times, const Work& work) {
  // Of this thread: other programs of the machine do not count.
  const double start = ThreadSeconds();
  work();
  times.ms.push_back((ThreadSeconds() - start) * 1000);
}

// What people ask for: one to three words of a title, the last of them cut off while they type; a tenth so short that
// they mean a large part of all.
std::vector<std::string> Queries(const Words& words, std::uint32_t titles, std::size_t count) {
  Random random(99);
  std::vector<std::string> queries;
  while (queries.size() < count) {
    const auto names = NamesOf(words, 1 + std::uint32_t(random() % titles));
    std::string query = names[random() % names.size()];
    std::size_t end = 0;
    for (std::size_t i = 1 + random() % 3; i > 0 && end != std::string::npos; --i) end = query.find(' ', end + 1);
    query = query.substr(0, end);
    if (random() % 3 == 0 && query.size() > 3) query.resize(query.size() - 1 - random() % 2);
    if (random() % 10 == 0) query.resize(1 + random() % 2);
    while (query.ends_with(' ')) query.pop_back();
    queries.push_back(std::move(query));
  }
  return queries;
}

void BesideFts5(const std::string& path, std::string_view name, std::string_view options, const Words& words,
                std::uint32_t titles, const std::vector<std::string>& queries, bool prefix) {
  std::filesystem::remove(path);
  Database db = Must(Database::Open(path, Database::Mode::kReadWrite));
  Must(db.Execute("PRAGMA synchronous=OFF"));
  Must(db.Execute(fmt::format("CREATE VIRTUAL TABLE f USING fts5(name, content='', {})", options)));
  const double start = ThreadSeconds();
  Must(db.Transact([&]() -> Result<void> {
    TRY_ASSIGN(auto insert, db.Prepare("INSERT INTO f(rowid, name) VALUES(?1, ?2)"));
    for (std::uint32_t id = 1; id <= titles; ++id) {
      std::string all;
      for (const auto& one : NamesOf(words, id)) all += (all.empty() ? "" : " . ") + one;
      TRY(insert.Bind(std::int64_t(id), all).Run());
    }
    return {};
  }));
  const double built = ThreadSeconds() - start;
  Times times;
  auto count = Must(db.Prepare("SELECT count(*) FROM f WHERE f MATCH ?1"));
  auto first = Must(db.Prepare("SELECT rowid FROM f WHERE f MATCH ?1 ORDER BY rowid LIMIT 20"));
  for (const std::string& query : queries) {
    std::string match;
    for (std::size_t begin = 0; begin < query.size();) {
      const std::size_t end = std::min(query.find(' ', begin), query.size());
      match += fmt::format("\"{}\"{} ", query.substr(begin, end - begin), prefix ? "*" : "");
      begin = end + 1;
    }
    Time(times, [&] {
      for (Statement* statement : {&count, &first}) {
        statement->Bind(match);
        while (Must(statement->Step())) {
        }
      }
    });
  }
  fmt::print("{:34} {}  {:5.0f} bytes a title, built in {:.1f} s\n", name, times.Text(),
             double(std::filesystem::file_size(path)) / titles, built);
}

Result<Shelf> CompanyShelf(const std::string& folder, const Words& words) {
  std::filesystem::create_directories(folder);
  TRY_ASSIGN(auto shelf, Shelf::Open(folder, MediaType::kCompany));
  if (shelf.saved_up_to() > 0) return shelf;
  for (std::uint32_t id = 1; id <= kCompanies; ++id) {
    TRY_ASSIGN(const Entry entry, EntryOf({MediaType::kCompany, id}, 0, CompanyOf(words, id)));
    shelf.Put(entry);
  }
  TRY(shelf.Save(1, 0, Shelf::Merge::kAll));
  return shelf;
}

int Run(const std::string& folder, std::uint32_t titles, std::size_t query_count) {
  const Words words(120'000);
  std::filesystem::create_directories(folder);
  const PopularityOf no_export = [](std::int64_t) { return std::nullopt; };
  {
    auto shelf = Must(Shelf::Open(folder, MediaType::kMovie));
    if (shelf.saved_up_to() == 0) {
      const double start = ThreadSeconds();
      double making = 0;
      for (std::uint32_t id = 1; id <= titles; ++id) {
        const double made = ThreadSeconds();
        const std::string body = BodyOf(words, id);
        making += ThreadSeconds() - made;
        shelf.Put(Must(EntryOf({MediaType::kMovie, id}, 0, body)));
        if (shelf.pending() == 100'000) Must(shelf.Save(0, 0, Shelf::Merge::kNone));
      }
      Must(shelf.Save(1, 0, Shelf::Merge::kAll));
      fmt::print("built {} titles in {:.1f} s, peak {:.0f} MB\n", titles, ThreadSeconds() - start - making, PeakMb());
    }
  }
  auto companies = Must(CompanyShelf(folder + "/companies", words));
  ::malloc_trim(0);
  const double anon_before = MemoryMb("RssAnon");
  const double start = ThreadSeconds();
  auto shelf = Must(Shelf::Open(folder, MediaType::kMovie));
  std::vector<TypeTitles> types;
  types.push_back(Must(shelf.View(no_export)));
  types.push_back(Must(companies.View(no_export)));
  const Titles index(std::move(types), 1);
  constexpr std::array kFilms = {MediaType::kMovie};
  (void)Search(index, kFilms, {.text = "the"}, 0, 20);
  const double started = ThreadSeconds() - start;
  ::malloc_trim(0);
  fmt::print("start to the first answer {:.3f} s; {:.1f} bytes of private memory a title, {:.0f} bytes of file\n", started,
             (MemoryMb("RssAnon") - anon_before) * 1024 * 1024 / titles,
             double(index.Of(MediaType::kMovie).layers.at(0).file->bytes()) / titles);

  const auto queries = Queries(words, titles, query_count);
  Times search, deep, suggest, discover, of_companies, common_companies;
  for (const std::string& query : queries) {
    Time(search, [&] { (void)Search(index, kFilms, {.text = query}, 0, 20); });
  }
  constexpr std::array kOfCompanies = {MediaType::kCompany};
  for (const std::string& query : queries) {
    Time(of_companies, [&] { (void)Search(index, kOfCompanies, {.text = query}, 0, 20); });
  }
  for (int i = 0; i < 20; ++i) {
    for (const char* const common : {"p", "a", "prod", "productions", "films", "the"})
      Time(common_companies, [&] { (void)Search(index, kOfCompanies, {.text = common}, 0, 20); });
  }
  Random random(5);
  for (std::size_t i = 0; i < queries.size() / 10; ++i) {
    Time(deep, [&] { (void)Search(index, kFilms, {.text = queries[i]}, 9'980, 20); });
    std::string wrong = queries[i];
    if (wrong.size() > 4) std::swap(wrong[2], wrong[3]);
    Time(suggest, [&] { (void)Suggest(index, wrong, 8); });
    DiscoverFilter filter;
    if (random() % 2 == 0) filter.all_of.push_back({AttributeOf(AttributeKind::kGenre, 10 + random() % 19)});
    if (random() % 3 == 0) filter.vote_count.from = 200;
    if (random() % 3 == 0) filter.days = {std::int32_t(random() % 18'000), {}};
    const auto sort = SortBy(random() % 6);
    Time(discover, [&] { (void)Discover(index, MediaType::kMovie, filter, sort, true, 0, 20); });
  }
  fmt::print("{:34} {}\n", "search, total and the first 20", search.Text());
  fmt::print("{:34} {}\n", "search, page 500", deep.Text());
  fmt::print("{:34} {}\n", "search for companies", of_companies.Text());
  fmt::print("{:34} {}\n", "search for companies, common words", common_companies.Text());
  fmt::print("{:34} {}\n", "suggest, a letter wrong", suggest.Text());
  fmt::print("{:34} {}\n", "discover", discover.Text());
  fmt::print("private memory {:.0f} MB, mapped {:.0f} MB\n", MemoryMb("RssAnon"), MemoryMb("RssFile"));
  BesideFts5(folder + "/fts5.db", "FTS5 unicode61, prefix='2 3'", "tokenize='unicode61 remove_diacritics 2', prefix='2 3'", words,
             titles, queries, true);
  BesideFts5(folder + "/fts5.db", "FTS5 trigram", "tokenize='trigram'", words, titles, queries, false);
  std::filesystem::remove(folder + "/fts5.db");
  return 0;
}

}  // namespace
}  // namespace tmdbc::titles

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (argc < 2) {
    fmt::print(stderr, "usage: title_index FOLDER [TITLES] [QUERIES]\n");
    return 2;
  }
  const auto number = [&](int i, unsigned long usual) { return argc > i ? std::strtoul(argv[i], nullptr, 10) : usual; };
  return tmdbc::titles::Run(argv[1], std::uint32_t(number(2, 1'250'000)), number(3, 2'000));
}
