package wsframework

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// lastArgument returns the last value of an argument, without white space around it and with control
// characters replaced by spaces, and whether there is one. As Tornado's get_argument.
func lastArgument(values url.Values, name string) (string, bool) {
	all := values[name]
	if len(all) == 0 {
		return "", false
	}
	return cleanArgument(all[len(all)-1]), true
}

// allArguments returns all values of an argument in their order, cleaned as lastArgument does. As
// Tornado's get_arguments.
func allArguments(values url.Values, name string) []string {
	all := make([]string, len(values[name]))
	for i, value := range values[name] {
		all[i] = cleanArgument(value)
	}
	return all
}

func cleanArgument(value string) string {
	return strings.TrimSpace(strings.Map(func(c rune) rune {
		if c <= 0x08 || c >= 0x0e && c <= 0x1f {
			return ' '
		}
		return c
	}, value))
}

// checkArguments refuses arguments that are not UTF-8.
func checkArguments(values url.Values) error {
	for name, all := range values {
		for _, value := range all {
			if !utf8.ValidString(name) || !utf8.ValidString(value) {
				return badArgument(name, "is not valid UTF-8", value)
			}
		}
	}
	return nil
}

// missingArgument is the answer to a request without an argument that it needs.
func missingArgument(name string) *HTTPError {
	return &HTTPError{Status: http.StatusBadRequest, Message: fmt.Sprintf("The argument %q is missing.", shortened(name))}
}

func badArgument(name, problem, value string) *HTTPError {
	return &HTTPError{
		Status:  http.StatusBadRequest,
		Message: fmt.Sprintf("The argument %q %s: %q.", shortened(name), problem, shortened(value)),
	}
}

// shortened cuts what a stranger sent to a length that one can read.
func shortened(text string) string {
	const limit = 60 // bytes, about a line of a log
	if len(text) <= limit {
		return text
	}
	end := limit
	for end > limit-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// parseInt reads a whole number. As parseBool, parseDuration and parseTime, it fails with an *HTTPError
// of status 400 that names the argument.
func parseInt(name, text string) (int, error) {
	n, err := strconv.Atoi(text)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, badArgument(name, "is too large or too small", text)
	case err != nil:
		return 0, badArgument(name, "is not a whole number", text)
	}
	return n, nil
}

// parseBool reads true, 1, on or yes, and false, 0, off or no, in any case. A checked box of a form
// without a value is "on".
func parseBool(name, text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "1", "on", "yes":
		return true, nil
	case "false", "0", "off", "no":
		return false, nil
	}
	return false, badArgument(name, "is neither true nor false", text)
}

// parseDuration reads what time.ParseDuration does ("1h30m"), or a plain number, of seconds ("90", "0.5").
func parseDuration(name, text string) (time.Duration, error) {
	withUnit := text
	if strings.Trim(text, "+-.0123456789") == "" {
		withUnit += "s"
	}
	d, err := time.ParseDuration(withUnit)
	if err != nil {
		return 0, badArgument(name, "is not a duration like 90 or 1h30m", text)
	}
	return d, nil
}

// timeLayouts are those of RFC 3339 and of the date and datetime-local inputs of HTML.
var timeLayouts = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly}

// parseTime reads a time of RFC 3339 ("2026-07-01T12:00:00+02:00"), or what a form sends for an input of
// the type datetime-local ("2026-07-01T12:00") or date ("2026-07-01"), which is taken as UTC.
func parseTime(name, text string) (time.Time, error) {
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, badArgument(name, "is not a time like 2026-07-01T12:00:00Z or 2026-07-01", text)
}
