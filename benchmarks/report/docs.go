package report

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gotornado/gotornado/benchmarks/peers"
)

// WriteDocs writes benchmarks.md and its charts into a folder.
func (r *Report) WriteDocs(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var page strings.Builder
	r.page(&page)
	if err := os.WriteFile(filepath.Join(dir, "benchmarks.md"), []byte(page.String()), 0o644); err != nil {
		return err
	}
	for _, group := range r.groups() {
		var chart strings.Builder
		if err := r.WriteChart(&chart, group); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, chartName(group)), []byte(chart.String()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// groups returns the groups of the rows in their order.
func (r *Report) groups() []string {
	var groups []string
	for _, row := range r.Rows {
		if !slices.Contains(groups, row.Group) {
			groups = append(groups, row.Group)
		}
	}
	return groups
}

func chartName(group string) string {
	return "benchmarks-" + strings.ReplaceAll(strings.ToLower(group), " ", "-") + ".svg"
}

func (r *Report) page(b *strings.Builder) {
	b.WriteString("# Benchmarks\n\n")
	b.WriteString(strings.TrimSpace(method) + "\n\n")
	fmt.Fprintf(b, "Measured on %s with `%s`: medians of %d rounds with windows of %s after %s.\n\n",
		r.Date.Format("2 January 2006"), r.Command, r.Rounds, r.Window.Measure, r.Window.WarmUp)
	fmt.Fprintf(b, "The machine: %s.\n\n", r.Machine)
	b.WriteString("| server | version |\n|---|---|\n")
	for _, p := range r.Peers {
		fmt.Fprintf(b, "| %s | %s%s |\n", p.Title, p.Version, p.Missing)
	}
	fmt.Fprintf(b, "\n## What is noise\n\n%s\n\n## All rows\n\n", r.noise())
	r.summary(b)
	for _, group := range r.groups() {
		fmt.Fprintf(b, "\n## %s\n\n![Bars of all servers in the rows of this section; the dashed line is %s](%s)\n",
			group, peers.Baseline, chartName(group))
		for _, row := range r.Rows {
			if row.Group == group {
				r.table(b, row)
			}
		}
	}
	r.growth(b)
}

// growth writes how the framework's own cost grows.
func (r *Report) growth(b *strings.Builder) {
	if len(r.Growth) == 0 {
		return
	}
	b.WriteString("\n## Growth of cost\n\nThe framework alone, on connections in memory.\n\n| |")
	for _, n := range r.Growth[0].Sizes {
		fmt.Fprintf(b, " N = %s |", significant(float64(n)))
	}
	fmt.Fprintf(b, " |\n|---|%s---|\n", strings.Repeat("---:|", len(r.Growth[0].Sizes)))
	for _, line := range r.Growth {
		fmt.Fprintf(b, "| %s |", line.What)
		for _, value := range line.Values {
			fmt.Fprintf(b, " %s |", significant(value))
		}
		fmt.Fprintf(b, " %s |\n", line.Unit)
	}
}

// method says how it is measured.
const method = `
Each server is a small program, written as its own documentation recommends, with its defaults where they
allow the work: see [benchmarks/servers](../benchmarks/servers). It runs on one processor, with
` + "`GOMAXPROCS=1`" + `, and the load on another one. Every run starts the server afresh; in each round each
server runs once, in an order that rotates. A run during which other programs took more than a tenth of the
load's processor is repeated once, and the less disturbed of the two counts. The load checks each message:
its content, its order, and that none is missing.

The figure that counts is the processor time of the server, as the kernel counts it for all its threads,
divided by the messages that came back to the load (by the deliveries, where one message goes to many). It
includes the system calls, and with them the receiver's part of the loopback interface, which the kernel
does on behalf of who sends. In relation to another server's it is the median of the ratios within each
round, as whatever slows the machine down for a while concerns both.

Throughput and latency are those under full load, so that they say little beside it, and less where the
load is slower than the server. Fairness is what the connection that got fewest messages got, by what the
one got that got most.

- Both echoes and broadcasts are text messages where nothing else is said. A connection of an echo row
  sends all its messages at once, and again when all have come back and 50 µs have passed.
- A broadcast is sent by the members in turn; the next follows when everyone has everything.
- A handshake is a whole life: connecting, both handshakes and the end of the connection. Its latency is
  that of the opening handshake.
- Idle connections are members of a group and have keep-alive pings where that is the server's default.
  Memory is the growth of resident memory. The kernel's own for sockets is not in it.
- The quiet connection sends a message every 2 ms; the flood has up to 200 messages under way.
- The echo through TLS negotiates TLS 1.3. Compression is permessage-deflate without context takeover at
  each server's default level, of 1 KiB that looks like JSON.
- "Bare system calls" is no server that one could use: it shows what reading, unmasking and writing cost
  at least. "One write per batch" is the same with one write for all messages that one read has brought.
`
