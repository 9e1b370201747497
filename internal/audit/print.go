package audit

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Print writes a report for people.
func (r Report) Print(w io.Writer) error {
	var b strings.Builder
	switch {
	case r.Records == 0 && r.Removed == 0 && r.OK:
		b.WriteString("OK: there are no records yet\n")
	case r.OK:
		fmt.Fprintf(&b, "OK: %s, from %d to %d, as they were recorded\n", count(r.Records, "record"), r.First, r.Last)
	default:
		n := len(r.Findings) + r.Omitted
		fmt.Fprintf(&b, "NOT OK: %s, and %s:\n", count(r.Records, "record"), count(int64(n), "finding"))
		for _, f := range r.Findings {
			fmt.Fprintln(&b, f)
		}
		if r.Omitted > 0 {
			fmt.Fprintf(&b, "… and %d more\n", r.Omitted)
		}
	}
	if r.Hash != nil {
		fmt.Fprintf(&b, "last: %d:%s\n", r.Last, r.Hash)
	}
	if r.Chain != "" {
		fmt.Fprintf(&b, "chain %s, begun %s\n", r.Chain, r.CreatedAt)
	}
	if r.Stretches > 1 {
		fmt.Fprintf(&b, "they are %d stretches: between these records are not in the file, and what was there is not shown\n", r.Stretches)
	}
	if r.Checkpoints > 0 {
		fmt.Fprintf(&b, "%s before these were removed because they were old; %s in their place\n", count(r.Removed, "record"), stand(r.Checkpoints))
	}
	if r.Repetitions > 0 {
		fmt.Fprintf(&b, "%s others, and say so\n", repeat(r.Repetitions))
	}
	if r.Gaps > 0 {
		fmt.Fprintf(&b, "%s that Kafka had lost records before they were read: look for kind=gap\n", say(r.Gaps))
	}
	if r.Signed > 0 {
		fmt.Fprintf(&b, "%s right, the last one is of record %d\n", are(r.Signed, "signature"), r.SignedUpTo)
	}
	if r.Signed > 0 && r.SignedUpTo < r.Last {
		fmt.Fprintf(&b, "what is behind it is not signed yet\n")
	}
	for _, late := range r.SignedLate {
		fmt.Fprintf(&b, "NOTE: record %d was recorded at %s, and nothing from there on was signed before %s: the service was away, or signatures were removed since. What was recorded between is as it was when it was signed\n", late.Sequence, late.RecordedAt, late.SignedAt)
	}
	fmt.Fprintf(&b, "%.1f s\n", r.Seconds)
	_, err := io.WriteString(w, b.String())
	return err
}

// Failure is nil where everything is as it was recorded.
func (r Report) Failure() error {
	if r.OK {
		return nil
	}
	return errors.New("it cannot be shown that the audit chain is as it was recorded")
}

func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func stand(n int64) string {
	if n == 1 {
		return "1 checkpoint stands"
	}
	return fmt.Sprintf("%d checkpoints stand", n)
}

func repeat(n int64) string {
	if n == 1 {
		return "1 record repeats"
	}
	return fmt.Sprintf("%d records repeat", n)
}

func say(n int64) string {
	if n == 1 {
		return "1 record says"
	}
	return fmt.Sprintf("%d records say", n)
}

func are(n int64, what string) string {
	if n == 1 {
		return "1 " + what + " is"
	}
	return fmt.Sprintf("%d %ss are", n, what)
}
