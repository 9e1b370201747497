package sqlite

import "parkwire/internal/sqldb"

// Newest is the version of the schema to which Start brings it.
func Newest() int64 { return sqldb.NewSet("", migrations).Newest(true) }
