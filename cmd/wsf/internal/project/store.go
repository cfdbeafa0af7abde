package project

// A store is where sessions are kept. All of them are scs's own.
type store struct {
	Name     string // as -store has it
	Title    string // for people
	Variable string // of the environment; "" if there is nothing to say
	Default  string // of the variable; NAME is the program
	Compose  bool   // compose.yaml can start it
	Requires []string
}

// stores are the values of -store. The versions are those that wsf is tested with.
var stores = map[string]store{
	"memory": {Name: "memory", Title: "the memory of the process"},
	"redis": {
		Name: "redis", Title: "Redis", Variable: "REDIS_URL", Compose: true,
		Default: "redis://127.0.0.1:6379/0",
		Requires: []string{
			"github.com/alexedwards/scs/goredisstore v0.0.0-20250212122300-421ef1d8611c",
			"github.com/redis/go-redis/v9 v9.23.0",
		},
	},
	"postgres": {
		Name: "postgres", Title: "PostgreSQL", Variable: "DATABASE_URL", Compose: true,
		Default: "postgres://NAME@127.0.0.1:5432/NAME?sslmode=disable",
		Requires: []string{
			"github.com/alexedwards/scs/pgxstore v0.0.0-20240316134038-7e11d57e8885",
			"github.com/jackc/pgx/v5 v5.12.0",
		},
	},
	"sqlite": {
		Name: "sqlite", Title: "an SQLite file", Variable: "SESSIONS_FILE",
		Default: "sessions.db",
		Requires: []string{
			"github.com/alexedwards/scs/sqlite3store v0.0.0-20251002162104-209de6e426de",
			"modernc.org/sqlite v1.61.1",
		},
	},
}
