package main

import "github.com/gotornado/gotornado/wsframework"

// A feedPage shows the posts there are. What comes later, its script gets over the socket.
type feedPage struct {
	wsframework.RequestHandler
	feed *feed
}

func (p *feedPage) Get() error {
	p.SetHeader("Content-Security-Policy",
		"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	p.SetHeader("Cache-Control", "no-store")
	return p.Render("feed.html", p.feed)
}
