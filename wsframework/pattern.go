package wsframework

import (
	"fmt"
	"net/url"
	"strings"
)

// A pattern is one of http.ServeMux, in its parts: "GET example.com/rooms/{room}".
type pattern struct {
	method, host, path string
}

func splitPattern(text string) (p pattern) {
	rest := text
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		p.method, rest = text[:i], strings.TrimLeft(text[i:], " \t")
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		p.host, p.path = rest[:i], rest[i:]
	} else {
		p.host = rest
	}
	return p
}

func (p pattern) String() string {
	if p.method == "" {
		return p.host + p.path
	}
	return p.method + " " + p.host + p.path
}

// under puts a pattern under a prefix, which is one without a method.
func (p pattern) under(prefix pattern) (pattern, error) {
	switch {
	case p.host != "" && prefix.host != "":
		return p, fmt.Errorf("it names a host of its own under that of %q; a path begins with /", prefix)
	case p.host != "" && p.path == "" && prefix.path != "":
		return p, fmt.Errorf("it names a host under the path %q; a path begins with /", prefix.path)
	}
	p.host += prefix.host
	p.path = strings.TrimSuffix(prefix.path, "/") + p.path
	return p, nil
}

// wildcards returns the names of a pattern's wildcards, in their order, "{$}" left out.
func (p pattern) wildcards() (names []string) {
	for rest := p.path; ; {
		_, behind, found := strings.Cut(rest, "{")
		if !found {
			return names
		}
		var name string
		if name, rest, _ = strings.Cut(behind, "}"); name != "$" {
			names = append(names, name)
		}
	}
}

// reverse fills the wildcards of a pattern's path, in their order.
func (p pattern) reverse(args []any) (string, error) {
	var path strings.Builder
	used := 0
	for rest := p.path; rest != ""; {
		literal, behind, found := strings.Cut(rest, "{")
		path.WriteString(escapeLiteral(literal))
		if !found {
			break
		}
		var wildcard string
		wildcard, rest, _ = strings.Cut(behind, "}")
		if wildcard == "$" {
			continue
		}
		if used < len(args) {
			value, err := fillWildcard(wildcard, fmt.Sprint(args[used]))
			if err != nil {
				return "", err
			}
			path.WriteString(value)
		}
		used++
	}
	if used != len(args) {
		return "", fmt.Errorf("%q has %d wildcards, not %d", p.path, used, len(args))
	}
	return path.String(), nil
}

// fillWildcard escapes a value for a place in a path. What a browser or a router would take for another
// path is refused.
func fillWildcard(wildcard, value string) (string, error) {
	name, many := strings.CutSuffix(wildcard, "...")
	if !many {
		return escapeSegment(name, value)
	}
	segments := strings.Split(value, "/")
	for i, segment := range segments {
		if i == len(segments)-1 && segment == "" {
			break // nothing, or a slash at the end
		}
		escaped, err := escapeSegment(name, segment)
		if err != nil {
			return "", err
		}
		segments[i] = escaped
	}
	return strings.Join(segments, "/"), nil
}

// escapeLiteral escapes what stands between wildcards. http.ServeMux takes each segment of a pattern for an
// escaped one, unless that is malformed, and matches what it means.
func escapeLiteral(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if plain, err := url.PathUnescape(segment); err == nil {
			segment = plain
		}
		segments[i] = url.PathEscape(segment)
	}
	return strings.Join(segments, "/")
}

func escapeSegment(name, segment string) (string, error) {
	switch segment {
	case "":
		return "", fmt.Errorf("{%s}: an empty text can't stand there", name)
	case ".", "..", "/": // http.ServeMux takes %2F alone for the slash that ends a path
		return "", fmt.Errorf("{%s}: %q would lead to another path", name, segment)
	}
	return url.PathEscape(segment), nil
}
