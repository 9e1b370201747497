package doctor

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// oldestPostgres is the first version with which Parkwire is tested.
const oldestPostgres = 15

// Database is one that a part needs.
type Database struct {
	Setting string // that names it
	// Schema is what must be there, or what is made by the part itself.
	Schema   string
	MakesOwn bool
	// Versions are the tables of migrations, and how far those of this binary go.
	Versions map[string]int64
	// Connections are what the part takes at most.
	Connections int
}

// Postgres judges a server by a connection that the part itself would use.
func Postgres(ctx context.Context, f *Findings, d Database, look func(context.Context, func(context.Context, *pgx.Conn) error) error) {
	err := look(ctx, func(ctx context.Context, c *pgx.Conn) error { return postgres(ctx, f, d, c) })
	if err == nil {
		return
	}
	var refused *pgconn.PgError
	mend := "see that the server runs and can be reached from here, and that user, password, TLS and the name of the database are as it wants them (" + d.Setting + ")"
	if errors.As(err, &refused) {
		switch refused.Code {
		case "28P01", "28000":
			mend = "correct user or password in " + d.Setting + ", or pg_hba.conf of the server"
		case "3D000":
			mend = "create database …, or correct its name in " + d.Setting
		case "53300":
			mend = "raise max_connections of the server, or give the parts fewer"
		}
	}
	f.Break(mend, "PostgreSQL does not answer: %v", err)
}

func postgres(ctx context.Context, f *Findings, d Database, c *pgx.Conn) error {
	before := time.Now()
	var there time.Time
	if err := c.QueryRow(ctx, "select clock_timestamp()").Scan(&there); err != nil {
		return err
	}
	f.Clock("PostgreSQL", there, before, time.Now())
	settings := map[string]string{}
	rows, err := c.Query(ctx, `select name, setting from pg_settings where name in ('server_version', 'server_version_num', 'server_encoding', 'synchronous_commit',
		'fsync', 'full_page_writes', 'max_connections', 'superuser_reserved_connections', 'autovacuum', 'transaction_read_only', 'max_prepared_transactions')`)
	if err != nil {
		return err
	}
	var name, value string
	if _, err := pgx.ForEachRow(rows, []any{&name, &value}, func() error { settings[name] = value; return nil }); err != nil {
		return err
	}
	found := len(f.all)
	var standby bool
	var schema *string
	var user, database string
	var used int
	if err := c.QueryRow(ctx, "select pg_is_in_recovery(), current_schema(), current_user, current_database(), (select count(*) from pg_stat_activity where backend_type = 'client backend')").
		Scan(&standby, &schema, &user, &database, &used); err != nil {
		return err
	}
	version := settings["server_version"]
	if n, _ := strconv.Atoi(settings["server_version_num"]); n/10000 < oldestPostgres {
		f.Warn("use PostgreSQL 15 or newer", "the server is version %s, with which nothing is tested", version)
	}
	switch {
	case standby:
		f.Break("name the primary in "+d.Setting+", as in postgres://…@one,two/parkwire?target_session_attrs=read-write", "the server is a standby, on which nothing can be written")
	case settings["transaction_read_only"] == "on":
		f.Break("alter role "+user+" reset default_transaction_read_only; or what else sets it", "transactions of %s are read only", user)
	}
	if encoding := settings["server_encoding"]; encoding != "UTF8" {
		f.Break("create database … encoding 'UTF8' template template0", "the database %s has the encoding %s, and names are in UTF-8", database, encoding)
	}
	const durable = "what was acknowledged may be lost when the server or its machine fails"
	if settings["synchronous_commit"] == "off" {
		f.Break("synchronous_commit = on, for the server, the database, the user or the options of "+d.Setting, "%s", "synchronous_commit is off: "+durable)
	}
	for _, name := range []string{"fsync", "full_page_writes"} {
		if settings[name] == "off" {
			f.Break(name+" = on in postgresql.conf", "%s is off: %s", name, durable)
		}
	}
	if settings["autovacuum"] == "off" {
		f.Warn("autovacuum = on in postgresql.conf", "autovacuum is off: the tables grow without end")
	}
	most, _ := strconv.Atoi(settings["max_connections"])
	kept, _ := strconv.Atoi(settings["superuser_reserved_connections"])
	if free := most - kept - used; free < d.Connections {
		f.Warn("raise max_connections, or lower how many connections each process takes", "%d of %d connections are free, and one process of this part takes up to %d", max(free, 0), most-kept, d.Connections)
	}
	if err := postgresSchema(ctx, f, d, c, schema, user, database); err != nil {
		return err
	}
	if len(f.all) == found {
		f.OK("PostgreSQL %s answers: database %s, user %s", version, database, user)
	}
	return nil
}

// postgresSchema looks at the schema and how far its migrations are.
func postgresSchema(ctx context.Context, f *Findings, d Database, c *pgx.Conn, current *string, user, database string) error {
	schema := d.Schema
	if schema == "" {
		if current == nil {
			f.Break("create schema … authorization "+user+", or correct search_path in "+d.Setting, "none of the schemas that search_path names exists, or may be used by %s", user)
			return nil
		}
		schema = *current
	}
	var exists, mayUse, mayMake, mayMakeSchema bool
	err := c.QueryRow(ctx, `select n.oid is not null, coalesce(has_schema_privilege(n.oid, 'usage'), false), coalesce(has_schema_privilege(n.oid, 'create'), false),
		has_database_privilege(current_database(), 'create') from (select 1) one left join pg_namespace n on n.nspname = $1`, schema).Scan(&exists, &mayUse, &mayMake, &mayMakeSchema)
	if err != nil {
		return err
	}
	switch {
	case !exists && d.MakesOwn && mayMakeSchema:
		f.Note("schema %s is not there yet; it is made at the first start", schema)
		return nil
	case !exists:
		f.Break("create schema "+schema+" authorization "+user, "schema %s is not there, and %s may not make it in database %s", schema, user, database)
		return nil
	case !mayUse || !mayMake:
		f.Break("grant usage, create on schema "+schema+" to "+user, "%s may not make tables in schema %s", user, schema)
		return nil
	}
	for table, ours := range d.Versions {
		var there bool
		if err := c.QueryRow(ctx, "select to_regclass($1) is not null", pgx.Identifier{schema, table}.Sanitize()).Scan(&there); err != nil {
			return err
		}
		theirs := int64(0)
		if there {
			if err := c.QueryRow(ctx, "select coalesce(max(version_id), 0) from "+pgx.Identifier{schema, table}.Sanitize()+" where is_applied").Scan(&theirs); err != nil {
				return err
			}
		}
		f.migrations(schema+"."+table, theirs, ours)
	}
	return nil
}

// migrations compares how far a database is with how far this binary brings it.
func (f *Findings) migrations(where string, theirs, ours int64) {
	switch where = strings.TrimSpace(where); {
	case theirs == 0:
		f.Note("%s: the tables are made at the first start", where)
	case theirs < ours:
		f.Note("%s: migrations %d to %d are done at the next start", where, theirs+1, ours)
	case theirs > ours:
		f.Warn("start the newest version again when it is well, or read its notes on going back", "%s: a newer version of Parkwire was here (migration %d; this one knows %d)", where, theirs, ours)
	}
}
