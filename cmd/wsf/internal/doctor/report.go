package doctor

import (
	"encoding/json"
	"io"
	"time"
)

// A status says how a check ended.
type status string

const (
	statusOK      status = "ok"
	statusWarning status = "warning"
	statusProblem status = "problem"
	statusSkipped status = "skipped"
)

// A finding is what a check found: what was seen, and what to change if that is not as it should be.
type finding struct {
	status status
	seen   string
	change []string // one setting a line, of the proxy or of the server
}

func ok(seen string) finding      { return finding{statusOK, seen, nil} }
func skipped(seen string) finding { return finding{statusSkipped, seen, nil} }

func warning(seen string, change ...string) finding { return finding{statusWarning, seen, change} }
func problem(seen string, change ...string) finding { return finding{statusProblem, seen, change} }

// A result is a finding with the check that made it, as the report has it.
type result struct {
	Group  string   `json:"group"`
	Name   string   `json:"name"`
	Status status   `json:"status"`
	Seen   string   `json:"seen"`
	Change []string `json:"change,omitempty"`
	Millis float64  `json:"took_ms"`
}

// A report is what --json prints.
type report struct {
	URL     string         `json:"url"`
	Time    time.Time      `json:"time"`
	Summary map[status]int `json:"summary"`
	Checks  []result       `json:"checks"`
}

// newReport counts the results.
func newReport(url string, began time.Time, results []result) *report {
	r := &report{URL: url, Time: began, Checks: results, Summary: map[status]int{
		statusOK: 0, statusWarning: 0, statusProblem: 0, statusSkipped: 0,
	}}
	for _, one := range results {
		r.Summary[one.Status]++
	}
	return r
}

// exitCode is the code that the help promises.
func (r *report) exitCode(strict bool) int {
	switch {
	case r.Summary[statusProblem] > 0:
		return exitProblems
	case strict && r.Summary[statusWarning] > 0:
		return exitWarnings
	}
	return 0
}

func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
