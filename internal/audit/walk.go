package audit

import (
	"fmt"
	"slices"
	"strings"
)

// A Finding is something that is not as it was when it became part of the chain. Expected and Found are hashes, where it is those that differ.
type Finding struct {
	Sequence int64  `json:"sequence"` // of the record; 0 where it is about the chain as a whole
	What     string `json:"what"`
	Expected string `json:"expected,omitempty"`
	Found    string `json:"found,omitempty"`
}

func (f Finding) String() string {
	where := "the chain"
	if f.Sequence > 0 {
		where = fmt.Sprintf("record %d", f.Sequence)
	}
	text := where + ": " + f.What
	if f.Expected != "" || f.Found != "" {
		text += fmt.Sprintf("\n  expected %s\n  found    %s", f.Expected, f.Found)
	}
	return text
}

// A walk goes along a chain, record by record, and says what is not right.
type walk struct {
	at   int64 // the record that was seen last, or that records begin behind
	hash Hash  // of it
	sum  hasher
	find func(Finding)
}

// step looks at the next record. Whatever is wrong with it, it goes on behind it.
func (w *walk) step(e *Entry) {
	if e.Sequence != w.at+1 {
		w.find(missing(w.at+1, e.Sequence-1))
	}
	w.link(e.Sequence, w.hash, e.Previous)
	w.content(e)
	w.at, w.hash = e.Sequence, e.Hash
}

// missing is the finding that there are no records from first to last.
func missing(first, last int64) Finding {
	if first == last {
		return Finding{Sequence: first, What: "it is missing, and no checkpoint stands for it"}
	}
	return Finding{Sequence: first, What: fmt.Sprintf("it is missing, with all up to %d, and no checkpoint stands for them", last)}
}

// link compares the hash of the record before one with what this says of it.
func (w *walk) link(sequence int64, before, says Hash) {
	if before != says {
		w.find(Finding{Sequence: sequence, What: "it does not follow the record before it", Expected: before.String(), Found: says.String()})
	}
}

// content compares what a record says with its hash.
func (w *walk) content(e *Entry) {
	is := w.sum.record(e)
	if is == e.Hash {
		return
	}
	what := "its content is not what was hashed"
	if changed := w.changedFields(e); len(changed) > 0 {
		what = "fields to search by are not what was hashed: " + strings.Join(changed, ", ")
	}
	w.find(Finding{Sequence: e.Sequence, What: what, Expected: e.Hash.String(), Found: is.String()})
}

// changedFields tells which of the fields to search by were changed, where it is those and nothing else: they stand in the value, too.
func (w *walk) changedFields(e *Entry) (changed []string) {
	again := *e
	for _, text := range again.texts() {
		*text = ""
	}
	switch e.Kind {
	case KindEvent:
		describeEvent(&again)
	case KindChange:
		describeChange(&again)
	default:
		return nil
	}
	if w.sum.record(&again) != e.Hash {
		return nil
	}
	was := again.texts()
	for i, text := range e.texts() {
		if *text != *was[i] {
			changed = append(changed, fmt.Sprintf("%s was %q and is %q", textNames[i], *was[i], *text))
		}
	}
	if e.Time != again.Time {
		changed = append(changed, fmt.Sprintf("time was %s and is %s", timeText(again.Time), timeText(e.Time)))
	}
	return changed
}

// shownFindings bounds how many findings are kept; all are counted.
const shownFindings = 50

// findings collects what is found.
type findings struct {
	shown   []Finding
	omitted int
}

// add takes what is found more than once for one.
func (f *findings) add(one Finding) {
	if slices.Contains(f.shown, one) {
		return
	}
	if len(f.shown) == shownFindings {
		f.omitted++
		return
	}
	f.shown = append(f.shown, one)
}

// checkpoints checks those of a chain one by one, and puts the walk behind the last.
func (w *walk) checkpoints(head Head, all []Checkpoint) {
	before, last := head.beginning(), Checkpoint{LastHash: head.beginning()}
	w.at, w.hash = 0, head.beginning()
	for _, c := range all {
		name := fmt.Sprintf("checkpoint %d", c.Number)
		switch {
		case c.Number != last.Number+1:
			w.find(Finding{What: fmt.Sprintf("%s stands behind checkpoint %d: between them some are missing", name, last.Number)})
		case c.Previous != before:
			w.find(Finding{What: name + " does not follow what is before it", Expected: before.String(), Found: c.Previous.String()})
		}
		if is := c.hash(); is != c.Hash {
			w.find(Finding{What: name + ": its content is not what was hashed", Expected: c.Hash.String(), Found: is.String()})
		}
		if c.First != last.Last+1 {
			w.find(missing(last.Last+1, c.First-1))
		}
		w.link(c.First, last.LastHash, c.Before)
		before, last = c.Hash, c
	}
	w.at, w.hash = last.Last, last.LastHash
}

// kept returns the hash that is known of a record that was removed.
func kept(all []Checkpoint, sequence int64) (Hash, bool) {
	i := slices.IndexFunc(all, func(c Checkpoint) bool { return c.Last == sequence || c.First == sequence+1 })
	if i < 0 {
		return Hash{}, false
	}
	if all[i].Last == sequence {
		return all[i].LastHash, true
	}
	return all[i].Before, true
}
