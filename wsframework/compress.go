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

// compress returns the body as it goes out under Settings.CompressResponse: with gzip, if the browser takes
// that and it makes the body smaller.
func (s *response) compress(body []byte) []byte {
	header := s.w.Header()
	if !s.x.app.settings.CompressResponse || len(body) < minCompressed ||
		header.Get("Content-Encoding") != "" || !compressible(header.Get("Content-Type")) {
		return body
	}
	header.Add("Vary", "Accept-Encoding")
	if !acceptsGzip(s.x.request.Header) {
		return body
	}
	var out bytes.Buffer
	w := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(w)
	w.Reset(&out)
	w.Write(body) // to memory: can't fail
	w.Close()
	if out.Len() >= len(body) {
		return body
	}
	header.Set("Content-Encoding", "gzip")
	if tag := header.Get("Etag"); strings.HasPrefix(tag, `"`) {
		header.Set("Etag", "W/"+tag) // other bytes, the same page (RFC 9110, 8.8.1)
	}
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
