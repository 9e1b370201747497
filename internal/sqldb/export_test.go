package sqldb

import "time"

// BePatient sets for how long a transaction is run again that others get in the way of.
func (d *DB) BePatient(with time.Duration) { d.patience = with }

// FewestTries is how often it is run at least.
const FewestTries = fewestTries

// GiveUpAfter sets how long a PostgreSQL server may be silent until transactions are given up. It is called before Start.
func (d *DB) GiveUpAfter(silence time.Duration) { d.backend.(*server).silence = silence }
