package doctor_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"
)

// reverse is an HTTP proxy that changes requests and answers.
func reverse(t *testing.T, backend string, request func(*httputil.ProxyRequest), answer func(*http.Response)) (addr string) {
	target := &url.URL{Scheme: "http", Host: backend}
	return serve(t, &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
			if request != nil {
				request(r)
			}
		},
		ModifyResponse: func(r *http.Response) error {
			if answer != nil {
				answer(r)
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	})
}

// A pump passes one direction of a connection on, as long as it likes.
type pump func(to, from net.Conn)

func pass(to, from net.Conn) { io.Copy(to, from) }

// relay is a proxy of bytes. When one direction ends, both do.
func relay(t *testing.T, backend string, up, down pump) (addr string) {
	return listen(t, func(client net.Conn) {
		server, err := net.Dial("tcp", backend)
		if err != nil {
			return
		}
		done := make(chan struct{}, 2)
		go func() { up(server, client); done <- struct{}{} }()
		go func() { down(client, server); done <- struct{}{} }()
		<-done
		client.Close()
		server.Close()
		<-done
	})
}

// cutIdle ends a direction on which nothing comes for so long.
func cutIdle(after time.Duration) pump {
	return func(to, from net.Conn) {
		p := make([]byte, 4096)
		for {
			from.SetReadDeadline(time.Now().Add(after))
			n, err := from.Read(p)
			if err != nil {
				return
			}
			if _, err := to.Write(p[:n]); err != nil {
				return
			}
		}
	}
}

// cutAfter ends a direction after so many bytes.
func cutAfter(n int64) pump {
	return func(to, from net.Conn) { io.CopyN(to, from, n) }
}

// passHead passes an answer's head on, and the rest as well if no frames follow. It returns whether some do.
func passHead(to io.Writer, from *bufio.Reader) bool {
	opens := false
	for {
		line, err := from.ReadString('\n')
		if err != nil {
			return false
		}
		opens = opens || strings.HasPrefix(line, "HTTP/1.1 101 ")
		if _, err := io.WriteString(to, line); err != nil {
			return false
		}
		if line == "\r\n" {
			break
		}
	}
	if !opens {
		io.Copy(to, from)
	}
	return opens
}

// holdFrames passes the answer on at once, and what follows only so much later, or with hold 0 never.
func holdFrames(hold time.Duration) pump {
	return func(to, from net.Conn) {
		in := bufio.NewReader(from)
		if !passHead(to, in) {
			return
		}
		if hold == 0 {
			io.Copy(io.Discard, in)
			return
		}
		p := make([]byte, 4096)
		for {
			n, err := in.Read(p)
			if err != nil {
				return
			}
			<-time.After(hold)
			if _, err := to.Write(p[:n]); err != nil {
				return
			}
		}
	}
}

// framesWithout drops a kind of frames. A server's are short here and not masked.
func framesWithout(opcode byte) pump {
	return func(to, from net.Conn) {
		in := bufio.NewReader(from)
		if !passHead(to, in) {
			return
		}
		for {
			head, err := in.Peek(2)
			if err != nil {
				return
			}
			f := make([]byte, 2+int(head[1]))
			if _, err := io.ReadFull(in, f); err != nil {
				return
			}
			if f[0]&0xf == opcode {
				continue
			}
			if _, err := to.Write(f); err != nil {
				return
			}
		}
	}
}

// addToAnswer adds a line to the head of an answer with status 101.
func addToAnswer(line string) pump {
	return func(to, from net.Conn) {
		in := bufio.NewReader(from)
		status, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if strings.HasPrefix(status, "HTTP/1.1 101 ") {
			status += line + "\r\n"
		}
		if _, err := io.WriteString(to, status); err == nil {
			io.Copy(to, in)
		}
	}
}

// markCompressed sets RSV1 on what a server sends first.
func markCompressed(to, from net.Conn) {
	in := bufio.NewReader(from)
	if !passHead(to, in) {
		return
	}
	first, err := in.ReadByte()
	if err != nil {
		return
	}
	if _, err := to.Write([]byte{first | 0x40}); err == nil {
		io.Copy(to, in)
	}
}

// asHTTP10 makes the request one of HTTP/1.0.
func asHTTP10(to, from net.Conn) {
	in := bufio.NewReader(from)
	line, err := in.ReadString('\n')
	if err != nil {
		return
	}
	if _, err := io.WriteString(to, line[:len(line)-len("1.1\r\n")]+"1.0\r\n"); err != nil {
		return
	}
	io.Copy(to, in)
}
