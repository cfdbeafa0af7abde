package main

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
)

// The sessions live in memory. So that people are still logged in after a restart, a clean shutdown
// writes them to a file and the next start reads it. A service with more than one process would use
// one of the stores of scs instead (Redis, PostgreSQL and others).

// newSessions returns sessions in the memory of this process.
func newSessions() (*scs.SessionManager, *memstore.MemStore) {
	store := memstore.New()
	sessions := scs.New()
	sessions.Store = store
	// Nobody who reads the file can take over a session: the store knows only hashes of the tokens.
	sessions.HashTokenInStore = true
	return sessions, store
}

// loadSessions reads what saveSessions wrote and removes the file, since it is out of date from then
// on. No file is no error.
func loadSessions(file string, sessions *scs.SessionManager) error {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	var saved map[string][]byte
	err = gob.NewDecoder(f).Decode(&saved)
	f.Close()
	if err != nil {
		err = fmt.Errorf("%s is broken: %w", file, err)
	}
	err = errors.Join(err, os.Remove(file))
	for token, data := range saved {
		// The store forgets by itself what has expired.
		deadline, _, broken := sessions.Codec.Decode(data)
		if broken == nil {
			broken = sessions.Store.Commit(token, data, deadline)
		}
		err = errors.Join(err, broken)
	}
	return err
}

// saveSessions writes the sessions that are alive to a file only its owner can read: all or nothing.
func saveSessions(file string, store *memstore.MemStore) error {
	saved, err := store.All()
	if err != nil {
		return err
	}
	folder := filepath.Dir(file)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, filepath.Base(file)+".*") // has mode 0600
	if err != nil {
		return err
	}
	err = errors.Join(gob.NewEncoder(f).Encode(saved), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// defaultSessionsFile is in the user's cache folder, or nowhere if there is none.
func defaultSessionsFile() string {
	folder, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(folder, "wsframework-chat", "sessions.gob")
}
