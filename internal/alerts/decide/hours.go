package decide

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Day is a day of the week, as JSON names it.
type Day string

// Days lists them in the order of [time.Weekday].
var Days = []Day{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// minutesADay is also midnight at the end of a day.
const minutesADay = 24 * 60

// Window is a part of each of some days, by the clock on the wall. It begins on the days that it names; where it ends at or before the time
// of day at which it begins, that is on the day after.
type Window struct {
	Days     uint8 // a bit for each, that of Sunday first
	From, To int   // minutes after midnight: From below 1440, To from 1 to 1440
}

// AllDays are the bits of every day.
const AllDays uint8 = 1<<7 - 1

// has reports whether the window begins on a day.
func (w Window) has(day time.Weekday) bool { return w.Days&(1<<day) != 0 }

// holds reports whether the clock on the wall stands within the window.
func (w Window) holds(day time.Weekday, minute int) bool {
	if w.From < w.To {
		return w.has(day) && w.From <= minute && minute < w.To
	}
	return w.has(day) && minute >= w.From || w.has((day+6)%7) && minute < w.To
}

// within reports whether a local time is in one of the windows.
func within(windows []Window, local time.Time) bool {
	hour, minute, _ := local.Clock()
	for _, w := range windows {
		if w.holds(local.Weekday(), hour*60+minute) {
			return true
		}
	}
	return false
}

// horizon is how far ahead a change is looked for: windows come every week, and one that the clock jumps over comes the week after.
const horizon = 60 * 24 * time.Hour

// next returns the first time, not before t, at which being in one of the windows is as wanted; zero where that is never. It goes by what the
// clock on the wall of the zone shows, so that hours that are there twice count twice, and those that are skipped do not count.
func next(windows []Window, t time.Time, zone *time.Location, wanted bool) time.Time {
	for end := t.Add(horizon); t.Before(end); {
		local := t.In(zone)
		if within(windows, local) == wanted {
			return t
		}
		t = edge(windows, local)
	}
	return time.Time{}
}

// edge returns the next time at which the clock shows midnight or an edge of a window, or is set to another time.
func edge(windows []Window, local time.Time) time.Time {
	hour, minute, second := local.Clock()
	now := hour*60 + minute
	wait := minutesADay - now
	for _, w := range windows {
		for _, at := range [...]int{w.From, w.To} {
			if at > now {
				wait = min(wait, at-now)
			}
		}
	}
	at := local.Add(time.Duration(wait)*time.Minute - time.Duration(second)*time.Second - time.Duration(local.Nanosecond()))
	if _, change := local.ZoneBounds(); !change.IsZero() && change.Before(at) {
		return change
	}
	return at
}

// windowJSON is how a window is written.
type windowJSON struct {
	Days []Day  `json:"days"`
	From string `json:"from"`
	To   string `json:"to"`
}

// MarshalJSON writes the days from Monday on.
func (w Window) MarshalJSON() ([]byte, error) {
	v := windowJSON{From: TimeOfDay(w.From), To: TimeOfDay(w.To)}
	for i := range Days {
		if day := time.Weekday(i+1) % 7; w.has(day) {
			v.Days = append(v.Days, Days[day])
		}
	}
	return json.Marshal(v)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (w *Window) UnmarshalJSON(b []byte) error {
	var v windowJSON
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	days, ok := ParseDays(v.Days)
	from, okFrom := ParseTimeOfDay(v.From)
	to, okTo := ParseTimeOfDay(v.To)
	if !ok || !okFrom || !okTo {
		return fmt.Errorf("%s is no window of days and hours", b)
	}
	*w = Window{days, from, to}
	return nil
}

// ParseDays returns the bits of days; false where one is none or there twice.
func ParseDays(days []Day) (bits uint8, ok bool) {
	for _, d := range days {
		bit := uint8(0)
		for i, known := range Days {
			if d == known {
				bit = 1 << i
			}
		}
		if bit == 0 || bits&bit != 0 {
			return 0, false
		}
		bits |= bit
	}
	return bits, true
}

// TimeOfDay is minutes after midnight as people write them.
func TimeOfDay(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// ParseTimeOfDay reads "07:30", up to "24:00".
func ParseTimeOfDay(text string) (minutes int, ok bool) {
	h, m, ok := strings.Cut(text, ":")
	if !ok || len(h) != 2 || len(m) != 2 {
		return 0, false
	}
	for _, c := range h + m {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	minutes = (int(h[0]-'0')*10+int(h[1]-'0'))*60 + int(m[0]-'0')*10 + int(m[1]-'0')
	return minutes, m < "60" && minutes <= minutesADay
}
