package wsframework

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode"
)

// staticFiles serves the files of a file system under a prefix: scripts, styles, images. A URL that url
// made has the version of the file in it, so what it names never changes and is cached for ever; every
// other is asked for again with its ETag. It is an http.Handler. All methods may be called from any
// goroutine.
type staticFiles struct {
	fsys   fs.FS
	prefix string // with a slash at both ends
	debug  bool   // files change at any time: do not remember versions

	private bool // not for everybody, so no cache on the way may keep them; set before it serves

	mu       sync.RWMutex // protects the following
	versions map[string]staticVersion
}

// A staticVersion is what a file's content was when it was this old and this long.
type staticVersion struct {
	modTime time.Time
	size    int64
	hash    string    // the first 16 hexadecimal digits of the content's SHA-256
	seen    time.Time // when the file was looked at
}

const (
	// urlsRecheck is how long url believes a version without a look at the file.
	urlsRecheck = time.Second

	// maxVersions bounds what is remembered where one file has many names: CHAT.js is chat.js on some
	// systems.
	maxVersions = 1 << 16
)

func newStaticFiles(fsys fs.FS, prefix string, debug bool) *staticFiles {
	prefix = "/" + strings.Trim(prefix, "/") + "/"
	if prefix == "//" {
		prefix = "/"
	}
	return &staticFiles{fsys: fsys, prefix: prefix, debug: debug, versions: make(map[string]staticVersion)}
}

// url returns where a file is served, with its version: "/static/js/chat.js?v=1c2d3e4f5a6b7c8d" for
// "js/chat.js". As Tornado's static_url, it leaves the version out if there is no such file.
func (s *staticFiles) url(path string) string {
	escaped := (&url.URL{Path: s.prefix + path}).EscapedPath()
	if hash := s.hash(path); hash != "" {
		return escaped + "?v=" + hash
	}
	return escaped
}

func (s *staticFiles) hash(path string) string {
	if !servable(path) {
		return ""
	}
	if v, ok := s.version(path); ok && time.Since(v.seen) < urlsRecheck {
		return v.hash
	}
	file, err := s.open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	return file.hash
}

// ServeHTTP answers GET and HEAD, also for ranges and on conditions (RFC 9110, 13 and 14). It lists no
// folders, and there is no way out of the file system.
func (s *staticFiles) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Static files can be read only.", http.StatusMethodNotAllowed)
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, s.prefix)
	// A slash that is written %2F is part of a name, and no name has one.
	if !ok || !servable(path) || strings.Contains(strings.ToLower(r.URL.RawPath), "%2f") {
		http.NotFound(w, r)
		return
	}
	file, err := s.open(path)
	switch {
	case errors.Is(err, errUnreadable):
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	case err != nil:
		http.NotFound(w, r) // whatever the reason: what can't be opened is not there for visitors
		return
	}
	defer file.Close()
	header := w.Header()
	header.Set("Content-Type", contentType(path))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Etag", `"`+file.hash+`"`)
	policy, who := "no-cache", "public"
	if s.private {
		policy, who = "private, no-cache", "private"
	}
	if r.URL.Query().Get("v") == file.hash {
		policy = who + ", max-age=31536000, immutable"
	}
	header.Set("Cache-Control", policy)
	// No Last-Modified: it knows no fractions of seconds, and goes backwards with a deployment.
	http.ServeContent(w, r, path, time.Time{}, file.content)
}

// A staticFile is open.
type staticFile struct {
	fs.File
	content io.ReadSeeker
	hash    string
}

var errUnreadable = errors.New("wsframework: a static file can be opened, but not read")

// open opens a regular file and finds out its version.
func (s *staticFiles) open(path string) (*staticFile, error) {
	opened, err := s.fsys.Open(path)
	if err != nil {
		return nil, err
	}
	file := &staticFile{File: opened}
	if err := s.examine(path, file); err != nil {
		opened.Close()
		return nil, err
	}
	return file, nil
}

func (s *staticFiles) examine(path string, file *staticFile) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fs.ErrNotExist
	}
	seeker, ok := file.File.(io.ReadSeeker)
	if !ok {
		data, err := io.ReadAll(file.File)
		if err != nil {
			return errUnreadable
		}
		seeker = bytes.NewReader(data)
	}
	file.content = seeker
	now := time.Now()
	v, ok := s.version(path)
	if !ok || v.size != info.Size() || !v.modTime.Equal(info.ModTime()) {
		sum := sha256.New()
		if _, err := io.Copy(sum, seeker); err != nil {
			return errUnreadable
		}
		if _, err := seeker.Seek(0, io.SeekStart); err != nil {
			return errUnreadable
		}
		v = staticVersion{modTime: info.ModTime(), size: info.Size(), hash: hex.EncodeToString(sum.Sum(nil)[:8])}
	}
	if now.Sub(v.seen) >= urlsRecheck {
		v.seen = now
		s.remember(path, v)
	}
	file.hash = v.hash
	return nil
}

func (s *staticFiles) version(path string) (staticVersion, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v, ok := s.versions[path]
	return v, ok
}

func (s *staticFiles) remember(path string, v staticVersion) {
	if s.debug {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.versions) >= maxVersions {
		clear(s.versions)
	}
	s.versions[path] = v
}

// servable reports whether a path may name a file to serve: one inside, not hidden, and with the same
// meaning on every system.
func servable(path string) bool {
	if _, err := filepath.Localize(path); err != nil || path == "." { // not valid, or a device of Windows
		return false
	}
	if strings.ContainsAny(path, `\:`) || strings.ContainsFunc(path, unicode.IsControl) {
		return false
	}
	if runtime.GOOS == "windows" && strings.Contains(path, "~") {
		return false // GIT~1 is another name of .git
	}
	for i, name := range strings.Split(path, "/") {
		wellKnown := i == 0 && name == ".well-known" // RFC 8615
		if name[0] == '.' && !wellKnown || strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") {
			return false
		}
	}
	return true
}
