package wsframework

import (
	"crypto/sha256"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// A sessionRegistry knows which connections of an application live on which session. Connections of one
// session share one record.
//
// Lock order: the registry's, then a record's. No user code and no store is called under either.
type sessionRegistry struct {
	app  *Application
	seed maphash.Seed

	mu      sync.Mutex // protects the following, and in records what they say
	records map[sessionID]*sessionRecord
	checks  sessionChecks
}

// A sessionID is the SHA-256 of the key that a session has in its store: all of it that leaves the process.
type sessionID [sha256.Size]byte

func newSessionID(key string) sessionID { return sha256.Sum256([]byte(key)) }

// A sessionRecord is a session with sockets.
type sessionRecord struct {
	group // its connections; the name is the session's key in the store

	// Protected by the registry's lock.
	sum    uint64        // of the data that they know of; 0: it may differ
	good   time.Duration // when the store was last able to tell of it, since checks.began
	slot   int32         // of checks
	index  int32         // in the slot
	queued bool          // a check is due
}

// A standing is what a connection stands on: its session and its user. It is made during the handshake, and
// only for those that have one.
type standing struct {
	record  *sessionRecord // protected by the registry's lock
	session membership
	user    membership // protected by userIndex's lock; its c is nil once the connection closes

	refresh sync.Mutex             // held while the session's values are renewed
	fresh   atomic.Pointer[[]byte] // data that the connection has yet to look at
	started atomic.Bool            // it may be brought to the connection's line
	active  atomic.Bool            // the peer has sent a message since the last check
}

// stand returns c's standing. It is for the handshake.
func (c *conn) stand() *standing {
	if c.standing == nil {
		c.standing = &standing{session: membership{c: c}, user: membership{c: c}}
	}
	return c.standing
}

// add puts a connection on the session with a key.
func (r *sessionRegistry) add(c *conn, key string) {
	st := c.stand()
	r.remove(c)
	r.mu.Lock()
	defer r.mu.Unlock()
	id := newSessionID(key)
	record := r.records[id]
	if record == nil {
		record = &sessionRecord{group: group{name: key}}
		if r.records == nil {
			r.records = make(map[sessionID]*sessionRecord)
		}
		r.records[id] = record
		r.scheduleLocked(record)
	}
	st.record, st.session.group = record, &record.group
	record.sum = 0 // what it will load may differ from what the others have
	record.add(&st.session)
}

// remove takes a connection off its session, if it is on one.
func (r *sessionRegistry) remove(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	record := c.standing.record
	if record == nil {
		return
	}
	c.standing.record = nil
	if record.remove(&c.standing.session) == 0 {
		delete(r.records, newSessionID(record.name))
		r.unscheduleLocked(record)
	}
}

// conns returns the connections that are on a session.
func (r *sessionRegistry) conns(id sessionID) []*conn {
	r.mu.Lock()
	record := r.records[id]
	r.mu.Unlock()
	if record == nil {
		return nil
	}
	return record.conns()
}

// saw shows the connections of a session what the store has, if they do not know it, but not to the one that
// has put it there.
func (r *sessionRegistry) saw(id sessionID, data []byte, by *conn) {
	r.mu.Lock()
	record := r.records[id]
	sum := maphash.Bytes(r.seed, data)
	if record == nil || record.sum == sum {
		r.mu.Unlock()
		return
	}
	record.sum = sum
	r.mu.Unlock()
	for _, c := range record.conns() {
		if c != by {
			c.standing.fresh.Store(&data)
			c.lookAtSession()
		}
	}
}

// sessionDeleted makes the application a storeWatcher.
func (app *Application) sessionDeleted(key string) { app.sessionEnded(key) }

func (app *Application) sessionCommitted(key string, data []byte, by *conn) {
	app.sessions.saw(newSessionID(key), data, by)
}
