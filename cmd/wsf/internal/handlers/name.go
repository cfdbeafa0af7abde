package handlers

import (
	"fmt"
	"go/token"
	"net/http"
	pathpkg "path"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gotornado/gotornado/cmd/wsf/internal/usage"
)

// data is what the files of a handler are made with.
type data struct {
	Package                string
	Name, Var, Type        string // Ticker, ticker, tickerHandler
	File                   string // ticker
	Article, ArticleOfVar  string // of a comment's first word
	Pattern, URL           string
	Wildcards              string // of the pattern: {shop} and {order}
	Group                  string // an expression: who is on another path is in another group
	Sends                  bool   // a page has something to send
	LoggedIn, Replays      bool   // only for those who are; every connection gets everything again
	Input, Sample          string
	Framework, Application string // what the program calls them
}

var validName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)

// newData checks the names and derives others from them.
func newData(o options) (d data, err error) {
	name := o.name
	if short := strings.TrimSuffix(name, "Handler"); short != "" {
		name = short
	}
	if !validName.MatchString(name) || token.IsKeyword(name) {
		return d, usage.Errorf("%q can't be the name of a handler: use letters and digits, as in LiveScores", o.name)
	}
	kind, known := kinds[o.kind]
	if !known {
		return d, usage.Errorf("there is no kind %q; -kind is one of %s", o.kind, kindNames())
	}
	first, size := utf8.DecodeRuneInString(name)
	d = data{
		Name:   string(unicode.ToUpper(first)) + name[size:],
		Var:    lowerFirst(name),
		File:   strings.ToLower(name),
		Input:  kind.input,
		Sample: kind.sample,
		Sends:  kind.input != "",
	}
	d.Type = d.Var + "Handler"
	d.Article, d.ArticleOfVar = "A", "A"
	if strings.ContainsRune("aeiou", rune(d.Var[0])) {
		d.Article, d.ArticleOfVar = "An", "An"
	}
	d.Pattern = o.route
	if d.Pattern == "" {
		d.Pattern = "/" + d.File
	}
	if d.URL, err = checkPattern(d.Pattern); err != nil {
		return d, err
	}
	var names []string
	for _, match := range wildcard.FindAllStringSubmatch(d.Pattern, -1) {
		names = append(names, "{"+match[1]+"}")
		d.Group += fmt.Sprintf(` + "/" + h.PathValue(%q)`, match[1])
	}
	d.Group = strings.Replace(strconv.Quote(d.File)+d.Group, `" + "`, "", 1)
	d.Wildcards = strings.Join(names, " and ")
	d.LoggedIn, d.Replays = o.authenticated, o.kind == "stream"
	return d, nil
}

// lowerFirst makes "ticker" of "Ticker" and "rpcCalls" of "RPCCalls".
func lowerFirst(name string) string {
	n := 1
	for n < len(name) && unicode.IsUpper(rune(name[n])) && (n+1 == len(name) || unicode.IsUpper(rune(name[n+1])) || unicode.IsDigit(rune(name[n+1]))) {
		n++
	}
	if !unicode.IsUpper(rune(name[0])) {
		n = 0
	}
	return strings.ToLower(name[:n]) + name[n:]
}

var (
	validPattern = regexp.MustCompile(`^/[A-Za-z0-9._~{}$/-]*$`)
	wildcard     = regexp.MustCompile(`\{([A-Za-z_][A-Za-z0-9_]*)(?:\.\.\.)?\}`)
)

// checkPattern returns a path that a pattern stands for.
func checkPattern(pattern string) (path string, err error) {
	path = wildcard.ReplaceAllString(strings.TrimSuffix(pattern, "{$}"), "$1")
	if !validPattern.MatchString(pattern) || strings.ContainsAny(path, "{}$") || strings.Contains(pattern, "//") {
		return "", usage.Errorf("%q can't be a route: give a path, as in /ticker or /rooms/{room}", pattern)
	}
	if clean := pathpkg.Clean(pattern); clean != strings.TrimSuffix(pattern, "/") && clean != pattern {
		return "", usage.Errorf("%q can't be a route: %s is what browsers make of it", pattern, clean)
	}
	defer func() {
		if problem := recover(); problem != nil {
			err = usage.Errorf("%q can't be a route: %v", pattern, problem)
		}
	}()
	http.NewServeMux().Handle(pattern, http.NotFoundHandler()) // it knows what else is wrong, and panics
	return path, nil
}
