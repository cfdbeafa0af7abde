package wsframework

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A redirect sends visitors on to another URL. It is an http.Handler.
type redirect struct {
	to        *url.URL
	target    pattern // to's path, with its wildcards
	wildcards []string
	status    int
}

func newRedirect(from pattern, to string, status int) (*redirect, error) {
	if status < 300 || status > 399 {
		return nil, fmt.Errorf("status %d is none of a redirect; it is one from 300 to 399", status)
	}
	u, err := url.Parse(to)
	if err != nil {
		return nil, err
	}
	if u.Host == "" && !strings.HasPrefix(u.Path, "/") {
		return nil, fmt.Errorf("target %q has to begin with a slash, or with a scheme and a host", to)
	}
	r := &redirect{to: u, target: pattern{path: u.Path}, status: status}
	caught := from.wildcards()
	for _, wildcard := range r.target.wildcards() {
		if !slices.ContainsFunc(caught, func(c string) bool { return strings.TrimSuffix(c, "...") == strings.TrimSuffix(wildcard, "...") }) {
			return nil, fmt.Errorf("target %q has a wildcard {%s} that the pattern has not", to, wildcard)
		}
		r.wildcards = append(r.wildcards, strings.TrimSuffix(wildcard, "..."))
	}
	return r, nil
}

func (h *redirect) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	values := make([]any, len(h.wildcards))
	for i, name := range h.wildcards {
		values[i] = r.PathValue(name)
	}
	path, err := h.target.reverse(values)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	to := *h.to
	if to.RawQuery == "" {
		to.RawQuery = r.URL.RawQuery
	}
	to.Path, _ = url.PathUnescape(path)
	to.RawPath = path
	w.Header().Set("Location", to.String())
	w.WriteHeader(h.status)
}
