// Package scenarios lists what is measured: the rows of the benchmark.
package scenarios

import (
	"fmt"
	"slices"
	"time"

	"github.com/gotornado/gotornado/benchmarks/load"
	"github.com/gotornado/gotornado/benchmarks/peers"
)

// A Row is one scenario with its numbers.
type Row struct {
	Name     string
	Group    string // of rows that are shown together
	Title    string
	Unit     string // what the processor time is divided by
	Scenario load.Scenario

	TLS, Compress bool

	Core   bool // part of a quick run
	Rounds int  // at most so many; 0: as many as asked for
}

// The groups.
const (
	echo        = "Echo"
	broadcast   = "Broadcast"
	connections = "Connections"
	extensions  = "TLS and compression"
)

const (
	small = 128
	large = 64 << 10
	json  = 1 << 10
)

var manyIdle = load.Allowed(50_000)

// All are the rows in the order in which they are reported.
var All = []Row{
	{Name: "echo1", Group: echo, Title: "echo, 64 connections, 1 message outstanding, 128 B", Unit: "message", Core: true,
		Scenario: load.Echo{Connections: 64, Outstanding: 1, Size: small}},
	{Name: "echo16", Group: echo, Title: "echo, 64 connections, 16 messages outstanding, 128 B", Unit: "message", Core: true,
		Scenario: load.Echo{Connections: 64, Outstanding: 16, Size: small}},
	{Name: "echo64k", Group: echo, Title: "echo, 16 connections, 4 messages outstanding, 64 KiB, binary", Unit: "message", Core: true,
		Scenario: load.Echo{Connections: 16, Outstanding: 4, Size: large, Binary: true}},
	{Name: "echo64k-text", Group: echo, Title: "echo, 16 connections, 4 messages outstanding, 64 KiB, text", Unit: "message", Rounds: 3,
		Scenario: load.Echo{Connections: 16, Outstanding: 4, Size: large}},
	{Name: "bcast100", Group: broadcast, Title: "broadcast to 100, one at a time, 128 B", Unit: "delivery", Core: true,
		Scenario: load.Broadcast{Members: 100, Burst: 1, Size: small}},
	{Name: "bcast1000", Group: broadcast, Title: "broadcast to 1,000, one at a time, 128 B", Unit: "delivery", Core: true,
		Scenario: load.Broadcast{Members: 1000, Burst: 1, Size: small}},
	{Name: "bcast10000", Group: broadcast, Title: "broadcast to 10,000, one at a time, 128 B", Unit: "delivery", Rounds: 3,
		Scenario: load.Broadcast{Members: 10_000, Burst: 1, Size: small}},
	{Name: "burst1000", Group: broadcast, Title: "broadcast to 1,000, bursts of 16, 128 B", Unit: "delivery", Core: true,
		Scenario: load.Broadcast{Members: 1000, Burst: 16, Size: small}},
	{Name: "handshake", Group: connections, Title: "handshake and close", Unit: "handshake", Core: true,
		Scenario: load.Handshake{Connections: 10_000, Width: 32}},
	{Name: "idle", Group: connections, Title: "10,000 idle connections, members of a group", Unit: "connection", Core: true,
		Scenario: load.Idle{Connections: 10_000, Settle: time.Second}},
	{Name: "idle50000", Group: connections, Title: fmt.Sprintf("%d idle connections, what the limit of open files allows of 50,000", manyIdle), Unit: "connection", Rounds: 1,
		Scenario: load.Idle{Connections: manyIdle, Settle: time.Second}},
	{Name: "flood", Group: connections, Title: "a quiet connection beside a flood of 128 B messages", Unit: "message",
		Scenario: load.Flood{Outstanding: 200, Size: small, Every: 2 * time.Millisecond}},
	{Name: "tls1", Group: extensions, Title: "echo through TLS, 64 connections, 1 message outstanding, 128 B", Unit: "message", TLS: true,
		Scenario: load.Echo{Connections: 64, Outstanding: 1, Size: small}},
	{Name: "tls16", Group: extensions, Title: "echo through TLS, 64 connections, 16 messages outstanding, 128 B", Unit: "message", TLS: true,
		Scenario: load.Echo{Connections: 64, Outstanding: 16, Size: small}},
	{Name: "deflate1", Group: extensions, Title: "compressed echo, 64 connections, 1 message outstanding, 1 KiB", Unit: "message", Compress: true,
		Scenario: load.Echo{Connections: 64, Outstanding: 1, Size: json}},
	{Name: "deflate-bcast1000", Group: extensions, Title: "compressed broadcast to 1,000, one at a time, 1 KiB", Unit: "delivery", Compress: true,
		Scenario: load.Broadcast{Members: 1000, Burst: 1, Size: json}},
}

// Find returns the row of a name.
func Find(name string) (Row, error) {
	for _, r := range All {
		if r.Name == name {
			return r, nil
		}
	}
	return Row{}, fmt.Errorf("there is no row %q", name)
}

// Has reports whether a peer takes part in a row.
func (r Row) Has(p peers.Peer) bool {
	if r.TLS && p.NoTLS || r.Compress && p.NoCompression {
		return false
	}
	return p.Rows == nil || slices.Contains(p.Rows, r.Name)
}

// Run starts a server on the processor cpu, puts the load on it and stops it.
func (r Row) Run(server *peers.Server, cpu int, window load.Window) (result load.Result, err error) {
	process, err := server.Start(peers.Options{TLS: r.TLS, Compress: r.Compress, CPU: cpu})
	if err != nil {
		return load.Result{}, err
	}
	defer func() {
		if stderr := process.Stop(); err != nil {
			err = fmt.Errorf("%s with %s: %w; its standard error: %q", r.Name, server.Name, err, stderr)
		}
	}()
	return r.Scenario.Run(load.Target{
		Addr:     process.Addr,
		TLS:      r.TLS,
		Compress: r.Compress,
		CPU:      process.CPU,
		Memory:   process.Memory,
	}, window)
}
