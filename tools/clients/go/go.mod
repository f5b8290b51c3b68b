module clients

go 1.24

require github.com/cyruzin/golang-tmdb v1.8.2

require github.com/goccy/go-json v0.10.5 // indirect
