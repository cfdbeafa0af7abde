package wsframework

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"
)

// versionOf is the version of a file with this content.
func versionOf(content string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(content)))[:16] }

// getStatic asks for a target with headers, names and values in turn.
func getStatic(h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestStaticURL(t *testing.T) {
	files := templateFiles("js/chat.js", "chat", "a b&c?#%é.txt", "odd", ".env", "secret", "empty", "")
	tests := []struct{ prefix, path, want string }{
		{"/static/", "js/chat.js", "/static/js/chat.js?v=" + versionOf("chat")},
		{"static", "js/chat.js", "/static/js/chat.js?v=" + versionOf("chat")},
		{"/", "js/chat.js", "/js/chat.js?v=" + versionOf("chat")},
		{"/my files/", "empty", "/my%20files/empty?v=" + versionOf("")},
		{"/static/", "a b&c?#%é.txt", "/static/a%20b&c%3F%23%25%C3%A9.txt?v=" + versionOf("odd")},
		{"/static/", "missing.js", "/static/missing.js"},
		{"/static/", "js", "/static/js"},
		{"/static/", "", "/static/"},
		{"/static/", ".env", "/static/.env"},
		{"/static/", "../x?y", "/static/../x%3Fy"},
		{"/static/", "/js/chat.js", "/static//js/chat.js"},
	}
	for _, tt := range tests {
		for _, debug := range []bool{false, true} {
			s := newStaticFiles(files, tt.prefix, debug)
			for range 2 {
				if got := s.url(tt.path); got != tt.want {
					t.Errorf("%q under %q: %q, want %q", tt.path, tt.prefix, got, tt.want)
				}
			}
			if strings.Contains(tt.want, "?v=") {
				w := getStatic(s, "GET", s.url(tt.path))
				if w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
					t.Errorf("%q: %d, %v", tt.path, w.Code, w.Header())
				}
			}
		}
	}
}

func TestStaticCaching(t *testing.T) {
	s := newStaticFiles(templateFiles("chat.js", "0123456789"), "/static/", false)
	version := versionOf("0123456789")
	const forever, revalidate = "public, max-age=31536000, immutable", "no-cache"
	tests := []struct {
		method, query string
		headers       []string
		status        int
		cache, body   string
	}{
		{"GET", "", nil, 200, revalidate, "0123456789"},
		{"GET", "?v=" + version, nil, 200, forever, "0123456789"},
		{"GET", "?w=1&v=" + version, nil, 200, forever, "0123456789"},
		{"GET", "?v=0000000000000000", nil, 200, revalidate, "0123456789"},
		{"GET", "?v=", nil, 200, revalidate, "0123456789"},
		{"HEAD", "?v=" + version, nil, 200, forever, ""},
		{"GET", "", []string{"If-None-Match", `"` + version + `"`}, 304, revalidate, ""},
		{"GET", "?v=" + version, []string{"If-None-Match", `"a", "` + version + `"`}, 304, forever, ""},
		{"GET", "", []string{"If-None-Match", `"old"`}, 200, revalidate, "0123456789"},
		{"GET", "", []string{"If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"}, 200, revalidate, "0123456789"},
		{"GET", "", []string{"Range", "bytes=2-4"}, 206, revalidate, "234"},
		{"GET", "", []string{"Range", "bytes=-2"}, 206, revalidate, "89"},
		{"GET", "", []string{"Range", "bytes=2-4", "If-Range", `"` + version + `"`}, 206, revalidate, "234"},
		{"GET", "", []string{"Range", "bytes=2-4", "If-Range", `"old"`}, 200, revalidate, "0123456789"},
		{"GET", "", []string{"If-Match", `"old"`}, 412, revalidate, ""},
	}
	for _, tt := range tests {
		w := getStatic(s, tt.method, "/static/chat.js"+tt.query, tt.headers...)
		header := w.Header()
		if w.Code != tt.status || header.Get("Cache-Control") != tt.cache || w.Body.String() != tt.body ||
			header.Get("Etag") != `"`+version+`"` || header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Last-Modified") != "" {
			t.Errorf("%s %s %q: %d %q %v", tt.method, tt.query, tt.headers, w.Code, w.Body, header)
		}
	}
	if w := getStatic(s, "GET", "/static/chat.js?v="+version, "Range", "bytes=20-"); w.Code != 416 || w.Header().Get("Cache-Control") != "" {
		t.Errorf("a range beyond the end: %d %v", w.Code, w.Header())
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		if w := getStatic(s, method, "/static/chat.js"); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d %v", method, w.Code, w.Header())
		}
	}
}

func TestStaticPaths(t *testing.T) {
	folder := makeFolder(t, "index.html", "start", "js/chat.js", "chat", "js/index.html", "list", "a b.txt", "space",
		".env", "hidden", ".git/config", "hidden", "js/.map", "hidden", ".well-known/security.txt", "known", "js/.well-known/x", "hidden")
	for link, target := range map[string]string{"out": "../secret", "up": "..", "good": "js/chat.js"} {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			t.Fatal(err)
		}
	}
	s := newStaticFiles(Dir(folder), "/static/", false)
	for target, want := range map[string]string{
		"/static/js/chat.js":               "chat",
		"/static/js/chat%2Ejs":             "chat",
		"/static/a%20b.txt":                "space",
		"/static/index.html":               "start",
		"/static/js/index.html":            "list",
		"/static/.well-known/security.txt": "known",
		"/static/good":                     "chat",

		"/static/": "", "/static": "", "/": "", "/other/js/chat.js": "", "/staticjs/chat.js": "",
		"/static/js": "", "/static/js/": "", "/static/js/chat.js/": "", "/static/js/chat.js/x": "", "/static/none": "",
		"/static/../secret": "", "/static/%2e%2e/secret": "", "/static/..%2fsecret": "", "/static/%2e%2e%2fsecret": "",
		"/static/js/../index.html": "", "/static/./index.html": "", "/static//index.html": "", "/static/js//chat.js": "",
		"/static/js%2fchat.js": "", "/static/js%2Fchat.js": "", `/static/js%5cchat.js`: "", `/static/..%5Csecret`: "",
		"/static/index.html%00": "", "/static/index.html%00.js": "", "/static/%ff": "", "/static/index.html%0a": "",
		"/static/c:/secret": "", "/static/index.html::$DATA": "", "/static/index.html.": "", "/static/index.html%20": "",
		"/static//etc/passwd": "", "/static/nul": "", "/static/aux.js": "",
		"/static/.env": "", "/static/.git/config": "", "/static/js/.map": "", "/static/.well-known": "", "/static/js/.well-known/x": "",
		"/static/out": "", "/static/up/secret": "", "/static/up/static/index.html": "",
	} {
		w := getStatic(s, "GET", target)
		if want == "" && w.Code != 404 || want != "" && (w.Code != 200 || w.Body.String() != want) {
			t.Errorf("%s: %d %q, want %q", target, w.Code, w.Body, want)
		}
	}
}

func TestStaticContentTypes(t *testing.T) {
	for name, want := range map[string]string{
		"a.js": "text/javascript; charset=utf-8", "a.MJS": "text/javascript; charset=utf-8", "a.min.css": "text/css; charset=utf-8",
		"a.html": "text/html; charset=utf-8", "a.json": "application/json", "a.js.map": "application/json", "a.svg": "image/svg+xml",
		"a.wasm": "application/wasm", "a.woff2": "font/woff2", "a.png": "image/png", "a.jpg": "image/jpeg", "a.webp": "image/webp",
		"a.avif": "image/avif", "a.ico": "image/x-icon", "a.txt": "text/plain; charset=utf-8", "a.webmanifest": "application/manifest+json",
		"a": "application/octet-stream", "a.nobodyknows": "application/octet-stream",
	} {
		s := newStaticFiles(templateFiles(name, "<html><script>"), "/static/", false)
		if got := getStatic(s, "GET", "/static/"+name).Header().Get("Content-Type"); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// A file on disk that changes has another version at once where it is served, and within a second where
// its URL is made.
func TestStaticFileChanges(t *testing.T) {
	folder := makeFolder(t, "a.txt", "one")
	path := filepath.Join(folder, "a.txt")
	for _, debug := range []bool{false, true} {
		write := func(content string, modTime time.Time) {
			if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, modTime, modTime); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			write("one", start)
			s := newStaticFiles(Dir(folder), "/static/", debug)
			if got, want := s.url("a.txt"), "/static/a.txt?v="+versionOf("one"); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			write("two", start.Add(time.Minute))
			if got, old := s.url("a.txt"), "/static/a.txt?v="+versionOf("one"); !debug && got != old {
				t.Errorf("%q, want %q", got, old)
			}
			w := getStatic(s, "GET", "/static/a.txt?v="+versionOf("one"))
			if w.Body.String() != "two" || w.Header().Get("Etag") != `"`+versionOf("two")+`"` || w.Header().Get("Cache-Control") != "no-cache" {
				t.Errorf("%q %v", w.Body, w.Header())
			}
			write("three", start.Add(time.Minute)) // only the size tells
			<-time.After(urlsRecheck)
			if got, want := s.url("a.txt"), "/static/a.txt?v="+versionOf("three"); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			write("THREE", start.Add(time.Minute)) // nothing tells
			w = getStatic(s, "GET", "/static/a.txt")
			if got, want := w.Header().Get("Etag"), `"`+versionOf("THREE")+`"`; (got == want) != debug {
				t.Errorf("debug %v: %q", debug, got)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			<-time.After(urlsRecheck)
			if got := s.url("a.txt"); got != "/static/a.txt" {
				t.Errorf("%q", got)
			}
		})
	}
}

// streamFS has files that can only be read, once.
type streamFS struct{ fs.FS }

func (s streamFS) Open(name string) (fs.File, error) {
	file, err := s.FS.Open(name)
	return struct{ fs.File }{file}, err
}

// brokenFS has files that can't be read.
type brokenFS struct{ fs.FS }

type brokenFile struct{ fs.File }

func (brokenFile) Read([]byte) (int, error) { return 0, errors.New("the disk is on fire") }

func (b brokenFS) Open(name string) (fs.File, error) {
	file, err := b.FS.Open(name)
	return brokenFile{file}, err
}

// brokenSeeker is brokenFS's file with a Seek.
type brokenSeeker struct {
	brokenFile
	io.Seeker
}

type brokenSeekerFS struct{ fs.FS }

func (b brokenSeekerFS) Open(name string) (fs.File, error) {
	return brokenSeeker{brokenFile{must(b.FS.Open(name))}, strings.NewReader("")}, nil
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestStaticOddFiles(t *testing.T) {
	files := templateFiles("a.txt", "0123456789")
	s := newStaticFiles(streamFS{files}, "/static/", false)
	for range 2 {
		w := getStatic(s, "GET", s.url("a.txt"), "Range", "bytes=3-5")
		if w.Code != 206 || w.Body.String() != "345" || w.Header().Get("Etag") != `"`+versionOf("0123456789")+`"` {
			t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
		}
	}
	for _, broken := range []fs.FS{brokenFS{files}, brokenSeekerFS{files}} {
		s = newStaticFiles(broken, "/static/", false)
		if w := getStatic(s, "GET", s.url("a.txt")); w.Code != 500 || strings.Contains(w.Body.String(), "fire") || w.Header().Get("Cache-Control") != "" {
			t.Errorf("%d %q", w.Code, w.Body)
		}
	}
	files["pipe"] = &fstest.MapFile{Mode: fs.ModeNamedPipe}
	if w := getStatic(newStaticFiles(files, "/static/", false), "GET", "/static/pipe"); w.Code != 404 {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

func TestStaticConcurrently(t *testing.T) {
	s := newStaticFiles(templateFiles("a.js", "a", "b.js", "b"), "/static/", false)
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			name := string(rune('a' + i%2))
			if w := getStatic(s, "GET", s.url(name+".js")); w.Body.String() != name || w.Header().Get("Etag") != `"`+versionOf(name)+`"` {
				t.Errorf("%q %v", w.Body, w.Header())
			}
		})
	}
	all.Wait()
}

func TestStaticVersionsAreBounded(t *testing.T) {
	s := newStaticFiles(templateFiles("a.js", "a"), "/static/", false)
	for i := range 3*maxVersions + 5 {
		s.remember(fmt.Sprint(i), staticVersion{})
	}
	if len(s.versions) > maxVersions {
		t.Errorf("%d versions", len(s.versions))
	}
	if got := s.url("a.js"); got != "/static/a.js?v="+versionOf("a") {
		t.Error(got)
	}
}

// openedFS fails the test when anything is opened that should not be.
type openedFS struct {
	fs.FS
	t *testing.T
}

func (o openedFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\\:\x00") || strings.Contains("/"+name, "/..") ||
		strings.Contains(strings.TrimPrefix("/"+name, "/.well-known"), "/.") {
		o.t.Errorf("%q is opened", name)
	}
	return o.FS.Open(name)
}

// FuzzStaticPath: whatever the path, nothing outside the folder and nothing hidden is opened, and a 200
// is the file that the path names.
func FuzzStaticPath(f *testing.F) {
	contents := map[string]string{"a.js": "a", "js/b.js": "b", ".well-known/x": "x", "a b.txt": "space"}
	folder := makeFolder(f, "a.js", "a", "js/b.js", "b", ".well-known/x", "x", "a b.txt", "space", ".env", "hidden")
	for link, target := range map[string]string{"out": "../secret", "up": ".."} {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			f.Fatal(err)
		}
	}
	for _, seed := range []string{"a.js", "js/b.js", "js%2fb.js", "../secret", "%2e%2e/secret", "up/secret", "out", ".env", "a.js%00",
		`..\secret`, "c:/x", "a.js?v=1", ".well-known/x", "//a.js", "a%20b.txt", "js/../a.js"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		s := newStaticFiles(openedFS{Dir(folder), t}, "/static/", false)
		s.url(path)
		urls := []*url.URL{{Path: "/static/" + path}}
		if parsed, err := url.Parse("/static/" + path); err == nil {
			urls = append(urls, parsed)
		}
		for _, u := range urls {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, &http.Request{Method: "GET", URL: u})
			want, exists := contents[strings.TrimPrefix(u.Path, "/static/")]
			if w.Code != 404 && w.Code != 200 || w.Code == 200 && (!exists || w.Body.String() != want) {
				t.Errorf("%q: %d %q", u.Path, w.Code, w.Body)
			}
		}
	})
}

func BenchmarkStaticURL(b *testing.B) {
	s := newStaticFiles(Dir(makeFolder(b, "js/chat.js", "chat")), "/static/", false)
	b.ReportAllocs()
	for b.Loop() {
		s.url("js/chat.js")
	}
}
