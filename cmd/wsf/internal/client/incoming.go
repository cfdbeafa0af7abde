package client

import (
	"context"

	"github.com/gotornado/gotornado/wsframework"
)

// An arrival is what ReadMessage returned: a message or the end.
type arrival struct {
	message wsframework.Message
	err     error
}

// receive passes on what comes, until the end of the connection or of ctx.
func receive(ctx context.Context, conn *wsframework.ClientConn) <-chan arrival {
	arrivals := make(chan arrival)
	go func() {
		defer close(arrivals)
		for {
			m, err := conn.ReadMessage(ctx)
			select {
			case arrivals <- arrival{m, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return arrivals
}
