package replay

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// Whatever a recording holds, it is read to its end, and each line of it is a reading with a spot and a time or is
// told with its number, once.
func FuzzRecordings(f *testing.F) {
	const head = "local_time,spot_id,status\n"
	for _, s := range []string{
		"", head, head + "2012-12-07T09:00:00,a,free\n", "\ufeffStatus,\"spot_id\",LOCAL_TIME\r\nfree,b,2012-12-07 09:05:00.250\r\n", head + "\"a\nb\",c,d\n,,\n",
		head + "0000-01-01T00:00,a,1\n9999-12-31T23:59:59-12:00,b,0\n", head + strings.Repeat("x", maxLine+5), head + "2012-12-07T09:00:00,\"a\"\"b\",free", head + "\r\r\n\x00,\x00,\x00",
	} {
		f.Add([]byte(s))
	}
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		r, err := newRows(strings.NewReader(string(input)))
		if err != nil {
			return
		}
		last := r.line
		for {
			one, err := r.next()
			if err == io.EOF {
				return
			}
			line := one.line
			if bad, ok := errors.AsType[rowError](err); ok {
				line = bad.line
			} else if err != nil {
				t.Fatalf("%q: %v", input, err)
			}
			if line <= last || line > len(input)+1 {
				t.Fatalf("%q: line %d behind line %d", input, line, last)
			}
			last = line
			if err == nil && (one.spotID == "" || one.spotID != strings.TrimSpace(one.spotID) || one.wall.IsZero() && one.exact) {
				t.Fatalf("%q: %+v", input, one)
			}
			if at := instant(one.wall, zone, time.Time{}); err == nil && at.Sub(one.wall).Abs() > 14*time.Hour {
				t.Fatalf("%q: %v in Berlin is %v", input, one.wall, at)
			}
		}
	})
}
