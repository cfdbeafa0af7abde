package wsframework_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
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
