package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/sqldb"
)

// A Report is what a verification found. Its JSON is described in docs/audit.md.
type Report struct {
	OK          bool       `json:"ok"`
	Chain       string     `json:"chain,omitempty"` // its id
	CreatedAt   event.Time `json:"createdAt,omitzero"`
	Records     int64      `json:"records"`         // that were looked at
	First       int64      `json:"first,omitempty"` // the first of them
	Last        int64      `json:"last,omitempty"`
	Hash        *Hash      `json:"hash,omitempty"` // of the last
	Removed     int64      `json:"removed,omitempty"`
	Checkpoints int64      `json:"checkpoints,omitempty"`
	Repetitions int64      `json:"repetitions,omitempty"`
	Gaps        int64      `json:"gaps,omitempty"` // records that say that Kafka had lost some
	Stretches   int64      `json:"stretches,omitempty"`
	Signed      int64      `json:"signed,omitempty"` // signatures that were checked
	SignedUpTo  int64      `json:"signedUpTo,omitempty"`
	SignedLate  []Late     `json:"signedLate,omitempty"` // the first ones of them
	Findings    []Finding  `json:"findings"`
	Omitted     int        `json:"findingsOmitted,omitempty"`
	Seconds     float64    `json:"seconds"`
}

// Late says that nothing was signed for longer than [signedLate] behind a record: the service was away then, or signatures of that time were removed, and what was
// recorded since has been signed as it was afterwards.
type Late struct {
	Sequence   int64      `json:"sequence"` // of the first record that had to wait for a signature
	RecordedAt event.Time `json:"recordedAt"`
	SignedAt   event.Time `json:"signedAt"`
}

const (
	signedLate = time.Hour
	shownLate  = 50
)

func (r *Report) conclude(f findings) {
	r.Findings, r.Omitted = f.shown, f.omitted
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
	r.OK = len(r.Findings) == 0
}

// A Note is a head that somebody kept elsewhere.
type Note struct {
	Sequence int64
	Hash     Hash
}

// ParseNote reads SEQUENCE:HASH, as the head is logged.
func ParseNote(text string) (Note, error) {
	number, digits, ok := strings.Cut(strings.TrimSpace(text), ":")
	n := Note{}
	var err error
	if n.Sequence, err = strconv.ParseInt(number, 10, 64); !ok || err != nil || n.Sequence < 0 {
		return Note{}, fmt.Errorf("%q is no head, which is SEQUENCE:HASH as GET /api/v1/audit/head and the log say it", cut(text, 120))
	}
	if err := n.Hash.UnmarshalText([]byte(digits)); err != nil {
		return Note{}, err
	}
	return n, nil
}

// Verification says what to compare with.
type Verification struct {
	Notes    []Note                  // heads that were kept elsewhere
	Keys     Keys                    // with which signatures of heads are checked; none: only the hashes in them are
	Progress func(done, total int64) // nil: nobody wants to know
}

// verifiedAtOnce is how many records are read in one snapshot, so that none is long.
const verifiedAtOnce = 5000

// verifier is one run.
type verifier struct {
	Verification
	walk     walk
	findings findings
	report   Report

	head     Head
	removed  []Checkpoint
	told     map[int64]Checkpoint // by the record that has to tell of it, for those that were not met yet
	notes    map[int64][]Note     // by sequence, those that were not compared yet
	unsigned Entry                // the first record behind the last signature
	signed   []signature          // behind the walk, in their order: as many as a page may meet
	newest   int64                // when the last record was recorded
	expected int64                // how many records there are, about
}

// Verify goes along the whole chain. It reads piece by piece, so that the service can go on meanwhile, and looks at everything that there was when it came to the end.
// An error says that nothing can be told, because the database cannot be read.
func Verify(ctx context.Context, db *sqldb.DB, v Verification) (Report, error) {
	run := &verifier{Verification: v, told: map[int64]Checkpoint{}, notes: map[int64][]Note{}}
	run.walk.find = run.findings.add
	for _, n := range v.Notes {
		run.notes[n.Sequence] = append(run.notes[n.Sequence], n)
	}
	for begun, more := false, true; more; begun = true {
		err := db.View(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			if !begun {
				if err := run.begin(ctx, tx); err != nil {
					return err
				}
			}
			more, err = run.page(ctx, tx)
			return err
		})
		if err != nil {
			return Report{}, fmt.Errorf("verifying the audit chain behind record %d: %w", run.walk.at, err)
		}
		if v.Progress != nil {
			v.Progress(run.report.Records, max(run.expected, run.report.Records))
		}
	}
	run.end()
	run.report.conclude(run.findings)
	return run.report, nil
}

// begin reads where the chain begins and ends.
func (v *verifier) begin(ctx context.Context, tx *sqldb.Tx) error {
	head, found, err := findHead(ctx, tx)
	if err != nil {
		return err
	}
	if !found {
		v.findings.add(Finding{What: "it has no head: either nothing was ever recorded, or the head was removed"})
	}
	v.head, v.report.Chain, v.report.CreatedAt = head, head.Chain, event.At(timeOf(head.CreatedAt))
	v.compare(0, head.beginning()) // a note of a chain that had no record yet
	if err := v.pass(ctx, tx); err != nil {
		return err
	}
	v.expected = head.Sequence - v.walk.at
	return v.signedOfRemoved(ctx, tx)
}

// signedOfRemoved compares what was signed of records that were removed. Retention keeps no more than that of the last of the last checkpoint.
func (v *verifier) signedOfRemoved(ctx context.Context, tx *sqldb.Tx) error {
	some, err := signatures(ctx, tx, 0, 1)
	if err != nil {
		return err
	}
	for _, s := range some {
		if hash, found := kept(v.removed, s.Sequence); found && s.Sequence <= v.walk.at {
			v.signature(s, hash)
		}
	}
	return nil
}

// pass goes to where records begin, behind what was removed.
func (v *verifier) pass(ctx context.Context, tx *sqldb.Tx) (err error) {
	known := len(v.removed)
	if v.removed, err = checkpoints(ctx, tx); err != nil {
		return err
	}
	v.walk.checkpoints(v.head, v.removed)
	v.report.Checkpoints, v.report.Removed = int64(len(v.removed)), 0
	for _, c := range v.removed {
		v.report.Removed += c.Count()
	}
	for _, c := range v.removed[min(known, len(v.removed)):] {
		if c.Entry > v.walk.at { // else the record that told of it was removed itself
			v.told[c.Entry] = c
		}
	}
	maps.DeleteFunc(v.told, func(entry int64, _ Checkpoint) bool { return entry <= v.walk.at })
	return nil
}

// page looks at the next records, and reports whether there are more.
func (v *verifier) page(ctx context.Context, tx *sqldb.Tx) (more bool, err error) {
	head, found, err := findHead(ctx, tx)
	if err != nil {
		return false, err
	}
	if found {
		v.head.Sequence, v.head.Hash, v.head.RecordedAt = head.Sequence, head.Hash, head.RecordedAt
	}
	if first, found, err := firstBehind(ctx, tx, v.walk.at); err != nil {
		return false, err
	} else if found && first > v.walk.at+1 {
		before := v.walk
		if err := v.pass(ctx, tx); err != nil { // retention may have removed some meanwhile
			return false, err
		}
		if v.walk.at < before.at {
			v.walk = before
		}
	}
	if v.signed, err = signatures(ctx, tx, v.walk.at, verifiedAtOnce); err != nil {
		return false, err
	}
	n := 0
	err = sqldb.Each(ctx, tx, func(r sqldb.Row) error {
		e, err := scanEntry(r)
		if err != nil {
			return err
		}
		n++
		v.record(&e)
		return nil
	}, `select `+read+` from audit_records where sequence > ? order by sequence limit ?`, v.walk.at, verifiedAtOnce)
	return n == verifiedAtOnce, err
}

func firstBehind(ctx context.Context, tx *sqldb.Tx, sequence int64) (int64, bool, error) {
	return sqldb.One(ctx, tx, func(r sqldb.Row) (n int64, err error) { return n, r.Scan(&n) },
		`select sequence from audit_records where sequence > ? order by sequence limit 1`, sequence)
}

func (v *verifier) record(e *Entry) {
	if v.report.Records == 0 {
		v.report.First = e.Sequence
	}
	v.report.Records++
	if e.Sequence > v.head.Sequence {
		v.findings.add(Finding{Sequence: e.Sequence, What: fmt.Sprintf("it stands behind the head of the chain, which is at %d: it was put there by something else", v.head.Sequence)})
	}
	if v.unsigned.Sequence == 0 {
		v.unsigned = Entry{Sequence: e.Sequence, RecordedAt: e.RecordedAt}
	}
	v.walk.step(e)
	v.newest = e.RecordedAt
	if e.Repeats != 0 {
		v.report.Repetitions++
	}
	switch e.Kind {
	case KindGap:
		v.report.Gaps++
	case KindCheckpoint:
		v.tells(e)
	}
	v.compare(e.Sequence, e.Hash)
}

// tells compares what a record says of a checkpoint with the checkpoint.
func (v *verifier) tells(e *Entry) {
	c, found := v.told[e.Sequence]
	delete(v.told, e.Sequence)
	if !found {
		v.findings.add(Finding{Sequence: e.Sequence, What: "it tells of a checkpoint that is not there"})
		return
	}
	if want, err := json.Marshal(viewCheckpoint(c)); err != nil || !bytes.Equal(want, e.Value) {
		v.findings.add(Finding{Sequence: e.Sequence, What: fmt.Sprintf("it says otherwise than checkpoint %d, of which it tells", c.Number)})
	}
}

// compare compares the hash of a record with what was noted or signed of it.
func (v *verifier) compare(sequence int64, hash Hash) {
	for _, n := range v.notes[sequence] {
		if n.Hash != hash {
			v.findings.add(Finding{Sequence: sequence, What: "it is another one than the head that was noted", Expected: n.Hash.String(), Found: hash.String()})
		}
	}
	delete(v.notes, sequence)
	for len(v.signed) > 0 && v.signed[0].Sequence <= sequence {
		s := v.signed[0]
		v.signed = v.signed[1:]
		if s.Sequence == sequence {
			v.signature(s, hash)
		}
	}
}

func (v *verifier) signature(s signature, hash Hash) {
	if s.Hash != hash {
		v.findings.add(Finding{Sequence: s.Sequence, What: "it is another one than the head that was signed", Expected: s.Hash.String(), Found: hash.String()})
		return
	}
	if len(v.Keys) == 0 {
		return
	}
	if err := v.Keys.check(v.head, s); err != nil {
		v.findings.add(Finding{Sequence: s.Sequence, What: err.Error()})
		return
	}
	v.report.Signed++
	v.report.SignedUpTo = s.Sequence
	if first := v.unsigned; first.Sequence != 0 && s.SignedAt-first.RecordedAt > signedLate.Milliseconds() && len(v.report.SignedLate) < shownLate {
		v.report.SignedLate = append(v.report.SignedLate, Late{first.Sequence, event.At(timeOf(first.RecordedAt)), event.At(timeOf(s.SignedAt))})
	}
	v.unsigned = Entry{}
}

// end looks at what only the end tells.
func (v *verifier) end() {
	v.report.Last = v.walk.at
	if v.report.Records > 0 || v.report.Removed > 0 {
		v.report.Hash = new(v.walk.hash)
	}
	switch {
	case v.walk.at < v.head.Sequence:
		v.findings.add(Finding{Sequence: v.walk.at + 1, What: fmt.Sprintf("the chain ends before it: those up to %d, where its head is, were cut off", v.head.Sequence)})
	case v.walk.at == v.head.Sequence && v.walk.hash != v.head.Hash:
		v.findings.add(Finding{Sequence: v.walk.at, What: "it is the last one, and another one than the head of the chain", Expected: v.head.Hash.String(), Found: v.walk.hash.String()})
	}
	if v.report.Records > 0 && v.walk.at == v.head.Sequence && v.newest != v.head.RecordedAt {
		v.findings.add(Finding{Sequence: v.walk.at, What: fmt.Sprintf("it was recorded at %s, and the head of the chain says %s", timeText(v.newest), timeText(v.head.RecordedAt))})
	}
	for _, c := range v.told {
		v.findings.add(Finding{Sequence: c.Entry, What: fmt.Sprintf("it should tell of checkpoint %d, and does not", c.Number)})
	}
	for _, sequence := range slices.Sorted(maps.Keys(v.notes)) {
		v.leftOver(sequence, v.notes[sequence])
	}
	if len(v.Keys) > 0 && v.report.Signed == 0 && v.report.Records > 0 {
		v.findings.add(Finding{What: "no head of it was signed with a key that was given"})
	}
	for _, s := range v.signed {
		v.findings.add(Finding{Sequence: s.Sequence, What: "it was the head once, as a signature says, and is missing", Expected: s.Hash.String()})
	}
}

// leftOver is about notes of records that were not met.
func (v *verifier) leftOver(sequence int64, notes []Note) {
	if sequence > v.walk.at {
		v.findings.add(Finding{Sequence: sequence, What: fmt.Sprintf("it was the head once, as was noted, and is missing: the chain ends at %d", v.walk.at), Expected: notes[0].Hash.String()})
		return
	}
	hash, found := kept(v.removed, sequence)
	if !found {
		v.findings.add(Finding{Sequence: sequence, What: "whether it is the head that was noted cannot be shown: it was removed, or is missing. Compare with a head that was noted later"})
		return
	}
	v.notes[sequence] = notes
	v.compare(sequence, hash)
}
