package wsframework

// A Handler serves one connection. Embed [BaseHandler] in a struct, add OnMessage, and override what
// you need; a route makes one value per connection. Only BaseHandler can make a type a Handler, so that
// this interface can grow.
//
// The package documentation tells when each method is called, and that no two of them ever overlap.
type Handler interface {
	// Prepare runs before the handshake is answered. It may set headers, cookies and session values
	// that travel with the answer. An *HTTPError refuses the handshake with its status, any other
	// error with 500. As Tornado's prepare.
	Prepare() error

	// CheckOrigin decides about the Origin header of a browser; false refuses with 403. It is not
	// called for a request without one. The default allows the request's own host and
	// Settings.AllowedOrigins. As Tornado's check_origin.
	CheckOrigin(origin string) bool

	// SelectSubprotocol picks one of the subprotocols that the client offers, or "" for none, which is
	// the default. It is called once, also when none is offered. As Tornado's select_subprotocol.
	SelectSubprotocol(offered []string) string

	// GetCurrentUser returns who the peer is, or nil for nobody. It is called once, after Prepare, and
	// again when the session has been loaded again: by Reload and Update, or between two callbacks
	// because somebody else has changed it. The default asks Settings.CurrentUser if set, else takes the session's "user". As Tornado's
	// get_current_user.
	GetCurrentUser() (any, error)

	// Open is called when the connection is open. It may take as long as it likes: messages wait.
	Open() error

	// OnMessage is called for each message. It is the one method that BaseHandler does not have.
	OnMessage(message Message) error

	// OnPing is called after a ping has been answered. data belongs to the handler.
	OnPing(data []byte)

	// OnPong is called for each pong, those that answer the keep-alive pings included. data belongs to
	// the handler.
	OnPong(data []byte)

	// OnClose is called last, exactly once for every connection whose handshake was accepted.
	// CloseCode and CloseReason are set, and the connection has left its groups.
	OnClose()

	base() *BaseHandler
}

// CheckOrigin allows the host that the request was sent to, and Settings.AllowedOrigins.
func (h *BaseHandler) CheckOrigin(origin string) bool {
	c := h.conn()
	return c != nil && c.app.origins.allow(c.request.Host, origin)
}

// SelectSubprotocol selects none.
func (h *BaseHandler) SelectSubprotocol(offered []string) string { return "" }

// Open does nothing.
func (h *BaseHandler) Open() error { return nil }

// OnPing does nothing: the ping has been answered already.
func (h *BaseHandler) OnPing(data []byte) {}

// OnPong does nothing.
func (h *BaseHandler) OnPong(data []byte) {}

// OnClose does nothing.
func (h *BaseHandler) OnClose() {}

//lint:ignore U1000 it is called through Handler, which types that embed BaseHandler implement
func (h *BaseHandler) base() *BaseHandler { return h }
