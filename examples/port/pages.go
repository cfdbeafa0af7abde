package main

import "github.com/gotornado/gotornado/wsframework"

type loginPage struct{ wsframework.RequestHandler }

func (p *loginPage) Get() error { return p.Render("login.html", "") }

func (p *loginPage) Post() error {
	name := p.Argument("name")
	if name == "" {
		return p.Render("login.html", "Type a name.")
	}
	if err := p.Session().RenewToken(); err != nil {
		return err
	}
	if err := p.Session().Put("user", user{name}); err != nil {
		return err
	}
	return p.Redirect("/")
}

type chatPage struct{ wsframework.RequestHandler }

func (p *chatPage) Get() error { return p.Render("chat.html", nil) }
