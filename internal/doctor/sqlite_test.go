package doctor

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A backup is restored over a file that is damaged, and over no other.
func TestAFileIsCalledDamagedWhereItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parkwire.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	defer db.Close()
	do := func(statement string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	do("create table spots (id text)")
	late, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	for _, c := range []struct {
		what   string
		ctx    context.Context
		before func()
		want   State
		says   string
	}{
		{"a whole one", t.Context(), func() {}, OK, "is whole"},
		{"one for which the time does not suffice", late, func() {}, Warning, "not finished in time"},
		{"one that another process holds", t.Context(), func() { do("begin exclusive") }, Warning, "another process"},
		{"one that is none", t.Context(), func() {
			do("commit")
			if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, Broken, "not a database"},
	} {
		c.before()
		f := &Findings{}
		SQLite(c.ctx, f, path, nil)
		if len(f.all) != 1 || f.all[0].State != c.want || !strings.Contains(f.all[0].Says, c.says) || (c.want == OK) != (f.all[0].Mend == "") ||
			strings.Contains(f.all[0].Mend, "restore") != (c.want == Broken) {
			t.Errorf("of %s is found %+v", c.what, f.all)
		}
	}
}
