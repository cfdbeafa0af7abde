package sessiontest_test

import (
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/gotornado/gotornado/internal/sessiontest"
)

func TestMemstore(t *testing.T) {
	store := memstore.NewWithCleanupInterval(0)
	sessiontest.Run(t, sessiontest.Store{
		Tick: 200 * time.Millisecond,
		Open: func(*testing.T) scs.Store { return store },
	})
}
