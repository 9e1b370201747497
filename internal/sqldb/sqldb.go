// Package sqldb is the database of one service: a SQLite file of its own, or a schema of its own in PostgreSQL. Both are
// spoken to in the same SQL, so that a service is written once.
//
// What is the same in both: `?` stands for a parameter; columns are bigint, text, double precision, boolean and bytea, times are Unix
// milliseconds, ids are made by the service; `on conflict` and window functions may be used. What differs is hidden ([Tx.Insert],
// [Tx.Clear]), or written twice ([Set]). A sum of bigint is a numeric in PostgreSQL: `cast(sum(n) as bigint)` is the same in both.
package sqldb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/database"
	"parkwire/internal/sleep"
)

// Options configure a [DB]. URL is required, and Schema on PostgreSQL.
type Options struct {
	URL          string // "sqlite:PATH", or "postgres://…" or "postgresql://…"
	PasswordFile string // instead of a password in the URL of PostgreSQL
	MaxConns     int    // connections to PostgreSQL, where the URL does not bound them; 0: 10
	Schema       string // on PostgreSQL, made where it is missing: "parkwire_history". What stands behind its last _ names the database in metrics.
	Sets         []Set  // migrations, in this order
	// ReadOnly makes and changes nothing, neither the schema; the database must be as Sets make it.
	ReadOnly bool

	Logger     *slog.Logger          // nil: slog.Default()
	Registerer prometheus.Registerer // nil: metrics are not registered
}

// A Set is the migrations of one package: files of goose, named NNNNN_name.sql. Each set has a table of versions of its own.
type Set struct {
	Name  string // lower case letters, digits and _
	Files fs.FS
	// What one of the two needs otherwise: files that are there beside those of Files, or instead of those of the same name. Nil: none.
	SQLite, Postgres fs.FS
}

// ErrUnavailable is in the chain of errors that come from a database that does not answer, or cannot do its work at present.
var ErrUnavailable = errors.New("the database is not available")

// ErrConflict is in the chain of errors of a transaction that others got in the way of again and again. [ErrUnavailable] is too: who asks may try again later.
// The database is well, and stays ready.
var ErrConflict = fmt.Errorf("%w to this transaction: others got in its way each time", ErrUnavailable)

// DB is the database of one service. Several goroutines may use it, and several processes, with SQLite too.
type DB struct {
	backend  backend
	health   *database.Health
	measures *measures
	patience time.Duration // with conflicts
}

// backend is one of the two kinds of database.
type backend interface {
	// start reaches the database and brings it up to date. It may be called again after it failed.
	start(ctx context.Context) error
	// update runs do in a transaction, once. conflict says that others were in the way, so that it may succeed when it is run again.
	update(ctx context.Context, do func(context.Context, conn) error) (conflict bool, err error)
	view(ctx context.Context, do func(context.Context, conn) error) error
	connections() (inUse, idle int)
	close() error
}

// conn is what a transaction does on a database.
type conn interface {
	exec(ctx context.Context, query string, args []any) (int64, error)
	// query calls each for every row.
	query(ctx context.Context, query string, args []any, each func(Row) error) error
	insert(ctx context.Context, into string, rows [][]any, suffix string) error
	clear(ctx context.Context, tables []string) error
}

const (
	sqliteScheme = "sqlite:"
	anExample    = "examples are sqlite:/var/lib/parkwire/history.db and postgres://user:password@host:5432/parkwire"
)

// Open prepares a database and does no I/O; that begins with Start.
func Open(o Options) (*DB, error) {
	o.Logger = cmp.Or(o.Logger, slog.Default())
	d := &DB{health: database.NewHealth(o.Logger, ErrUnavailable), patience: conflictPatience}
	name := o.Schema[strings.LastIndex(o.Schema, "_")+1:]
	var err error
	switch scheme, _, _ := strings.Cut(o.URL, ":"); scheme {
	case "sqlite":
		path := strings.TrimPrefix(o.URL, sqliteScheme)
		name = cmp.Or(name, strings.TrimSuffix(filepath.Base(path), ".db"))
		d.backend, err = openSQLite(path, o)
	case "postgres", "postgresql":
		d.backend, err = openPostgres(o, d.health)
	case "":
		err = errors.New("the URL of the database is empty; " + anExample)
	default:
		err = fmt.Errorf("the URL of the database begins with %q, and not with sqlite: or postgres:; %s", scheme+":", anExample)
	}
	if err != nil {
		return nil, err
	}
	d.measures = newMeasures(o.Registerer, name, d.backend.connections)
	return d, nil
}

// Start waits until the database answers, and brings it up to date. It fails where waiting does not help.
func (d *DB) Start(ctx context.Context) error {
	if err := d.health.Await(ctx, d.backend.start); err != nil {
		return fmt.Errorf("preparing the database: %w", err)
	}
	return nil
}

// Ready returns nil, or what is wrong with the database.
func (d *DB) Ready() error { return d.health.Ready() }

// Close ends every use of the database.
func (d *DB) Close() error { return d.backend.close() }

// A transaction that others get in the way of is run again, each time after a random pause, for as long as conflictPatience, and fewestTries times however
// long each takes.
const (
	conflictPatience = 5 * time.Second
	fewestTries      = 5
	longestPause     = 200 * time.Millisecond
)

// Update runs do in a transaction, and commits when it returns nil. On SQLite it is alone in writing; on PostgreSQL it is
// serializable, and run again where it met another one: do may be called several times, and must forget then what it did before.
func (d *DB) Update(ctx context.Context, do func(ctx context.Context, tx *Tx) error) error {
	start := time.Now()
	err := d.update(ctx, do)
	d.measures.updated(start, err)
	if err == nil || errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrConflict) {
		d.health.Report(err)
	}
	return err
}

func (d *DB) update(ctx context.Context, do func(context.Context, *Tx) error) error {
	begun := time.Now()
	pause := 5 * time.Millisecond
	for tries := 1; ; tries++ {
		conflict, err := d.backend.update(ctx, func(ctx context.Context, c conn) error { return do(ctx, &Tx{conn: c}) })
		if err == nil || !conflict {
			return err
		}
		if tries >= fewestTries && time.Since(begun) > d.patience {
			return fmt.Errorf("%w, %d times in %v: %w", ErrConflict, tries, time.Since(begun).Round(time.Millisecond), err)
		}
		d.measures.retries.Inc()
		if sleep.About(ctx, rand.N(pause)) != nil {
			return err
		}
		pause = min(2*pause, longestPause)
	}
}

// View runs do on one snapshot of what is committed. Nothing can be written.
func (d *DB) View(ctx context.Context, do func(ctx context.Context, tx *Tx) error) error {
	return d.backend.view(ctx, func(ctx context.Context, c conn) error { return do(ctx, &Tx{conn: c}) })
}

// unavailable puts [ErrUnavailable] before err.
func unavailable(err error) error { return database.Mark(ErrUnavailable, err) }

var errClosed = unavailable(errors.New("it is closed"))
var errNotStarted = unavailable(errors.New("it was not started"))
