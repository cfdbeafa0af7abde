package doctor

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/term"
)

// A printer writes results for people, each as soon as it is there.
type printer struct {
	w     io.Writer
	marks map[status]string
	paint map[status]string // what begins the mark's colour; empty without colours
	arrow string
	ascii bool
	live  bool // somebody watches

	group string
	alike []result // skipped for the same reason, and not yet printed
}

var (
	plainMarks = map[status]string{statusOK: "ok  ", statusWarning: "WARN", statusProblem: "FAIL", statusSkipped: "skip"}
	markSigns  = map[status]string{statusOK: "✓", statusWarning: "!", statusProblem: "✗", statusSkipped: "-"}
	colours    = map[status]string{statusOK: "\x1b[32m", statusWarning: "\x1b[33m", statusProblem: "\x1b[31m", statusSkipped: "\x1b[2m"}
)

const colourEnd = "\x1b[0m"

// newPrinter finds out what the other end of w can show: a file and a dumb terminal get plain ASCII.
func newPrinter(w io.Writer, getenv func(string) string) *printer {
	p := &printer{w: w, marks: plainMarks, arrow: "->", ascii: true}
	file, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return p
	}
	p.live = true
	name := getenv("TERM")
	if name == "dumb" || name == "" && (runtime.GOOS != "windows" || getenv("WT_SESSION") == "") {
		return p
	}
	if getenv("NO_COLOR") == "" {
		p.paint = colours
	}
	if speaksUTF8(getenv) {
		p.marks, p.arrow, p.ascii = markSigns, "→", false
	}
	return p
}

// speaksUTF8 asks the variables in the order that POSIX gives them.
func speaksUTF8(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToUpper(getenv(name)); value != "" {
			return strings.Contains(value, "UTF-8") || strings.Contains(value, "UTF8")
		}
	}
	return runtime.GOOS == "windows" || runtime.GOOS == "darwin"
}

func (p *printer) heading(url string) { fmt.Fprintf(p.w, "wsf doctor %s\n", p.clean(url)) }

// result writes a line for a check, and what to change below it. Checks that were skipped for the same
// reason share a line.
func (p *printer) result(r result) {
	if len(p.alike) > 0 && (r.Status != statusSkipped || r.Group != p.group || r.Seen != p.alike[0].Seen) {
		p.flush()
	}
	if r.Group != p.group {
		p.group = r.Group
		fmt.Fprintf(p.w, "\n%s\n", r.Group)
	}
	if r.Status == statusSkipped {
		p.alike = append(p.alike, r)
		return
	}
	fmt.Fprintf(p.w, "  %s  %-*s  %s\n", p.mark(r.Status), nameWidth, r.Name, p.clean(r.Seen))
	indent := strings.Repeat(" ", 2+len([]rune(p.marks[r.Status]))+2)
	for _, line := range r.Change {
		fmt.Fprintf(p.w, "%s%s %s\n", indent, p.arrow, p.clean(line))
	}
}

// flush writes the line about what was skipped.
func (p *printer) flush() {
	if len(p.alike) == 0 {
		return
	}
	var names []string
	for _, r := range p.alike {
		names = append(names, r.Name)
	}
	fmt.Fprintf(p.w, "  %s  %-*s  %s\n", p.mark(statusSkipped), nameWidth, strings.Join(names, ", "), p.clean(p.alike[0].Seen))
	p.alike = nil
}

func (p *printer) mark(s status) string {
	if start := p.paint[s]; start != "" {
		return start + p.marks[s] + colourEnd
	}
	return p.marks[s]
}

// clean escapes what a terminal could take for a command, because servers say what they like, and what it
// can't show.
func (p *printer) clean(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r > '~' && p.ascii || !unicode.IsPrint(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// waiting tells a person why nothing happens. A file does not need to know.
func (p *printer) waiting(why string) {
	if p.live {
		p.flush()
		fmt.Fprintf(p.w, "  ... %s\n", why)
	}
}

func (p *printer) summary(r *report) {
	p.flush()
	fmt.Fprintf(p.w, "\n%s, %s, %d ok, %d skipped.\n", count(r.Summary[statusProblem], "problem"),
		count(r.Summary[statusWarning], "warning"), r.Summary[statusOK], r.Summary[statusSkipped])
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
