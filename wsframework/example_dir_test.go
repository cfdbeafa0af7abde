package wsframework_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/gotornado/gotornado/wsframework"
)

// A folder on disk is served with versions, which browsers may keep for ever.
func ExampleDir() {
	folder, err := os.MkdirTemp("", "static")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	if err := os.WriteFile(filepath.Join(folder, "chat.js"), []byte(`console.log("tea")`), 0o600); err != nil {
		fmt.Println(err)
		return
	}

	app := wsframework.NewApplication(wsframework.Settings{
		Static: wsframework.Dir(folder),
		Logger: slog.New(slog.DiscardHandler),
	})
	server := httptest.NewServer(app)
	defer server.Close()

	url := app.StaticURL("chat.js")
	response, err := server.Client().Get(server.URL + url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	script, err := io.ReadAll(response.Body)
	fmt.Println(url)
	fmt.Println(response.Header.Get("Content-Type"), response.Header.Get("Cache-Control"))
	fmt.Println(string(script), err)
	// Output:
	// /static/chat.js?v=c92915612e735c0c
	// text/javascript; charset=utf-8 public, max-age=31536000, immutable
	// console.log("tea") <nil>
}
