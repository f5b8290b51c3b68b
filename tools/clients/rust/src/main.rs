// SPDX-License-Identifier: MIT
//! crates.io's tmdb-api: all its commands. Its types are strict: a member that is missing, or of another type, is an error.
use serde_json::Value;
use tmdb_api::client::{reqwest::ReqwestExecutor, Client};
use tmdb_api::common::MediaType;
use tmdb_api::prelude::Command;
use tmdb_api::{certification, changes, collection, company, configuration, genre, movie, people, tvshow, watch_provider};

struct Count {
    asked: u32,
    failed: u32,
}

impl Count {
    // One question; `look` says what is wrong with the answer.
    async fn ask<C: Command>(&mut self, client: &Client<ReqwestExecutor>, command: C, look: impl Fn(C::Output) -> Vec<(bool, &'static str)>) {
        self.asked += 1;
        match command.execute(client).await {
            Ok(answer) => {
                for (holds, words) in look(answer) {
                    if !holds {
                        self.failed += 1;
                        println!("FAILED {}: {words}", command.path());
                    }
                }
            }
            Err(error) => {
                self.failed += 1;
                println!("FAILED {}: {error:?}", command.path());
            }
        }
    }
}

fn german() -> Option<String> {
    Some("de-DE".into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let base = std::env::var("MIRROR_URL").expect("MIRROR_URL: tools/clients/run sets it");
    let file = std::env::var("MIRROR_WORLD").expect("MIRROR_WORLD: tools/clients/run sets it");
    let world: Value = serde_json::from_str(&std::fs::read_to_string(file).expect("world.json")).expect("world.json is JSON");
    let id = |kind: &str| world[kind]["id"].as_u64().unwrap();
    let text = |pointer: &str| world.pointer(pointer).and_then(Value::as_str).unwrap().to_string();
    let many = |pointer: &str| world.pointer(pointer).and_then(Value::as_array).unwrap().len();
    let (film, show, season) = (id("film"), id("show"), world["season"]["number"].as_u64().unwrap());
    let client = Client::<ReqwestExecutor>::builder()
        .with_base_url(format!("{base}/3"))
        .with_api_key("0123456789abcdef0123456789abcdef".into())
        .build()
        .unwrap();
    let mut count = Count { asked: 0, failed: 0 };

    macro_rules! ask {
        ($command:expr, |$answer:ident| $($holds:expr),+ $(,)?) => {
            count.ask(&client, $command, |$answer| vec![$(($holds, stringify!($holds))),+]).await
        };
    }
    ask!(movie::details::MovieDetails::new(film), |a| a.inner.title == text("/film/title"), a.imdb_id == Some(text("/film/imdb_id")));
    ask!(movie::details::MovieDetails::new(film).with_language(german()), |a| a.inner.title == text("/film/de/title"),
         a.inner.overview == text("/film/de/overview"), a.inner.poster_path == Some(text("/film/de/poster_path")));
    ask!(movie::alternative_titles::MovieAlternativeTitles::new(film), |a| a.id == film);
    ask!(movie::changes::MovieChanges::new(film), |a| a.changes.is_empty());
    ask!(movie::credits::MovieCredits::new(film), |a| a.cast.len() == many("/film/cast"), a.crew.len() == many("/film/crew"),
         a.cast[0].person.name == text("/film/cast/0"));
    ask!(movie::external_ids::MovieExternalIds::new(film), |a| a.imdb_id == Some(text("/film/imdb_id")));
    ask!(movie::images::MovieImages::new(film), |a| a.posters.len() == many("/film/posters"));
    ask!(movie::keywords::MovieKeywords::new(film), |a| a.keywords.len() == many("/film/keywords"));
    ask!(movie::latest::MovieLatest::default(), |a| a.inner.id > 0);
    ask!(movie::lists::MovieLists::new(film), |a| a.results.is_empty());
    ask!(movie::now_playing::MovieNowPlaying::default(), |a| a.inner.page == 1);
    ask!(movie::popular::MoviePopular::default().with_language(german()), |a| a.total_results == world["listed"]["movie"].as_u64().unwrap(),
         a.results.len() == 20);
    ask!(movie::recommendations::MovieRecommendations::new(film), |a| a.page == 1);
    ask!(movie::release_dates::MovieReleaseDates::new(film), |a| a.results.iter().any(|c| c.iso_3166_1 == "DE"));
    ask!(movie::reviews::MovieReviews::new(world["review"]["film"].as_u64().unwrap()), |a| !a.results.is_empty());
    ask!(movie::search::MovieSearch::new(text("/film/title")), |a| a.results.iter().any(|m| m.inner.id == film));
    ask!(movie::similar::GetSimilarMovies::new(film), |a| a.page == 1);
    ask!(movie::top_rated::MovieTopRated::default(), |a| a.page == 1);
    ask!(movie::translations::MovieTranslations::new(film), |a| a.translations.len() as u64 == world["film"]["translations"].as_u64().unwrap());
    ask!(movie::upcoming::MovieUpcoming::default(), |a| a.page == 1);
    ask!(movie::videos::MovieVideos::new(film), |a| a.results.len() >= many("/film/trailers"));
    ask!(movie::watch_providers::MovieWatchProviders::new(film), |a| a.results.len() == many("/film/providers"));
    ask!(tvshow::details::TVShowDetails::new(show).with_language(german()), |a| a.inner.name == text("/show/de/name"),
         a.seasons.len() == many("/show/seasons"));
    ask!(tvshow::aggregate_credits::TVShowAggregateCredits::new(show), |a| a.cast.len() == many("/show/cast"));
    ask!(tvshow::content_rating::TVShowContentRating::new(show), |a| !a.results.is_empty());
    ask!(tvshow::images::TVShowImages::new(show), |a| !a.posters.is_empty());
    ask!(tvshow::keywords::TVShowKeywords::new(show), |a| !a.results.is_empty());
    ask!(tvshow::latest::TVShowLatest::default(), |a| a.inner.id > 0);
    ask!(tvshow::popular::TVShowPopular::default(), |a| a.total_results == world["listed"]["tv"].as_u64().unwrap());
    ask!(tvshow::search::TVShowSearch::new(text("/show/name")), |a| a.results.iter().any(|s| s.inner.id == show));
    ask!(tvshow::similar::GetSimilarTVShows::new(show), |a| a.page == 1);
    ask!(tvshow::watch_providers::TVShowWatchProviders::new(show), |a| a.id == show);
    ask!(tvshow::season::details::TVShowSeasonDetails::new(show, season).with_language(german()),
         |a| a.episodes.len() as u64 == world["season"]["episodes"].as_u64().unwrap(), a.inner.name == text("/season/de/name"));
    ask!(tvshow::episode::details::TVShowEpisodeDetails::new(show, season, world["episode"]["number"].as_u64().unwrap()),
         |a| a.inner.name == text("/episode/name"), a.guest_stars.len() == many("/episode/guest_stars"));
    ask!(people::details::PersonDetails::new(id("person")).with_language(german()), |a| a.inner.name == text("/person/name"),
         a.biography == Some(text("/person/de/biography")));
    ask!(collection::details::CollectionDetails::new(id("collection")), |a| a.parts.len() == many("/collection/parts"));
    ask!(company::details::CompanyDetails::new(id("company")), |a| a.inner.name == text("/company/name"));
    ask!(company::images::CompanyImages::new(id("company")), |a| !a.logos.is_empty());
    ask!(company::alternative_names::CompanyAlternativeNames::new(id("company")), |a| a.id == id("company"));
    ask!(configuration::countries::Countries::default(), |a| !a.is_empty());
    ask!(configuration::jobs::Jobs::new(), |a| !a.is_empty());
    ask!(configuration::languages::Languages::new(), |a| !a.is_empty());
    ask!(genre::list::GenreList::movie(), |a| !a.is_empty());
    ask!(genre::list::GenreList::tv(), |a| !a.is_empty());
    ask!(certification::list::CertificationList::movie(), |a| !a.is_empty());
    ask!(certification::list::CertificationList::tv(), |a| !a.is_empty());
    ask!(changes::list::ChangeList::movie(), |a| a.page == 1);
    ask!(changes::list::ChangeList::tv(), |a| a.page == 1);
    ask!(changes::list::ChangeList::person(), |a| a.page == 1);
    ask!(watch_provider::list::WatchProviderList::new(MediaType::Movie), |a| !a.is_empty());
    println!("tmdb-api: {} questions, {} failed", count.asked, count.failed);
    std::process::exit(i32::from(count.failed > 0));
}
