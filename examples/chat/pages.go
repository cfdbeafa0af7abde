package main

import (
	"bytes"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alexedwards/scs/v2"

	"github.com/gotornado/gotornado/static"
	"github.com/gotornado/gotornado/templates"
	"github.com/gotornado/gotornado/wsframework"
)

// pages are the plain HTTP side of the chat: who is logged in stands under "user" in the session,
// where the WebSocket route finds it.
type pages struct {
	app      *wsframework.Application
	sessions *scs.SessionManager
	login    *template.Template
	chat     *template.Template
}

// addPages registers the pages. The application loads and saves the session around each of them and
// refuses forms that other sites send.
func addPages(app *wsframework.Application, sessions *scs.SessionManager) {
	p := &pages{
		app:      app,
		sessions: sessions,
		login:    template.Must(template.ParseFS(templates.FS, "base.html", "login.html")),
		chat:     template.Must(template.ParseFS(templates.FS, "base.html", "chat.html")),
	}
	app.HandleFunc("GET /login", p.showLogin)
	app.HandleFunc("POST /login", p.logIn)
	app.HandleFunc("POST /logout", p.logOut)
	app.HandleFunc("GET /{$}", p.showChat)
	app.Handle("GET /static/", http.StripPrefix("/static", staticFiles()))
}

type loginPage struct {
	Name    string // what was typed
	Next    string // where to go afterwards
	Problem string // why the name is refused
}

func (p *pages) showLogin(w http.ResponseWriter, r *http.Request) {
	p.render(w, http.StatusOK, p.login, loginPage{Next: localPath(r.URL.Query().Get("next"))})
}

func (p *pages) logIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form could not be read: "+err.Error(), http.StatusBadRequest)
		return
	}
	next := localPath(r.PostForm.Get("next"))
	name := strings.TrimSpace(r.PostForm.Get("name"))
	if problem := problemWithName(name); problem != "" {
		typed := strings.ToValidUTF8(r.PostForm.Get("name"), "\uFFFD")
		p.render(w, http.StatusUnprocessableEntity, p.login, loginPage{Name: typed, Next: next, Problem: problem})
		return
	}

	// A token that somebody may have planted in this browser before must not become a logged-in one.
	before := p.sessions.Token(r.Context())
	if err := p.sessions.RenewToken(r.Context()); err != nil {
		p.fail(w, err)
		return
	}
	p.sessions.Put(r.Context(), "user", name)
	p.closeSockets(r, before, "logged in again")
	http.Redirect(w, r, next, http.StatusSeeOther)
}

func (p *pages) logOut(w http.ResponseWriter, r *http.Request) {
	token := p.sessions.Token(r.Context())
	if err := p.sessions.Destroy(r.Context()); err != nil {
		p.fail(w, err)
		return
	}
	p.closeSockets(r, token, "logged out")
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func (p *pages) showChat(w http.ResponseWriter, r *http.Request) {
	user := p.sessions.GetString(r.Context(), "user")
	if user == "" {
		http.Redirect(w, r, "/login?next=/", http.StatusSeeOther)
		return
	}
	p.render(w, http.StatusOK, p.chat, struct{ User string }{user})
}

// closeSockets ends the connections of a session that is no more.
func (p *pages) closeSockets(r *http.Request, token, reason string) {
	if token == "" {
		return
	}
	if err := p.app.CloseSession(r.Context(), token, wsframework.CloseSessionEnded, reason); err != nil {
		slog.Error("chat: closing the sockets of an ended session", "err", err)
	}
}

// render answers with a page. A page that fails half way is not sent at all.
func (p *pages) render(w http.ResponseWriter, status int, page *template.Template, data any) {
	var body bytes.Buffer
	if err := page.ExecuteTemplate(&body, "base.html", data); err != nil {
		p.fail(w, err)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	// Nothing from elsewhere and no script inside the page. 'self' covers the WebSocket, too.
	header.Set("Content-Security-Policy",
		"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	// The back button must not bring a page back that belongs to somebody who logged out.
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(body.Bytes())
}

func (p *pages) fail(w http.ResponseWriter, err error) {
	slog.Error("chat: a page failed", "err", err)
	http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
}

// staticFiles serves the scripts and styles, and no listing of their folders.
func staticFiles() http.Handler {
	files := http.FileServerFS(static.FS)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/") {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache") // a new version of the program counts at once
		files.ServeHTTP(w, r)
	})
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

// localPath returns next if it leads to a page of this server, else "/". Browsers drop control
// characters and read a backslash as a slash, so "/\t/evil.example" would lead away.
func localPath(next string) string {
	elsewhere := !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.Contains(next, `\`) || strings.ContainsFunc(next, unicode.IsControl)
	if u, err := url.Parse(next); elsewhere || err != nil || u.Scheme != "" || u.Host != "" {
		return "/"
	}
	return next
}
