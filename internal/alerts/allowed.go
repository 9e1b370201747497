package alerts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"parkwire/internal/alerts/decide"
	"parkwire/internal/alerts/delivery"
	"parkwire/internal/directory"
	"parkwire/internal/identity"
	"parkwire/internal/problem"
	"parkwire/internal/rest"
	"parkwire/internal/sqldb"
)

// mayAdd returns a problem where the subject has as many rules as it may.
func (s *Service) mayAdd(ctx context.Context, tx *sqldb.Tx, subject string) error {
	n, _, err := sqldb.One(ctx, tx, func(r sqldb.Row) (n int, err error) { return n, r.Scan(&n) },
		"select count(*) from alert_rules where subject = ? and removed = ?", subject, false)
	if err != nil {
		return fmt.Errorf("counting the rules of a subject: %w", err)
	}
	if most := s.options.RulesPerSubject; n >= most {
		return problem.New(http.StatusConflict, "too-many-rules",
			fmt.Sprintf("You have %d alert rules, and may have %d. Delete one that is through or has expired, or change one.", n, most)).With("limit", most)
	}
	return nil
}

// allowedTarget returns a problem where the principal may not see what a rule is to be about, or that is not there.
func allowedTarget(ctx context.Context, tx *sqldb.Tx, who identity.Principal, t decide.Target) error {
	lot, field := t.LotID, "target.lotId"
	if t.SpotID != "" {
		known, err := lotOfSpot(ctx, tx, t.SpotID)
		if err != nil {
			return err
		}
		if known == "" || !who.Reaches(known) {
			return unknownTarget("target.spotId", "spot", t.SpotID)
		}
		lot, field = known, "target.spotId"
	}
	if lot != "" {
		if err := identity.AuthorizeLot(who, lot); err != nil {
			var p problem.Problem
			if errors.As(err, &p) {
				return p.WithField(field)
			}
			return err
		}
		if err := knownLot(ctx, tx, lot); err != nil {
			return err
		}
	}
	if t.ZoneID != "" {
		zone, found, err := directory.ZoneByID(ctx, tx, t.ZoneID)
		if err != nil {
			return err
		}
		if !found || zone.Removed || zone.LotID != t.LotID {
			return unknownTarget("target.zoneId", "zone", t.ZoneID)
		}
	}
	return nil
}

// allowedChannels returns a problem where one of the channels is not the principal's.
func allowedChannels(ctx context.Context, tx *sqldb.Tx, who identity.Principal, ids []string) error {
	missing, err := delivery.Missing(ctx, tx, who.Subject, ids)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return rest.InvalidField("channels", wantChannels, strconv.Quote(missing[0])+", which is none of yours")
	}
	return nil
}

func unknownTarget(field, what, id string) problem.Problem {
	return problem.New(http.StatusUnprocessableEntity, "target-unknown",
		fmt.Sprintf("There is no %s %q that you may see. Check the id; what was added just now is known here in a moment.", what, rest.Shorten(id))).WithField(field)
}

// lotOfSpot returns the lot of a spot, "" where none is known.
func lotOfSpot(ctx context.Context, tx *sqldb.Tx, id string) (string, error) {
	lot, _, err := sqldb.One(ctx, tx, func(r sqldb.Row) (lot string, err error) { return lot, r.Scan(&lot) }, "select lot_id from alert_spots where spot_id = ? and stale = ?", id, false)
	if err != nil || lot != "" {
		return lot, err
	}
	spot, found, err := directory.SpotByID(ctx, tx, id)
	if !found || spot.Removed {
		return "", err
	}
	return spot.LotID, err
}

// knownLot returns a problem where nothing is known of the lot.
func knownLot(ctx context.Context, tx *sqldb.Tx, id string) error {
	lot, found, err := directory.LotByID(ctx, tx, id)
	if err != nil || found && !lot.Removed {
		return err
	}
	_, found, err = sqldb.One(ctx, tx, func(r sqldb.Row) (one int, err error) { return one, r.Scan(&one) }, "select 1 from alert_spots where lot_id = ? limit 1", id)
	if err != nil || found {
		return err
	}
	return unknownTarget("target.lotId", "lot", id)
}
