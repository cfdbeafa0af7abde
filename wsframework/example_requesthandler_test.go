package wsframework_test

import (
	"fmt"
	"log/slog"
	"net/http/httptest"

	"github.com/gotornado/gotornado/wsframework"
)

// GreetingHandler answers GET and HEAD.
type GreetingHandler struct {
	wsframework.RequestHandler
	greeting string
}

func (h *GreetingHandler) Get() error {
	name := h.PathValue("name")
	if name == "nobody" {
		return &wsframework.HTTPError{Status: 404, Message: "There is nobody to greet."}
	}
	return h.WriteJSON(map[string]string{h.greeting: name})
}

// A page embeds RequestHandler and has a method for each of HTTP's that it answers.
func ExampleRequestHandler() {
	app := wsframework.NewApplication(wsframework.Settings{AccessLogger: slog.New(slog.DiscardHandler)})
	app.Page("/greet/{name}", func() wsframework.Page { return &GreetingHandler{greeting: "hello"} })

	for _, request := range []struct{ method, path string }{
		{"GET", "/greet/Ann"}, {"GET", "/greet/nobody"}, {"POST", "/greet/Ann"},
	} {
		response := httptest.NewRecorder()
		app.ServeHTTP(response, httptest.NewRequest(request.method, request.path, nil))
		fmt.Println(response.Code, response.Body)
	}
	// Output:
	// 200 {"hello":"Ann"}
	// 404 There is nobody to greet.
	//
	// 405 Method Not Allowed
}
