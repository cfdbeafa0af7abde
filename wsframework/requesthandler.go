package wsframework

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// RequestHandler is what a page embeds: a default for every method of [Page], and the methods with which
// a page reads its request and writes its response.
//
// What is written is kept back until the method has returned or Flush is called, so that an error leaves
// no half a page behind. A page runs in the goroutine of its request. What writes the response is for that
// goroutine; the other methods may be called from any.
//
// A RequestHandler must not be copied.
type RequestHandler struct {
	requestSide // what sockets have, too

	response *response
}

// WriteError writes a line of text.
func (h *RequestHandler) WriteError(status int, err error) error {
	if h.response == nil {
		return ErrNotOpen
	}
	h.SetHeader("Content-Type", "text/plain; charset=utf-8")
	_, message, _ := explain(err)
	if h.response.x.app.settings.Debug {
		message += "\n\n" + details(err)
	}
	_, err = h.WriteString(message + "\n")
	return err
}

// details are for the programmer's eyes only.
func details(err error) string {
	var panicked *PanicError
	if errors.As(err, &panicked) {
		return err.Error() + "\n\n" + string(panicked.Stack)
	}
	return fmt.Sprint(err)
}

// OnFinish does nothing.
func (h *RequestHandler) OnFinish() {}

//lint:ignore U1000 it is called through Page, which types that embed RequestHandler implement
func (h *RequestHandler) requestHandler() *RequestHandler { return h }

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
// it is set, is what net/http takes the first bytes of the body for; Tornado's is always text/html. Where a
// body begins with what a visitor sent, that can be HTML of his: set a type, or render a template.
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
// for the client's network. After an error from then on there can be no error page: the connection is cut,
// so that the client does not take a part for the whole. As Tornado's flush.
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
	return s.x.app.aside(func() error {
		if err := s.finish(); err != nil {
			return err
		}
		if err := http.NewResponseController(s.w).Flush(); !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		return nil // it goes out when the method returns
	})
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
// the body. Returning an *HTTPError does the same. The status is one from 400 to 599, else 500 is sent. It
// is an error to call it in WriteError. As Tornado's send_error.
func (h *RequestHandler) SendError(status int) error {
	s, err := h.open()
	switch {
	case err != nil:
		return err
	case s.begun:
		return ErrFinished
	case s.failing:
		return errors.New("wsframework: SendError in WriteError would have no end; write the page, or return an error for a plain one")
	}
	s.fail(&HTTPError{Status: status})
	return nil
}
