package wsframework

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// A response is what a page has written so far.
type response struct {
	x       *exchange
	page    Page
	w       http.ResponseWriter
	initial http.Header // the header before the page
	files   *multipart.Form
	status  int
	body    bytes.Buffer
	size    int64 // bytes of bodies that were sent
	begun   bool  // the header has been sent
	ended   bool  // nothing can be added
	sent    bool
	cause   error // why it is an error page
}

func newResponse(x *exchange, w http.ResponseWriter) *response {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	x.header.Store(&header)
	return &response{x: x, w: w, initial: maps.Clone(header), status: http.StatusOK}
}

// claim makes a response that of a page, and reports whether the page is new.
func (s *response) claim(page Page) bool {
	base := page.requestHandler()
	if !base.x.CompareAndSwap(nil, s.x) {
		return false
	}
	base.response, s.page, s.x.hooks = s, page, page
	return true
}

// clear forgets what the page has written, but for its cookies, as in Tornado.
func (s *response) clear() {
	header := s.w.Header()
	cookies := header["Set-Cookie"]
	clear(header)
	maps.Copy(header, s.initial)
	if len(cookies) > 0 {
		header["Set-Cookie"] = cookies
	}
	s.body.Reset()
	s.status, s.ended = http.StatusOK, false
}

// fail makes an error page of the response, as long as none of it has been sent.
func (s *response) fail(cause error) {
	s.cause = cause
	if s.begun {
		s.ended = true
		return
	}
	s.clear()
	s.status, _, _ = explain(cause)
	failed := s.x.contain("WriteError", func() error { return s.page.WriteError(s.status, cause) })
	if failed != nil {
		s.cause = errors.Join(cause, fmt.Errorf("WriteError: %w", failed))
		status := s.status
		s.clear()
		s.status = status
		s.page.requestHandler().WriteError(status, cause)
	}
	s.ended = true
}

// flush sends what has been written so far.
func (s *response) flush() error {
	s.begin()
	n, err := s.w.Write(s.body.Bytes())
	s.size += int64(n)
	s.body.Reset()
	if err == nil {
		err = http.NewResponseController(s.w).Flush()
	}
	return err
}

func (s *response) begin() {
	if !s.begun {
		s.begun = true
		s.x.header.Store(nil)
		s.w.WriteHeader(s.status)
	}
}

// finish sends the rest. A whole page gets an ETag, and is not sent to who has it already.
func (s *response) finish() error {
	if s.sent {
		return nil
	}
	s.ended, s.sent = true, true
	body := s.body.Bytes()
	if !s.begun {
		if tag := s.tag(body); tag != "" {
			s.w.Header().Set("Etag", tag)
			if matchesTag(s.x.request.Header.Values("If-None-Match"), tag) {
				s.status, body = http.StatusNotModified, nil
				s.w.Header().Del("Content-Type")
			}
		}
		body = s.compress(body)
		if bodyAllowed(s.status) && s.w.Header().Get("Content-Length") == "" {
			s.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		}
	}
	s.begin()
	if s.x.request.Method == http.MethodHead || len(body) == 0 {
		return nil
	}
	n, err := s.w.Write(body)
	s.size += int64(n)
	return err
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// tag returns an ETag for a whole page that may be kept by browsers.
func (s *response) tag(body []byte) string {
	header, method := s.w.Header(), s.x.request.Method
	if s.status != http.StatusOK || len(body) == 0 || method != http.MethodGet && method != http.MethodHead ||
		header.Get("Etag") != "" || strings.Contains(header.Get("Cache-Control"), "no-store") {
		return ""
	}
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

// matchesTag compares weakly, as If-None-Match wants it (RFC 9110, 13.1.2).
func matchesTag(fields []string, tag string) bool {
	for _, field := range fields {
		for candidate := range strings.SplitSeq(field, ",") {
			candidate = strings.TrimSpace(candidate)
			if candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
				return true
			}
		}
	}
	return false
}

// open returns the response if it can still be added to.
func (h *RequestHandler) open() (*response, error) {
	switch {
	case h.response == nil:
		return nil, ErrNotOpen
	case h.response.ended:
		return nil, ErrFinished
	}
	return h.response, nil
}

// Write adds to the body. It fails only when the response is finished. The response's Content-Type, unless
// it is set, is what net/http takes the body for; Tornado's is always text/html, where text that a visitor
// sent can become a script.
func (h *RequestHandler) Write(p []byte) (int, error) {
	s, err := h.open()
	if err != nil {
		return 0, err
	}
	return s.body.Write(p)
}

// WriteString adds to the body, as Write.
func (h *RequestHandler) WriteString(text string) (int, error) {
	s, err := h.open()
	if err != nil {
		return 0, err
	}
	return s.body.WriteString(text)
}

// WriteJSON adds v to the body, encoded by encoding/json, and makes that application/json. As Tornado's
// write of a dict.
func (h *RequestHandler) WriteJSON(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("wsframework: the response has no JSON form: %w", err)
	}
	return h.writeAs("application/json", data)
}

func (h *RequestHandler) writeAs(contentType string, data []byte) error {
	s, err := h.open()
	if err != nil {
		return err
	}
	if !s.begun {
		s.w.Header().Set("Content-Type", contentType)
	}
	s.body.Write(data)
	return nil
}

// SetStatus sets the status of the response, 200 to 599. Default: 200. It returns ErrFinished once the
// header has been sent.
func (h *RequestHandler) SetStatus(status int) error {
	s, err := h.open()
	switch {
	case err != nil:
		return err
	case s.begun:
		return ErrFinished
	case status < 200 || status > 599:
		return fmt.Errorf("wsframework: %d is no status of a response; it is one from 200 to 599", status)
	}
	s.status = status
	return nil
}

// Status returns the status of the response.
func (h *RequestHandler) Status() int {
	if h.response == nil {
		return 0
	}
	return h.response.status
}

// Flush sends what has been written so far; the status and the header can't be changed any more. It waits
// for the client's network. As Tornado's flush.
func (h *RequestHandler) Flush() error {
	s, err := h.open()
	if err != nil {
		return err
	}
	return s.x.app.aside(s.flush)
}

// Finish sends the response before the method returns. It waits for the client's network. As Tornado's
// finish.
func (h *RequestHandler) Finish() error {
	s, err := h.open()
	if err != nil {
		return err
	}
	return s.x.app.aside(s.finish)
}

// Redirect finishes the response with another URL to go to, which may be relative to the request's. The
// status is 302 (Found) for GET and HEAD and 303 (See Other) for the others, or the one given. As Tornado's
// redirect.
//
// A URL that comes from the visitor may lead anywhere: see NextURL.
func (h *RequestHandler) Redirect(to string, status ...int) error {
	s, err := h.open()
	if err != nil {
		return err
	}
	code := http.StatusSeeOther
	switch method := s.x.request.Method; {
	case len(status) > 0:
		code = status[0]
	case method == http.MethodGet || method == http.MethodHead:
		code = http.StatusFound
	}
	target, err := url.Parse(to)
	switch {
	case err != nil:
		return fmt.Errorf("wsframework: Redirect: %w", err)
	case code < 300 || code > 399:
		return fmt.Errorf("wsframework: Redirect with status %d; it is one from 300 to 399", code)
	case s.begun:
		return ErrFinished
	}
	s.body.Reset()
	s.w.Header().Set("Location", target.String())
	s.status, s.ended = code, true
	return nil
}

// SendError finishes the response with an error page: what was written before is gone, and WriteError writes
// the body. Returning an *HTTPError does the same. As Tornado's send_error.
func (h *RequestHandler) SendError(status int) error {
	s, err := h.open()
	if err != nil {
		return err
	}
	if s.begun {
		return ErrFinished
	}
	s.fail(&HTTPError{Status: status})
	return nil
}
