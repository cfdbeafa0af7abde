// Package usage tells errors in a command line from failures.
package usage

import "fmt"

// ExitCode is that of a wrong command line.
const ExitCode = 2

type wrong struct{ error }

func (wrong) ExitCode() int   { return ExitCode }
func (e wrong) Unwrap() error { return e.error }

// Errorf makes an error, as fmt.Errorf does, that ends wsf with ExitCode.
func Errorf(format string, args ...any) error { return wrong{fmt.Errorf(format, args...)} }
