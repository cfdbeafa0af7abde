package report

import (
	"time"

	"github.com/gotornado/gotornado/benchmarks/load"
)

// A Figure is what a row is about. Lower is better in all of them.
type Figure string

// The figures.
const (
	CPU    Figure = "cpu"    // processor time of the server per unit
	Memory Figure = "memory" // growth of resident memory per connection
	Delay  Figure = "delay"  // 99th percentile of the latency
)

// FigureOf returns the figure of a scenario.
func FigureOf(s load.Scenario) Figure {
	switch s.(type) {
	case load.Idle:
		return Memory
	case load.Flood:
		return Delay
	}
	return CPU
}

// label names the figure, with its unit.
func (f Figure) label(unit string) string {
	switch f {
	case Memory:
		return "KiB of memory a " + unit
	case Delay:
		return "p99 of the quiet connection, µs"
	}
	return "µs of CPU a " + unit
}

func (f Figure) of(r load.Result) float64 {
	switch f {
	case Memory:
		return float64(r.Memory) / float64(max(r.Count, 1)) / 1024
	case Delay:
		return micros(r.P99)
	}
	return micros(r.CPU) / float64(max(r.Count, 1))
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

type result = load.Result

func throughput(r result) float64 { return float64(r.Count) / r.Elapsed.Seconds() }
