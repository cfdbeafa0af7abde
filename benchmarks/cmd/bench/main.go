// Command bench measures this framework beside its peers. See the README of this module.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gotornado/gotornado/benchmarks/load"
	"github.com/gotornado/gotornado/benchmarks/peers"
	"github.com/gotornado/gotornado/benchmarks/report"
	"github.com/gotornado/gotornado/benchmarks/scenarios"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	o, err := parseFlags()
	switch {
	case err != nil:
		return err
	case o.list:
		printNames()
		return nil
	}
	workshop, err := peers.NewWorkshop(ctx)
	if err != nil {
		return err
	}
	defer workshop.Close()
	var r *report.Report
	if o.from != "" {
		r, err = readReport(o.from)
	} else {
		r, err = o.plan.measure(ctx, workshop)
	}
	if err != nil {
		return err
	}
	return o.write(r, workshop.Root())
}

// options are what the command line says.
type options struct {
	plan plan
	list bool
	from string // file to take the figures from
	json string // file to write them to
	docs bool
}

func parseFlags() (o options, err error) {
	quick := flag.Bool("quick", false, "only the core rows, without the slowest peers, in 3 short rounds: under 3 minutes")
	rows := flag.String("only", "", "names of `rows`, separated by commas")
	names := flag.String("peers", "", "names of `peers`, separated by commas")
	rounds := flag.Int("rounds", 0, "number of rounds (default 5, quick 3)")
	window := flag.Duration("window", 0, "length of a measuring window (default 1s, quick 400ms)")
	flag.BoolVar(&o.list, "list", false, "print the names of all rows and peers")
	flag.StringVar(&o.from, "from", "", "measure nothing, but show the figures of this JSON `file`")
	flag.StringVar(&o.json, "json", "", "write all figures to this `file` (default benchmarks/results/TIME.json)")
	flag.BoolVar(&o.docs, "docs", false, "write docs/benchmarks.md and its charts")
	flag.Parse()
	if flag.NArg() > 0 {
		return o, fmt.Errorf("what is %q? There are only flags", flag.Arg(0))
	}

	o.plan = plan{rounds: 5, window: load.Window{WarmUp: 300 * time.Millisecond, Measure: time.Second}}
	if *quick {
		o.plan = plan{rounds: 3, window: load.Window{WarmUp: 100 * time.Millisecond, Measure: 400 * time.Millisecond}}
	}
	o.plan.growth = !*quick && *rows == ""
	if *rounds > 0 {
		o.plan.rounds = *rounds
	}
	if *window > 0 {
		o.plan.window.Measure = *window
	}
	o.plan.rows, err = choose(*rows, scenarios.Find, scenarios.All, func(r scenarios.Row) bool { return r.Core || !*quick })
	if err != nil {
		return o, err
	}
	o.plan.peers, err = choose(*names, peers.Find, peers.All, func(p peers.Peer) bool { return !p.Slow || !*quick })
	return o, err
}

// choose finds what a list names; if the list is empty, all that are usual.
func choose[T any](list string, find func(string) (T, error), all []T, usual func(T) bool) ([]T, error) {
	var chosen []T
	if list == "" {
		for _, item := range all {
			if usual(item) {
				chosen = append(chosen, item)
			}
		}
		return chosen, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		item, err := find(name)
		if err != nil {
			return nil, fmt.Errorf("%w; -list prints the names", err)
		}
		chosen = append(chosen, item)
	}
	return chosen, nil
}

func printNames() {
	fmt.Println("Rows:")
	for _, r := range scenarios.All {
		fmt.Printf("  %-18s %s\n", r.Name, r.Title)
	}
	fmt.Println("Peers:")
	for _, p := range peers.All {
		fmt.Printf("  %-18s %s\n", p.Name, p.Title)
	}
}
