module github.com/gotornado/gotornado/benchmarks

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	github.com/gorilla/websocket v1.5.3
	github.com/gotornado/gotornado v0.0.0
	github.com/lxzan/gws v1.8.9
	github.com/olahol/melody v1.1.4
	golang.org/x/sys v0.49.0
)

require (
	github.com/alexedwards/scs/v2 v2.9.0 // indirect
	github.com/dolthub/maphash v0.1.0 // indirect
	github.com/klauspost/compress v1.17.9 // indirect
)

replace github.com/gotornado/gotornado => ../
