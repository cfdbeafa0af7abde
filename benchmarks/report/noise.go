package report

import (
	"fmt"
	"slices"
)

// A noise says how far a report can be trusted.
type noise struct {
	typical, worst float64 // spread of one peer's rounds in one row, as a share of the median
	where          string  // the worst was
	undisturbed    float64 // share of the time that the load had its processor, in the worst run
}

func (r *Report) noise() noise {
	n := noise{undisturbed: 1}
	var spreads []float64
	for _, row := range r.Rows {
		for _, p := range r.Peers {
			results, _ := r.results(row.Name, p.Name)
			for _, result := range results {
				n.undisturbed = min(n.undisturbed, result.Undisturbed())
			}
			s := spreadOf(results, row.Figure.of)
			if len(results) < 2 || s.Median == 0 {
				continue
			}
			spread := (s.Max - s.Min) / s.Median
			spreads = append(spreads, spread)
			if spread > n.worst {
				n.worst, n.where = spread, row.Name+" with "+p.Title
			}
		}
	}
	slices.Sort(spreads)
	if len(spreads) > 0 {
		n.typical = spreads[len(spreads)/2]
	}
	return n
}

func (n noise) String() string {
	return fmt.Sprintf("The rounds of one server in one row are typically %.1f %% of the median apart, at worst %.0f %% (%s). "+
		"A difference between two servers means something where their ranges from minimum to maximum don't meet. "+
		"In the worst run the load had its processor for %.0f %% of the time; what it did not have went to other programs.",
		100*n.typical, 100*n.worst, n.where, 100*n.undisturbed)
}
