package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gotornado/gotornado/benchmarks/report"
)

// write prints the tables and writes what else is asked for. Its error says which runs failed.
func (o options) write(r *report.Report, root string) error {
	if err := r.WriteMarkdown(os.Stdout); err != nil {
		return err
	}
	if o.from == "" {
		if err := o.writeJSON(r, root); err != nil {
			return err
		}
	}
	if o.docs {
		if err := r.WriteDocs(filepath.Join(root, "docs")); err != nil {
			return err
		}
	}
	if failures := r.Failures(); len(failures) > 0 {
		return fmt.Errorf("%d runs failed:\n%s", len(failures), strings.Join(failures, "\n"))
	}
	return nil
}

func (o options) writeJSON(r *report.Report, root string) error {
	name := o.json
	if name == "" {
		name = filepath.Join(root, "benchmarks", "results", r.Date.Format("20060102-150405")+".json")
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := r.WriteJSON(file); err != nil {
		file.Close()
		return err
	}
	fmt.Fprintln(os.Stderr, "bench: all figures are in", name)
	return file.Close()
}

func readReport(name string) (*report.Report, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return report.ReadJSON(file)
}

// commandLine is how to measure the same again.
func commandLine() string {
	command := "go run ./benchmarks/cmd/bench"
	flag.Visit(func(f *flag.Flag) {
		if f.Name != "json" { // where the figures go changes none
			command += fmt.Sprintf(" -%s=%s", f.Name, f.Value)
		}
	})
	return command
}
