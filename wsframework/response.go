package wsframework

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
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
	failing bool  // WriteError is running
	broken  bool  // what was sent of it is not the whole, and never will be
	noSave  bool  // the session could not be saved, and is given up
	cause   error // why it is an error page
}

func newResponse(x *exchange, w http.ResponseWriter) *response {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	if x.session != nil && !x.session.outer {
		header.Add("Vary", "Cookie")
	}
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
	s.also(cause)
	if !s.begun {
		status, _, _ := explain(cause)
		if err := s.writeError(status, cause, s.page); err != nil {
			s.also(fmt.Errorf("WriteError: %w", err))
			if !s.begun {
				s.writeError(status, cause, s.page.requestHandler())
			}
		}
	} else if !s.sent {
		s.broken = true
	}
	s.ended = true
}

// writeError lets a page write the body of an error.
func (s *response) writeError(status int, cause error, page Page) error {
	s.clear()
	s.status, s.failing = status, true
	err := s.x.contain("WriteError", func() error { return page.WriteError(status, cause) })
	s.failing, s.broken = false, err != nil && s.begun && !s.sent
	return err
}

// also adds to what the log says about the response.
func (s *response) also(cause error) {
	if s.cause != nil {
		cause = errors.Join(s.cause, cause)
	}
	s.cause = cause
}

// end sends what is left of the response, or what an error makes of it.
func (s *response) end(err error) {
	if err == nil && s.cause == nil {
		err = s.x.userError() // who asked for the user took this for nobody
	}
	if err != nil {
		s.fail(err)
	}
	if err := s.finish(); err != nil && !s.begun {
		s.noSave = true
		s.fail(err)
		s.finish()
	}
	if s.broken {
		panic(http.ErrAbortHandler) // else the client takes a part for the whole
	}
}

// flush sends what has been written so far.
func (s *response) flush() error {
	if err := s.begin(); err != nil {
		return err
	}
	err := s.send(s.body.Bytes())
	s.body.Reset()
	if err == nil {
		err = http.NewResponseController(s.w).Flush()
	}
	return err
}

// begin saves the session, since its cookie is part of the header, and sends that.
func (s *response) begin() error {
	if s.begun {
		return nil
	}
	if s.x.session != nil && !s.noSave {
		if err := s.x.saveSession(s.w); err != nil {
			return err
		}
	}
	s.begun = true
	s.x.header.Store(nil)
	s.w.WriteHeader(s.status)
	return nil
}

// finish sends the rest. A whole page gets an ETag, and is not sent to who has it already.
func (s *response) finish() error {
	if s.sent {
		return nil
	}
	s.ended = true
	body := s.body.Bytes()
	if !s.begun {
		body = s.describe(body)
	}
	if err := s.begin(); err != nil {
		return err
	}
	s.sent = true
	return s.send(body)
}

// describe sets the headers that follow from a whole body, and returns it as it goes out. Those for HEAD are
// the same.
func (s *response) describe(body []byte) []byte {
	header := s.w.Header()
	if _, known := header["Content-Type"]; !known && len(body) > 0 && header.Get("Content-Encoding") == "" {
		header.Set("Content-Type", http.DetectContentType(body))
	}
	tag := s.tag(body)
	if tag != "" {
		header.Set("Etag", tag)
	}
	zip := s.negotiate(body)
	if tag != "" && matchesTag(s.x.request.Header.Values("If-None-Match"), strings.TrimPrefix(tag, "W/")) {
		s.status = http.StatusNotModified
	}
	if !bodyAllowed(s.status) {
		header.Del("Content-Type")
		header.Del("Content-Length")
		return nil
	}
	if len(body) == 0 && s.x.request.Method == http.MethodHead {
		return nil // Head says what it likes about a body that nobody made
	}
	if zip {
		body = s.compress(body)
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	return body
}

// send sends a part of the body to who may have it.
func (s *response) send(body []byte) error {
	if len(body) == 0 || s.x.request.Method == http.MethodHead || !bodyAllowed(s.status) {
		return nil
	}
	n, err := s.w.Write(body)
	s.size += int64(n)
	return err
}

// sentStatus returns the status that was sent, or 0.
func (s *response) sentStatus() int {
	if !s.begun {
		return 0
	}
	return s.status
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// tag returns an ETag for a whole page that may be kept by browsers: the page's own, if it has set one.
func (s *response) tag(body []byte) string {
	header, method := s.w.Header(), s.x.request.Method
	if s.status != http.StatusOK || method != http.MethodGet && method != http.MethodHead {
		return ""
	}
	if own := header.Get("Etag"); own != "" {
		return own
	}
	if len(body) == 0 || strings.Contains(header.Get("Cache-Control"), "no-store") {
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
