package main

import (
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gotornado/gotornado/wsframework"
)

// addPages registers the plain HTTP side of the chat: who is logged in stands under "user" in the session,
// where the WebSocket route finds it.
func addPages(app *wsframework.Application) {
	app.Page("/login", func() wsframework.Page { return new(loginPage) }, wsframework.Name("login"))
	app.Page("/logout", func() wsframework.Page { return new(logoutPage) })
	app.Page("/{$}", func() wsframework.Page { return new(chatPage) }, wsframework.Authenticated())
}

// A basePage is what all pages of the chat have in common.
type basePage struct{ wsframework.RequestHandler }

// Prepare sets headers that keep others out.
func (p *basePage) Prepare() error {
	// Nothing from elsewhere and no script inside the page. 'self' covers the WebSocket, too.
	p.SetHeader("Content-Security-Policy",
		"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	p.SetHeader("Referrer-Policy", "same-origin")
	// The back button must not bring a page back that belongs to somebody who logged out.
	p.SetHeader("Cache-Control", "no-store")
	return nil
}

// A chatPage is the chat itself.
type chatPage struct{ basePage }

func (p *chatPage) Get() error { return p.Render("chat.html", nil) }

// A loginPage asks for a name.
type loginPage struct{ basePage }

// A loginForm is what the page shows.
type loginForm struct {
	Name    string // what was typed
	Next    string // where to go afterwards
	Problem string // why the name is refused
}

func (p *loginPage) Get() error {
	return p.Render("login.html", loginForm{Next: p.NextURL("/")})
}

func (p *loginPage) Post() error {
	name := p.BodyArgument("name")
	if problem := problemWithName(name); problem != "" {
		p.SetStatus(http.StatusUnprocessableEntity)
		return p.Render("login.html", loginForm{Name: name, Next: p.NextURL("/"), Problem: problem})
	}
	// A token that somebody may have planted in this browser before must not become a logged-in one.
	if err := p.Session().RenewToken(); err != nil {
		return err
	}
	if err := p.Session().Put("user", name); err != nil {
		return err
	}
	return p.Redirect(p.NextURL("/"))
}

// A logoutPage ends the session, and with it the sockets that were opened with it.
type logoutPage struct{ basePage }

func (p *logoutPage) Post() error {
	if err := p.Session().Destroy(); err != nil {
		return err
	}
	return p.Redirect("/login")
}

// problemWithName says in a sentence for people why a name is refused; "" if it is fine.
func problemWithName(name string) string {
	switch {
	case strings.TrimFunc(name, blank) == "":
		return "Please enter a name."
	case !utf8.ValidString(name):
		return "This name is not valid text (UTF-8)."
	case utf8.RuneCountInString(name) > 32:
		return "This name is too long: up to 32 characters are possible."
	case strings.HasPrefix(name, "{"):
		return "A name may not begin with “{”."
	case strings.Contains(name, "-说:"):
		// Else a name could hold a whole line and make somebody else say something.
		return "A name may not contain “-说:”."
	case strings.ContainsFunc(name, disruptive):
		return "A name may not contain control characters."
	}
	return ""
}

// blank reports whether a character alone shows nothing; among others it may matter, in emoji, say.
func blank(c rune) bool { return unicode.IsSpace(c) || unicode.Is(unicode.Cf, c) }

// disruptive reports whether a character breaks lines or turns the text around it.
func disruptive(c rune) bool {
	return unicode.In(c, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}
