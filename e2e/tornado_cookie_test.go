package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gotornado/gotornado/internal/testtool"
	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

var (
	secretA = []byte("the first secret, of 32 bytes ..")
	secretB = []byte("\x00\xff another secret of 32 bytes .")
)

// A site is a server with signed cookies and XSRF tokens: a Tornado, or an application of ours that answers
// the same paths.
type site struct {
	t    *testing.T
	name string
	url  string
}

// startTornado runs testdata/tornado_cookies.py until the test ends. A key version below 0 means a plain
// secret, that of version 0.
func startTornado(t *testing.T, secrets map[int][]byte, keyVersion int) *site {
	t.Helper()
	python := testtool.Need(t, "python3-tornado", findPython("tornado"))
	config := map[string]any{"secret": hex.EncodeToString(secrets[0]), "key_version": nil}
	if keyVersion >= 0 {
		dict := make(map[string]string)
		for version, secret := range secrets {
			dict[strconv.Itoa(version)] = hex.EncodeToString(secret)
		}
		config = map[string]any{"secret": dict, "key_version": keyVersion}
	}
	arg, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
	process := exec.CommandContext(ctx, python, filepath.Join("testdata", "tornado_cookies.py"), string(arg))
	process.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8")
	process.Stderr = &log
	stdin, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer cancel()
		stdin.Close()
		if err := process.Wait(); err != nil || strings.Contains(log.String(), "Traceback") {
			t.Errorf("Tornado ended with: %v\n%s", err, &log)
		}
	})
	port, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("Tornado does not start: %v", err)
	}
	return &site{t, "Tornado", "http://127.0.0.1:" + strings.TrimSpace(port)}
}

// A cookiePage answers GET with what a function does.
type cookiePage struct {
	wsframework.RequestHandler
	get func(*cookiePage) error
}

func (p *cookiePage) Get() error  { return p.get(p) }
func (p *cookiePage) Post() error { _, err := p.WriteString("done"); return err }

// startOurs runs an application of ours that does what tornado_cookies.py does.
func startOurs(t *testing.T, secrets map[int][]byte, keyVersion int) *site {
	t.Helper()
	log := wstest.NewLog(t)
	app := wsframework.NewApplication(wsframework.Settings{
		CookieSecrets: secrets, CookieKeyVersion: keyVersion, XSRFCookies: true,
		Logger: log.Logger(slog.LevelWarn), AccessLogger: slog.New(slog.DiscardHandler),
	})
	page := func(path string, get func(*cookiePage) error) {
		app.Page(path, func() wsframework.Page { return &cookiePage{get: get} })
	}
	page("/set", func(p *cookiePage) error {
		value, err := hex.DecodeString(p.Argument("value"))
		if err != nil {
			return err
		}
		return p.SetSignedCookie("user", string(value))
	})
	page("/get", func(p *cookiePage) error {
		answer := "none"
		if value, ok := p.GetSignedCookie("user"); ok {
			answer = "value " + hex.EncodeToString([]byte(value))
		}
		_, err := p.WriteString(answer)
		return err
	})
	page("/form", func(p *cookiePage) error {
		field, err := p.XSRFFormHTML()
		if err != nil {
			return err
		}
		_, err = p.WriteString("<form method=post>" + string(field) + "</form>")
		return err
	})
	t.Cleanup(log.ExpectNothing)
	return &site{t, "ours", wstest.Serve(t, app, wstest.TCP())}
}

// do sends a request with a Cookie header, as it is, and returns the answer's status, cookie and body.
func (s *site) do(method, path, cookie string, header http.Header, form string) (status int, set, body string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(form))
	if err != nil {
		s.t.Fatal(err)
	}
	if header != nil {
		r.Header = header.Clone()
	}
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	set, _, _ = strings.Cut(response.Header.Get("Set-Cookie"), ";") // what a browser sends back
	return response.StatusCode, set, string(text)
}

func (s *site) get(path, cookie string) (set, body string) {
	s.t.Helper()
	status, set, body := s.do("GET", path, cookie, nil, "")
	if status != http.StatusOK {
		s.t.Fatalf("%s: GET %s with the cookie %q: %d: %s", s.name, path, cookie, status, body)
	}
	return set, body
}

// cookieOf lets the site sign a value.
func (s *site) cookieOf(value string) string {
	s.t.Helper()
	cookie, _ := s.get("/set?value="+hex.EncodeToString([]byte(value)), "")
	if !strings.HasPrefix(cookie, "user=") {
		s.t.Fatalf("%s: no cookie for %q, but %q", s.name, value, cookie)
	}
	return cookie
}

// wantCookie checks what the site reads in a cookie.
func (s *site) wantCookie(what, path, cookie, value string, ok bool) {
	s.t.Helper()
	want := "none"
	if ok {
		want = "value " + hex.EncodeToString([]byte(value))
	}
	if _, got := s.get(path, cookie); got != want {
		s.t.Errorf("%s: %s: %s is read as %s, want %s", s.name, what, cookie, got, want)
	}
}

// Both servers read the cookies of each other as far as they know the keys.
func TestTornadoReadsOurCookiesAndWeItsOwn(t *testing.T) {
	type secrets = map[int][]byte
	for _, tt := range []struct {
		name           string
		theirs         secrets
		theirKey       int // below 0: a plain secret
		ours           secrets
		ourKey         int
		theyRead, weDo bool
	}{
		{"one secret", secrets{0: secretA}, -1, secrets{0: secretA}, 0, true, true},
		{"two secrets", secrets{0: secretA, 7: secretB}, 7, secrets{0: secretA, 7: secretB}, 7, true, true},
		{"each signs with another one", secrets{1: secretA, 20: secretB}, 20, secrets{1: secretA, 20: secretB}, 1, true, true},
		{"we are ahead", secrets{0: secretA}, -1, secrets{0: secretA, 1: secretB}, 1, false, true},
		{"Tornado is ahead", secrets{0: secretA, 1: secretB}, 1, secrets{0: secretA}, 0, true, false},
		{"other secrets", secrets{0: secretA}, -1, secrets{0: secretB}, 0, false, false},
		{"other versions", secrets{0: secretA, 1: secretB}, 1, secrets{0: secretB, 1: secretA}, 1, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			theirs, ours := startTornado(t, tt.theirs, tt.theirKey), startOurs(t, tt.ours, tt.ourKey)
			for _, value := range []string{
				"ann", "", "小明 👋", "\x00\xff\xfe\n", "|", ":", `"`, `a|b:c"d\e;f, g=`, "2|1:0|10:1700000000|", "?>?>", strings.Repeat("long ", 500),
			} {
				what := fmt.Sprintf("%.20q", value)
				cookie := theirs.cookieOf(value)
				ours.wantCookie(what, "/get", cookie, value, tt.weDo)
				theirs.wantCookie(what, "/get", cookie, value, true)
				cookie = ours.cookieOf(value)
				theirs.wantCookie(what, "/get", cookie, value, tt.theyRead)
				ours.wantCookie(what, "/get", cookie, value, true)
			}
		})
	}
}

// pair starts both servers with one secret.
func pair(t *testing.T) (theirs, ours *site) {
	secrets := map[int][]byte{0: secretA}
	return startTornado(t, secrets, -1), startOurs(t, secrets, 0)
}

func TestTornadoCookieTimes(t *testing.T) {
	theirs, ours := pair(t)
	const day = 24 * time.Hour
	ahead := func(d time.Duration) string { return fmt.Sprintf("ahead=%d", int(d/time.Second)) }
	for _, tt := range []struct {
		ahead  time.Duration
		v1, v2 bool
	}{
		{0, true, true},
		{-31*day + time.Minute, true, true},
		{-31*day - time.Minute, false, false},
		{-5000 * day, false, false},
		{31*day - time.Minute, true, true},
		{31*day + time.Minute, false, true},
		{5000 * day, false, true},
	} {
		for version, ok := range map[int]bool{1: tt.v1, 2: tt.v2} {
			_, text := theirs.get(fmt.Sprintf("/sign?version=%d&%s", version, ahead(tt.ahead)), "")
			what := fmt.Sprintf("version %d of %v", version, tt.ahead)
			for _, s := range []*site{theirs, ours} {
				s.wantCookie(what, "/get", "user="+text, "ann", ok)
				s.wantCookie(what+", in quotes", "/get", `user="`+text+`"`, "ann", ok)
			}
		}
		// Our own cookie of now, and a Tornado that is that much ahead: to that, all is the other way round.
		theirs.wantCookie(fmt.Sprintf("ours, seen %v later", -tt.ahead), "/get?"+ahead(-tt.ahead), ours.cookieOf("ann"), "ann", tt.v2)
	}
}

// Neither server reads a cookie of which a byte is another one or missing.
func TestTornadoCookiesTampered(t *testing.T) {
	theirs, ours := pair(t)
	_, v1 := theirs.get("/sign?version=1&ahead=0", "")
	_, v2 := theirs.get("/sign?version=2&ahead=0", "")
	for _, text := range []string{v1, v2, strings.TrimPrefix(ours.cookieOf("ann"), "user=")} {
		for i := range text {
			for _, with := range []string{"", "x", "7", "|"} {
				changed := text[:i] + with + text[i+1:]
				if changed == text {
					continue
				}
				for _, s := range []*site{theirs, ours} {
					s.wantCookie(fmt.Sprintf("byte %d", i), "/get", "user="+changed, "", false)
				}
			}
		}
	}
}

var xsrfField = regexp.MustCompile(`<input type="hidden" name="_xsrf" value="([^"]*)"/>`)

// form asks for the form and returns the token in it and the cookie that came with it.
func (s *site) form(cookie string) (token, set string) {
	s.t.Helper()
	set, body := s.get("/form", cookie)
	field := xsrfField.FindStringSubmatch(body)
	if field == nil {
		s.t.Fatalf("%s: the form is %s", s.name, body)
	}
	return field[1], set
}

// Forms and cookies of each server are good at both, however the token is sent.
func TestTornadoTakesOurXSRFTokensAndWeItsOwn(t *testing.T) {
	theirs, ours := pair(t)
	both := []*site{theirs, ours}
	for _, gave := range both {
		token, cookie := gave.form("")
		if !strings.HasPrefix(cookie, "_xsrf=2|") {
			t.Fatalf("%s: cookie %s", gave.name, cookie)
		}
		for _, cookie := range []string{cookie, "_xsrf=00112233445566778899aabbccddeeff", "_xsrf=plain-text"} { // two of version 1
			for _, showed := range both {
				token, set := showed.form(cookie)
				if set != "" {
					t.Errorf("%s: with the cookie %s it sets %s", showed.name, cookie, set)
				}
				inCookie := strings.TrimPrefix(cookie, "_xsrf=")
				for _, took := range both {
					what := fmt.Sprintf("the cookie %s, the form of %s, posted to %s", cookie, showed.name, took.name)
					took.wantPost(what+" in the field", cookie, nil, "a=b&_xsrf="+url.QueryEscape(token), 200)
					took.wantPost(what+" in X-XSRFToken", cookie, http.Header{"X-Xsrftoken": {token}}, "", 200)
					took.wantPost(what+" in X-CSRFToken", cookie, http.Header{"X-Csrftoken": {token}}, "", 200)
					took.wantPost(what+" as the cookie itself", cookie, http.Header{"X-Xsrftoken": {inCookie}}, "", 200)
					took.wantPost(what+" without it", cookie, nil, "a=b", 403)
					took.wantPost(what+" without the cookie", "", nil, "_xsrf="+url.QueryEscape(token), 403)
				}
			}
		}
		for _, took := range both {
			_, other := took.form("")
			took.wantPost("with another visitor's cookie", other, nil, "_xsrf="+url.QueryEscape(token), 403)
		}
	}
}

func (s *site) wantPost(what, cookie string, header http.Header, form string, want int) {
	s.t.Helper()
	if got, _, body := s.do("POST", "/form", cookie, header, form); got != want {
		s.t.Errorf("%s: %s: %d, want %d: %s", s.name, what, got, want, body)
	}
}

// Both servers think the same of every token that differs in a byte, and take none of another secret.
func TestTornadoXSRFTokensTampered(t *testing.T) {
	theirs, ours := pair(t)
	token, cookie := theirs.form("")
	const masked = len("2|00000000|") + 32 // behind it stands the time, which is nobody's secret
	for i := range token {
		for _, with := range []string{"", "x", "7", "|"} {
			changed := token[:i] + with + token[i+1:]
			if changed == token {
				continue
			}
			header := http.Header{"X-Xsrftoken": {changed}}
			got, _, _ := ours.do("POST", "/form", cookie, header, "")
			want, _, _ := theirs.do("POST", "/form", cookie, header, "")
			if got != want || i < masked && got != http.StatusForbidden {
				t.Errorf("%s for the cookie %s: %d, and Tornado %d", changed, cookie, got, want)
			}
		}
	}
}
