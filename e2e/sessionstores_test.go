package e2e

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/alexedwards/scs/pgxstore"
	"github.com/alexedwards/scs/sqlite3store"
	"github.com/alexedwards/scs/v2"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/mattn/go-sqlite3"
	"github.com/redis/go-redis/v9"

	"github.com/gotornado/gotornado/internal/sessiontest"
	"github.com/gotornado/gotornado/internal/testtool"
)

// A sessionStore is one of scs's that several processes can share.
type sessionStore struct {
	start func(t *testing.T) (place string) // makes an empty one, until the test ends
	open  func(place string) (store scs.Store, closeStore func(), err error)

	keepsLate bool // for ever what is saved when it is over
}

var sessionStores = map[string]sessionStore{
	"redis":      {startRedis, openRedis, true},
	"postgresql": {startPostgres, openPostgres, false},
	"sqlite":     {startSQLite, openSQLite, false},
}

// What is promised of sessions on open sockets holds with the stores that people have.
func TestSessionStores(t *testing.T) {
	for name, store := range sessionStores {
		t.Run(name, func(t *testing.T) {
			place := store.start(t)
			t.Run("plain scs saves late", func(t *testing.T) { saveLate(t, store.openFor(t, place), store.keepsLate) })
			sessiontest.Run(t, sessiontest.Store{
				Open: func(t *testing.T) scs.Store { return store.openFor(t, place) },
				Destroy: func(t *testing.T, token string, hashed bool) {
					t.Helper()
					destroyElsewhere(t, token, name, place, strconv.FormatBool(hashed))
				},
				Tick: 300 * time.Millisecond,
			})
		})
	}
}

func (s sessionStore) openFor(t *testing.T, place string) scs.Store {
	t.Helper()
	store, closeStore, err := s.open(place)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closeStore)
	return store
}

// saveLate saves a session that is over, as a request that takes too long does. docs/sessions.md says what becomes
// of it.
func saveLate(t *testing.T, store scs.Store, kept bool) {
	sessions := scs.New()
	sessions.Store = store
	ctx, err := sessions.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	sessions.SetDeadline(ctx, time.Now().Add(-time.Second))
	token, _, err := sessions.Commit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if ctx, err = sessions.Load(context.Background(), token); err != nil {
		t.Fatal(err)
	}
	if got := sessions.Token(ctx) != ""; got != kept {
		t.Errorf("kept: %v, want %v", got, kept)
	}
}

// TestMain makes this program another process, too.
func TestMain(m *testing.M) {
	if len(os.Args) == 5 && os.Args[1] == destroyCommand {
		if err := destroyHere(os.Args[2], os.Args[3], os.Args[4]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const destroyCommand = "destroy-session"

// destroyElsewhere runs another process that shares a store, and knows only scs.
func destroyElsewhere(t *testing.T, token string, args ...string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	process := exec.CommandContext(t.Context(), program, append([]string{destroyCommand}, args...)...)
	process.Stdin = strings.NewReader(token)
	if output, err := process.CombinedOutput(); err != nil {
		t.Fatalf("another process: %v\n%s", err, output)
	}
}

// destroyHere destroys the session whose token comes on the standard input.
func destroyHere(name, place, hashed string) error {
	token, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	sessions := scs.New()
	var closeStore func()
	if sessions.Store, closeStore, err = sessionStores[name].open(place); err != nil {
		return err
	}
	defer closeStore()
	if sessions.HashTokenInStore, err = strconv.ParseBool(hashed); err != nil {
		return err
	}
	ctx, err := sessions.Load(context.Background(), string(token))
	if err != nil {
		return err
	}
	if sessions.Token(ctx) == "" {
		return errors.New("there is no such session")
	}
	return sessions.Destroy(ctx)
}

func startRedis(t *testing.T) (addr string) {
	t.Helper()
	program := testtool.Need(t, "redis-server", func() string { return testtool.FindProgram("redis-server") })
	addr = freeAddr(t)
	host, port, _ := strings.Cut(addr, ":")
	redis := exec.Command(program, "--bind", host, "--port", port, "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	startDaemon(t, redis, "Ready to accept connections")
	return addr
}

func openRedis(addr string) (scs.Store, func(), error) {
	client := redis.NewClient(&redis.Options{Addr: addr})
	return goredisstore.New(client), func() { client.Close() }, nil
}

// startPostgres makes a cluster of its own, which listens to nothing but a socket in a folder of its own.
func startPostgres(t *testing.T) (dsn string) {
	t.Helper()
	initdb := testtool.Need(t, "postgresql", func() string { return testtool.FindPostgreSQL("initdb") })
	dir, attr := unprivileged(t)
	data := filepath.Join(dir, "data")
	create := exec.Command(initdb, "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
	create.Dir, create.SysProcAttr = dir, attr
	if output, err := create.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, output)
	}
	server := exec.Command(filepath.Join(filepath.Dir(initdb), "postgres"), "-D", data, "-k", dir, "-F", "-c", "listen_addresses=")
	server.Dir, server.SysProcAttr = dir, attr
	startDaemon(t, server, "ready to accept connections")

	dsn = fmt.Sprintf("host=%s user=tester dbname=postgres", dir)
	pool, err := pgxpool.New(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	_, err = pool.Exec(t.Context(), "CREATE TABLE sessions (token TEXT PRIMARY KEY, data BYTEA NOT NULL, expiry TIMESTAMPTZ NOT NULL)")
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

func openPostgres(dsn string) (scs.Store, func(), error) {
	pool, err := pgxpool.New(context.Background(), dsn)
	if err != nil {
		return nil, nil, err
	}
	return pgxstore.NewWithCleanupInterval(pool, 0), pool.Close, nil
}

func startSQLite(t *testing.T) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "sessions.db")
	db, err := sql.Open("sqlite3", sqliteDSN(file))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec("CREATE TABLE sessions (token TEXT PRIMARY KEY, data BLOB NOT NULL, expiry REAL NOT NULL)")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func openSQLite(file string) (scs.Store, func(), error) {
	db, err := sql.Open("sqlite3", sqliteDSN(file))
	if err != nil {
		return nil, nil, err
	}
	return sqlite3store.NewWithCleanupInterval(db, 0), func() { db.Close() }, nil
}

// With a log of its own a file can be read while another process writes it.
func sqliteDSN(file string) string {
	return "file:" + file + "?_journal_mode=WAL&_synchronous=NORMAL&_busy_timeout=10000"
}
