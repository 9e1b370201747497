package parking

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"parkwire/internal/parking/internal/spotfile"
	"parkwire/internal/rest"
)

const (
	maxImportFaults  = 20_000 // that are explained
	maxImportChanges = 1000   // that a dry run shows
)

// importAsked is how a file is to be imported.
type importAsked struct {
	dryRun      bool // look what would happen, and do nothing
	createZones bool // add the zones that are named and not there
	atomic      bool // all or nothing
}

// importReport is what became of a file.
type importReport struct {
	DryRun         bool              `json:"dryRun"`
	Added          int               `json:"added"`
	Changed        int               `json:"changed"`
	Unchanged      int               `json:"unchanged"`
	Rejected       int               `json:"rejected"`
	ZonesAdded     []string          `json:"zonesAdded"`
	Columns        []spotfile.Column `json:"columns"`
	Changes        []importChange    `json:"changes,omitempty"` // of a dry run: the first ones
	ChangesOmitted int               `json:"changesOmitted,omitempty"`
	Errors         []importFault     `json:"errors"` // the first ones, in the order of the file
	ErrorsOmitted  int               `json:"errorsOmitted,omitempty"`
}

// importPlace is where in the file something is: one of the two is there.
type importPlace struct {
	Line    int `json:"line,omitempty"`
	Feature int `json:"feature,omitempty"`
}

// importChange is what a dry run would do to a spot.
type importChange struct {
	importPlace
	SpotID string   `json:"spotId"`
	Change string   `json:"change"`           // added or changed
	Fields []string `json:"fields,omitempty"` // that would be changed
}

// importFault says why a row was rejected, and what to do about it.
type importFault struct {
	importPlace
	SpotID string `json:"spotId,omitempty"`
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
	Remedy string `json:"remedy"`
}

func (f importFile) at(place int) importPlace {
	if f.lines {
		return importPlace{Line: place}
	}
	return importPlace{Feature: place}
}

func (f importFile) fault(place int, id string, is spotfile.Fault) importFault {
	return importFault{f.at(place), rest.Shorten(id), is.Field, is.Reason, is.Remedy}
}

// next returns a report that goes on from r, so that a transaction that is repeated begins anew.
func (r importReport) next() importReport {
	r.ZonesAdded, r.Changes, r.Errors = slices.Clip(r.ZonesAdded), slices.Clip(r.Changes), slices.Clip(r.Errors)
	return r
}

func (r *importReport) reject(f importFault) {
	r.Rejected++
	r.Errors = append(r.Errors, f)
}

// note tells of a change, where that is wanted.
func (r *importReport) note(c importChange) {
	switch {
	case !r.DryRun:
	case len(r.Changes) < maxImportChanges:
		r.Changes = append(r.Changes, c)
	default:
		r.ChangesOmitted++
	}
}

// finish orders the errors and cuts them to their bound.
func (r importReport) finish() importReport {
	r.Errors = slices.Clone(r.Errors)
	slices.SortFunc(r.Errors, func(a, b importFault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Feature, b.Feature))
	})
	r.ErrorsOmitted = max(0, len(r.Errors)-maxImportFaults)
	r.Errors = r.Errors[:len(r.Errors)-r.ErrorsOmitted]
	return r
}

func (r importReport) answer() rest.Answer {
	return rest.Answer{Status: http.StatusOK, Body: r.finish()}
}

func (s *Service) postImport(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	asked := importAsked{dryRun: p.Flag("dryRun"), createZones: p.Flag("createZones"), atomic: p.Flag("atomic")}
	if err := p.End(); err != nil {
		return rest.Answer{}, err
	}
	lotID := r.PathValue("lotId")
	if _, err := s.lot(r.Context(), lotID); err != nil {
		return rest.Answer{}, err
	}
	select { // two files in memory at once are enough
	case s.importing <- struct{}{}:
		defer func() { <-s.importing }()
	case <-r.Context().Done():
		return rest.Answer{}, r.Context().Err()
	}
	most := maxImported
	if asked.atomic {
		most = maxAdded
	}
	file, err := s.readImport(w, r, lotID, most)
	if err != nil {
		return rest.Answer{}, err
	}
	return s.importFile(r.Context(), by, lotID, file, asked)
}

// errNothingToDo ends a transaction of which nothing is to remain.
var errNothingToDo = errors.New("nothing is to be done")

// importFile commits the rows in groups, in order, or all at once. Where that fails in the middle, the groups before are
// kept; sent again they change nothing.
func (s *Service) importFile(ctx context.Context, by origin, lotID string, file importFile, asked importAsked) (rest.Answer, error) {
	report := importReport{
		DryRun: asked.dryRun, ZonesAdded: []string{}, Columns: append([]spotfile.Column{}, file.columns...),
		Errors: append([]importFault{}, file.faults...), Rejected: len(file.faults), // lists, also where they are empty
	}
	size := maxGroup
	if asked.atomic {
		size = maxAdded
	}
	for done := 0; done == 0 || done < len(file.rows); done += size {
		group := file.rows[done:min(done+size, len(file.rows))]
		after, replayed := report, rest.Answer{}
		err := untilOrdered(func() error {
			return s.update(ctx, func(ctx context.Context, t *transaction) (err error) {
				if replayed, err = t.recall(ctx, by); err != nil || replayed.Replayed {
					return err
				}
				after = report.next()
				if err := t.importRows(ctx, by, lotID, file, group, asked, &after); err != nil {
					return err
				}
				if asked.atomic && after.Rejected > 0 && !asked.dryRun {
					return importRejected(after.finish())
				}
				if asked.dryRun {
					return errNothingToDo
				}
				if done+len(group) == len(file.rows) {
					return t.keep(ctx, by, after.answer())
				}
				return nil
			})
		})
		switch {
		case replayed.Replayed:
			return replayed, err
		case err != nil && !errors.Is(err, errNothingToDo):
			return rest.Answer{}, interrupted(err, done, len(file.rows), "rows")
		}
		report = after
	}
	return report.answer(), nil
}

// importRows does what a group of rows says.
func (t *transaction) importRows(ctx context.Context, by origin, lotID string, file importFile, rows []importRow, asked importAsked, report *importReport) error {
	if _, err := t.Lot(ctx, lotID); err != nil {
		return rest.Instead(err, ErrNotFound, lotNotFound(lotID))
	}
	ids, zoneIDs := make([]string, 0, len(rows)), map[string]bool{}
	for _, row := range rows {
		ids = append(ids, row.spot.ID)
		if row.spot.ZoneID != "" {
			zoneIDs[row.spot.ZoneID] = true
		}
	}
	zones, err := t.Zones(ctx, sortedKeys(zoneIDs))
	if err != nil {
		return err
	}
	slices.Sort(ids)
	known, err := t.Spots(ctx, ids)
	if err != nil {
		return err
	}
	for _, row := range rows {
		before, there := known[row.spot.ID]
		there = there && !before.Removed
		fault := elsewhere(by, before, there, lotID)
		if fault == nil {
			if fault, err = t.zoneFor(ctx, by, row.spot.ZoneID, lotID, zones, asked, report); err != nil {
				return err
			}
		}
		switch {
		case fault != nil:
			report.reject(file.fault(row.place, row.spot.ID, *fault))
		case there:
			err = t.importChange(by, file.at(row.place), row, before, report)
		default:
			err = t.importNew(by, file.at(row.place), row, before, lotID, report)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *transaction) importNew(by origin, at importPlace, row importRow, removed Spot, lotID string, report *importReport) error {
	spot := row.spot
	spot.LotID = lotID
	report.Added++
	report.note(importChange{importPlace: at, SpotID: spot.ID, Change: "added"})
	return t.addSpot(by, &spot, removed)
}

func (t *transaction) importChange(by origin, at importPlace, row importRow, before Spot, report *importReport) error {
	spot, to := before, row.onto(before)
	e := spot.edit(to, t.now)
	if e == nil {
		report.Unchanged++
		return nil
	}
	report.Changed++
	report.note(importChange{importPlace: at, SpotID: spot.ID, Change: "changed", Fields: before.differences(to)})
	t.save(spot)
	return errors.Join(t.publish(e, by), t.auditSpot(by, before, spot))
}

// elsewhere says where a spot is that is not in this lot.
func elsewhere(by origin, spot Spot, there bool, lotID string) *spotfile.Fault {
	if !there || spot.LotID == lotID {
		return nil
	}
	return &spotfile.Fault{Field: "spotId", Reason: "There is a spot with this id in " + named(by, spot.LotID) + ".",
		Remedy: "Ids are unique in the platform: choose another one, or remove that spot first."}
}

// named is a lot as somebody is told of it: of one that is not theirs they need not know the name.
func named(by origin, lotID string) string {
	if !by.Who.Reaches(lotID) {
		return "another lot"
	}
	return "the lot " + strconv.Quote(lotID)
}

// zoneFor makes sure that the zone is one of the lot.
func (t *transaction) zoneFor(ctx context.Context, by origin, id, lotID string, zones map[string]Zone, asked importAsked, report *importReport) (*spotfile.Fault, error) {
	zone, there := zones[id]
	switch {
	case id == "" || there && zone.LotID == lotID:
		return nil, nil
	case there:
		return &spotfile.Fault{Field: "zoneId", Reason: "The zone " + strconv.Quote(id) + " is one of " + named(by, zone.LotID) + ".",
			Remedy: "Ids of zones are unique in the platform: name another zone, or none."}, nil
	case !asked.createZones:
		return &spotfile.Fault{Field: "zoneId", Reason: "The lot has no zone " + strconv.Quote(id) + ".",
			Remedy: "Add the zone first, or let the import add it: createZones=1."}, nil
	}
	zones[id] = Zone{ID: id, LotID: lotID, Name: id}
	if !slices.Contains(report.ZonesAdded, id) { // a dry run may have come across it in a group before
		report.ZonesAdded = append(report.ZonesAdded, id)
	}
	return nil, errors.Join(t.AddZone(ctx, zones[id]), t.audit(by, zones[id].resource(), nil, viewZone(zones[id])))
}
