// A program that registers routes in all ways there are.
package main

import (
	"net/http"

	"github.com/gotornado/gotornado/cmd/wsf/internal/routes/testdata/app/admin"
	"github.com/gotornado/gotornado/wsframework"
)

const apiPrefix = "/api"

type (
	room    struct{ wsframework.BaseHandler }
	roomRow struct{ wsframework.RequestHandler }
	lost    struct{ wsframework.RequestHandler }
)

func (*room) OnMessage(wsframework.Message) error { return nil }
func (*roomRow) Get() error                       { return nil }
func (*roomRow) Delete() error                    { return nil }

func newRoom() wsframework.Handler { return new(room) }

// newRooms returns a factory.
func newRooms(n int) func() wsframework.Handler {
	return func() wsframework.Handler {
		h := new(room)
		return h
	}
}

func pick() func() wsframework.Handler { return nil }

func main() {
	settings := wsframework.Settings{Static: wsframework.Dir("public"), StaticPrefix: "/files"}
	app := wsframework.NewApplication(settings)
	app.WebSocket("/a", newRoom)
	app.WebSocket("GET /b/{id}", newRooms(1), wsframework.Authenticated(), wsframework.Name("b"))
	app.WebSocket("example.com"+apiPrefix, func() wsframework.Handler { return newRoom() })
	app.WebSocket("/picked", pick())
	for _, name := range []string{"x", "y"} {
		app.WebSocket("/loop/"+name, newRoom)
	}
	app.Page("/rows/{row}", func() wsframework.Page { return new(roomRow) })
	app.Page("DELETE /row", func() wsframework.Page { return new(roomRow) })
	app.NotFound(func() wsframework.Page { return new(lost) })

	api := app.Under(apiPrefix+"/", wsframework.Authenticated())
	api.Handle("GET /metrics", http.NotFoundHandler())
	api.Under("/v1").HandleFunc("/f", func(http.ResponseWriter, *http.Request) {})
	api.Under("example.org/shop").Redirect("/old/{x}", "/new/{x}")
	register(api)
	register(group(app))
	admin.Add(app.Under("/admin", wsframework.Authenticated()))
	app.Static("/downloads", wsframework.Dir("downloads"))
	http.Handle("/elsewhere", app.Upgrade(newRoom, wsframework.MessageLimit(1<<10)))
}

func group(app *wsframework.Application) *wsframework.Routes { return app.Under("/other") }

// register is called with two groups.
func register(routes *wsframework.Routes) {
	routes.WebSocket("/socket", newRoom, wsframework.Compression(nil))
}
