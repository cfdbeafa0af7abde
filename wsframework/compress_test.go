package wsframework_test

import (
	"compress/gzip"
	"crypto/rand"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
)

// A compressiblePage writes what it is told.
type compressiblePage struct {
	wsframework.RequestHandler
	contentType, body string
}

func (p *compressiblePage) Get() error {
	if p.contentType != "" {
		p.SetHeader("Content-Type", p.contentType)
	}
	_, err := p.WriteString(p.body)
	return err
}

func TestCompressResponse(t *testing.T) {
	long := strings.Repeat("hello, world. ", 200)
	for _, tt := range []struct {
		name, contentType, body, accept string
		off, want                       bool
	}{
		{name: "text", contentType: "text/html; charset=utf-8", body: long, accept: "gzip, deflate, br", want: true},
		{name: "found out", body: long, accept: "gzip", want: true},
		{name: "json", contentType: "application/problem+json", body: long, accept: "br;q=1.0, gzip;q=0.8", want: true},
		{name: "anything", contentType: "text/plain", body: long, accept: "*", want: true},
		{name: "anything but gzip", contentType: "text/plain", body: long, accept: "*, gzip;q=0"},
		{name: "refused", contentType: "text/plain", body: long, accept: "gzip; q=0"},
		{name: "nonsense", contentType: "text/plain", body: long, accept: "gzip;q=much"},
		{name: "not offered", contentType: "text/plain", body: long},
		{name: "short", contentType: "text/plain", body: "hello", accept: "gzip"},
		{name: "an image", contentType: "image/png", body: long, accept: "gzip"},
		{name: "off", contentType: "text/plain", body: long, accept: "gzip", off: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			app := wsframework.NewApplication(wsframework.Settings{CompressResponse: !tt.off, Logger: quiet})
			app.Page("/", func() wsframework.Page { return &compressiblePage{contentType: tt.contentType, body: tt.body} })
			request := httptest.NewRequest("GET", "/", nil)
			if tt.accept != "" {
				request.Header.Set("Accept-Encoding", tt.accept)
			}
			w := httptest.NewRecorder()
			app.ServeHTTP(w, request)
			response := w.Result()
			body, length := io.Reader(response.Body), w.Body.Len()
			if got := response.Header.Get("Content-Encoding") == "gzip"; got != tt.want {
				t.Fatalf("compressed: %t, want %t", got, tt.want)
			}
			if tt.want {
				unzipped, err := gzip.NewReader(body)
				if err != nil {
					t.Fatal(err)
				}
				body = unzipped
				if tag := response.Header.Get("Etag"); !strings.HasPrefix(tag, `W/"`) || response.Header.Get("Vary") != "Accept-Encoding" {
					t.Errorf("Etag %s, Vary %q", tag, response.Header.Get("Vary"))
				}
			}
			if got, err := io.ReadAll(body); err != nil || string(got) != tt.body {
				t.Errorf("%d bytes (%v), want %d", len(got), err, len(tt.body))
			}
			if response.ContentLength != int64(length) || response.Header.Get("Content-Type") == "" {
				t.Errorf("Content-Length %d of %d, Content-Type %q", response.ContentLength, length, response.Header.Get("Content-Type"))
			}

			// Who has it already gets it no more, compressed or not.
			request.Header.Set("If-None-Match", response.Header.Get("Etag"))
			w = httptest.NewRecorder()
			app.ServeHTTP(w, request)
			if w.Code != http.StatusNotModified || w.Body.Len() > 0 {
				t.Errorf("with If-None-Match: status %d, %d bytes", w.Code, w.Body.Len())
			}
		})
	}
}

// HEAD is answered as GET is, and so is who has the page already, but for the body (RFC 9110, 9.3.2 and
// 15.4.5).
func TestCompressedPagesHaveTheSameHeader(t *testing.T) {
	long := strings.Repeat("hello, world. ", 200)
	write := func(header ...string) func(p *sheet) error {
		return func(p *sheet) error {
			for _, line := range header {
				name, value, _ := strings.Cut(line, ": ")
				if err := p.SetHeader(name, value); err != nil {
					return err
				}
			}
			_, err := p.WriteString(long)
			return err
		}
	}
	for name, tt := range map[string]struct {
		get       func(p *sheet) error
		etag      string // its beginning
		vary      string
		encodings [2]string // without and with Accept-Encoding
	}{
		"text":           {write(), `W/"`, "Accept-Encoding", [2]string{"", "gzip"}},
		"own ETag":       {write(`Etag: "mine"`), `W/"mine"`, "Accept-Encoding", [2]string{"", "gzip"}},
		"own weak ETag":  {write(`Etag: W/"mine"`), `W/"mine"`, "Accept-Encoding", [2]string{"", "gzip"}},
		"an image":       {write("Content-Type: image/png"), `"`, "", [2]string{}},
		"encoded before": {write("Content-Encoding: br"), `"`, "", [2]string{"br", "br"}},
		"not to be kept": {write("Cache-Control: no-store"), "", "Accept-Encoding", [2]string{"", "gzip"}},
	} {
		s := newSite(t, wsframework.Settings{CompressResponse: true}).page(hooks{get: tt.get})
		for i, accept := range []string{"X-None: 1", "Accept-Encoding: gzip"} {
			get := s.ask("GET", "/", accept)
			head := s.ask("HEAD", "/", accept)
			etag := get.Header().Get("Etag")
			if !strings.HasPrefix(etag, tt.etag) || (etag == "") != (tt.etag == "") || get.Header().Get("Vary") != tt.vary ||
				get.Header().Get("Content-Encoding") != tt.encodings[i] {
				t.Errorf("%s, %s: %v", name, accept, get.Header())
			}
			if head.Body.Len() > 0 || !maps.EqualFunc(get.Header(), head.Header(), slices.Equal) {
				t.Errorf("%s, %s: HEAD %v\nGET %v", name, accept, head.Header(), get.Header())
			}
			for _, method := range []string{"GET", "HEAD"} {
				again := s.ask(method, "/", accept, "If-None-Match: "+etag)
				if etag != "" && (again.Code != 304 || again.Body.Len() > 0 || again.Header().Get("Etag") != etag || again.Header().Get("Vary") != tt.vary) {
					t.Errorf("%s, %s %s: %d %v", name, method, accept, again.Code, again.Header())
				}
			}
		}
	}
}

// What is sent in parts goes out as it is.
func TestFlushedPagesAreNotCompressed(t *testing.T) {
	s := newSite(t, wsframework.Settings{CompressResponse: true}).page(hooks{get: func(p *sheet) error {
		for range 2 {
			p.WriteString(strings.Repeat("hello, world. ", 200))
			if err := p.Flush(); err != nil {
				return err
			}
		}
		return nil
	}})
	if w := s.ask("GET", "/", "Accept-Encoding: gzip"); w.Body.Len() != 2*200*14 || w.Header().Get("Content-Encoding") != "" || w.Header().Get("Vary") != "" {
		t.Errorf("%d bytes %v", w.Body.Len(), w.Header())
	}
}

// A body that gzip makes longer is sent as it is.
func TestIncompressiblePages(t *testing.T) {
	noise := make([]byte, 2000)
	rand.Read(noise)
	s := newSite(t, wsframework.Settings{CompressResponse: true}).page(hooks{get: func(p *sheet) error {
		_, err := p.Write(noise)
		return errors.Join(err, p.SetHeader("Content-Type", "text/plain"))
	}})
	if w := s.ask("GET", "/", "Accept-Encoding: gzip"); w.Body.Len() != 2000 || w.Header().Get("Content-Encoding") != "" || w.Header().Get("Content-Length") != "2000" {
		t.Errorf("%d bytes %v", w.Body.Len(), w.Header())
	}
}
