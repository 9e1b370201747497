package sqldb

import "testing"

func TestParametersAreNumberedWhereTheyStand(t *testing.T) {
	for query, want := range map[string]string{
		"select 1":                                    "select 1",
		"select ? where a = ? and b in (?, ?)":        "select $1 where a = $2 and b in ($3, $4)",
		"select '?' where a = ?":                      "select '?' where a = $1",
		"select 'it''s ?' where \"odd?\" = ?":         "select 'it''s ?' where \"odd?\" = $1",
		"select ? -- is it?\nwhere b = ?":             "select $1 -- is it?\nwhere b = $2",
		"select ? -- is it?":                          "select $1 -- is it?",
		"select coalesce(?, 'x') || '--' where c > ?": "select coalesce($1, 'x') || '--' where c > $2",
	} {
		if got := numbered(query); got != want {
			t.Errorf("%s\n got %s\nwant %s", query, got, want)
		}
	}
}
