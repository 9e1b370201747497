package delivery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/sqldb"
)

// The states of a delivery.
const (
	stateWaiting   = "waiting"   // for its time, or for its circuit
	stateSending   = "sending"   // an attempt is under way, or its process died
	stateDelivered = "delivered" // the other side took it
	stateDead      = "dead"      // given up
)

// lanesAtOnce bounds how many channels are looked at in one query.
const lanesAtOnce = 256

// A lane is a channel for which deliveries wait.
type lane struct {
	channel, subject, kind, host string
	usable                       bool
	due                          int64 // of the first one
}

// lanes returns those behind a channel, in order. It reads one row of each from the index, however many wait.
func lanes(ctx context.Context, tx *sqldb.Tx, after string) ([]lane, error) {
	found, err := sqldb.All(ctx, tx, func(r sqldb.Row) (l lane, err error) {
		var state string
		err = r.Scan(&l.channel, &l.due, &l.subject, &l.kind, &l.host, &state)
		l.usable = state == stateActive || state == stateUnconfirmed
		return l, err
	}, `
		with recursive lanes (channel_id, n) as (
			select (select min(channel_id) from alert_deliveries where state = 'waiting' and channel_id > ?), 1
			union all
			select (select min(d.channel_id) from alert_deliveries d where d.state = 'waiting' and d.channel_id > lanes.channel_id), lanes.n + 1
			from lanes where lanes.channel_id is not null and lanes.n < ?
		)
		select l.channel_id, (select min(d.next_at) from alert_deliveries d where d.state = 'waiting' and d.channel_id = l.channel_id),
			coalesce(c.subject, ''), coalesce(c.kind, ''), coalesce(c.host, ''), coalesce(c.state, '')
		from lanes l left join alert_channels c on c.channel_id = l.channel_id
		where l.channel_id is not null
		order by l.channel_id`, after, lanesAtOnce)
	if err != nil {
		return nil, fmt.Errorf("looking for deliveries: %w", err)
	}
	return found, nil
}

// A claim is what is taken of one lane: up to so many as there are slots.
type claim struct {
	lane
	slots int
}

// claimed is a delivery that is this process's to attempt.
type claimed struct {
	lane                                           // by which slots and circuits were asked, and are told
	id, decision, rule, typ, document, text, topic string
	lease                                          string
	attempts                                       int // with this one
	traceparent                                    string
	created                                        time.Time
	channelOf                                      channel
}

// A sweep goes through the lanes once, page by page: from behind the lane that was served last to the end, and from the beginning to there. So
// whoever has much to be told of, or answers slowly, takes turns with all others.
type sweep struct {
	begin   string // it began behind this lane
	at      string // lanes behind this one come next
	wrapped bool   // the end was reached, and it goes on from the beginning
	next    time.Time
}

// from begins a sweep behind a lane.
func from(lane string, next time.Time) sweep { return sweep{begin: lane, at: lane, next: next} }

// read takes note of a page, and reports whether there is more of the sweep. The page ends where the sweep does.
func (w *sweep) read(page []lane) (rest []lane, more bool) {
	if w.wrapped {
		if i := slices.IndexFunc(page, func(l lane) bool { return l.channel > w.begin }); i >= 0 {
			return page[:i], false
		}
	}
	if len(page) == lanesAtOnce {
		w.at = page[len(page)-1].channel
		return page, true
	}
	if w.wrapped || w.begin == "" {
		return page, false
	}
	w.at, w.wrapped = "", true
	return page, true
}

// round looks at the next page of lanes, and claims what of them may be sent now. more says that there are others to be looked at, where
// something can be sent. Otherwise w.next is when something may be.
func (s *Service) round(ctx context.Context, w *sweep) (all []claimed, more bool, err error) {
	now := s.now()
	if w.at == w.begin && !w.wrapped { // it begins
		w.next = now.Add(s.options.Sending.Poll)
	}
	var page []lane
	err = s.options.DB.View(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		page, err = lanes(ctx, tx, w.at)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	page, more = w.read(page)
	var claims []claim
	var unusable []string
	for _, l := range page {
		switch {
		case !l.usable:
			unusable = append(unusable, l.channel)
			continue
		case l.due > now.UnixMilli():
			w.next = earlier(w.next, time.UnixMilli(l.due))
			continue
		}
		if n := s.permits(l, now); n > 0 {
			claims = append(claims, claim{l, n})
		}
	}
	if !more { // the next one begins where this one did, unless somebody is served
		*w = from(w.begin, w.next)
	}
	if len(claims)+len(unusable) == 0 {
		return nil, more, nil
	}
	// Not cut off by the end of the process, after which it would not be known whether they are claimed.
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	all, err = s.take(whole, claims, unusable, now)
	if len(all) > 0 {
		*w, more = from(claims[len(claims)-1].channel, w.next), true
	}
	return all, more, err
}

// permits takes slots for a lane, as far as its circuits and the bounds let.
func (s *Service) permits(l lane, now time.Time) int {
	keys := l.keys()
	hostLets, several := s.circuits.lets(keys[0], now)
	channelLets, severalOfIt := s.circuits.lets(keys[2], now)
	if !hostLets || !channelLets {
		return 0
	}
	n := s.slots.take(l, s.options.Sending.All, several && severalOfIt)
	if n > 0 {
		s.circuits.begin(keys[0])
		s.circuits.begin(keys[2])
	}
	return n
}

// take claims deliveries in one transaction, which is the record that they are attempted.
func (s *Service) take(ctx context.Context, claims []claim, unusable []string, now time.Time) ([]claimed, error) {
	lease := uuid.NewString()
	var all []claimed
	err := s.options.DB.Update(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		for _, channel := range unusable {
			if err := die(ctx, tx, now, "the channel is not there any more, or not in use", "channel_id = ?", channel); err != nil {
				return err
			}
		}
		for _, c := range claims {
			// One that leads to another host by now is left to the next round: slots and circuits are those of the host that was looked at.
			_, err := tx.Exec(ctx, `
				update alert_deliveries set state = 'sending', attempts = attempts + 1, lease = ?, next_at = ?
				where state = 'waiting' and delivery_id in (
					select delivery_id from alert_deliveries where state = 'waiting' and channel_id = ? and next_at <= ?
						and exists (select 1 from alert_channels c where c.channel_id = ? and c.host = ?)
					order by next_at, delivery_id limit ?)`,
				lease, now.Add(s.options.Sending.Lease).UnixMilli(), c.channel, now.UnixMilli(), c.channel, c.host, c.slots)
			if err != nil {
				return fmt.Errorf("claiming deliveries: %w", err)
			}
		}
		all, err = sqldb.All(ctx, tx, func(r sqldb.Row) (claimed, error) { return scanClaimed(r, lease) }, `
			select d.delivery_id, d.decision_id, d.rule_id, d.type, d.document, d.text, d.topic, d.attempts, d.created_at, d.traceparent, `+channelColumns("c")+`
			from alert_deliveries d join alert_channels c on c.channel_id = d.channel_id
			where d.state = 'sending' and d.lease = ? order by d.next_at, d.delivery_id`, lease)
		return err
	})
	if err != nil {
		all = nil
	}
	of := map[string]lane{}
	for _, c := range claims {
		of[c.channel] = c.lane
	}
	for i := range all {
		all[i].lane = of[all[i].channelOf.ID]
	}
	if len(all) > 0 {
		s.hold(lease, len(all))
	}
	s.giveBack(claims, all)
	return all, err
}

// giveBack returns the slots of what was not there to be claimed.
func (s *Service) giveBack(claims []claim, got []claimed) {
	taken := map[string]int{}
	for _, d := range got {
		taken[d.channel]++
	}
	for _, c := range claims {
		if over := c.slots - taken[c.channel]; over > 0 {
			s.slots.give(c.lane, over)
		}
		if taken[c.channel] == 0 {
			keys := c.keys()
			s.circuits.unclear(keys[0])
			s.circuits.unclear(keys[2])
		}
	}
}

func scanClaimed(r sqldb.Row, lease string) (claimed, error) {
	d := claimed{lease: lease}
	var attempts, created int64
	into := []any{&d.id, &d.decision, &d.rule, &d.typ, &d.document, &d.text, &d.topic, &attempts, &created, &d.traceparent}
	c, err := scanChannel(r, into...)
	if err != nil {
		return claimed{}, err
	}
	d.channelOf = c
	d.attempts, d.created = int(attempts), time.UnixMilli(created)
	return d, nil
}

// withoutCode forgets the code that a mailbox was sent. What else was sent is kept to be looked at.
const withoutCode = `text = case when type = 'channel.confirm' then '' else text end, document = case when type = 'channel.confirm' then '' else document end`

// die gives up deliveries that wait.
func die(ctx context.Context, tx *sqldb.Tx, now time.Time, why, where string, args ...any) error {
	_, err := tx.Exec(ctx, `update alert_deliveries set state = 'dead', last_error = ?, finished_at = ?, `+withoutCode+` where state = 'waiting' and `+where,
		append([]any{why, now.UnixMilli()}, args...)...)
	if err != nil {
		return fmt.Errorf("giving up deliveries: %w", err)
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// placeholders is "?, ?, ?".
func placeholders(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }
