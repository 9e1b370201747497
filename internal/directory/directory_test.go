package directory_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/consumer"
	"parkwire/internal/directory"
	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

var sets = []sqldb.Set{directory.Migrations()}

// world is a database that records are applied to.
type world struct {
	*testing.T
	db *sqldb.DB
}

func each(t *testing.T, test func(w world)) {
	sqldbtest.Each(t, sets, func(t *testing.T, open func() *sqldb.DB) { test(world{t, open()}) })
}

func (w world) apply(records ...kafkalog.Record) {
	w.Helper()
	err := w.db.Update(w.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return directory.Effect().Apply(ctx, tx, records)
	})
	if err != nil {
		w.Fatal(err)
	}
}

// view reads in a snapshot.
func view[T any](w world, read func(ctx context.Context, tx *sqldb.Tx) (T, error)) (value T) {
	w.Helper()
	err := w.db.View(w.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
		value, err = read(ctx, tx)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return value
}

func (w world) lot(id string) (lot directory.Lot) {
	w.Helper()
	return view(w, func(ctx context.Context, tx *sqldb.Tx) (directory.Lot, error) {
		lot, _, err := directory.LotByID(ctx, tx, id)
		return lot, err
	})
}

func (w world) spot(id string) (spot directory.Spot) {
	w.Helper()
	return view(w, func(ctx context.Context, tx *sqldb.Tx) (directory.Spot, error) {
		spot, _, err := directory.SpotByID(ctx, tx, id)
		return spot, err
	})
}

func (w world) revision() int64 {
	w.Helper()
	return view(w, directory.Revision)
}

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// idAt is a UUIDv7 of a time.
func idAt(at time.Time) string {
	id := uuid.Must(uuid.NewV7())
	ms := at.UnixMilli()
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	return id.String()
}

// change is a record as the topic holds it.
func change(at time.Time, kind, id string, before, after any) kafkalog.Record {
	outcome := "changed"
	switch {
	case before == nil:
		outcome = "added"
	case after == nil:
		outcome = "removed"
	}
	fields := map[string]any{
		"id": idAt(at), "time": at, "subject": "alice", "method": "POST", "route": "/api/v1/lots", "requestId": "r1",
		"resource": map[string]any{"type": kind, "id": id, "lotId": "central"}, "outcome": outcome,
	}
	if before != nil {
		fields["before"] = before
	}
	if after != nil {
		fields["after"] = after
	}
	value, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return kafkalog.Record{Key: []byte(kind + "/" + id), Value: value}
}

type fields = map[string]any

func lotNamed(name string) fields {
	return fields{
		"id": "central", "name": name, "timeZone": "Europe/Berlin", "address": "1 Station Road", "location": fields{"lat": 52.52, "lon": 13.405},
		"heartbeatSeconds": 3600, "createdAt": "2026-11-24T03:35:00.123Z", "updatedAt": "2026-11-24T03:36:00.000Z",
	}
}

func spotFor(category string) fields {
	return fields{
		"spotId": "A-017", "lotId": "central", "zoneId": "L1", "name": "Seventeen", "category": category, "location": fields{"lat": 0, "lon": -1.5},
		"status": "free", "occupancy": "free", "closed": false, "faulted": false, "version": 3, "changedAt": "2026-11-24T03:35:00.123Z", "sensorId": "s1",
	}
}

func TestWhatRecordsDescribeIsKept(t *testing.T) {
	each(t, func(w world) {
		w.apply(
			change(noon, "lot", "central", nil, lotNamed("Central")),
			change(noon.Add(time.Second), "zone", "L1", nil, fields{"id": "L1", "lotId": "central", "name": "Level 1", "level": -1}),
			change(noon.Add(time.Second), "zone", "L2", nil, fields{"id": "L2", "lotId": "central", "name": "Street"}),
			change(noon.Add(2*time.Second), "spot", "A-017", nil, spotFor("electric")),
			change(noon.Add(2*time.Second), "sensor", "s1", nil, fields{"id": "s1"}),
			change(noon.Add(2*time.Second), "alertRule", "r1", nil, fields{"id": "r1"}),
		)
		want := directory.Lot{
			ID: "central", Name: "Central", TimeZone: "Europe/Berlin", Address: "1 Station Road", Location: &directory.Location{Lat: 52.52, Lon: 13.405},
			HeartbeatSeconds: 3600, CreatedAt: time.Date(2026, 11, 24, 3, 35, 0, 123e6, time.UTC), UpdatedAt: time.Date(2026, 11, 24, 3, 36, 0, 0, time.UTC),
			ChangedAt: noon, Revision: 1,
		}
		lot := w.lot("central")
		lot.ChangedAt = lot.ChangedAt.Truncate(time.Second)
		if !reflect.DeepEqual(lot, want) {
			w.Errorf("the lot is\n%+v, want\n%+v", lot, want)
		}
		if clock := lot.Clock().String(); clock != "Europe/Berlin" {
			w.Errorf("its clock is of %s", clock)
		}
		zones := view(w, func(ctx context.Context, tx *sqldb.Tx) ([]directory.Zone, error) {
			return directory.Zones(ctx, tx, "central")
		})
		if len(zones) != 2 || zones[0].ID != "L1" || *zones[0].Level != -1 || zones[1].Level != nil || zones[1].Name != "Street" {
			w.Errorf("the zones are %+v", zones)
		}
		spot := w.spot("A-017")
		if spot.LotID != "central" || spot.ZoneID != "L1" || spot.Name != "Seventeen" || spot.Category != "electric" || *spot.Location != (directory.Location{Lat: 0, Lon: -1.5}) || spot.SensorID != "s1" {
			w.Errorf("the spot is %+v", spot)
		}
		if _, there, err := spotOfNobody(w); there || err != nil {
			w.Errorf("a spot is known that nobody described (%v)", err)
		}
	})
}

func spotOfNobody(w world) (spot directory.Spot, there bool, err error) {
	err = w.db.View(w.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
		spot, there, err = directory.SpotByID(ctx, tx, "nobody")
		return err
	})
	return spot, there, err
}

func TestRecordsThatComeAgainChangeNothing(t *testing.T) {
	each(t, func(w world) {
		all := []kafkalog.Record{
			change(noon, "lot", "central", nil, lotNamed("Central")),
			change(noon.Add(time.Minute), "lot", "central", lotNamed("Central"), lotNamed("Old")),
			change(noon.Add(2*time.Minute), "lot", "central", lotNamed("Old"), lotNamed("New")),
			change(noon.Add(time.Minute), "spot", "A-017", nil, spotFor("family")),
			change(noon.Add(2*time.Minute), "spot", "A-017", spotFor("family"), nil),
		}
		w.apply(all...)
		revision := w.revision()
		for _, r := range all { // each alone, as a sender that was killed sends what it had sent
			w.apply(r)
			if name := w.lot("central").Name; name != "New" {
				w.Fatalf("an old record came again, and the lot is called %q", name)
			}
			if !w.spot("A-017").Removed {
				w.Fatal("an old record came again, and the spot is there again")
			}
		}
		w.apply(all...)
		if w.revision() != revision {
			w.Errorf("the revision went from %d to %d although nothing changed", revision, w.revision())
		}
	})
}

func TestWhatWasRemovedIsKeptAsRemovedAndMayComeBack(t *testing.T) {
	each(t, func(w world) {
		w.apply(change(noon, "spot", "A-017", nil, spotFor("family")))
		w.apply(change(noon.Add(time.Hour), "spot", "A-017", spotFor("family"), nil))
		spot := w.spot("A-017")
		if !spot.Removed || spot.Name != "Seventeen" {
			w.Errorf("a removed spot has no name any more: %+v", spot)
		}
		list := func(p directory.Page) []directory.Spot {
			return view(w, func(ctx context.Context, tx *sqldb.Tx) ([]directory.Spot, error) {
				return directory.Spots(ctx, tx, "central", p)
			})
		}
		if there := list(directory.Page{}); len(there) != 0 {
			w.Errorf("a removed spot is listed: %+v", there)
		}
		if all := list(directory.Page{Removed: true}); len(all) != 1 {
			w.Errorf("removed spots were asked for, and there are %d", len(all))
		}
		w.apply(change(noon.Add(2*time.Hour), "spot", "A-017", nil, spotFor("standard")))
		if spot := w.spot("A-017"); spot.Removed || spot.Category != "standard" {
			w.Errorf("a spot was added again, and is %+v", spot)
		}
	})
}

// The clocks of two instances differ by less than seconds, which one edit may follow another in.
func TestAnInstanceWhoseClockIsBehindIsHeard(t *testing.T) {
	each(t, func(w world) {
		w.apply(change(noon, "lot", "central", nil, lotNamed("A")))
		w.apply(change(noon.Add(-2*time.Second), "lot", "central", lotNamed("A"), lotNamed("B")))
		if name := w.lot("central").Name; name != "B" {
			w.Errorf("a record that goes on from what is known was dropped: the lot is called %q", name)
		}
		w.apply(change(noon.Add(-time.Hour), "lot", "central", lotNamed("B"), lotNamed("C")))
		if name := w.lot("central").Name; name != "B" {
			w.Errorf("a record of an hour ago was taken for news: the lot is called %q", name)
		}
	})
}

func TestRecordsThatDescribeNothingAreRefusedWithTheReason(t *testing.T) {
	check := directory.Effect().(consumer.Checker)
	good := change(noon, "lot", "central", nil, lotNamed("Central"))
	if err := check.Check(good); err != nil {
		t.Errorf("a good record is refused: %v", err)
	}
	for name, c := range map[string]struct{ value, says string }{
		"no JSON":        {`{`, "no JSON object"},
		"nothing":        {``, "no JSON object"},
		"no resource":    {`{"id":"x"}`, `"resource" names no type`},
		"no id":          {`{"resource":{"type":"lot"}}`, `"resource" names no id`},
		"another id":     {fmt.Sprintf(`{"id":%q,"resource":{"type":"lot","id":"a"},"after":{"id":"b"}}`, idAt(noon)), `describes "b"`},
		"no UUIDv7":      {`{"id":"6ba7b810-9dad-11d1-80b4-00c04fd430c8","resource":{"type":"lot","id":"a"},"after":{"id":"a"}}`, "no UUIDv7"},
		"no change":      {fmt.Sprintf(`{"id":%q,"resource":{"type":"lot","id":"a"},"before":null}`, idAt(noon)), `neither "before" nor "after"`},
		"no location":    {fmt.Sprintf(`{"id":%q,"resource":{"type":"spot","id":"a"},"after":{"spotId":"a","location":7}}`, idAt(noon)), "cannot be read"},
		"no description": {fmt.Sprintf(`{"id":%q,"resource":{"type":"zone","id":"a"},"after":[]}`, idAt(noon)), "cannot be read"},
	} {
		err := check.Check(kafkalog.Record{Value: []byte(c.value)})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: the reason is %v, want it to say %q", name, err, c.says)
		}
	}
}

func TestABookReadsOnlyWhatChanged(t *testing.T) {
	each(t, func(w world) {
		book := directory.NewBook()
		refresh := func() bool { return view(w, book.Refresh) }
		if refresh() || book.Clock("central") != time.UTC {
			w.Error("an empty book knows something")
		}
		w.apply(change(noon, "lot", "central", nil, lotNamed("Central")), change(noon, "spot", "A-017", nil, spotFor("family")))
		if !refresh() || refresh() {
			w.Error("a refresh did not find what changed, or found it twice")
		}
		lot, _ := book.Lot("central")
		spot, _ := book.Spot("A-017")
		if lot.Name != "Central" || spot.Category != "family" || book.Clock("central").String() != "Europe/Berlin" {
			w.Errorf("the book says %+v, %+v, %s", lot, spot, book.Clock("central"))
		}
		w.apply(change(noon.Add(time.Second), "spot", "A-017", spotFor("family"), nil))
		if !refresh() {
			w.Error("a refresh did not find the removal")
		}
		if spot, ok := book.Spot("A-017"); !ok || !spot.Removed || book.Revision() != 2 {
			w.Errorf("the book says %+v at revision %d", spot, book.Revision())
		}
	})
}

func TestListsArePages(t *testing.T) {
	each(t, func(w world) {
		var records []kafkalog.Record
		for i := range 1200 { // more than one statement names
			spot := spotFor("standard")
			spot["spotId"] = fmt.Sprintf("S-%04d", i)
			records = append(records, change(noon, "spot", fmt.Sprintf("S-%04d", i), nil, spot))
		}
		w.apply(records...)
		some := view(w, func(ctx context.Context, tx *sqldb.Tx) ([]directory.Spot, error) {
			return directory.Spots(ctx, tx, "central", directory.Page{After: "S-0998", Limit: 3})
		})
		if len(some) != 3 || some[0].ID != "S-0999" || some[2].ID != "S-1001" {
			w.Errorf("the page is %+v", some)
		}
		ids := make([]string, 1200)
		for i := range ids {
			ids[i] = fmt.Sprintf("S-%04d", i)
		}
		found := view(w, func(ctx context.Context, tx *sqldb.Tx) (map[string]directory.Spot, error) {
			return directory.SpotsByID(ctx, tx, append(ids, "nobody"))
		})
		if len(found) != 1200 {
			w.Errorf("%d of 1200 spots were found by their ids", len(found))
		}
		none := view(w, func(ctx context.Context, tx *sqldb.Tx) ([]directory.Lot, error) {
			return directory.Lots(ctx, tx, directory.Page{IDs: []string{}})
		})
		if len(none) != 0 {
			w.Errorf("of no lots there are %d", len(none))
		}
	})
}
