package sessiontest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"
)

// An awayStore is a store that does not answer while it is away.
type awayStore struct {
	scs.Store
	refused chan struct{} // gets a value for each look-up in vain, if there is room

	mu   sync.Mutex // protects the following
	away error
}

// newAwayStore returns how to send a store away, and what to use in its place: with a context where it wants one.
func newAwayStore(store scs.Store) (*awayStore, scs.Store) {
	s := &awayStore{Store: store, refused: make(chan struct{}, 2)}
	if ctxStore, ok := store.(scs.CtxStore); ok {
		return s, &awayCtxStore{s, ctxStore}
	}
	return s, s
}

var errAway = errors.New("the store is away")

func (s *awayStore) goAway(err error) {
	s.mu.Lock()
	s.away = err
	s.mu.Unlock()
}

func (s *awayStore) refuse() error {
	s.mu.Lock()
	err := s.away
	s.mu.Unlock()
	if err != nil {
		select {
		case s.refused <- struct{}{}:
		default:
		}
	}
	return err
}

func (s *awayStore) Find(key string) ([]byte, bool, error) {
	if err := s.refuse(); err != nil {
		return nil, false, err
	}
	return s.Store.Find(key)
}

// An awayCtxStore is an awayStore that takes contexts.
type awayCtxStore struct {
	*awayStore
	store scs.CtxStore
}

func (s *awayCtxStore) FindCtx(ctx context.Context, key string) ([]byte, bool, error) {
	if err := s.refuse(); err != nil {
		return nil, false, err
	}
	return s.store.FindCtx(ctx, key)
}

func (s *awayCtxStore) CommitCtx(ctx context.Context, key string, data []byte, expiry time.Time) error {
	return s.store.CommitCtx(ctx, key, data, expiry)
}

func (s *awayCtxStore) DeleteCtx(ctx context.Context, key string) error {
	return s.store.DeleteCtx(ctx, key)
}
