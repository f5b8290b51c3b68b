// SPDX-License-Identifier: MIT
#include "tables/documents.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/json_writer.h"
#include "tables/spec.h"
#include "tables/views.h"

namespace tmdbc::tables {
namespace {

constexpr std::string_view kTitle = "TMDB mirror as tables";
constexpr std::string_view kTerms = "https://www.themoviedb.org/api-terms-of-use";
constexpr std::string_view kMediaTypeOfParquet = "application/vnd.apache.parquet";
constexpr std::string_view kAttribution =
    "This product uses TMDB and the TMDB APIs but is not endorsed, certified, or otherwise approved by TMDB. Watch "
    "providers: JustWatch.";

// Those whose names begin alike stand together in what people read.
struct Group {
  std::string_view title;
  bool (*has)(const Table& table);
};
bool Begins(const Table& table, MediaType type) {
  return table.type == type;
}
constexpr Group kGroups[] = {
    {"Films", [](const Table& t) { return Begins(t, MediaType::kMovie); }},
    {"Shows", [](const Table& t) { return Begins(t, MediaType::kTv); }},
    {"Seasons and episodes", [](const Table& t) { return Begins(t, MediaType::kSeason); }},
    {"People", [](const Table& t) { return Begins(t, MediaType::kPerson); }},
    {"Collections, companies, networks, keywords",
     [](const Table& t) {
       return Begins(t, MediaType::kCollection) || Begins(t, MediaType::kCompany) ||
              Begins(t, MediaType::kNetwork) || Begins(t, MediaType::kKeyword);
     }},
    {"TMDB's lists", [](const Table& t) { return t.kind == TableKind::kList; }},
    {"History and bookkeeping", [](const Table& t) { return t.kind == TableKind::kHistory; }},
};

const TableFiles* FilesOf(const Manifest& manifest, std::string_view table) {
  static const TableFiles kNone;
  const auto found = manifest.tables.find(table);
  return found == manifest.tables.end() ? &kNone : &found->second;
}

std::int64_t RowsOf(const TableFiles& files) {
  std::int64_t rows = 0;
  for (const DataFile& file : files.files) rows += file.rows;
  return rows;
}
std::int64_t BytesOf(const TableFiles& files) {
  std::int64_t bytes = 0;
  for (const DataFile& file : files.files) bytes += file.bytes;
  return bytes;
}

std::string Thousands(std::int64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) text.insert(at, ",");
  return text;
}

// Whose record a child's rows belong to: a column of it, and the table that has that as its key. Null: nobody's.
const Table* OwnerOf(const Table& table) {
  if (table.kind != TableKind::kChild || !table.type) return nullptr;
  for (const Table& root : Tables()) {
    if (root.kind == TableKind::kRoot && root.type == table.type && root.key.size() == 1 &&
        root.key[0] == table.record_column)
      return &root;
  }
  return nullptr;
}

// "a | b" would be two cells.
std::string MarkdownCell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    cell += c;
  }
  return cell;
}

std::string_view FrictionlessType(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return "string";
    case ColumnType::kInteger:
      return "integer";
    case ColumnType::kReal:
      return "number";
    case ColumnType::kBool:
      return "boolean";
    case ColumnType::kDate:
      return "date";
    case ColumnType::kTime:
      return "datetime";
  }
  return "";
}

std::string_view CroissantType(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return "sc:Text";
    case ColumnType::kInteger:
      return "sc:Integer";
    case ColumnType::kReal:
      return "sc:Float";
    case ColumnType::kBool:
      return "sc:Boolean";
    case ColumnType::kDate:
      return "sc:Date";
    case ColumnType::kTime:
      return "sc:DateTime";
  }
  return "";
}

std::string Words(const Column& column) {
  return column.unit.empty() ? column.description : fmt::format("{} [{}]", column.description, column.unit);
}

void AddResource(const Table& table, const TableFiles& files, JsonWriter& json) {
  json.BeginObject().Field("name", table.name).Field("type", "table").Field("description", table.description);
  json.Key("path").BeginArray();
  for (const DataFile& file : files.files) json.Text(file.path);
  json.EndArray();
  json.Field("format", "parquet").Field("mediatype", kMediaTypeOfParquet).Field("bytes", BytesOf(files));
  if (files.files.size() == 1) json.Field("hash", "sha256:" + files.files[0].sha256);
  json.Key("schema").BeginObject().Key("fields").BeginArray();
  for (const Column& column : table.columns) {
    json.BeginObject().Field("name", column.name).Field("type", FrictionlessType(column.type));
    json.Field("description", Words(column));
    if (column.required) json.Key("constraints").BeginObject().Field("required", true).EndObject();
    json.EndObject();
  }
  json.EndArray().Key("primaryKey").BeginArray();
  for (const std::string& name : table.key) json.Text(name);
  json.EndArray();
  if (const Table* owner = OwnerOf(table)) {
    json.Key("foreignKeys").BeginArray().BeginObject();
    json.Key("fields").BeginArray().Text(table.record_column).EndArray();
    json.Key("reference").BeginObject().Field("resource", owner->name);
    json.Key("fields").BeginArray().Text(owner->key[0]).EndArray().EndObject();
    json.EndObject().EndArray();
  }
  json.EndObject().EndObject();
}

constexpr std::string_view kCroissantContext =
    R"({"@language":"en","@vocab":"https://schema.org/","citeAs":"cr:citeAs","column":"cr:column",)"
    R"("conformsTo":"dct:conformsTo","cr":"http://mlcommons.org/croissant/","data":{"@id":"cr:data","@type":"@json"},)"
    R"("dataBiases":"cr:dataBiases","dataCollection":"cr:dataCollection",)"
    R"("dataType":{"@id":"cr:dataType","@type":"@vocab"},)"
    R"("dct":"http://purl.org/dc/terms/","equivalentProperty":"cr:equivalentProperty",)"
    R"("examples":{"@id":"cr:examples","@type":"@json"},"extract":"cr:extract","field":"cr:field",)"
    R"("fileProperty":"cr:fileProperty","fileObject":"cr:fileObject","fileSet":"cr:fileSet","format":"cr:format",)"
    R"("includes":"cr:includes","isLiveDataset":"cr:isLiveDataset","jsonPath":"cr:jsonPath","key":"cr:key",)"
    R"("md5":"cr:md5",)"
    R"("parentField":"cr:parentField","rai":"http://mlcommons.org/croissant/RAI/",)"
    R"("path":"cr:path","personalSensitiveInformation":"cr:personalSensitiveInformation",)"
    R"("recordSet":"cr:recordSet","references":"cr:references","regex":"cr:regex","repeated":"cr:repeated",)"
    R"("replace":"cr:replace","samplingRate":"cr:samplingRate","sc":"https://schema.org/","separator":"cr:separator",)"
    R"("source":"cr:source","subField":"cr:subField","transform":"cr:transform"})";

// The name that IANA knows, and the one that mlcroissant does.
void AddFormats(JsonWriter& json) {
  json.Key("encodingFormat").BeginArray().Text(kMediaTypeOfParquet).Text("application/x-parquet").EndArray();
}

void AddDistribution(const Table& table, const TableFiles& files, JsonWriter& json) {
  json.BeginObject().Field("@type", "cr:FileSet").Field("@id", table.name + "-files");
  json.Field("name", table.name + "-files");
  AddFormats(json);
  // Each by its name: a pattern would also find the files of the generation before.
  json.Key("includes").BeginArray();
  for (const DataFile& file : files.files) json.Text(file.path);
  json.EndArray().EndObject();
  for (const DataFile& file : files.files) {
    json.BeginObject().Field("@type", "cr:FileObject").Field("@id", file.path).Field("name", file.path);
    json.Field("contentUrl", file.path);
    AddFormats(json);
    json.Field("contentSize", fmt::format("{} B", file.bytes)).Field("sha256", file.sha256).EndObject();
  }
}

void AddRecordSet(const Table& table, JsonWriter& json) {
  json.BeginObject().Field("@type", "cr:RecordSet").Field("@id", table.name).Field("name", table.name);
  json.Field("description", table.description).Key("key").BeginArray();
  for (const std::string& name : table.key)
    json.BeginObject().Field("@id", fmt::format("{}/{}", table.name, name)).EndObject();
  json.EndArray().Key("field").BeginArray();
  const Table* owner = OwnerOf(table);
  for (const Column& column : table.columns) {
    json.BeginObject().Field("@type", "cr:Field").Field("@id", fmt::format("{}/{}", table.name, column.name));
    json.Field("name", fmt::format("{}/{}", table.name, column.name)).Field("description", Words(column));
    json.Field("dataType", CroissantType(column.type)).Key("source").BeginObject();
    json.Key("fileSet").BeginObject().Field("@id", table.name + "-files").EndObject();
    json.Key("extract").BeginObject().Field("column", column.name).EndObject().EndObject();
    if (owner && column.name == table.record_column) {
      json.Key("references").BeginObject().Key("field").BeginObject();
      json.Field("@id", fmt::format("{}/{}", owner->name, owner->key[0])).EndObject().EndObject();
    }
    json.EndObject();
  }
  json.EndArray().EndObject();
}

constexpr std::string_view kHowTo = R"(
## How to open them

Each table is a folder of Parquet files; manifest.json names the generation, manifests/ has the list of its files.
latest/ holds the newest generation's files alone. Each folder is a Delta Lake table too.

DuckDB, in its own shell, in this folder (views.sql has every table and the drop-in views):

    duckdb -init views.sql
    SELECT title, vote_average FROM movies WHERE vote_count >= 500 ORDER BY vote_average DESC LIMIT 10;

Python with Polars, pandas or deltalake:

    polars.scan_parquet("latest/movies/*.parquet")
    polars.scan_delta("movies")
    pandas.read_parquet("latest/movies")
    deltalake.DeltaTable("movies", version=0).to_pandas()

R with arrow:

    arrow::open_dataset("latest/movies")

Spark with delta-spark, and Athena over a copy in a bucket:

    spark.read.format("delta").load("movies")
    CREATE EXTERNAL TABLE movies LOCATION 's3://BUCKET/tables/movies/' TBLPROPERTIES ('table_type'='DELTA')
)";

}  // namespace

std::string ReadmeText(const Manifest& manifest) {
  std::string text = fmt::format(
      "# {}\n\nGeneration {} of {}. dictionary.json says what every column is, croissant.json and datapackage.json "
      "say the same\nto tools.\n\n| table | rows | files | bytes | what |\n| --- | ---: | ---: | ---: | --- |\n",
      kTitle, manifest.generation, FormatTime(manifest.committed_at));
  for (const Table& table : Tables()) {
    const TableFiles& files = *FilesOf(manifest, table.name);
    text += fmt::format("| {} | {} | {} | {} | {} |\n", table.name, Thousands(RowsOf(files)),
                        files.files.size(), Thousands(BytesOf(files)), MarkdownCell(table.description));
  }
  for (const DropInView& view : DropInViews())
    text += fmt::format("| {} (view) | | | | {} |\n", view.name, MarkdownCell(view.description));
  text += kHowTo;
  text += R"(
## What to know before counting

Numbers are as TMDB sends them: a budget, revenue, runtime or vote_average of 0 mostly means that nobody knows. An empty
text is NULL. What did not fit its column is NULL and a row of rejects; members that are not known here are in
unknown_paths. Every child table has its owner's id and a position; natural keys repeat, so join by ids and count with
DISTINCT. Times are UTC.

## Whose they are

)";
  text += kAttribution;
  text += fmt::format(
      R"( The data is TMDB's, not ours. Its terms ({}) bind all who use these
files: among others nothing may be kept for longer than six months without a refresh, and it may not be passed on,
sold or used to train models. Who shows where something can be watched names JustWatch.
)",
      kTerms);
  return text;
}

std::string DictionaryJson() {
  std::string text = "[\n";
  for (const Table& table : Tables()) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const Column& column = table.columns[i];
      JsonWriter json;
      json.BeginObject()
          .Field("table_name", table.name)
          .Field("column_name", column.name)
          .Field("ordinal", i + 1);
      json.Field("type", SqlName(column.type)).Field("nullable", !column.required).Key("unit");
      column.unit.empty() ? json.Null() : json.Text(column.unit);
      json.Field("description", column.description).Key("source_path");
      const std::string source = table.SourcePath(column);
      source.empty() ? json.Null() : json.Text(source);
      json.Field("key_part", table.IsKey(column.name)).EndObject();
      if (text.size() > 2) text += ",\n";
      text += json.text();
    }
  }
  return text + "\n]\n";
}

std::string DatapackageJson(const Manifest& manifest) {
  JsonWriter json;
  json.BeginObject().Field("$schema", "https://datapackage.org/profiles/2.0/datapackage.json");
  json.Field("name", "tmdb-mirror").Field("title", kTitle).Field("description", kAttribution);
  json.Field("version", fmt::format("{}.0.0", manifest.generation))
      .Field("created", FormatTime(manifest.committed_at));
  json.Field("homepage", "https://www.themoviedb.org/");
  json.Key("licenses")
      .BeginArray()
      .BeginObject()
      .Field("title", "TMDB API terms of use")
      .Field("path", kTerms);
  json.EndObject().EndArray();
  json.Key("resources").BeginArray();
  for (const Table& table : Tables()) {
    const TableFiles& files = *FilesOf(manifest, table.name);
    if (!files.files.empty()) AddResource(table, files, json);
  }
  return json.EndArray().EndObject().text() + "\n";
}

std::string CroissantJson(const Manifest& manifest) {
  JsonWriter json;
  json.BeginObject().Key("@context").Raw(kCroissantContext).Field("@type", "sc:Dataset");
  json.Field("conformsTo", "http://mlcommons.org/croissant/1.1").Field("name", "tmdb-mirror");
  json.Field("description", fmt::format("{}. {}", kTitle, kAttribution)).Field("license", kTerms);
  json.Field("url", "https://www.themoviedb.org/")
      .Field("version", fmt::format("{}.0.0", manifest.generation));
  json.Field("datePublished", FormatTime(manifest.committed_at).substr(0, 10)).Field("isLiveDataset", true);
  json.Key("creator").BeginObject().Field("@type", "sc:Organization").Field("name", "The Movie Database");
  json.Field("url", "https://www.themoviedb.org/").EndObject();
  json.Field("citeAs", "The Movie Database (TMDB), https://www.themoviedb.org/");
  json.Key("distribution").BeginArray();
  for (const Table& table : Tables()) {
    const TableFiles& files = *FilesOf(manifest, table.name);
    if (!files.files.empty()) AddDistribution(table, files, json);
  }
  json.EndArray().Key("recordSet").BeginArray();
  for (const Table& table : Tables()) {
    if (!FilesOf(manifest, table.name)->files.empty()) AddRecordSet(table, json);
  }
  return json.EndArray().EndObject().text() + "\n";
}

std::string DictionaryMarkdown() {
  std::string text = fmt::format(
      R"(# Data dictionary

Every table that `tmdb-collector tables` makes, and every column. This page is made from the same table of the code as
the Parquet files themselves (src/tables/spec.h); a test compares them. [tables.md](tables.md) shows how to use them.

Types are DuckDB's names: BIGINT is 64 bits, DOUBLE 64 bits, TIMESTAMPTZ an instant in UTC with microseconds. **!**
behind a type: never NULL. *Key*: no two rows have the same values in these columns. The source is the path within the
record that `query` prints: [] stands for the elements of a list, {{}} for the members of an object, $ for the line
around the record. {} tables, {} columns.
)",
      Tables().size(), [] {
        std::size_t columns = 0;
        for (const Table& table : Tables()) columns += table.columns.size();
        return columns;
      }());
  for (const Group& group : kGroups) {
    text += fmt::format("\n## {}\n", group.title);
    for (const Table& table : Tables()) {
      if (!group.has(table)) continue;
      text += fmt::format(
          "\n### {}\n\n{} Key: {}.\n\n| column | type | what | source |\n| --- | --- | --- | --- |\n",
          table.name, table.description, fmt::join(table.key, ", "));
      for (const Column& column : table.columns) {
        const std::string source = table.SourcePath(column);
        text += fmt::format("| {} | {}{} | {} | {} |\n", column.name, SqlName(column.type),
                            column.required ? " **!**" : "", MarkdownCell(Words(column)),
                            source.empty() ? "" : "`" + MarkdownCell(source) + "`");
      }
    }
  }
  text += "\n## Views\n\nOver those tables, in `sql` and in views.sql:\n\n| view | what |\n| --- | --- |\n";
  for (const DropInView& view : DropInViews())
    text += fmt::format("| {} | {} |\n", view.name, MarkdownCell(view.description));
  return text;
}

std::vector<DocumentFile> Documents(const Manifest& manifest) {
  return {{"views.sql", ViewsScript(manifest, "")},
          {"dictionary.json", DictionaryJson()},
          {"datapackage.json", DatapackageJson(manifest)},
          {"croissant.json", CroissantJson(manifest)},
          {"README.md", ReadmeText(manifest)}};
}

}  // namespace tmdbc::tables
