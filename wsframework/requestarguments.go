package wsframework

import (
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// The arguments of a request, as Tornado has them: of several values the last one counts, white space
// around it is taken off, and control characters but tabs and line ends become spaces. A request with one that
// is not UTF-8 is answered with 400.

// Argument returns an argument, or "". A page looks in the body, if that is a form, and then in the query; a
// socket in the query of its handshake. As Tornado's get_argument with the default "".
func (h *requestSide) Argument(name string) string {
	value, _ := h.argument(name)
	return value
}

// argument tells a missing argument from an empty one.
func (h *requestSide) argument(name string) (string, bool) {
	x := h.x.Load()
	if x == nil {
		return "", false
	}
	if value, ok := lastArgument(x.form, name); ok {
		return value, true
	}
	return lastArgument(x.query(), name)
}

// Arguments returns all values of an argument, those of the query first. As Tornado's get_arguments.
func (h *requestSide) Arguments(name string) []string {
	x := h.x.Load()
	if x == nil {
		return nil
	}
	return append(allArguments(x.query(), name), allArguments(x.form, name)...)
}

// QueryArgument returns an argument of the query, or "". As Tornado's get_query_argument.
func (h *requestSide) QueryArgument(name string) string {
	x := h.x.Load()
	if x == nil {
		return ""
	}
	value, _ := lastArgument(x.query(), name)
	return value
}

// QueryArguments returns all values of an argument of the query. As Tornado's get_query_arguments.
func (h *requestSide) QueryArguments(name string) []string {
	if x := h.x.Load(); x != nil {
		return allArguments(x.query(), name)
	}
	return nil
}

// RequiredArgument returns an argument that has to be there; else the error, which is one to return from a
// page's method or a socket's Prepare, answers with status 400. As Tornado's get_argument without a default.
func (h *requestSide) RequiredArgument(name string) (string, error) {
	if value, ok := h.argument(name); ok {
		return value, nil
	}
	return "", missingArgument(name)
}

// IntArgument returns an argument that is a whole number, or the fallback if it is missing or empty. The
// error, for what is no number and for what is missing without a fallback, is one to return from a page's
// method or a socket's Prepare: it answers with status 400 and names the argument.
func (h *requestSide) IntArgument(name string, fallback ...int) (int, error) {
	return typedArgument(h, name, fallback, parseInt)
}

// BoolArgument is IntArgument for true, 1, on and yes, or false, 0, off and no. A form does not send a box
// that is not checked: false is its fallback.
func (h *requestSide) BoolArgument(name string, fallback ...bool) (bool, error) {
	return typedArgument(h, name, fallback, parseBool)
}

// DurationArgument is IntArgument for what time.ParseDuration reads ("1h30m"), or a plain number of seconds.
func (h *requestSide) DurationArgument(name string, fallback ...time.Duration) (time.Duration, error) {
	return typedArgument(h, name, fallback, parseDuration)
}

// TimeArgument is IntArgument for a time of RFC 3339, or what a form sends for an input of type date or
// datetime-local, which is taken as UTC.
func (h *requestSide) TimeArgument(name string, fallback ...time.Time) (time.Time, error) {
	return typedArgument(h, name, fallback, parseTime)
}

func typedArgument[T any](h *requestSide, name string, fallback []T, parse func(name, text string) (T, error)) (value T, err error) {
	text, ok := h.argument(name)
	switch {
	case ok && text != "":
		return parse(name, text)
	case len(fallback) > 0:
		return fallback[0], nil
	case ok:
		return parse(name, text)
	}
	return value, missingArgument(name)
}

// query returns the arguments of the URL. What is malformed there is left out, as net/http does.
func (x *exchange) query() url.Values {
	if x.request.URL.RawQuery == "" {
		return nil
	}
	return x.request.URL.Query()
}

// BodyArgument returns an argument of the body, or "". As Tornado's get_body_argument.
func (h *RequestHandler) BodyArgument(name string) string {
	x := h.x.Load()
	if x == nil {
		return ""
	}
	value, _ := lastArgument(x.form, name)
	return value
}

// BodyArguments returns all values of an argument of the body. As Tornado's get_body_arguments.
func (h *RequestHandler) BodyArguments(name string) []string {
	if x := h.x.Load(); x != nil {
		return allArguments(x.form, name)
	}
	return nil
}

// File returns an uploaded file, the last one of that name, or nil. Its Filename is what the visitor's
// browser says: no path to write to. It is gone when the response is finished. As Tornado's request.files.
func (h *RequestHandler) File(name string) *multipart.FileHeader {
	if files := h.Files(name); len(files) > 0 {
		return files[len(files)-1]
	}
	return nil
}

// Files returns all uploaded files of a name.
func (h *RequestHandler) Files(name string) []*multipart.FileHeader {
	if h.response == nil || h.response.files == nil {
		return nil
	}
	return slices.Clone(h.response.files.File[name])
}

// ReadJSON decodes the body into what v points to; it may be called again, for another v. The error, for what is not the JSON that v wants, answers with status 400, and for a body beyond
// Settings.MaxBodySize with 413. It is for the goroutine of the page. As Tornado's
// json_decode(self.request.body).
func (h *RequestHandler) ReadJSON(v any) error {
	x := h.x.Load()
	if x == nil {
		return ErrNotOpen
	}
	body, err := readAgain(x.request)
	if err != nil {
		return bodyError(err)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return &HTTPError{Status: http.StatusBadRequest, Message: "The body is not the JSON that is expected.", Err: err}
	}
	return nil
}
