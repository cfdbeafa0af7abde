package sessiontest_test

import (
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/gotornado/gotornado/internal/sessiontest"
)

func TestMemstore(t *testing.T) {
	sessiontest.Run(t, sessiontest.Store{
		Tick: 200 * time.Millisecond,
		Open: func(t *testing.T) func() scs.Store {
			store := memstore.NewWithCleanupInterval(0)
			return func() scs.Store { return store }
		},
	})
}
