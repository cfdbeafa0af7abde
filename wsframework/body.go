package wsframework

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"unicode/utf8"
)

// maxFormMemory is how much of the files of a form is kept in memory, in bytes; the rest is on disk.
const maxFormMemory = 1 << 20

// parseBody reads the form in the body of a POST, PUT or PATCH, URL-encoded or multipart (RFC 7578). A
// body of another type is left to read, but, as for all, its reader fails beyond maxBody bytes, if
// that is positive; an URL-encoded one can be read again. The caller calls files.RemoveAll unless files
// is nil.
//
// The error is an *HTTPError of status 413 for a body that is too long, and of 400 for one that is
// malformed or not UTF-8; net/http's bounds for the number of fields and parts apply. Any other error
// is the server's own: a full disk, say. Afterwards r.PostForm and r.MultipartForm are set as well.
func parseBody(w http.ResponseWriter, r *http.Request, maxBody int64) (form url.Values, files *multipart.Form, err error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	if maxBody > 0 {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if r.ContentLength > maxBody {
			return nil, nil, bodyError(&http.MaxBytesError{Limit: maxBody})
		}
	}
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
	default:
		return url.Values{}, nil, nil
	}
	contentType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && contentType == "" && r.Header.Get("Content-Type") != "" {
		return nil, nil, &HTTPError{Status: http.StatusBadRequest, Message: "The header Content-Type is malformed.", Err: err}
	}
	switch contentType {
	case "application/x-www-form-urlencoded":
		form, err = readForm(r)
	case "multipart/form-data":
		form, files, err = readMultipart(r)
	default:
		return url.Values{}, nil, nil
	}
	if err != nil {
		return nil, nil, bodyError(err)
	}
	r.PostForm, r.MultipartForm = form, files
	return form, files, nil
}

func readForm(r *http.Request) (url.Values, error) {
	text, err := readAgain(r)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, err
	}
	return form, checkArguments(form)
}

// readAgain reads the whole body, and leaves it to be read once more: who signs a form signs its bytes.
func readAgain(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return body, err
}

func readMultipart(r *http.Request) (url.Values, *multipart.Form, error) {
	reader, err := r.MultipartReader()
	if err != nil {
		return nil, nil, err
	}
	files, err := reader.ReadForm(maxFormMemory)
	if err != nil {
		return nil, nil, err
	}
	err = checkArguments(files.Value)
	for name, headers := range files.File {
		for _, header := range headers {
			if !utf8.ValidString(name) || !utf8.ValidString(header.Filename) {
				err = badArgument(name, "or the name of its file is not valid UTF-8", header.Filename)
			}
		}
	}
	if err != nil {
		files.RemoveAll()
		return nil, nil, err
	}
	return files.Value, files, nil
}

// bodyError tells apart whose fault it is that a body can't be read.
func bodyError(err error) error {
	var (
		refusal *HTTPError
		tooLong *http.MaxBytesError
		disk    *fs.PathError
	)
	switch {
	case errors.As(err, &refusal):
		return err
	case errors.As(err, &tooLong):
		return &HTTPError{
			Status:  http.StatusRequestEntityTooLarge,
			Message: fmt.Sprintf("The body is longer than %d bytes; the server's setting MaxBodySize decides.", tooLong.Limit),
			Err:     fmt.Errorf("wsframework: the body is longer than Settings.MaxBodySize: %w", err),
		}
	case errors.Is(err, multipart.ErrMessageTooLarge):
		return &HTTPError{
			Status:  http.StatusRequestEntityTooLarge,
			Message: "The form has too many parts, or too much text beside its files.",
			Err:     err,
		}
	case errors.As(err, &disk):
		return fmt.Errorf("wsframework: a file of a form can't be kept on disk: %w", err)
	}
	return &HTTPError{Status: http.StatusBadRequest, Message: "The body is malformed or breaks off.", Err: err}
}
