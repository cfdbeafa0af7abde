package wsframework_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
)

func TestRedirectRoute(t *testing.T) {
	app := wsframework.NewApplication(wsframework.Settings{Logger: quiet})
	app.Redirect("/old", "/new")
	app.Redirect("/rooms/{room}/{$}", "/r/{room}?v=2#end", 302)
	app.Redirect("/files/{path...}", "/f/{path...}")
	app.Redirect("GET /away/{x}", "https://example.com/a/{x}", 307)
	app.Under("/api").Redirect("/v1/{id}", "/api/v2/{id}", 308)
	for url, want := range map[string]string{
		"/old":               "301 /new",
		"/old?a=1&b=%20":     "301 /new?a=1&b=%20",
		"/rooms/a%2Fb%3F/":   "302 /r/a%2Fb%3F?v=2#end",
		"/rooms/%E6%98%8E/":  "302 /r/%E6%98%8E?v=2#end",
		"/files/a/b%20c.txt": "301 /f/a/b%20c.txt",
		"/files/":            "301 /f/",
		"/away/1":            "307 https://example.com/a/1",
		"/api/v1/7":          "308 /api/v2/7",
	} {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest("GET", url, nil))
		if got := fmt.Sprint(w.Code, " ", w.Header().Get("Location")); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}

func TestRedirectThatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		pattern, to string
		status      int
		want        string
	}{
		{"/a", "/b", 200, "status 200"},
		{"/a", "b", 301, "begin with a slash"},
		{"/a", "/%zz", 301, "invalid URL escape"},
		{"/a/{x}", "/b/{y}", 301, "wildcard {y}"},
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, tt.want) || !strings.Contains(text, "redirect_test.go:") {
					t.Errorf("%s to %s: panics with %s, want %q and the line", tt.pattern, tt.to, text, tt.want)
				}
			}()
			wsframework.NewApplication(wsframework.Settings{Logger: quiet}).Redirect(tt.pattern, tt.to, tt.status)
		}()
	}
}
