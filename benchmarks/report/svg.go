package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/gotornado/gotornado/benchmarks/peers"
)

// What a chart looks like, in pixels.
const (
	panelWidth = 470
	panelGap   = 30
	margin     = 20
	titleSpace = 44 // above a panel's bars
	barHeight  = 15
	barStep    = 21
	nameWidth  = 170
	valueWidth = 90
	columns    = 2

	// widest is the relation to the baseline at which a bar is cut.
	widest = 2.5
)

// colours of the bars; what is not named is grey.
var colours = map[string]string{
	"wsframework":  "#0b6bcb",
	peers.Baseline: "#57606a",
	"bare":         "#d5dae0",
	"batch":        "#d5dae0",
}

// WriteChart draws the rows of a group: a panel each, and in it a bar for each peer.
func (r *Report) WriteChart(w io.Writer, group string) error {
	var panels []string
	height := 0
	for _, row := range r.Rows {
		if row.Group != group {
			continue
		}
		var panel strings.Builder
		height = max(height, r.panel(&panel, row))
		panels = append(panels, panel.String())
	}
	lines := (len(panels) + columns - 1) / columns
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" `+
		`font-family="system-ui, sans-serif" font-size="12" fill="#1f2328">`+"\n",
		2*margin+columns*panelWidth+(columns-1)*panelGap, 2*margin+lines*(height+panelGap)-panelGap)
	b.WriteString(`<rect width="100%" height="100%" fill="#ffffff"/>` + "\n")
	for i, panel := range panels {
		fmt.Fprintf(&b, `<g transform="translate(%d %d)">`+"\n%s</g>\n",
			margin+i%columns*(panelWidth+panelGap), margin+i/columns*(height+panelGap), panel)
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// panel draws one row and returns its height.
func (r *Report) panel(b *strings.Builder, row Row) (height int) {
	title, detail, _ := strings.Cut(row.Title, ", ")
	fmt.Fprintf(b, `<text y="12" font-weight="600">%s</text>`+"\n", escape(title))
	fmt.Fprintf(b, `<text y="29" fill="#57606a">%s</text>`+"\n", escape(strings.TrimPrefix(detail+" · "+row.Figure.label(row.Unit), " · ")))
	servers := r.measured([]Row{row})
	fmt.Fprintf(b, `<path d="M%.1f %dV%d" stroke="#57606a" stroke-dasharray="2 3"/>`+"\n",
		nameWidth+scale(1), titleSpace-4, titleSpace+len(servers)*barStep-2)
	y := titleSpace
	for _, p := range servers {
		results, _ := r.results(row.Name, p.Name)
		relation := r.ratio(row, p.Name).Median
		if len(results) == 0 || relation == 0 {
			continue
		}
		r.bar(b, y, p, r.median(row, p.Name), relation)
		y += barStep
	}
	return y
}

func (r *Report) bar(b *strings.Builder, y int, p Peer, value, relation float64) {
	colour, ok := colours[p.Name]
	if !ok {
		colour = "#a8b1bb"
	}
	weight := "400"
	if p.Name == "wsframework" {
		weight = "600"
	}
	width := scale(min(relation, widest))
	baseline := y + barHeight - 3
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end" font-weight="%s">%s</text>`, nameWidth-8, baseline, weight, escape(p.Title))
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`, nameWidth, y, width, barHeight, colour)
	if relation > widest { // two strokes say that the bar goes on
		fmt.Fprintf(b, `<path d="M%.1f %dl5 -%[3]dm5 0l-5 %[3]d" stroke="#ffffff" stroke-width="2"/>`, nameWidth+width-24, y+barHeight, barHeight)
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%d" font-weight="%s" stroke="#ffffff" stroke-width="3" paint-order="stroke">%.2f<tspan fill="#57606a" font-weight="400"> (%s)</tspan></text>`+"\n",
		nameWidth+width+6, baseline, weight, relation, significant(value))
}

// scale returns the width of a bar.
func scale(relation float64) float64 {
	return relation / widest * (panelWidth - nameWidth - valueWidth)
}

func escape(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic(err) // a strings.Builder takes everything
	}
	return b.String()
}
