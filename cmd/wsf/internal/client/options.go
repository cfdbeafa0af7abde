package client

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// The flags as they are given.
type flags struct {
	headers, cookies, subprotocols, form []string
	origin, user, login                  string
	compression, insecure                bool
	ping, timeout                        time.Duration

	times, json, noHistory bool

	expect  int
	wait    time.Duration
	noInput bool
}

// options are the flags that concern the connection, understood.
type options struct {
	address *url.URL
	login   *login // nil for none
	timeout time.Duration
	client  *http.Client
	connect wsframework.ConnectOptions
}

// read understands the flags. Its errors are the user's.
func (f *flags) read(url string) (*options, error) {
	o := &options{timeout: f.timeout}
	var err error
	if o.address, err = parseAddress(url); err != nil {
		return nil, err
	}
	switch {
	case f.expect < 0:
		return nil, errors.New("--expect is a number of messages")
	case f.timeout < 0, f.wait < 0, f.ping < 0:
		return nil, errors.New("--timeout, --wait and --ping are not negative; 0 turns --timeout and --ping off")
	}
	if o.connect, err = f.connectOptions(); err != nil {
		return nil, err
	}
	if o.login, err = f.readLogin(o); err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: f.insecure}
	jar, _ := cookiejar.New(nil) // which has no errors
	o.client = &http.Client{Transport: transport, Jar: jar, CheckRedirect: checkRedirect}
	o.connect.HTTPClient = o.client
	return o, nil
}

func (f *flags) connectOptions() (connect wsframework.ConnectOptions, err error) {
	if connect.Header, err = parseHeaders(f.headers); err != nil {
		return connect, err
	}
	if f.origin != "" {
		connect.Header.Set("Origin", f.origin)
	}
	if f.user != "" {
		credentials, err := basicAuth(f.user)
		if err != nil {
			return connect, err
		}
		connect.Header.Set("Authorization", credentials)
	}
	if connect.Cookies, err = parseCookies(f.cookies); err != nil {
		return connect, err
	}
	if err = checkSubprotocols(f.subprotocols); err != nil {
		return connect, err
	}
	connect.Subprotocols = f.subprotocols
	if f.compression {
		connect.Compression = &wsframework.CompressionOptions{ContextTakeover: true}
	}
	connect.ConnectTimeout, connect.PingInterval = orOff(f.timeout), orOff(f.ping)
	return connect, nil
}

// orOff makes of no time what ConnectOptions take for off.
func orOff(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

func (f *flags) readLogin(o *options) (*login, error) {
	switch {
	case f.login == "" && len(f.form) == 0:
		return nil, nil
	case f.login == "":
		return nil, errors.New("--form needs --login: the page that has the form")
	case len(f.form) == 0:
		return nil, errors.New("--login needs --form name=value: what to fill in")
	}
	page, err := pageAddress(o.address, f.login)
	if err != nil {
		return nil, err
	}
	form, err := parseForm(f.form)
	return &login{page: page, form: form}, err
}

// open logs in, if that is asked for, and connects.
func (o *options) open(ctx context.Context) (*wsframework.ClientConn, error) {
	if o.login != nil {
		if err := o.logIn(ctx); err != nil {
			return nil, err
		}
	}
	conn, err := wsframework.Connect(ctx, o.address.String(), &o.connect)
	if err != nil {
		return nil, o.explainConnect(err)
	}
	return conn, nil
}

func (o *options) logIn(ctx context.Context) error {
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	err := o.login.do(ctx, o.client, o.address)
	var explained *ExitError
	if err == nil || errors.As(err, &explained) {
		return err
	}
	return o.explainNetwork(o.login.page, err)
}
