package wstest

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// A Page is the answer to a request.
type Page struct {
	StatusCode int
	Header     http.Header
	Body       string

	t    testing.TB
	what string // "GET /login"
}

func readPage(t testing.TB, what string, response *http.Response) *Page {
	t.Helper()
	p := &Page{StatusCode: response.StatusCode, Header: response.Header, t: t, what: what}
	if response.StatusCode != http.StatusSwitchingProtocols {
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatalf("wstest: reading the answer to %s: %v", what, err)
		}
		p.Body = string(body)
	}
	return p
}

// Cookies are those that the answer sets, with their attributes. What the visitor has from then on says
// [Browser.Cookie].
func (p *Page) Cookies() []*http.Cookie { return (&http.Response{Header: p.Header}).Cookies() }

// ExpectStatus fails the test if the page has another status code.
func (p *Page) ExpectStatus(code int) *Page {
	p.t.Helper()
	if p.StatusCode != code {
		p.t.Fatalf("wstest: %s was answered with %d, want %d: %s", p.what, p.StatusCode, code, quote([]byte(p.Body)))
	}
	return p
}

// ExpectContains fails the test if the page's body lacks one of the parts.
func (p *Page) ExpectContains(parts ...string) *Page {
	p.t.Helper()
	for _, part := range parts {
		if !strings.Contains(p.Body, part) {
			p.t.Fatalf("wstest: the answer to %s (status %d) lacks %q:\n%s", p.what, p.StatusCode, part, p.Body)
		}
	}
	return p
}

// ExpectRedirect fails the test if the page does not lead to an address: "/login?next=%2F".
func (p *Page) ExpectRedirect(to string) *Page {
	p.t.Helper()
	if got := p.Header.Get("Location"); p.StatusCode/100 != 3 || got != to {
		p.t.Fatalf("wstest: %s was answered with %d and Location %q, want a redirect to %q: %s",
			p.what, p.StatusCode, got, to, quote([]byte(p.Body)))
	}
	return p
}

// Get asks for a page. Redirects are not followed.
func (b *Browser) Get(path string, list ...Option) *Page {
	b.t.Helper()
	return b.page(http.MethodGet, path, nil, b.options(list))
}

// PostForm sends a form. If the application checks XSRF tokens and the visitor has one, because he has seen a
// page with a form, it is sent along.
func (b *Browser) PostForm(path string, form url.Values, list ...Option) *Page {
	b.t.Helper()
	sent := url.Values{}
	for name, values := range form {
		sent[name] = values
	}
	if app, ok := b.handler.(*wsframework.Application); ok && app.Settings().XSRFCookies && sent["_xsrf"] == nil {
		if token := b.Cookie(app.Settings().XSRFCookieOptions.Name); token != "" {
			sent.Set("_xsrf", token)
		}
	}
	o := b.options(list)
	if o.header.Get("Content-Type") == "" {
		o.header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.page(http.MethodPost, path, strings.NewReader(sent.Encode()), o)
}

// Request sends a request of any method, with a body if that is not nil.
func (b *Browser) Request(method, path string, body io.Reader, list ...Option) *Page {
	b.t.Helper()
	return b.page(method, path, body, b.options(list))
}

// Cookie returns the value of a cookie that the visitor has, or "".
func (b *Browser) Cookie(name string) string {
	for _, c := range b.jar.Cookies(newOptions(b.list).site()) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// SetCookie gives the visitor a cookie. An empty value takes it away.
func (b *Browser) SetCookie(name, value string) {
	c := &http.Cookie{Name: name, Value: value, Path: "/"}
	if value == "" {
		c.MaxAge = -1
	}
	b.jar.SetCookies(newOptions(b.list).site(), []*http.Cookie{c})
}

func (b *Browser) page(method, path string, body io.Reader, o *options) *Page {
	b.t.Helper()
	what := method + " " + path
	request, err := http.NewRequest(method, o.site().String()+path, body)
	if err != nil {
		b.t.Fatalf("wstest: %s: %v", what, err)
	}
	if method == http.MethodGet || method == http.MethodHead {
		o.header.Del("Origin") // as browsers do
	}
	conn := b.connect(o)
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(o.within))
	request.Header, request.Close = o.header, true
	if host := o.header.Get("Host"); host != "" {
		request.Host = host
	}
	for _, c := range b.jar.Cookies(request.URL) {
		request.AddCookie(c)
	}
	// The answer counts, also where the server has not read all of the request before it: 413, say. An
	// http.Transport reports then, at times, that it could not send the rest.
	go request.Write(conn)
	br := bufio.NewReader(conn)
	response, err := http.ReadResponse(br, request)
	for err == nil && response.StatusCode < 200 && response.StatusCode != http.StatusSwitchingProtocols {
		response, err = http.ReadResponse(br, request) // that was 103 Early Hints, say
	}
	if err != nil {
		b.t.Fatalf("wstest: %s: %v", what, err)
	}
	defer response.Body.Close()
	b.jar.SetCookies(request.URL, response.Cookies())
	return readPage(b.t, what, response)
}

// String describes a page in failure messages.
func (p *Page) String() string {
	return fmt.Sprintf("%s: status %d, %s", p.what, p.StatusCode, quote([]byte(p.Body)))
}
