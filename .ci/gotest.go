// Command gotest runs go test and prints what people need to read: a line for each package, and
// everything that a failed test wrote, but nothing of those that pass.
//
//	gotest -tally FILE [flags and packages of go test]
//
// It appends a line "PASSED FAILED" with the number of tests to FILE. A package that fails without a
// failed test, because it does not build, say, counts as one failed test; a test with subtests counts
// through them.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// An event is one line of go test -json; see "go doc test2json".
type event struct {
	Action     string
	Package    string
	ImportPath string // of build events
	Test       string
	Output     string
	Elapsed    float64
}

// A run is one test, or a package when its name has no test.
type run struct {
	output    strings.Builder
	subtests  int
	failures  int  // among the tests below it
	concluded bool // passed, failed or skipped
}

type name struct{ pkg, test string }

type report struct {
	runs                    map[name]*run
	order                   []name
	passed, failed, skipped int
}

func main() {
	if len(os.Args) < 3 || os.Args[1] != "-tally" {
		fmt.Fprintln(os.Stderr, "usage: gotest -tally FILE [flags and packages of go test]")
		os.Exit(2)
	}
	if err := goTest(os.Args[2], os.Args[3:]); err != nil {
		var failed *exec.ExitError
		if !errors.As(err, &failed) { // else everything has been said
			fmt.Fprintln(os.Stderr, "gotest:", err)
		}
		os.Exit(1)
	}
}

func goTest(tally string, args []string) error {
	// What a cached result says of a browser or of timing is old news.
	test := exec.Command("go", append([]string{"test", "-json", "-count=1"}, args...)...)
	test.Stderr = os.Stderr
	stdout, err := test.StdoutPipe()
	if err != nil {
		return err
	}
	if err := test.Start(); err != nil {
		return err
	}
	r := report{runs: map[name]*run{}}
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			r.line(line)
		}
		if err != nil {
			break
		}
	}
	err = test.Wait()
	if err != nil && r.failed == 0 {
		r.failed = 1
	}
	skipped := ""
	if r.skipped > 0 {
		skipped = fmt.Sprintf(", %d skipped", r.skipped)
	}
	fmt.Printf("%d tests passed, %d failed%s\n", r.passed, r.failed, skipped)
	return appendLine(tally, fmt.Sprintf("%d %d\n", r.passed, r.failed), err)
}

func appendLine(file, line string, before error) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(line); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return before
}

func (r *report) line(line string) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil {
		fmt.Print(line) // go test's own words
		return
	}
	key := name{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		fmt.Print(e.Output)
	case "output":
		r.run(key).output.WriteString(e.Output)
	case "run":
		r.run(key)
		for parent, ok := above(key); ok; parent, ok = above(parent) {
			r.run(parent).subtests++
		}
	case "pass", "fail", "skip":
		r.run(key).concluded = true
		if e.Test == "" {
			r.packageEnded(e)
		} else {
			r.testEnded(key, e)
		}
	}
}

func (r *report) run(key name) *run {
	if r.runs[key] == nil {
		r.runs[key] = &run{}
		r.order = append(r.order, key)
	}
	return r.runs[key]
}

// above names the test that a subtest belongs to.
func above(key name) (name, bool) {
	end := strings.LastIndexByte(key.test, '/')
	if end < 0 {
		return name{}, false
	}
	return name{key.pkg, key.test[:end]}, true
}

func (r *report) testEnded(key name, e event) {
	test := r.run(key)
	switch {
	case e.Action == "fail":
		if test.failures == 0 {
			r.failed++
		}
		r.run(name{key.pkg, ""}).failures++
		for parent, ok := above(key); ok; parent, ok = above(parent) {
			r.run(parent).failures++
		}
		fmt.Print(test.output.String())
	case e.Action == "skip":
		r.skipped++
		fmt.Print(test.output.String()) // why it was skipped
	case test.subtests == 0:
		r.passed++
	}
	test.output.Reset()
}

func (r *report) packageEnded(e event) {
	pkg := r.run(name{e.Package, ""})
	switch e.Action {
	case "pass":
		fmt.Printf("ok      %s (%.1f s)\n", e.Package, e.Elapsed)
	case "skip":
		fmt.Printf("-       %s (no tests)\n", e.Package)
	case "fail":
		// After a panic or a timeout, the tests that were under way have said something, too.
		for _, key := range r.order {
			if key.pkg == e.Package && !r.runs[key].concluded {
				fmt.Print(r.runs[key].output.String())
			}
		}
		fmt.Print(pkg.output.String())
		if pkg.failures == 0 {
			r.failed++
		}
	}
}
