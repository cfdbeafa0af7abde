// Package peers knows the servers under test: how each is built, started, watched and stopped.
package peers

import (
	"errors"
	"fmt"
)

// A Peer is a server under test.
type Peer struct {
	Name  string
	Title string
	kind  kind
	args  []string // beside the common ones

	// NoTLS and NoCompression say what the peer has not.
	NoTLS, NoCompression bool
	// Slow peers are not part of a quick run.
	Slow bool
	// Rows are the only ones it takes part in; nil: all.
	Rows []string
}

// Baseline is the peer that all others are compared with.
const Baseline = "gws"

// All are the peers in the order in which they are reported.
var All = []Peer{
	{Name: "wsframework", Title: "wsframework", kind: goServer{"wsframework", "github.com/gotornado/gotornado"}},
	{Name: "gws", Title: "gws", kind: goServer{"gws", "github.com/lxzan/gws"}},
	{Name: "gorilla", Title: "gorilla", kind: goServer{"gorilla", "github.com/gorilla/websocket"}},
	{Name: "gorilla-plain", Title: "gorilla, no prepared messages", kind: goServer{"gorilla", "github.com/gorilla/websocket"}, args: []string{"-plain"}, Rows: []string{"deflate-bcast1000"}},
	{Name: "coder", Title: "coder", kind: goServer{"coder", "github.com/coder/websocket"}},
	{Name: "melody", Title: "melody", kind: goServer{"melody", "github.com/olahol/melody"}, Slow: true},
	{Name: "ws", Title: "ws (Node)", kind: nodeServer{"ws"}, Slow: true},
	{Name: "tornado", Title: "Tornado", kind: pythonServer{"tornado"}, Slow: true},
	{Name: "bare", Title: "bare system calls", kind: goServer{"bare", ""}, NoTLS: true, NoCompression: true},
	{Name: "batch", Title: "bare, one write per batch", kind: goServer{"bare", ""}, args: []string{"-batch"}, NoTLS: true, NoCompression: true},
}

// Find returns the peer of a name.
func Find(name string) (Peer, error) {
	for _, p := range All {
		if p.Name == name {
			return p, nil
		}
	}
	return Peer{}, fmt.Errorf("there is no peer %q", name)
}

// ErrNotInstalled is wrapped in the error of Install when a peer needs a program that is not there.
var ErrNotInstalled = errors.New("not installed")

// A kind is a way to get a server running.
type kind interface {
	// install makes the server ready to run and returns its command and its version.
	install(w *Workshop) (command []string, version string, err error)
}
