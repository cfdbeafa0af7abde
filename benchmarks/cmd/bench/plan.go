package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/gotornado/gotornado/benchmarks/growth"
	"github.com/gotornado/gotornado/benchmarks/load"
	"github.com/gotornado/gotornado/benchmarks/peers"
	"github.com/gotornado/gotornado/benchmarks/report"
	"github.com/gotornado/gotornado/benchmarks/scenarios"
)

// A plan is what to measure, and how often.
type plan struct {
	rows   []scenarios.Row
	peers  []peers.Peer
	rounds int
	window load.Window
	growth bool
}

// measure runs every peer once in each round of each row, so that what disturbs the machine for a while
// disturbs all of them. The order of the peers rotates.
func (p plan) measure(ctx context.Context, workshop *peers.Workshop) (*report.Report, error) {
	servers, entries, err := install(workshop, p.peers)
	if err != nil {
		return nil, err
	}
	serverCPU, loadCPU, err := processors()
	if err != nil {
		return nil, err
	}
	if err := settleOn(loadCPU); err != nil {
		return nil, err
	}
	r := &report.Report{Date: time.Now(), Command: commandLine(), Machine: report.ThisMachine(), Window: p.window, Rounds: p.rounds, Peers: entries}
	for _, row := range p.rows {
		r.Rows = append(r.Rows, report.Row{Name: row.Name, Group: row.Group, Title: row.Title, Unit: row.Unit, Figure: report.FigureOf(row.Scenario)})
	}
	for round := range p.rounds {
		for _, row := range p.rows {
			if row.Rounds > 0 && round >= row.Rounds {
				continue
			}
			for i := range servers {
				server := servers[(i+round)%len(servers)]
				if !row.Has(server.Peer) {
					continue
				}
				p.progress(round, row.Name+" "+server.Name)
				result, err := p.runUndisturbed(row, server, serverCPU)
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				run := report.Run{Row: row.Name, Peer: server.Name, Round: round + 1, Result: result}
				if err != nil {
					run.Error = err.Error()
				}
				r.Runs = append(r.Runs, run)
			}
		}
	}
	if p.growth {
		p.progress(p.rounds-1, "growth")
		if r.Growth, err = measureGrowth(); err != nil {
			return nil, err
		}
	}
	p.progress(p.rounds-1, "done\n")
	return r, nil
}

// calm is the share of its processor that the load needs for a run that counts without another try.
const calm = 0.9

// runUndisturbed runs a server in a row, and once again if other programs disturb that too much. A server
// that fails gets no second chance.
func (p plan) runUndisturbed(row scenarios.Row, server *peers.Server, cpu int) (load.Result, error) {
	runtime.GC()
	first, err := row.Run(server, cpu, p.window)
	if err != nil && !errors.Is(err, load.ErrNothing) || err == nil && first.Undisturbed() >= calm {
		return first, err
	}
	runtime.GC()
	second, errAgain := row.Run(server, cpu, p.window)
	if errAgain == nil && err == nil && first.Undisturbed() > second.Undisturbed() {
		return first, nil
	}
	return second, errAgain
}

// measureGrowth runs in this process, which therefore collects garbage meanwhile.
func measureGrowth() ([]growth.Line, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	return growth.Measure(growth.Sizes, time.Second)
}

// install makes the peers ready that can be.
func install(workshop *peers.Workshop, wanted []peers.Peer) ([]*peers.Server, []report.Peer, error) {
	var servers []*peers.Server
	var entries []report.Peer
	for _, p := range wanted {
		entry := report.Peer{Name: p.Name, Title: p.Title}
		server, err := workshop.Install(p)
		switch {
		case errors.Is(err, peers.ErrNotInstalled):
			entry.Missing = err.Error()
			fmt.Fprintln(os.Stderr, "bench:", err)
		case err != nil:
			return nil, nil, err
		default:
			entry.Version = server.Version
			servers = append(servers, server)
		}
		entries = append(entries, entry)
	}
	return servers, entries, nil
}

// progress says what is being measured, if someone looks.
func (p plan) progress(round int, what string) {
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprintf(os.Stderr, "\r\033[Kround %d of %d: %s", round+1, p.rounds, what)
	}
}
