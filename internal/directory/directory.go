// Package directory keeps, in the database of a service that reads the log, how lots, zones and spots are described: names, time
// zones, places, categories. The log of events says nothing of these; the topic parking-audit does, since every change of a description
// is a record there. So a service knows them without asking another one, and without touching its tables.
//
// Records come at least once. Of each thing the newest holds, by the time in the record's id; one that comes again changes nothing. What
// was removed stays as removed, for names of the past.
package directory

import (
	"embed"
	"time"

	"parkwire/internal/sqldb"
)

// Location is a point on the WGS 84 ellipsoid, in degrees.
type Location struct{ Lat, Lon float64 }

// Lot is how a lot is described.
type Lot struct {
	ID, Name, TimeZone, Address string
	Location                    *Location
	HeartbeatSeconds            int64 // 0: no supervision
	CreatedAt, UpdatedAt        time.Time
	Removed                     bool
	ChangedAt                   time.Time // when the description was changed last
	Revision                    int64     // the batch in which this was read, see [Revision]
}

// Clock is the lot's own time zone; UTC where it is not known to this machine.
func (l Lot) Clock() *time.Location {
	if zone, err := time.LoadLocation(l.TimeZone); err == nil {
		return zone
	}
	return time.UTC
}

// Zone is how a zone is described.
type Zone struct {
	ID, LotID, Name string
	Level           *int // nil: none
	Removed         bool
	ChangedAt       time.Time
	Revision        int64
}

// Spot is how a spot is described. What it is just now is in the events.
type Spot struct {
	ID, LotID, ZoneID, Name, Category string
	Location                          *Location
	HeartbeatSeconds                  int64
	SensorID                          string // as it was when the description was changed last
	Removed                           bool
	ChangedAt                         time.Time
	Revision                          int64
}

//go:embed migrations
var migrations embed.FS

// Migrations are the tables of this package.
func Migrations() sqldb.Set { return sqldb.NewSet("directory", migrations) }
