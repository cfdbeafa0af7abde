package wsframework_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"github.com/gotornado/gotornado/wsframework"
)

// VisitHandler remembers a visitor's name in a cookie that nobody can make up.
type VisitHandler struct {
	wsframework.RequestHandler
}

func (h *VisitHandler) Get() error {
	if name, ok := h.GetSignedCookie("name"); ok {
		return h.WriteJSON("Welcome back, " + name)
	}
	if err := h.SetSignedCookie("name", "Ann"); err != nil {
		return err
	}
	return h.WriteJSON("Hello")
}

// The secret comes from where the program keeps its secrets, and a Tornado with the same one reads the
// cookies, too.
func ExampleRequestHandler_SetSignedCookie() {
	app := wsframework.NewApplication(wsframework.Settings{
		CookieSecrets: map[int][]byte{0: []byte("here are 32 random bytes, really")},
		Logger:        slog.New(slog.DiscardHandler),
	})
	app.Page("/", func() wsframework.Page { return new(VisitHandler) })

	server := httptest.NewServer(app)
	defer server.Close()

	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar}
	for range 2 {
		response, err := browser.Get(server.URL)
		if err != nil {
			fmt.Println(err)
			return
		}
		page, _ := io.ReadAll(response.Body)
		response.Body.Close()
		fmt.Println(string(page))
	}
	// Output:
	// "Hello"
	// "Welcome back, Ann"
}
