package client

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// parseHeaders reads what --header was given: "Name: value".
func parseHeaders(given []string) (http.Header, error) {
	header := make(http.Header)
	for _, text := range given {
		name, value, found := strings.Cut(text, ":")
		value = strings.TrimSpace(value)
		switch {
		case !found:
			return nil, fmt.Errorf("--header %q has no colon: write --header 'Name: value'", text)
		case !httpguts.ValidHeaderFieldName(name):
			return nil, fmt.Errorf("--header: %q is no name of a header: write --header 'Name: value'", name)
		case !httpguts.ValidHeaderFieldValue(value):
			return nil, fmt.Errorf("--header: the value of %s has a control character, which no header may have", name)
		}
		header.Add(name, value)
	}
	return header, nil
}

// parseCookies reads what --cookie was given: name=value.
func parseCookies(given []string) ([]*http.Cookie, error) {
	var cookies []*http.Cookie
	for _, text := range given {
		cookie, err := http.ParseSetCookie(text)
		if err != nil || strings.Contains(text, ";") {
			return nil, fmt.Errorf("--cookie: write name=value, one cookie each time, without %q and control characters", ";")
		}
		cookies = append(cookies, cookie)
	}
	return cookies, nil
}

// parseForm reads what --form was given: name=value.
func parseForm(given []string) (url.Values, error) {
	form := make(url.Values)
	for _, text := range given {
		name, value, found := strings.Cut(text, "=")
		if !found || name == "" {
			return nil, errors.New("--form: write name=value, one field each time")
		}
		form.Add(name, value)
	}
	return form, nil
}

// checkSubprotocols refuses what the handshake could not carry (RFC 6455, 4.1).
func checkSubprotocols(offered []string) error {
	seen := make(map[string]bool)
	for _, name := range offered {
		switch {
		case !httpguts.ValidHeaderFieldName(name): // a token, too
			return fmt.Errorf("--subprotocol %q is no name of a subprotocol; give several with several --subprotocol", name)
		case seen[name]:
			return fmt.Errorf("--subprotocol %s is given twice", name)
		}
		seen[name] = true
	}
	return nil
}

// basicAuth returns what Authorization has for "name:password" (RFC 7617).
func basicAuth(user string) (string, error) {
	if !strings.Contains(user, ":") {
		return "", errors.New("--user has no colon: write --user name:password")
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user)), nil
}
