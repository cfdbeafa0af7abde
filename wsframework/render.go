package wsframework

import (
	"errors"
)

var errNoTemplates = errors.New("wsframework: there are no templates: set Settings.Templates")

// RenderString renders a template of Settings.Templates with data as its dot. Beside the functions of
// html/template and those of Settings.TemplateFuncs it can use
//
//	{{static_url "js/chat.js"}}         what StaticURL returns
//	{{reverse_url "room" .ID}}          what ReverseURL returns
//	{{current_user}}                    what CurrentUser returns
//	{{request.URL.Path}}                what Request returns
//	{{xsrf_form_html}}                  what XSRFFormHTML returns
//
// The error says where in which file, and is for the log only. As Tornado's render_string.
func (h *requestSide) RenderString(name string, data any) (string, error) {
	page, err := h.render(name, data)
	return string(page), err
}

func (h *requestSide) render(name string, data any) ([]byte, error) {
	x := h.x.Load()
	switch {
	case x == nil:
		return nil, ErrNotOpen
	case x.app.templates == nil:
		return nil, errNoTemplates
	}
	return x.app.templates.render(name, &binding{
		user:       h.CurrentUser,
		request:    h.Request,
		staticURL:  x.app.StaticURL,
		reverseURL: x.app.ReverseURL,
		xsrfForm:   h.XSRFFormHTML,
	}, data)
}

// Render adds a template to the body, as RenderString renders it, and makes that text/html. As Tornado's
// render, but the method goes on after it.
func (h *RequestHandler) Render(name string, data any) error {
	page, err := h.render(name, data)
	if err != nil {
		return err
	}
	return h.writeAs("text/html; charset=utf-8", page)
}

// StaticURL returns where a file of Settings.Static is served: "/static/js/chat.js?v=1c2d3e4f5a6b7c8d" for
// "js/chat.js". The version is the file's own, so that browsers may keep it for ever. There is none, and a
// visitor gets 404, if there is no such file. As Tornado's static_url.
func (h *requestSide) StaticURL(path string) string {
	if x := h.x.Load(); x != nil {
		return x.app.StaticURL(path)
	}
	return ""
}

// StaticURL is what it is in a handler.
func (app *Application) StaticURL(path string) string {
	if app.static == nil {
		return ""
	}
	return app.static.url(path)
}

// ReverseURL is what it is in [Application].
func (h *requestSide) ReverseURL(name string, args ...any) (string, error) {
	if x := h.x.Load(); x != nil {
		return x.app.ReverseURL(name, args...)
	}
	return "", ErrNotOpen
}
