// SPDX-License-Identifier: MIT

// Go's golang-tmdb: every method that reads. What it gets is decoded into its types, and each answer is judged by the
// rules of the JavaScript clients (mirror.mjs). Its argument is their judge, judge_log.mjs.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"reflect"
	"strings"

	tmdb "github.com/cyruzin/golang-tmdb"
)

type options = map[string]string

type seenAnswer struct {
	Name   string          `json:"name"`
	URL    string          `json:"url"`
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body"`
}

// Notes every answer on its way to the client.
type noting struct {
	asking string
	log    []seenAnswer
}

func (n *noting) RoundTrip(request *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	n.log = append(n.log, seenAnswer{n.asking, request.URL.String(), answer.StatusCode, body})
	return answer, nil
}

type thing struct {
	ID     int    `json:"id"`
	Title  string `json:"title"`
	Name   string `json:"name"`
	IMDb   string `json:"imdb_id"`
	Number int    `json:"number"`
	German struct {
		Title, Name, Overview string
	} `json:"de"`
	Cast []string `json:"cast"`
}

type world struct {
	Film       thing               `json:"film"`
	Show       thing               `json:"show"`
	Season     thing               `json:"season"`
	Episode    thing               `json:"episode"`
	Person     thing               `json:"person"`
	Collection thing               `json:"collection"`
	Company    thing               `json:"company"`
	Network    thing               `json:"network"`
	Keyword    thing               `json:"keyword"`
	Review     struct{ ID string } `json:"review"`
}

var failed int

func fail(name string, why any) {
	failed++
	fmt.Printf("FAILED %s: %v\n", name, why)
}

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
}

// What is not asked: users' data, and what no mirror without --upstream has.
func isServed(method string) bool {
	for _, word := range []string{"Account", "GuestSession", "Favorite", "Rated", "Watchlist", "CreatedLists", "GetList",
		"GetCreditDetails", "EpisodeGroupsDetails", "SeasonChanges", "EpisodeChanges", "GetBaseURL"} {
		if method != "GetMovieTopRated" && method != "GetTVTopRated" && strings.Contains(method, word) {
			return false
		}
	}
	return strings.HasPrefix(method, "Get")
}

// The values that a method's parameters take, by its name.
func argumentsOf(w world, method string, kind reflect.Type) []reflect.Value {
	var numbers []int
	var texts []string
	more := options{}
	switch {
	case strings.HasPrefix(method, "GetTVSeason"):
		numbers = []int{w.Show.ID, w.Season.Number}
	case strings.HasPrefix(method, "GetTVEpisode") && method != "GetTVEpisodeGroups":
		numbers = []int{w.Show.ID, w.Season.Number, w.Episode.Number}
	case strings.HasPrefix(method, "GetMovie"):
		numbers = []int{w.Film.ID}
	case strings.HasPrefix(method, "GetTV"):
		numbers = []int{w.Show.ID}
	case strings.HasPrefix(method, "GetPerson"):
		numbers = []int{w.Person.ID}
	case strings.HasPrefix(method, "GetCollection"):
		numbers = []int{w.Collection.ID}
	case strings.HasPrefix(method, "GetCompany"):
		numbers = []int{w.Company.ID}
	case strings.HasPrefix(method, "GetNetwork"):
		numbers = []int{w.Network.ID}
	case strings.HasPrefix(method, "GetKeyword"):
		numbers = []int{w.Keyword.ID}
	case method == "GetReviewDetails":
		texts = []string{w.Review.ID}
	case method == "GetFindByID":
		texts = []string{w.Film.IMDb}
		more["external_source"] = "imdb_id"
	case method == "GetTrending":
		texts = []string{"all", "week"}
	case strings.HasPrefix(method, "GetSearch"):
		texts = []string{map[string]string{"Companies": w.Company.Name, "Collections": w.Collection.Name,
			"Keywords": w.Keyword.Name, "People": w.Person.Name, "TVShow": w.Show.Name}[method[len("GetSearch"):]]}
		if texts[0] == "" {
			texts[0] = w.Film.Title
		}
	}
	var values []reflect.Value
	for i := range kind.NumIn() {
		switch kind.In(i).Kind() {
		case reflect.Int, reflect.Int64:
			values = append(values, reflect.ValueOf(numbers[0]).Convert(kind.In(i)))
			numbers = numbers[1:]
		case reflect.String:
			values = append(values, reflect.ValueOf(texts[0]))
			texts = texts[1:]
		default:
			values = append(values, reflect.ValueOf(more))
		}
	}
	return values
}

func main() {
	file, err := os.ReadFile(os.Getenv("MIRROR_WORLD"))
	must(err)
	var w world
	must(json.Unmarshal(file, &w))
	client, err := tmdb.Init("0123456789abcdef0123456789abcdef")
	must(err)
	wire := &noting{}
	client.SetClientConfig(http.Client{Transport: wire})
	client.SetCustomBaseURL(os.Getenv("MIRROR_URL") + "/3")

	asked := 0
	methods := reflect.ValueOf(client)
	for i := range methods.NumMethod() {
		name := methods.Type().Method(i).Name
		if !isServed(name) {
			continue
		}
		asked++
		wire.asking = name
		method := methods.Method(i)
		if answer := method.Call(argumentsOf(w, name, method.Type())); !answer[1].IsNil() {
			fail(name, answer[1])
		}
	}

	wire.asking = "a film in German"
	asked++
	film, err := client.GetMovieDetails(w.Film.ID, options{"language": "de-DE", "append_to_response": "credits,release_dates"})
	if err != nil {
		fail(wire.asking, err)
	} else if film.Title != w.Film.German.Title || film.Overview != w.Film.German.Overview || len(film.Credits.Cast) != len(w.Film.Cast) {
		fail(wire.asking, film.Title)
	}
	wire.asking = "a season in German"
	asked++
	season, err := client.GetTVSeasonDetails(w.Show.ID, w.Season.Number, options{"language": "de-DE"})
	if err != nil {
		fail(wire.asking, err)
	} else if season.Name != w.Season.German.Name {
		fail(wire.asking, season.Name)
	}
	wire.asking = "a film by its IMDb id"
	asked++
	found, err := client.GetFindByID(w.Film.IMDb, options{"external_source": "imdb_id", "language": "de-DE"})
	if err != nil {
		fail(wire.asking, err)
	} else if len(found.MovieResults) != 1 || found.MovieResults[0].Title != w.Film.German.Title {
		fail(wire.asking, found.MovieResults)
	}

	judge := exec.Command("node", os.Args[1])
	var lines bytes.Buffer
	for _, one := range wire.log {
		if one.Status != http.StatusOK {
			fail(one.Name, fmt.Sprintf("HTTP %d: %s", one.Status, one.URL))
		}
		must(json.NewEncoder(&lines).Encode(one))
	}
	judge.Stdin = &lines
	judge.Stdout = os.Stdout
	judge.Stderr = os.Stderr
	err = judge.Run()
	fmt.Printf("golang-tmdb: %d questions, %d requests, %d failed\n", asked, len(wire.log), failed)
	if err != nil || failed > 0 || asked < 100 {
		os.Exit(1)
	}
}
