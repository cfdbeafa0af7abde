package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gotornado/gotornado/benchmarks/growth"
	"github.com/gotornado/gotornado/benchmarks/load"
)

// example has a peer that is twice as fast as the baseline, one that fails and one that is missing.
func example() *Report {
	r := &Report{
		Date: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), Command: "bench <now>", Rounds: 3,
		Machine: Machine{Processor: "a processor", Cores: 2},
		Peers: []Peer{
			{Name: "wsframework", Title: "wsframework", Version: "v1"},
			{Name: "gws", Title: "gws", Version: "v2"},
			{Name: "bad", Title: "<bad>", Version: "v3"},
			{Name: "gone", Title: "gone", Missing: "not installed: no such program"},
		},
		Rows: []Row{
			{Name: "echo", Group: "Echo", Title: "echo, 1 connection", Unit: "message", Figure: CPU},
			{Name: "idle", Group: "Connections", Title: "idle", Unit: "connection", Figure: Memory},
		},
		Growth: []growth.Line{{What: "a delivery", Unit: "ns", Sizes: []int{1000, 50000}, Values: []float64{400, 512.3}}},
	}
	for round := range 3 {
		result := load.Result{
			Count: 1000, Elapsed: time.Second, LoadCPU: 990 * time.Millisecond,
			CPU: time.Duration(4+round) * time.Millisecond, P50: time.Millisecond, P99: 2 * time.Millisecond, Fairness: 0.9,
		}
		r.Runs = append(r.Runs, Run{Row: "echo", Peer: "gws", Round: round, Result: result})
		result.CPU /= 2
		r.Runs = append(r.Runs, Run{Row: "echo", Peer: "wsframework", Round: round, Result: result})
		r.Runs = append(r.Runs, Run{Row: "echo", Peer: "bad", Round: round, Error: "it is | broken"})
		r.Runs = append(r.Runs, Run{Row: "idle", Peer: "gws", Round: round, Result: load.Result{Count: 10, Memory: 100 << 10, Elapsed: 1, LoadCPU: 1}})
	}
	return r
}

func TestSpread(t *testing.T) {
	results := func(counts ...int) (results []load.Result) {
		for _, n := range counts {
			results = append(results, load.Result{Count: n})
		}
		return results
	}
	count := func(r load.Result) float64 { return float64(r.Count) }
	for _, test := range []struct {
		results []load.Result
		want    Spread
	}{
		{nil, Spread{}},
		{results(7), Spread{7, 7, 7}},
		{results(9, 1, 5), Spread{5, 1, 9}},
		{results(4, 1, 9, 2), Spread{3, 1, 9}},
	} {
		if got := spreadOf(test.results, count); got != test.want {
			t.Errorf("%v: %v, want %v", test.results, got, test.want)
		}
	}
}

// A round in which the whole machine was slow changes no ratio.
func TestRatio(t *testing.T) {
	r := example()
	for i := range r.Runs {
		if r.Runs[i].Round == 2 {
			r.Runs[i].Result.CPU *= 10
		}
	}
	if got, want := r.ratio(r.Rows[0], "wsframework"), (Spread{0.5, 0.5, 0.5}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	if got := r.ratio(r.Rows[0], "bad"); got != (Spread{}) {
		t.Errorf("%v for who has failed", got)
	}
}

func TestSignificantDigits(t *testing.T) {
	for v, want := range map[float64]string{
		0: "–", 0.1234: "0.12", 4.567: "4.57", 45.67: "45.7", 456.7: "457", 1234: "1,234", 1234567: "1,234,567",
	} {
		if got := significant(v); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
}

func TestMarkdown(t *testing.T) {
	var b strings.Builder
	if err := example().WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| echo, 1 connection | 0.50 | 1.00 | failed | 5.00 µs of CPU a message |",
		"| idle | – | 1.00 | – | 10.0 KiB of memory a connection |",
		"| wsframework | 2.50 | 2.00 – 3.00 | 0.50 (0.50 – 0.50) | 1,000 | 1,000 | 2,000 | 0.90 |",
		"| <bad> | failed: it is / broken |",
		"| gone | not installed: no such program |",
		"| a delivery | 400 | 512 | ns |",
		"typically 40.0 % of the median apart, at worst 40 %",
		"had its processor for 99 % of the time",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %q in\n%s", want, b.String())
		}
	}
}

func TestChartsAreXML(t *testing.T) {
	r := example()
	r.Rows[0].Title = "a < b & c"
	r.Runs[1].Result.CPU = time.Hour // a bar that has to be cut
	for _, group := range r.groups() {
		var b bytes.Buffer
		if err := r.WriteChart(&b, group); err != nil {
			t.Fatal(err)
		}
		decoder := xml.NewDecoder(&b)
		for {
			_, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", group, err)
			}
		}
	}
}

func TestDocs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "docs")
	if err := example().WriteDocs(dir); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "benchmarks.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 July 2026", "bench <now>", "a processor, 2 cores", "| gws | v2 |", "### echo: echo, 1 connection", "## What is noise"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, chart := range []string{"benchmarks-echo.svg", "benchmarks-connections.svg"} {
		if _, err := os.Stat(filepath.Join(dir, chart)); err != nil || !strings.Contains(string(page), "]("+chart+")") {
			t.Errorf("%s: %v, or the page does not show it", chart, err)
		}
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	want := example()
	if err := want.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	got, err := ReadJSON(&b)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestThisMachineTells(t *testing.T) {
	if m := ThisMachine(); m.Processor == "" || m.Kernel == "" || m.Memory == "" || m.OpenFiles == 0 {
		t.Errorf("%+v", m)
	}
}
