package wsframework

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// minCompressed is the length in bytes below which a page is not worth compressing, as in Tornado.
const minCompressed = 1024

var gzipWriters = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// negotiate reports whether a body is to be compressed under Settings.CompressResponse. If that depends on the
// browser, the header says so, also that of a 304 (RFC 9110, 15.4.5).
func (s *response) negotiate(body []byte) bool {
	header := s.w.Header()
	if !s.x.app.settings.CompressResponse || len(body) < minCompressed ||
		header.Get("Content-Encoding") != "" || !compressible(header.Get("Content-Type")) {
		return false
	}
	header.Add("Vary", "Accept-Encoding")
	if tag := header.Get("Etag"); strings.HasPrefix(tag, `"`) {
		header.Set("Etag", "W/"+tag) // other bytes, the same page (RFC 9110, 8.8.1)
	}
	return acceptsGzip(s.x.request.Header)
}

// compress returns a body with gzip, if that makes it smaller.
func (s *response) compress(body []byte) []byte {
	var out bytes.Buffer
	w := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(w)
	w.Reset(&out)
	w.Write(body) // to memory: can't fail
	w.Close()
	if out.Len() >= len(body) {
		return body
	}
	s.w.Header().Set("Content-Encoding", "gzip")
	return out.Bytes()
}

func compressible(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	switch kind = strings.ToLower(strings.TrimSpace(kind)); kind {
	case "application/json", "application/javascript", "application/xml", "application/manifest+json", "image/svg+xml":
		return true
	}
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml")
}

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3).
func acceptsGzip(header http.Header) bool {
	accepts := false
	for _, line := range header["Accept-Encoding"] {
		for entry := range strings.SplitSeq(line, ",") {
			coding, params, _ := strings.Cut(entry, ";")
			coding = strings.ToLower(strings.TrimSpace(coding))
			if coding != "gzip" && coding != "*" {
				continue
			}
			name, value, _ := strings.Cut(strings.TrimSpace(params), "=")
			weight, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			takes := !strings.EqualFold(strings.TrimSpace(name), "q") || err == nil && weight > 0
			if coding == "gzip" {
				return takes
			}
			accepts = takes
		}
	}
	return accepts
}
