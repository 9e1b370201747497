package sqldb

import "time"

// GiveUpAfter sets how long a PostgreSQL server may be silent until transactions are given up. It is called before Start.
func (d *DB) GiveUpAfter(silence time.Duration) { d.backend.(*server).silence = silence }
