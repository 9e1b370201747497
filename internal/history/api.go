package history

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"parkwire/internal/directory"
	"parkwire/internal/identity"
	"parkwire/internal/problem"
	"parkwire/internal/rest"
	"parkwire/internal/sqldb"
)

// Routes are the resources of this service. Reading may be public: the gateway decides.
func (s *Service) Routes() rest.Routes {
	return rest.Routes{
		"/lots/{lotId}/metrics":     {"GET": {Serve: s.getMetrics}},
		"/lots/{lotId}/heatmap":     {"GET": {Serve: s.getHeatmap}},
		"/lots/{lotId}/stays":       {"GET": {Serve: s.getLotStays}},
		"/spots/{spotId}/stays":     {"GET": {Serve: s.getSpotStays}},
		"/spots/{spotId}/intervals": {"GET": {Serve: s.getIntervals}},
	}
}

// Handler serves them. It trusts the headers by which a gateway says who makes a request, see [identity.Behind].
func (s *Service) Handler() http.Handler {
	return rest.Handler(s.Routes(), rest.Options{Unavailable: sqldb.ErrUnavailable, Logger: s.logger, Tracer: s.tracer})
}

// knownUntil returns up to when the past is known, or that nothing is, as when the service has just started.
func (s *Service) knownUntil() (time.Time, error) {
	until := s.Until()
	if until.IsZero() {
		return until, problem.New(http.StatusServiceUnavailable, "history-not-read", "The log of events has not been read yet, so that nothing is known of the past. Try again in a moment.")
	}
	return until, nil
}

// clockOf returns the zone of a lot. A lot that was removed is not there any more; one of which only events tell is, and its zone is UTC.
func clockOf(ctx context.Context, tx *sqldb.Tx, lotID string) (*time.Location, error) {
	lot, described, err := directory.LotByID(ctx, tx, lotID)
	if err != nil {
		return nil, err
	}
	if !described {
		heard, err := heardOf(ctx, tx, lotID)
		if err != nil || heard {
			return time.UTC, err
		}
	}
	if !described || lot.Removed {
		return nil, problem.New(http.StatusNotFound, "lot-not-found", fmt.Sprintf("There is no lot %q.", lotID))
	}
	return lot.Clock(), nil
}

// scopeOf reads which zone of the lot is asked for, and returns the zone of its clocks.
func scopeOf(ctx context.Context, tx *sqldb.Tx, s Scope) (*time.Location, error) {
	clock, err := clockOf(ctx, tx, s.Lot)
	if err != nil || s.Zone == "" {
		return clock, err
	}
	// A removed zone has a past, and so has one that nobody described.
	zone, described, err := directory.ZoneByID(ctx, tx, s.Zone)
	if err == nil && (!described || zone.LotID != s.Lot) {
		described, err = heardOfZone(ctx, tx, s)
	}
	if err == nil && !described {
		err = problem.New(http.StatusNotFound, "zone-not-found", fmt.Sprintf("The lot %q has no zone %q.", s.Lot, s.Zone))
	}
	return clock, err
}

// A moment is a parameter of time: a moment, or a date, which means its first moment in the lot.
type moment struct {
	at   time.Time
	date bool // at is a date, in the fields of UTC
}

func (m moment) in(zone *time.Location) time.Time {
	if m.date {
		return midnight(m.at.Year(), m.at.Month(), m.at.Day(), zone)
	}
	return m.at.In(zone)
}

const wantMoment = `a date such as 2026-11-24, which is its begin in the lot, or an RFC 3339 time such as 2026-11-24T03:35:00Z ("+" is %2B in an address)`

// period is a time that is asked for.
type period struct{ from, to moment }

// readPeriod reads from and to.
func readPeriod(p *rest.Params) period { return period{readMoment(p, "from"), readMoment(p, "to")} }

func readMoment(p *rest.Params, name string) (m moment) {
	text, there := p.One(name)
	if !there {
		return moment{}
	}
	at, err := time.Parse(time.DateOnly, text)
	if m = (moment{at, true}); err != nil {
		at, err = time.Parse(time.RFC3339Nano, text)
		m = moment{at, false}
	}
	if err != nil || at.Before(oldest) || !at.Before(endOfTime) {
		p.Fail(name, wantMoment, strconv.Quote(text))
	}
	return m
}

// oldest is before everything that may be known, and behind what no calendar is sure of.
var oldest = time.Date(1970, time.January, 2, 0, 0, 0, 0, time.UTC)

// resolve returns the time in a zone: up to the present where nothing else is said, and as long as usual before that.
func (p period) resolve(zone *time.Location, now time.Time, usual time.Duration) (from, to time.Time, err error) {
	if to = p.to.in(zone); p.to.at.IsZero() {
		to = now.In(zone)
	}
	if from = p.from.in(zone); p.from.at.IsZero() {
		from = to.Add(-usual)
	}
	if !from.Before(to) {
		err = rest.InvalidParameter("from", `before "to", which is `+to.Format(time.RFC3339), from.Format(time.RFC3339))
	}
	return from, to, err
}

// rangeTooLong says what to ask instead.
func rangeTooLong(what string, most string, instead string) problem.Problem {
	return problem.New(http.StatusBadRequest, "range-too-long",
		fmt.Sprintf(`The time from "from" to "to" is too long for %s: it may be %s at most. %s`, what, most, instead)).WithField("from").With("most", most)
}

// notCached is of answers that are asked for anew each time.
const notCached = "private, no-cache"

// answered answers in JSON with what tells of the time up to to. Readings that come late change the past, but seldom what is older than an hour, so that
// it may be kept for a while then. It is for nobody else, since tokens are limited to lots.
func answered(w http.ResponseWriter, body any, to, until time.Time) rest.Answer {
	w.Header().Set("Vary", "Accept, Authorization, X-API-Key")
	if to.After(until.Add(-time.Hour)) {
		return rest.Answer{Body: body, Cache: notCached}
	}
	return rest.Answer{Body: body, Cache: "private, max-age=300"}
}

// clockOfSpot returns the zone of the lot in which a spot is, or was, and that the caller may see. A spot that was in no such lot is not there.
func clockOfSpot(ctx context.Context, tx *sqldb.Tx, who identity.Principal, spotID string) (*time.Location, error) {
	lots, err := whereabouts(ctx, tx, spotID)
	if err != nil {
		return nil, err
	}
	if len(lots) == 0 { // nothing has happened to it yet
		spot, described, err := directory.SpotByID(ctx, tx, spotID)
		if err != nil {
			return nil, err
		}
		if described && !spot.Removed {
			lots = []string{spot.LotID}
		}
	}
	for _, lot := range lots {
		if who.Reaches(lot) {
			described, _, err := directory.LotByID(ctx, tx, lot)
			return described.Clock(), err
		}
	}
	return nil, problem.New(http.StatusNotFound, "spot-not-found", fmt.Sprintf("There is no spot %q.", spotID))
}
