package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Logging in, as a browser does it: get the page, fill in its form, post it, and keep the cookies.

const (
	xsrfName    = "_xsrf" // Tornado's name of the field and the cookie; the framework's, too
	maxPage     = 4 << 20 // of a page, in bytes, we read no more
	maxRedirect = 10
)

// A login is what --login and --form ask for.
type login struct {
	page *url.URL
	form url.Values
}

// do logs in, so that the client's Jar has the cookies for the socket at address.
func (l *login) do(ctx context.Context, client *http.Client, address *url.URL) error {
	shown, page, err := fetch(ctx, client, http.MethodGet, l.page, nil, nil)
	if err != nil {
		return err
	}
	if shown.StatusCode >= 400 {
		return loginFailed("%s is answered with %s", l.page.Redacted(), status(shown, page))
	}
	from := shown.Request.URL // behind redirects
	filled, action, err := l.fill(page, from)
	if err != nil {
		return err
	}
	header := http.Header{"Referer": {withoutSecrets(from)}}
	for _, cookie := range client.Jar.Cookies(action) {
		if cookie.Name == xsrfName {
			header.Set("X-Xsrftoken", cookie.Value)
			if !filled.Has(xsrfName) {
				filled.Set(xsrfName, cookie.Value)
			}
		}
	}
	answer, page, err := fetch(ctx, client, http.MethodPost, action, filled, header)
	if err != nil {
		return err
	}
	switch {
	case answer.StatusCode >= 400 && answer.Request.Method == http.MethodPost:
		return loginFailed("the form is answered with %s", status(answer, page))
	case l.asksAgain(page):
		return loginFailed("the page asks again%s", after(": ", problemOf(answer, page)))
	case !slices.ContainsFunc(client.Jar.Cookies(socketPage(address)), func(c *http.Cookie) bool { return c.Name != xsrfName }):
		return loginFailed("the server took the form but set no cookie that %s would get", address.Host)
	}
	return nil
}

// fill finds the form on the page and fills it in. A page without one, an API say, gets the fields as they are.
func (l *login) fill(page []byte, from *url.URL) (filled url.Values, action *url.URL, err error) {
	forms := formsOf(page)
	for _, form := range forms {
		if !form.has(l.form) {
			continue
		}
		if action, err = from.Parse(form.action); err != nil {
			return nil, nil, loginFailed("the form's action %q is no URL", form.action)
		}
		for name, values := range l.form {
			form.fields[name] = values
		}
		return form.fields, action, nil
	}
	if len(forms) > 0 {
		return nil, nil, loginFailed("no form on %s has all the fields of --form; the first one has %s",
			withoutSecrets(from), after("", printable(strings.Join(forms[0].names, ", "))))
	}
	filled = make(url.Values)
	for name, values := range l.form {
		filled[name] = values
	}
	return filled, from, nil
}

// asksAgain reports whether a page has the form still.
func (l *login) asksAgain(page []byte) bool {
	for _, form := range formsOf(page) {
		if len(l.form) > 0 && form.has(l.form) {
			return true
		}
	}
	return false
}

// fetch makes a request and reads the answer that is behind its redirects.
func fetch(ctx context.Context, client *http.Client, method string, at *url.URL, form url.Values, header http.Header) (*http.Response, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, at.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, nil, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		request.Body, request.ContentLength = http.NoBody, 0
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(io.LimitReader(answer.Body, maxPage))
	return answer, page, err
}

// checkRedirect is the http.Client's.
func checkRedirect(_ *http.Request, via []*http.Request) error {
	if len(via) > maxRedirect {
		return errors.New("too many redirects; is the server's login page behind its own login?")
	}
	return nil
}

func loginFailed(format string, args ...any) error {
	return exitf(exitRefused, "the login failed: "+format, args...)
}

func status(answer *http.Response, page []byte) string {
	return fmt.Sprintf("%d %s%s", answer.StatusCode, http.StatusText(answer.StatusCode), after(": ", problemOf(answer, page)))
}

func problemOf(answer *http.Response, page []byte) string {
	return bodyText(answer.Header.Get("Content-Type"), page)
}

// after puts something before a text that is not empty.
func after(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

// withoutSecrets is a URL as it may be shown and sent as a Referer.
func withoutSecrets(address *url.URL) string {
	shown := *address
	shown.User, shown.Fragment = nil, ""
	return shown.String()
}

// socketPage is a socket's URL as cookies know it.
func socketPage(address *url.URL) *url.URL {
	page := *address
	page.Scheme = "http" + strings.TrimPrefix(page.Scheme, "ws")
	return &page
}
