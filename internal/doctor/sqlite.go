package doctor

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// SQLite judges a file, which another process may be using.
func SQLite(ctx context.Context, f *Findings, path string, versions map[string]int64) {
	path, err := filepath.Abs(path)
	if err != nil {
		f.Break("correct the path", "%s: %v", path, err)
		return
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		f.Note("%s is not there yet; it is made at the first start", path)
		return
	}
	if network := onNetwork(path); network != "" {
		f.Break("move data-dir to a disk of this machine", "%s is on a network file system (%s), where SQLite's locks do not hold", path, network)
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path}).String()+"?mode=ro&_pragma=busy_timeout(2000)")
	if err != nil {
		f.Break(restore, "%s: %v", path, err)
		return
	}
	defer db.Close()
	wrong, err := quickCheck(ctx, db)
	if len(wrong) > 0 {
		f.Break(restore, "%s is damaged: %s", path, strings.Join(wrong, "; "))
		return
	}
	if err != nil {
		f.unread(path, err)
		return
	}
	found := len(f.all)
	for table, ours := range versions {
		var theirs int64
		err := db.QueryRowContext(ctx, `select coalesce(max(version_id), 0) from "`+table+`" where is_applied`).Scan(&theirs)
		if err != nil && !strings.Contains(err.Error(), "no such table") {
			f.unread(path, err)
			return
		}
		f.migrations(path+" "+table, theirs, ours)
	}
	if len(f.all) == found {
		f.OK("%s is whole", path)
	}
}

const restore = "stop the platform, keep the file aside, and restore the newest backup (docs/backup.md)"

// quickCheck returns what is wrong with a database, and why nothing more is known.
func quickCheck(ctx context.Context, db *sql.DB) (wrong []string, err error) {
	rows, err := db.QueryContext(ctx, "pragma quick_check(3)")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return wrong, err
		}
		if line != "ok" {
			wrong = append(wrong, line)
		}
	}
	return wrong, rows.Err()
}

// unread says why a file could not be read. That there was not the time, or that another process held it, says nothing about the file.
func (f *Findings) unread(path string, err error) {
	code := 0
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		code = e.Code() & 0xff
	}
	switch {
	case code == sqlite3.SQLITE_INTERRUPT, errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		f.Warn("give it longer (--within 10m), or examine a backup of it", "%s: reading all of it was not finished in time, and found nothing wrong until then", path)
	case code == sqlite3.SQLITE_BUSY, code == sqlite3.SQLITE_LOCKED:
		f.Warn("look again, or examine a backup of it", "%s was held by another process all the time, and could not be read: %v", path, err)
	default:
		f.Break(restore, "%s cannot be read: %v", path, err)
	}
}
