package feeds

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"parkwire/internal/rest"
)

// choice reads a parameter that is one of several words; "" where it is not there.
func choice(p *rest.Params, name string, among ...string) string {
	text, there := p.One(name)
	if there && !slices.Contains(among, text) {
		p.Fail(name, "one of "+strings.Join(among, ", "), strconv.Quote(text))
	}
	return text
}

// window is a part of a list: the forms that have pages count them from the first item.
type window struct{ offset, limit int }

// maxOffset is far behind the end of every list.
const maxOffset = 10_000_000

// pageOf reads a window by the names that a form has for it.
func pageOf(p *rest.Params, offset, limit string, most, otherwise int64) window {
	return window{int(p.Number(offset, 0, 0, maxOffset)), int(p.Number(limit, otherwise, 1, most))}
}

// of returns the items of the window, and whether there are more behind it.
func of[T any](w window, all []T) (some []T, more bool) {
	from := min(w.offset, len(all))
	to := min(from+w.limit, len(all))
	return all[from:to], to < len(all)
}

// with returns an address with some parameters set anew, from the root of the host.
func with(u *url.URL, pairs ...string) string {
	query := u.Query()
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	return (&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: query.Encode()}).String()
}

// millis reads a time in Unix milliseconds; otherwise where it is not there.
func millis(p *rest.Params, name string, otherwise time.Time) time.Time {
	const far = 253402300799999 // the end of the year 9999
	if text, there := p.One(name); there {
		ms, err := strconv.ParseInt(text, 10, 64)
		if err != nil || ms < 0 || ms > far {
			p.Fail(name, "a time in milliseconds since 1970, such as 1764547200000", strconv.Quote(text))
			return otherwise
		}
		return time.UnixMilli(ms).UTC()
	}
	return otherwise
}

// reach names the lots that somebody may see, for the keys of documents that depend on it.
func (r *request) reach() string {
	if r.who.Lots == nil {
		return "all"
	}
	lots := slices.Clone(r.who.Lots)
	slices.Sort(lots)
	return fmt.Sprintf("%q", slices.Compact(lots))
}

// lotsOf are the lots that somebody may see.
func (r *request) lotsOf(s *state) []*lot {
	if r.who.Lots == nil {
		return s.lots
	}
	var some []*lot
	for _, l := range s.lots {
		if r.who.Reaches(l.ID) {
			some = append(some, l)
		}
	}
	return some
}
