package wsframework_test

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
)

// FuzzReverseURL wants every URL that is made to lead back to its route, with the same values.
func FuzzReverseURL(f *testing.F) {
	routes := map[string]struct {
		pattern   string
		wildcards []string
	}{
		"one":     {"/one/{a}", []string{"a"}},
		"two":     {"GET /two/{a}/of/{b}/{$}", []string{"a", "b"}},
		"many":    {"/many/{a}/{b...}", []string{"a", "b"}},
		"literal": {"/ä%2F?;#/{a}/{b}", []string{"a", "b"}},
	}
	app := wsframework.NewApplication(wsframework.Settings{Logger: quiet})
	for name, route := range routes {
		app.Page(route.pattern, sheets(hooks{get: func(p *sheet) error {
			values := []string{name}
			for _, wildcard := range route.wildcards {
				values = append(values, p.PathValue(wildcard))
			}
			_, err := fmt.Fprintf(p, "%q", values)
			return err
		}}), wsframework.Name(name))
	}
	for _, value := range []string{"tea", "a b", "a/b", "..", ".", "", "%2e", "a//b", "/", "ä再", "?#;&=+,", "\x00\r\n", "\xff", "{a}", "a/"} {
		f.Add(value, value)
		f.Add("x", value)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for name, route := range routes {
			args := []any{a, b}[:len(route.wildcards)]
			path, err := app.ReverseURL(name, args...)
			if err != nil {
				continue
			}
			want := fmt.Sprintf("%q", append([]string{name}, []string{a, b}[:len(args)]...))
			w := httptest.NewRecorder()
			app.ServeHTTP(w, httptest.NewRequest("GET", path, nil)) // which parses it
			if w.Code != 200 || w.Body.String() != want {
				t.Errorf("%s %q: %s leads to %d %s", name, args, path, w.Code, w.Body)
			}
		}
	})
}
