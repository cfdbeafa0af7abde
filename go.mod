module github.com/gotornado/gotornado

go 1.25.0

require (
	github.com/alexedwards/scs/v2 v2.9.0
	github.com/coder/websocket v1.8.15
)
