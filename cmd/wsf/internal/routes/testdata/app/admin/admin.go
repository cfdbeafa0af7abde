// Package admin registers routes where it is told to.
package admin

import "github.com/gotornado/gotornado/wsframework"

type console struct{ wsframework.BaseHandler }

func (*console) OnMessage(wsframework.Message) error { return nil }

func newConsole() wsframework.Handler { return new(console) }

// Add registers the console.
func Add(routes *wsframework.Routes) { routes.WebSocket("/console", newConsole) }
