package alerts

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"parkwire/internal/alerts/decide"
	"parkwire/internal/rest"
)

// Bounds of a rule.
const (
	maxWindows  = 14
	maxChannels = 10
	maxCooldown = 7 * 24 * 60 * 60 // seconds
	maxMinutes  = 30 * 24 * 60
	maxCount    = 100_000

	defaultPoints = 5 // of a margin
)

var categories = []string{"standard", "accessible", "electric", "family", "motorcycle", "short_stay"}

// What the fields must be, in words.
const (
	wantKind     = `one of any_free, free_at_least, occupancy_above, overstay, silent`
	wantCount    = `a whole number of spots from 1 to 100000, such as 5`
	wantPercent  = `a number of percent from 0 up to below 100, such as 90`
	wantMinutes  = `a whole number of minutes from 1 to 43200, such as 120`
	wantSilence  = `a whole number of minutes from 0 (as soon as the spot is unknown) to 43200, such as 30`
	wantCategory = `one of standard, accessible, electric, family, motorcycle, short_stay`
	wantCooldown = `a whole number of seconds from 0 to 604800, such as 600`
	wantFirst    = `say (at once, where the condition holds already) or wait (until it has ended and holds again)`
	wantThen     = `hold (until the quiet hours end, and then what still holds) or drop`
	wantDays     = `a list of mon, tue, wed, thu, fri, sat, sun, each at most once, such as ["mon","fri"]`
	wantFrom     = `a time of day from "00:00" to "23:59", such as "07:30"`
	wantTo       = `a time of day from "00:01" to "24:00" other than "from", such as "09:00"; one before "from" is of the day after`
	wantChannels = `a list of up to 10 ids of your channels, each once; GET /api/v1/alerts/channels lists them`
)

// readDefinition reads what may be said of a rule; d is as it was before where the object is a patch.
func readDefinition(o *rest.Object, d *decide.Definition, now time.Time) {
	rest.Required(o, "name", &d.Name, rest.WantName, rest.ValidName)
	readTarget(o, &d.Target)
	readCondition(o, &d.Condition)
	enabled := &d.Enabled
	if rest.Optional(o, "enabled", &enabled, rest.WantBool, nil); enabled == nil {
		o.Fail("enabled", rest.WantBool, "null") // which is neither
	} else {
		d.Enabled = *enabled
	}
	rest.Optional(o, "once", &d.Once, rest.WantBool, nil)
	rest.Optional(o, "initially", &d.Initially, wantFirst, func(i decide.Initially) bool { return i == decide.Say || i == decide.Wait })
	if d.Initially == "" {
		d.Initially = decide.Say
	}
	rest.Optional(o, "cooldownSeconds", &d.Cooldown, wantCooldown, func(s int64) bool { return s >= 0 && s <= maxCooldown })
	rest.Each(o, "hours", &d.Hours, maxWindows, readWindow)
	rest.Each(o, "quietHours", &d.QuietHours, maxWindows, readWindow)
	rest.Optional(o, "quietHoursThen", &d.QuietHoursThen, wantThen, func(t decide.Then) bool { return t == decide.Hold || t == decide.Drop })
	switch {
	case len(d.QuietHours) == 0:
		d.QuietHoursThen = ""
	case d.QuietHoursThen == "":
		d.QuietHoursThen = decide.Hold
	}
	rest.Optional(o, "timeZone", &d.TimeZone, rest.WantTimeZone+"; left out: the lot's", rest.ValidTimeZone)
	before := d.ExpiresAt
	rest.ReadTime(o, "expiresAt", &d.ExpiresAt.Time, rest.Optional)
	if o.Err() == nil && !d.ExpiresAt.IsZero() && !d.ExpiresAt.Equal(before.Time) && !d.ExpiresAt.After(now) {
		o.Fail("expiresAt", rest.WantFuture, d.ExpiresAt.String())
	}
	rest.Optional(o, "channels", &d.Channels, wantChannels, validChannels)
	if d.Channels == nil {
		d.Channels = []string{}
	}
}

func validChannels(ids []string) bool {
	return len(ids) <= maxChannels && !slices.ContainsFunc(ids, func(id string) bool { return !rest.ValidID(id) }) &&
		len(slices.Compact(slices.Sorted(slices.Values(ids)))) == len(ids)
}

// readTarget reads one in the place of the whole one before.
func readTarget(o *rest.Object, t *decide.Target) {
	if !o.Has("target") && *t != (decide.Target{}) {
		return
	}
	var read *decide.Target
	rest.Nested(o, "target", &read, func(o *rest.Object, t *decide.Target) {
		rest.Optional(o, "spotId", &t.SpotID, rest.WantID, rest.ValidID)
		rest.Optional(o, "lotId", &t.LotID, rest.WantID, rest.ValidID)
		rest.Optional(o, "zoneId", &t.ZoneID, rest.WantID, rest.ValidID)
		rest.Optional(o, "category", &t.Category, wantCategory, func(c string) bool { return slices.Contains(categories, c) })
		switch {
		case o.Err() != nil:
		case *t == decide.Target{}:
			o.Refuse(rest.MissingField("target", `an object with spotId, or with lotId, zoneId, category or several of these, such as {"lotId":"central"}`))
		case t.SpotID != "" && *t != decide.Target{SpotID: t.SpotID}:
			o.Fail("spotId", "left out where lotId, zoneId or category is given: a spot is one by itself", strconv.Quote(t.SpotID))
		case t.ZoneID != "" && t.LotID == "":
			o.Refuse(rest.MissingField("target.lotId", "the lot of the zone, "+rest.WantID))
		}
	})
	switch {
	case o.Err() != nil:
	case read == nil:
		o.Refuse(rest.MissingField("target", `an object with spotId, or with lotId, zoneId, category or several of these, such as {"lotId":"central"}`))
	default:
		*t = *read
	}
}

// readCondition reads one in the place of the whole one before.
func readCondition(o *rest.Object, c *decide.Condition) {
	const want = `an object with its type and what belongs to that, such as {"type":"free_at_least","count":5}`
	if !o.Has("condition") && *c != (decide.Condition{}) {
		return
	}
	var read *decide.Condition
	rest.Nested(o, "condition", &read, func(o *rest.Object, c *decide.Condition) {
		rest.Required(o, "type", &c.Kind, wantKind, func(k decide.Kind) bool { return slices.Contains(decide.Kinds, k) })
		if o.Err() != nil {
			return
		}
		switch c.Kind {
		case decide.FreeAtLeast:
			c.Margin = 1
			rest.Required(o, "count", &c.Count, wantCount, func(n int) bool { return n >= 1 && n <= maxCount })
			rest.Optional(o, "margin", &c.Margin, fmt.Sprintf("a whole number of spots from 1 to count (%d): the rule is armed again when so many fewer are free", c.Count),
				func(m float64) bool { return m >= 1 && m <= float64(c.Count) && m == math.Trunc(m) })
		case decide.OccupancyAbove:
			rest.Required(o, "percent", &c.Percent, wantPercent, func(p float64) bool { return p >= 0 && p < 100 })
			c.Margin = min(defaultPoints, c.Percent)
			rest.Optional(o, "margin", &c.Margin, fmt.Sprintf("a number of points from 0 to percent (%g): the rule is armed again when the occupancy is so far below", c.Percent),
				func(m float64) bool { return m >= 0 && m <= c.Percent })
		case decide.Overstay:
			rest.Required(o, "minutes", &c.Minutes, wantMinutes, func(m int64) bool { return m >= 1 && m <= maxMinutes })
		case decide.Silent:
			rest.Required(o, "minutes", &c.Minutes, wantSilence, func(m int64) bool { return m >= 0 && m <= maxMinutes })
		}
	})
	switch {
	case o.Err() != nil:
	case read == nil:
		o.Refuse(rest.MissingField("condition", want))
	default:
		*c = *read
	}
}

func readWindow(o *rest.Object, w *decide.Window) {
	var days []decide.Day
	rest.Optional(o, "days", &days, wantDays, func(days []decide.Day) bool { _, ok := decide.ParseDays(days); return ok && len(days) > 0 })
	from, to := "00:00", "24:00"
	rest.Optional(o, "from", &from, wantFrom, func(t string) bool { at, ok := decide.ParseTimeOfDay(t); return ok && at < 24*60 })
	rest.Optional(o, "to", &to, wantTo, func(t string) bool { at, ok := decide.ParseTimeOfDay(t); return ok && at > 0 && t != from })
	if o.Err() != nil {
		return
	}
	w.Days = decide.AllDays
	if len(days) > 0 {
		w.Days, _ = decide.ParseDays(days)
	}
	w.From, _ = decide.ParseTimeOfDay(from)
	w.To, _ = decide.ParseTimeOfDay(to)
}
