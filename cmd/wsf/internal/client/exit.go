package client

import "fmt"

// The exit codes of the command. Help documents them.
const (
	exitNormal   = 0 // closed normally
	exitRefused  = 1 // refused, or an error of the network or the input
	exitUsage    = 2
	exitAbnormal = 3 // closed abnormally, or with the code of an error
	exitTimeout  = 4
)

// An ExitError is an error with the exit code that it ends the program with.
type ExitError struct {
	Code int
	Err  error
}

func (e *ExitError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *ExitError) Unwrap() error { return e.Err }

// ExitCode returns Code.
func (e *ExitError) ExitCode() int { return e.Code }

func exitf(code int, format string, args ...any) error {
	return &ExitError{Code: code, Err: fmt.Errorf(format, args...)}
}
