// Package wsframework is a WebSocket handler framework in the manner of Tornado: embed [BaseHandler] in
// a struct, write Open, OnMessage and OnClose, and register it as a route of an [Application].
//
//	type EchoHandler struct {
//		wsframework.BaseHandler
//	}
//
//	func (h *EchoHandler) OnMessage(m wsframework.Message) error {
//		return h.WriteMessage(m)
//	}
//
//	app := wsframework.NewApplication(wsframework.Settings{})
//	app.WebSocket("/echo", func() wsframework.Handler { return new(EchoHandler) })
//	err := app.Run(ctx, ":8000")
//
// Beside sockets there are pages: see [RequestHandler] and [Application.Page]. Both have one request side:
// arguments, cookies, the session, the current user, templates.
//
// # The life of a connection
//
//  1. Before the upgrade, in this order: the checks of RFC 6455, 4.2.1; the origin (a request without
//     an Origin header comes from no browser and passes); its query, which is UTF-8; the session
//     is loaded; Prepare; GetCurrentUser; [Authenticated]; SelectSubprotocol; the session is saved; the answer 101. A
//     refusal is a plain HTTP response that says what to change, and a log line that names the setting.
//     A plain error, or a panic, is a 500. Headers and cookies set in Prepare travel with the 101.
//  2. Open, every OnMessage, OnPing and OnPong, the ticks of Every and After, GetCurrentUser when the
//     session has changed, and OnClose of one connection never overlap, so the fields of a handler need no lock. OnMessage is not called before
//     Open has returned. Different connections run at the same time: what they share needs a lock, or
//     Settings.Serial.
//  3. OnClose runs exactly once for every connection that was answered with 101: after a clean close, a
//     dropped network, a callback (Open, too) that failed or panicked, a slow peer, a shutdown. By then
//     CloseCode and CloseReason are those of the first close frame that was sent or received (1005: it
//     had no code; 1006: there was none), the context is cancelled, its cause is a *[CloseError], and
//     the connection has left its groups.
//  4. Every other method may be called from any goroutine, at any time, also after the close, when it
//     returns [ErrClosed], and also while another call is under way. What one goroutine writes arrives
//     in that order, broadcasts on one node included.
//  5. WriteMessage never waits for a peer. What can't be sent now is queued, up to
//     Settings.MaxPendingOut; beyond that Settings.SlowConsumer applies, and the caller is told by
//     [ErrSlowConsumer]. Flush waits until all is handed to the operating system.
//  6. Close does not wait either: what was written before still goes out, then the close frame, and then
//     the peer has Settings.CloseTimeout to answer. What it still sends meanwhile is read and discarded,
//     so that no reset of the connection destroys our close frame.
//  7. An error from a callback is logged and closes with 1011; a *CloseError closes with its code and
//     reason and is not logged; a panic is recovered, logged with its stack and closes with 1011. An
//     error that wraps [ErrClosed], [ErrSlowConsumer] or [ErrUnavailable] closes nothing and is logged
//     at most now and then. A peer that went away is no error.
//  8. A connection lives while its handler is busy: when a callback takes long, input is still read, up
//     to Settings.MaxPendingIn; pings are answered (the latest, when they pile up), pongs count, and the
//     context is cancelled when the peer leaves. Beyond the bound reading stops, and the ping time-out
//     pauses.
//  9. A handler is never called under a lock.
//     Session.Update's function alone holds a line of its own: that of the session.
//  10. Application.Shutdown within a callback is an error, not a deadlock.
//
// # The other end
//
// [Connect] opens a connection to a server of any maker, as Tornado's websocket_connect, and [Reconnect]
// keeps one. What is said above of writing, closing, close codes, pings and limits is true of a
// [ClientConn], too; its messages wait for ReadMessage.
//
// # How it works
//
// A handshake that comes straight from net/http is answered here, in one system call; where a
// middleware has wrapped the http.ResponseWriter, coder/websocket answers through that writer. The
// connection is then this package's own. Coming in, a
// gate parses frames: it handles control frames, reads plain messages itself, and leaves those that are
// fragmented or compressed to a joiner, which joins their frames and inflates them as they arrive. Going
// out, a frame is encoded once, also for a thousand receivers, and each connection's queue combines
// what waits into few system calls: who writes while nobody else does hands the frame to the kernel,
// who writes meanwhile appends. While more input is buffered, replies wait for each other. Over plain
// TCP and Unix sockets on Linux this uses non-blocking system calls, and a quiet connection holds
// neither a buffer nor a goroutine; TLS, pipes, wrapped connections and other systems take a path with
// the same queue, a goroutine that reads and one that writes when there is something.
package wsframework
