// SPDX-License-Identifier: MIT
#include "text.h"

#include <fmt/core.h>

#include <array>
#include <iterator>

namespace tmdbc::sim {
namespace {

using Words = std::span<const std::string_view>;

constexpr std::array<std::string_view, 96> kEnglish = {
    "a",       "the",     "of",      "and",       "to",        "in",         "for",       "with",
    "from",    "who",     "when",    "after",     "before",    "while",      "under",     "between",
    "against", "must",    "finds",   "loses",     "returns",   "leaves",     "meets",     "follows",
    "hides",   "betrays", "saves",   "young",     "old",       "lonely",     "quiet",     "famous",
    "broken",  "secret",  "last",    "first",     "second",    "small",      "distant",   "winter",
    "summer",  "night",   "morning", "city",      "village",   "island",     "harbour",   "desert",
    "forest",  "river",   "train",   "letter",    "garden",    "house",      "family",    "mother",
    "father",  "sister",  "brother", "stranger",  "teacher",   "doctor",     "soldier",   "painter",
    "thief",   "captain", "queen",   "ghost",     "machine",   "memory",     "promise",   "silence",
    "shadow",  "truth",   "fortune", "war",       "peace",     "love",       "money",     "road",
    "bridge",  "clock",   "mirror",  "window",    "storm",     "fire",       "snow",      "moon",
    "star",    "ocean",   "circus",  "orchestra", "detective", "lighthouse", "neighbour", "expedition"};
constexpr std::array<std::string_view, 40> kAdjectives = {
    "Silent",   "Crimson",  "Hidden",   "Golden", "Broken",   "Distant",   "Endless", "Frozen",
    "Gentle",   "Hollow",   "Iron",     "Lonely", "Midnight", "Narrow",    "Pale",    "Quiet",
    "Restless", "Scarlet",  "Tender",   "Velvet", "Wild",     "Ancient",   "Bitter",  "Careless",
    "Dark",     "Electric", "Faded",    "Grand",  "Hungry",   "Invisible", "Jagged",  "Last",
    "Lost",     "Marble",   "Northern", "Open",   "Perfect",  "Rusty",     "Second",  "Twisted"};
constexpr std::array<std::string_view, 40> kNouns = {
    "Harbour", "Garden", "Winter",   "Letters",  "Orchard",   "Kingdom", "Mirror",  "Passage",
    "Railway", "Shore",  "Station",  "Summer",   "Theatre",   "Voyage",  "Witness", "Archive",
    "Bridge",  "Castle", "Daughter", "Empire",   "Feast",     "Gambler", "Horizon", "Island",
    "Journey", "Key",    "Lantern",  "Machine",  "Neighbour", "Ocean",   "Promise", "Quarry",
    "River",   "Signal", "Tower",    "Umbrella", "Valley",    "Wedding", "Year",    "Zone"};
constexpr std::array<std::string_view, 48> kFirstNames = {
    "Amara",  "Boris",   "Chiara", "Dimitri", "Elif",   "Farid", "Greta",   "Hiro",    "Ines",   "Jonas",
    "Kaya",   "Lorenzo", "Mina",   "Nadia",   "Olu",    "Priya", "Quentin", "Rosa",    "Stefan", "Tomas",
    "Ursula", "Vera",    "Wanda",  "Ximena",  "Yusuf",  "Zoë",   "Aarav",   "Beatriz", "Cem",    "Dagmar",
    "Emil",   "Fatou",   "Goran",  "Hanna",   "Idris",  "Jana",  "Kofi",    "Lucía",   "Mateus", "Noor",
    "Oskar",  "Petra",   "Ravi",   "Søren",   "Thandi", "Ulf",   "Viggo",   "Zeynep"};
constexpr std::array<std::string_view, 16> kSurnameStarts = {
    "Lind", "Mor",  "Kova", "Ferr", "Oka", "Nakam", "Petro", "Sand",
    "Berg", "Cast", "Dube", "Hall", "Iva", "Jan",   "Rosen", "Vill"};
constexpr std::array<std::string_view, 16> kSurnameEnds = {"qvist", "ett",   "čević", "ara",   "for", "ura",
                                                           "vić",   "ström", "mann",  "illo",  "nov", "oway",
                                                           "nenko", "sen",   "thal",  "anueva"};
constexpr std::array<std::string_view, 24> kLatin = {"la",  "mé", "ro",  "ti",  "sch", "en",  "au",  "ño",
                                                     "ver", "gü", "ska", "lo",  "pré", "dan", "ção", "wie",
                                                     "ste", "øk", "ří",  "mun", "ge",  "zu",  "bar", "ność"};
constexpr std::array<std::string_view, 24> kCyrillic = {"го",   "ри", "на", "ме", "ст", "во", "ля", "жи",
                                                        "ка",   "ть", "ша", "ю",  "пе", "ро", "до", "ми",
                                                        "тель", "ни", "за", "че", "бу", "и",  "ло", "сы"};
constexpr std::array<std::string_view, 16> kGreek = {"ο",  "κα",  "λη", "με", "ρα",  "το", "σι",  "να",
                                                     "πό", "λις", "θέ", "α",  "τρο", "φί", "λος", "ει"};
constexpr std::array<std::string_view, 24> kHan = {"春", "夏", "秋", "冬", "山", "河", "城", "夜",
                                                   "光", "影", "家", "人", "海", "風", "雪", "夢",
                                                   "心", "路", "門", "星", "花", "月", "書", "𠮷"};
constexpr std::array<std::string_view, 24> kKana = {"の", "は", "さ", "く", "ら", "み", "ち", "ア",
                                                    "ニ", "メ", "物", "語", "少", "女", "東", "京",
                                                    "ラ", "ン", "て", "に", "を", "行", "空", "が"};
constexpr std::array<std::string_view, 20> kHangul = {"사", "랑", "의", "밤", "서", "울", "이",
                                                      "야", "기", "바", "람", "하", "늘", "나",
                                                      "무", "는", "을", "고", "다", "집"};
constexpr std::array<std::string_view, 20> kArabic = {"ال", "بي", "ت",  "مد", "ينة", "ليل", "نو",
                                                      "ر",  "قم", "حب", "سر", "طر",  "يق",  "با",
                                                      "ب",  "كت", "اب", "عا", "لم",  "ان"};
constexpr std::array<std::string_view, 16> kHebrew = {"של", "בית", "לי",  "לה", "אור", "ים",  "דר", "ך",
                                                      "ספ", "ר",   "עיר", "אה", "בה",  "סוד", "חו", "רף"};
constexpr std::array<std::string_view, 16> kThai = {"รัก", "บ้าน", "คืน", "ฝน",  "ทาง", "ใจ", "เมือง", "ดาว",
                                                    "ที่",  "และ", "ผู้",  "หญิง", "ชาย", "ลม", "ฟ้า",   "น้ำ"};
constexpr std::array<std::string_view, 6> kEmojis = {
    "🎬", "🎉", "❤️", "👩‍🚀", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🦖"};

constexpr std::array<Language, 36> kLanguages = {{
    {"en", "US", "English", "English", "United States of America", Script::kEnglish},
    {"de", "DE", "Deutsch", "German", "Germany", Script::kLatin},
    {"fr", "FR", "Français", "French", "France", Script::kLatin},
    {"es", "ES", "Español", "Spanish", "Spain", Script::kLatin},
    {"ru", "RU", "Pусский", "Russian", "Russia", Script::kCyrillic},
    {"pt", "BR", "Português", "Portuguese", "Brazil", Script::kLatin},
    {"ja", "JP", "日本語", "Japanese", "Japan", Script::kKana},
    {"zh", "CN", "普通话", "Mandarin", "China", Script::kHan},
    {"it", "IT", "Italiano", "Italian", "Italy", Script::kLatin},
    {"ko", "KR", "한국어/조선말", "Korean", "South Korea", Script::kHangul},
    {"es", "MX", "Español", "Spanish", "Mexico", Script::kLatin},
    {"pl", "PL", "Polski", "Polish", "Poland", Script::kLatin},
    {"nl", "NL", "Nederlands", "Dutch", "Netherlands", Script::kLatin},
    {"cs", "CZ", "Český", "Czech", "Czech Republic", Script::kLatin},
    {"hu", "HU", "Magyar", "Hungarian", "Hungary", Script::kLatin},
    {"sv", "SE", "svenska", "Swedish", "Sweden", Script::kLatin},
    {"da", "DK", "Dansk", "Danish", "Denmark", Script::kLatin},
    {"tr", "TR", "Türkçe", "Turkish", "Turkey", Script::kLatin},
    {"uk", "UA", "Український", "Ukrainian", "Ukraine", Script::kCyrillic},
    {"el", "GR", "ελληνικά", "Greek", "Greece", Script::kGreek},
    {"he", "IL", "עִבְרִית", "Hebrew", "Israel", Script::kHebrew},
    {"ar", "SA", "العربية", "Arabic", "Saudi Arabia", Script::kArabic},
    {"fa", "IR", "فارسی", "Persian", "Iran", Script::kArabic},
    {"th", "TH", "ภาษาไทย", "Thai", "Thailand", Script::kThai},
    {"pt", "PT", "Português", "Portuguese", "Portugal", Script::kLatin},
    {"zh", "TW", "普通话", "Mandarin", "Taiwan", Script::kHan},
    {"fi", "FI", "suomi", "Finnish", "Finland", Script::kLatin},
    {"bg", "BG", "български език", "Bulgarian", "Bulgaria", Script::kCyrillic},
    {"ro", "RO", "Română", "Romanian", "Romania", Script::kLatin},
    {"sk", "SK", "Slovenčina", "Slovak", "Slovakia", Script::kLatin},
    {"fr", "CA", "Français", "French", "Canada", Script::kLatin},
    {"no", "NO", "Norsk", "Norwegian", "Norway", Script::kLatin},
    {"vi", "VN", "Tiếng Việt", "Vietnamese", "Vietnam", Script::kLatin},
    {"hr", "HR", "Hrvatski", "Croatian", "Croatia", Script::kLatin},
    {"ca", "ES", "Català", "Catalan", "Spain", Script::kLatin},
    {"gn", "PY", "", "Guarani", "Paraguay", Script::kLatin},
}};

Words WordsOf(Script script) {
  switch (script) {
    case Script::kEnglish:
      return kEnglish;
    case Script::kLatin:
      return kLatin;
    case Script::kCyrillic:
      return kCyrillic;
    case Script::kGreek:
      return kGreek;
    case Script::kHan:
      return kHan;
    case Script::kKana:
      return kKana;
    case Script::kHangul:
      return kHangul;
    case Script::kArabic:
      return kArabic;
    case Script::kHebrew:
      return kHebrew;
    case Script::kThai:
      return kThai;
  }
  return kEnglish;
}

std::string_view Pick(Random& random, Words words) {
  return words[random.Below(words.size())];
}

bool HasSpaces(Script script) {
  return script != Script::kHan && script != Script::kKana && script != Script::kThai;
}

void AppendWord(std::string& out, Random& random, Script script) {
  const Words words = WordsOf(script);
  out += Pick(random, words);
  if (script == Script::kEnglish) return;
  for (auto more = random.Below(3); more > 0; --more) out += Pick(random, words);
}

void Capitalise(std::string& text, std::size_t at) {
  if (at < text.size() && text[at] >= 'a' && text[at] <= 'z')
    text[at] = static_cast<char>(text[at] - 'a' + 'A');
}

void AppendSentence(std::string& out, Random& random, Script script) {
  const std::size_t start = out.size();
  const auto words = 6 + random.Below(12);
  for (std::uint64_t i = 0; i < words; ++i) {
    if (i > 0 && HasSpaces(script)) out += random.Below(200) == 0 ? "\u00a0" : " ";
    AppendWord(out, random, script);
    if (i + 1 < words && random.Below(12) == 0) out += HasSpaces(script) ? "," : "、";
  }
  Capitalise(out, start);
  out += HasSpaces(script) ? "." : "。";
}

}  // namespace

std::span<const Language> Languages() {
  return kLanguages;
}

std::string Word(Random& random, Script script) {
  std::string word;
  AppendWord(word, random, script);
  return word;
}

std::string Title(Random& random, Script script) {
  std::string title;
  if (script == Script::kEnglish) {
    const auto form = random.Below(8);
    const auto adjective = Pick(random, kAdjectives);
    const auto noun = Pick(random, kNouns);
    const auto other = Pick(random, kNouns);
    switch (form) {
      case 0:
        return fmt::format("{}", noun);
      case 1:
        return fmt::format("The {}", noun);
      case 2:
        return fmt::format("{} & {}", noun, other);
      case 3:
        return fmt::format("The {} {}: {}", adjective, noun, other);
      case 4:
        return fmt::format("{} of the {}", noun, other);
      case 5:
        return fmt::format("{} {} {}", adjective, noun, 2 + random.Below(8));
      default:
        return fmt::format("The {} {}", adjective, noun);
    }
  }
  for (auto words = 1 + random.Below(4); words > 0; --words) {
    if (!title.empty() && HasSpaces(script)) title += ' ';
    AppendWord(title, random, script);
  }
  Capitalise(title, 0);
  return title;
}

std::string PersonName(Random& random) {
  std::string name(Pick(random, kFirstNames));
  if (random.Below(40) == 0) return name;
  if (random.Below(12) == 0) name += fmt::format(" \"{}\"", Pick(random, kNouns));
  name += ' ';
  name += Pick(random, kSurnameStarts);
  name += Pick(random, kSurnameEnds);
  if (random.Below(60) == 0) name += " Jr.";
  return name;
}

std::string Sentence(Random& random, Script script) {
  std::string sentence;
  AppendSentence(sentence, random, script);
  return sentence;
}

std::string Prose(Random& random, Script script, std::size_t bytes) {
  std::string prose;
  prose.reserve(bytes + 200);
  while (prose.size() < bytes) {
    if (!prose.empty()) {
      const auto gap = random.Below(24);
      prose += gap == 0 ? "\r\n\r\n" : gap < 3 ? "\n\n" : HasSpaces(script) ? " " : "";
    }
    AppendSentence(prose, random, script);
    if (random.Below(40) == 0) prose.append(" ").append(Pick(random, kEmojis));
    if (random.Below(60) == 0) prose += "\u200b";
  }
  return prose;
}

std::string FilePath(Random& random, std::string_view extension) {
  static constexpr std::string_view kAlphabet =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string path = "/";
  for (int i = 0; i < 27; i += 9) {
    for (auto bits = random.Next(), digit = std::uint64_t(0); digit < 9; ++digit, bits /= 62)
      path += kAlphabet[bits % 62];
  }
  return path.append(extension);
}

std::string HexId(Random& random) {
  const auto high = random.Next();
  return fmt::format("{:016x}{:08x}", high, random.Next() >> 32);
}

std::string Date(Random& random, int first_year, int last_year) {
  const auto year = random.Between(first_year, last_year);
  const auto month = random.Between(1, 12);
  return fmt::format("{:04}-{:02}-{:02}", year, month, random.Between(1, 28));
}

std::string Instant(Random& random, bool milliseconds) {
  const std::string date = Date(random, 2009);
  const auto second = random.Below(86400);
  return fmt::format("{}T{:02}:{:02}:{:02}{}", date, second / 3600, second / 60 % 60, second % 60,
                     milliseconds ? ".000Z" : "Z");
}

}  // namespace tmdbc::sim
