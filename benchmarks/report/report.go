// Package report turns what was measured into tables and charts.
package report

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"time"

	"github.com/gotornado/gotornado/benchmarks/growth"
	"github.com/gotornado/gotornado/benchmarks/load"
)

// A Report is a whole run of the benchmark, as its JSON file has it.
type Report struct {
	Date    time.Time
	Command string
	Machine Machine
	Window  load.Window
	Rounds  int
	Peers   []Peer
	Rows    []Row
	Runs    []Run
	Growth  []growth.Line `json:",omitempty"`
}

// A Peer is a server that was asked for.
type Peer struct {
	Name, Title, Version string
	Missing              string `json:",omitempty"` // why it could not be measured
}

// A Row is a scenario that was measured.
type Row struct {
	Name, Group, Title, Unit string
	Figure                   Figure // that counts in this row
}

// A Run is one round of one peer in one row.
type Run struct {
	Row, Peer string
	Round     int
	Result    load.Result
	Error     string `json:",omitempty"`
}

// WriteJSON writes all that was measured.
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "\t")
	return encoder.Encode(r)
}

// ReadJSON reads what WriteJSON has written.
func ReadJSON(r io.Reader) (*Report, error) {
	report := new(Report)
	return report, json.NewDecoder(r).Decode(report)
}

// results returns the results of one peer in one row, and the first error.
func (r *Report) results(row, peer string) (results []load.Result, failure string) {
	for _, run := range r.Runs {
		if run.Row != row || run.Peer != peer {
			continue
		}
		if run.Error == "" {
			results = append(results, run.Result)
		} else {
			failure = cmp.Or(failure, run.Error)
		}
	}
	return results, failure
}

// tried reports whether a peer ran in a row, with success or not.
func (r *Report) tried(row, peer string) bool {
	return slices.ContainsFunc(r.Runs, func(run Run) bool { return run.Row == row && run.Peer == peer })
}

// Failures returns the errors of all runs.
func (r *Report) Failures() []string {
	var failures []string
	for _, run := range r.Runs {
		if run.Error != "" {
			failures = append(failures, run.Error)
		}
	}
	return failures
}

// A Spread is the median of some rounds, and how far they were apart.
type Spread struct {
	Median, Min, Max float64
}

// spreadOf looks at one value of each result.
func spreadOf(results []load.Result, value func(load.Result) float64) Spread {
	var values []float64
	for _, result := range results {
		values = append(values, value(result))
	}
	return spread(values)
}

func spread(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	slices.Sort(values)
	middle := len(values) / 2
	median := values[middle]
	if len(values)%2 == 0 {
		median = (values[middle-1] + median) / 2
	}
	return Spread{median, values[0], values[len(values)-1]}
}
