package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gotornado/gotornado/benchmarks/peers"
)

// WriteMarkdown writes the tables: one of all rows in relation to the baseline, and one of each row.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	r.summary(&b)
	for _, row := range r.Rows {
		r.table(&b, row)
	}
	r.growth(&b)
	fmt.Fprintf(&b, "\n%s\n", r.noise())
	_, err := io.WriteString(w, b.String())
	return err
}

// measured returns the peers that have been in at least one of some rows.
func (r *Report) measured(rows []Row) []Peer {
	var measured []Peer
	for _, p := range r.Peers {
		if slices.ContainsFunc(rows, func(row Row) bool { return r.tried(row.Name, p.Name) }) {
			measured = append(measured, p)
		}
	}
	return measured
}

// summary writes all rows' figures in relation to the baseline's.
func (r *Report) summary(b *strings.Builder) {
	columns := r.measured(r.Rows)
	fmt.Fprintf(b, "In relation to %s in the same round, medians; lower is better. The last column says what 1.00 stands for.\n\n|", peers.Baseline)
	for _, p := range columns {
		fmt.Fprintf(b, " | %s", p.Title)
	}
	fmt.Fprintf(b, " | 1.00 |\n|---|%s---|\n", strings.Repeat("---:|", len(columns)))
	for _, row := range r.Rows {
		base := r.median(row, peers.Baseline)
		fmt.Fprintf(b, "| %s", row.Title)
		for _, p := range columns {
			fmt.Fprintf(b, " | %s", r.relative(row, p.Name))
		}
		fmt.Fprintf(b, " | %s %s |\n", significant(base), row.Figure.label(row.Unit))
	}
}

func (r *Report) median(row Row, peer string) float64 {
	results, _ := r.results(row.Name, peer)
	return spreadOf(results, row.Figure.of).Median
}

func (r *Report) relative(row Row, peer string) string {
	_, failure := r.results(row.Name, peer)
	ratio := r.ratio(row, peer)
	switch {
	case failure != "":
		return "failed"
	case ratio.Median == 0:
		return "–"
	}
	return fmt.Sprintf("%.2f", ratio.Median)
}

// ratioRange tells how far the rounds' ratios were apart.
func (r *Report) ratioRange(row Row, peer string) string {
	ratio := r.ratio(row, peer)
	if ratio.Median == 0 || peer == peers.Baseline {
		return ""
	}
	return fmt.Sprintf(" (%.2f – %.2f)", ratio.Min, ratio.Max)
}

// ratio compares a peer with the baseline, round by round: what slows the whole machine down for a while
// concerns both of them.
func (r *Report) ratio(row Row, peer string) Spread {
	figures := func(peer string) map[int]float64 {
		byRound := make(map[int]float64)
		for _, run := range r.Runs {
			if run.Row == row.Name && run.Peer == peer && run.Error == "" {
				byRound[run.Round] = row.Figure.of(run.Result)
			}
		}
		return byRound
	}
	base := figures(peers.Baseline)
	var ratios []float64
	for round, value := range figures(peer) {
		if base[round] > 0 {
			ratios = append(ratios, value/base[round])
		}
	}
	return spread(ratios)
}

// table writes all that was measured in one row.
func (r *Report) table(b *strings.Builder, row Row) {
	fmt.Fprintf(b, "\n### %s: %s\n\n", row.Name, row.Title)
	fmt.Fprintf(b, "| | %s | min – max | %s = 1 | per second | p50 µs | p99 µs | fairness |\n", row.Figure.label(row.Unit), peers.Baseline)
	b.WriteString("|---|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, p := range r.Peers {
		results, failure := r.results(row.Name, p.Name)
		switch {
		case p.Missing != "":
			fmt.Fprintf(b, "| %s | %s | | | | | | |\n", p.Title, p.Missing)
			continue
		case failure != "":
			fmt.Fprintf(b, "| %s | failed: %s | | | | | | |\n", p.Title, strings.ReplaceAll(failure, "|", "/"))
			continue
		case len(results) == 0:
			continue
		}
		figure := spreadOf(results, row.Figure.of)
		fmt.Fprintf(b, "| %s | %s | %s – %s | %s%s |", p.Title, significant(figure.Median), significant(figure.Min), significant(figure.Max),
			r.relative(row, p.Name), r.ratioRange(row, p.Name))
		columns := []float64{
			spreadOf(results, throughput).Median,
			spreadOf(results, func(r result) float64 { return micros(r.P50) }).Median,
			spreadOf(results, func(r result) float64 { return micros(r.P99) }).Median,
		}
		for _, value := range columns {
			fmt.Fprintf(b, " %s |", significant(value))
		}
		fmt.Fprintf(b, " %s |\n", fraction(spreadOf(results, func(r result) float64 { return r.Fairness }).Median))
	}
}

// significant writes a value with about three significant digits, and thousands apart.
func significant(v float64) string {
	switch {
	case v == 0:
		return "–"
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	digits := fmt.Sprintf("%.0f", v)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func fraction(v float64) string {
	if v == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", v)
}
