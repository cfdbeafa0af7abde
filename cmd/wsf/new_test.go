package main

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
)

// Every variant of a project is checked as its CI does, runs, and keeps its sessions where it says.
func TestNew(t *testing.T) {
	staticcheck := buildStaticcheck(t)
	for _, store := range []string{"memory", "redis", "postgres", "sqlite"} {
		for _, pages := range []bool{true, false} {
			name := store
			if !pages {
				name += "-no-pages"
			}
			t.Run(name, func(t *testing.T) {
				folder := filepath.Join(t.TempDir(), name)
				out := wsf(t, "new", folder, "-store", store, "-no-pages="+map[bool]string{true: "false", false: "true"}[pages])
				if !strings.Contains(out, "cd "+folder) || !strings.Contains(out, "go run .") {
					t.Errorf("it says\n%s", out)
				}
				check(t, folder, staticcheck)
				program := filepath.Join(t.TempDir(), name)
				execute(t, folder, true, "go", "build", "-o", program, ".")

				unclear := exec.Command(program)
				unclear.Env = append(os.Environ(), "SECURE_COOKIES=perhaps")
				if said, err := unclear.CombinedOutput(); err == nil || string(said) != "SECURE_COOKIES is \"perhaps\"; write true or false\n" {
					t.Errorf("with an unclear setting it says (%v)\n%s", err, said)
				}
				setting := startStore(t, store)
				s := serve(t, program, folder, setting)
				if pages {
					visit(t, s, func() *server {
						s.stop()
						return serve(t, program, folder, setting)
					}, store != "memory")
				} else {
					c := connect(t, s, nil)
					say(t, c, "hello", `{"name":"guest","text":"hello",`)
				}
				s.stop()
			})
		}
	}
}

// visit logs in and chats; after a restart the session is still there, if it stays.
func visit(t *testing.T, s *server, restart func() *server, stays bool) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	if page := get(t, client, s.url); !strings.Contains(page, "Your name") {
		t.Errorf("the first page is\n%s", page)
	}
	response, err := client.PostForm(s.url+"/login", url.Values{"name": {"ann"}, "next": {"/"}})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if page := get(t, client, s.url); !strings.Contains(page, "<bdi>ann</bdi>") || !strings.Contains(page, "/static/js/chat.js?v=") {
		t.Errorf("the chat's page is\n%s", page)
	}
	say(t, connect(t, s, jar), "hello", `{"name":"ann","text":"hello",`)

	s = restart()
	if page := get(t, client, s.url); strings.Contains(page, "<bdi>ann</bdi>") != stays {
		t.Errorf("after a restart the page is\n%s", page)
	}
}

func get(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s is answered with %d (%v)\n%s", url, response.StatusCode, err, body)
	}
	return string(body)
}

func connect(t *testing.T, s *server, jar http.CookieJar) *wsframework.ClientConn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	header := http.Header{}
	if jar != nil {
		site, err := url.Parse(s.url)
		if err != nil {
			t.Fatal(err)
		}
		for _, cookie := range jar.Cookies(site) {
			header.Add("Cookie", cookie.Name+"="+cookie.Value)
		}
	}
	c, err := wsframework.Connect(ctx, "ws"+strings.TrimPrefix(s.url, "http")+"/websocket", &wsframework.ConnectOptions{Header: header})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(wsframework.CloseNormal, "") })
	return c
}

func say(t *testing.T, c *wsframework.ClientConn, text, answer string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := c.WriteText(text); err != nil {
		t.Fatal(err)
	}
	if m, err := c.ReadMessage(ctx); err != nil || !strings.HasPrefix(m.String(), answer) {
		t.Errorf("the answer is %s (%v), want %s", m, err, answer)
	}
}

// Each kind of handler can be added, where there are pages and where there are none.
func TestHandlerKinds(t *testing.T) {
	staticcheck := buildStaticcheck(t)
	for _, pages := range []string{"-no-pages=false", "-no-pages=true"} {
		t.Run(pages, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "app")
			wsf(t, "new", folder, pages)
			before := readFiles(t, folder)
			for _, kind := range []string{"echo", "chat", "ticker", "rpc", "stream"} {
				wsf(t, "handler", "My"+kind, "-kind", kind, "-dir", folder, "-dry-run")
			}
			if after := readFiles(t, folder); !slices.Equal(after, before) {
				t.Errorf("-dry-run leaves %q, there was %q", after, before)
			}
			for _, args := range [][]string{
				{"Echo", "-kind", "echo"},
				{"RoomChat", "-kind", "chat", "-route", "/rooms/{room}", "-authenticated"},
				{"Ticker", "-kind", "ticker"},
				{"RPC", "-kind", "rpc", "-route", "/api/rpc"},
				{"Events", "-kind", "stream", "-route", "/events/{path...}"},
				{"OtherEvents", "-kind", "stream"}, // what two of a kind declare is not the same
				{"OtherRPC", "-kind", "rpc"},
			} {
				wsf(t, append([]string{"handler", "-dir", folder}, args...)...)
				changed := readFiles(t, folder)
				again := wsf(t, append([]string{"handler", "-dir", folder}, args...)...)
				if !strings.HasPrefix(again, "Nothing to do") || !slices.Equal(changed, readFiles(t, folder)) {
					t.Errorf("%q once more: %s", args, again)
				}
			}
			check(t, folder, staticcheck)
			routes := wsf(t, "routes", folder)
			for _, want := range []string{"/rooms/{room}", "*rpcHandler", "*otherEventsHandler", "Authenticated()"} {
				if !strings.Contains(routes, want) {
					t.Errorf("the routes lack %s:\n%s", want, routes)
				}
			}
		})
	}
}

// readFiles returns the names and texts of all files below a folder.
func readFiles(t *testing.T, folder string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files = append(files, path+"\n"+string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// The container image is built where the framework's folder is out of reach.
func TestVendoredProject(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "app")
	wsf(t, "new", folder)
	execute(t, folder, true, "go", "mod", "vendor")
	moved := filepath.Join(t.TempDir(), "src")
	if err := os.CopyFS(moved, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(moved, "go.mod"))
	if err != nil || !strings.Contains(string(mod), "replace ") {
		t.Fatalf("go.mod has no replacement (%v)\n%s", err, mod)
	}
	cmd := exec.Command("go", "build", "-o", os.DevNull, ".")
	cmd.Dir = moved
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOPROXY=off")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
