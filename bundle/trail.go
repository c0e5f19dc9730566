package bundle

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"custos/evidence"
	"custos/tlog"
)

// TrailFormat names the format of a part of the trail: docs/formats/trail.md.
const TrailFormat = "custos trail v1"

// Trail is a part of the trail with what proves it, all but its events.
type Trail struct {
	Format         string           `json:"format"`
	Export         evidence.ID      `json:"export"` // the event that records that it was given out
	Force          string           `json:"force"`
	Classification string           `json:"classification"`
	MadeAt         time.Time        `json:"madeAt"`
	MadeBy         evidence.Actor   `json:"madeBy"`
	Question       []evidence.Field `json:"question"` // what was looked for; none = everything
	LogKey         string           `json:"logKey"`   // note verifier key
	Checkpoint     string           `json:"checkpoint"`
}

// TrailEvent is one event of it.
type TrailEvent struct {
	Opening tlog.Opening `json:"opening"`
	Proof   []tlog.Hash  `json:"proof"` // RFC 6962 path from the leaf's sibling up; empty where Opening.Index is -1
}

// TrailItem says that the events are the whole history of one item so far, and
// gives the key that finds its leaves in the log.
type TrailItem struct {
	Item evidence.ID `json:"item"`
	Key  []byte      `json:"itemKey"`
}

// WriteTrail writes a part of the trail: its head, the events that each gives
// to its argument, newest first, and the item that each returns, nil for none.
func WriteTrail(w io.Writer, t Trail, each func(add func(TrailEvent) error) (*TrailItem, error)) error {
	t.Format = TrailFormat
	head, err := json.Marshal(t)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "%s,\n\"events\":[", head[:len(head)-1]); err != nil {
		return err
	}
	separator := "\n"
	item, err := each(func(e TrailEvent) error {
		b, err := json.Marshal(e)
		if err == nil {
			_, err = fmt.Fprintf(w, "%s%s", separator, b)
		}
		separator = ",\n"
		return err
	})
	if err != nil {
		return err
	}
	end, err := json.Marshal(item)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\n],\n\"whole\":%s}\n", end)
	return err
}

// wholeTrail is a file as it is read.
type wholeTrail struct {
	Trail
	Events []TrailEvent `json:"events"`
	Whole  *TrailItem   `json:"whole"`
}

// TrailReport is what VerifyTrail found.
type TrailReport struct {
	Trail  Trail `json:"trail"` // as the file has it, proven or not
	Events int   `json:"events"`
	Report
}

// VerifyTrail checks a part of the trail: every event, its place in the log,
// the log's signature, and what can be said of what is missing. Only LogKey,
// Newer and Policy of opt matter. It fails with Invalid when an option cannot be read, and
// when the file is none of this format.
func VerifyTrail(file []byte, opt Options) (TrailReport, error) {
	v := &verifier{opt: opt}
	if err := cmp.Or(v.custody.pin(opt), v.outside.read(opt)); err != nil {
		return TrailReport{}, err
	}
	var t wholeTrail
	dec := json.NewDecoder(bytes.NewReader(file))
	if err := dec.Decode(&t); err != nil || t.Format != TrailFormat || dec.More() {
		return TrailReport{}, evidence.Wrap(evidence.Invalid, errors.Join(err, fmt.Errorf("the format is %q", t.Format)),
			"This is not a trail with proofs, or it was cut off. It begins with the words \"custos trail v1\" and ends with a brace.")
	}
	v.report.Bundle, v.report.Force, v.report.MadeAt = t.Export, t.Force, t.MadeAt
	v.trailKey(t.LogKey)
	v.custody.checkpointText = []byte(t.Checkpoint)
	v.trailCheckpoint()
	v.checkNewer()
	v.trailEvents(t.Events)
	v.trailOrder(t)
	v.checkWitnesses()
	return TrailReport{Trail: t.Trail, Events: len(t.Events), Report: v.report}, nil
}

func (v *verifier) trailKey(line string) {
	key, err := note.NewVerifier(strings.TrimSpace(line))
	if err != nil {
		v.add("key", "", Failed, "The log key in the file cannot be read.")
		return
	}
	v.report.LogKey, v.report.Fingerprint = line, Fingerprint(line)
	switch {
	case v.inPolicy(line):
		v.custody.key = key
		v.add("key", "", Proven, "The log key is one of those in the witness policy that you gave.")
	case v.custody.pinned == nil:
		v.custody.key = key
		v.add("key", "", NotProven, "The log key came with the file, so whoever made the file chose it. Compare its fingerprint with the force by telephone.")
	case strings.TrimSpace(line) != strings.TrimSpace(v.opt.LogKey):
		v.add("key", "", Failed, "The log key in the file is not the one that you gave. Somebody else made this file, or the key that you have is of another time or force.")
	default:
		v.add("key", "", Proven, "The log key is the one that you gave.")
	}
}

func (v *verifier) trailCheckpoint() {
	b := v.custody.checkpointText
	c, err := tlog.ParseCheckpoint(b)
	if err != nil {
		v.add("checkpoint", "", Failed, "The checkpoint cannot be read.")
		return
	}
	v.custody.checkpoint = &c
	v.report.Checkpoint = &CheckpointInReport{c.Origin, c.Size, c.Root.String()}
	if v.custody.key == nil {
		v.add("checkpoint", "", Failed, "There is no key to check the checkpoint's signature with.")
	} else if _, err := tlog.OpenCheckpoint(b, v.custody.key.Name(), v.custody.key); err != nil {
		v.add("checkpoint", "", Failed, "%s", evidence.MessageOf(err))
	} else {
		v.add("checkpoint", "", Proven, "The log %s signed that it has %d entries with this root.", c.Origin, c.Size)
	}
}

// trailEvents checks each event by itself and in the log.
func (v *verifier) trailEvents(list []TrailEvent) {
	v.group("openings", "", func() {
		for i, e := range list {
			v.checkOpening(trailName(i), e.Opening)
		}
	}, "What is shown of each of %d events is what was recorded, values as they were at the time.", len(list))
	waiting, seen := 0, map[tlog.Hash]bool{}
	v.group("inclusion", "", func() {
		for i, e := range list {
			leaf := tlog.LeafHash(e.Opening.Leaf)
			if seen[leaf] {
				v.add("inclusion", trailName(i), Failed, "The event stands in the file twice.")
			}
			seen[leaf] = true
			c := v.custody.checkpoint
			switch {
			case e.Opening.Index < 0:
				waiting++
			case c == nil: // named by trailCheckpoint
			case e.Opening.Index >= c.Size:
				v.add("inclusion", trailName(i), Failed, "The checkpoint is older than the event.")
			case c.CheckInclusion(e.Proof, e.Opening.Index, leaf) != nil:
				v.add("inclusion", trailName(i), Failed, "The log has something else at the place where the event should be.")
			}
		}
	}, "Each of the events that are in the log stands there where it says.")
	if waiting > 0 {
		v.add("inclusion", "", NotProven, "%d of %d events were recorded, but not in the log's checkpoint yet when the file was made.", waiting, len(list))
	}
}

func trailName(i int) string { return fmt.Sprintf("event %d", i+1) }

// trailOrder says what the events show of what is not there.
func (v *verifier) trailOrder(t wholeTrail) {
	if t.Whole == nil {
		v.trailRuns(t.Events)
		v.add("complete", "", NotProven, "This is what was found by a search. That every event that matches is in it is not proven: only the whole trail of one recording can show that.")
		return
	}
	var chain []tlog.Opening
	for _, e := range t.Events {
		chain = append(chain, e.Opening)
	}
	slices.SortStableFunc(chain, func(a, b tlog.Opening) int { return compareSeq(a, b) })
	item := string(t.Whole.Item)
	if len(t.Whole.Key) != tlog.KeySize {
		v.add("chain", item, Failed, "The key that ties the history to the item is missing.")
	} else if err := tlog.CheckChain(tlog.ItemTag(t.Whole.Key, item), chain); err != nil {
		v.add("chain", item, Failed, "%s", evidence.MessageOf(err))
	} else {
		v.add("chain", item, Proven, "The history of %d events is complete from its beginning and in order: none was left out between the first and the last.", len(chain))
	}
	v.add("complete", item, NotProven, "Whether more happened after the last event here, only the published log can show: the item key in the file finds every leaf of this item there.")
}

func compareSeq(a, b tlog.Opening) int {
	x, errX := tlog.ParseLeaf(a.Leaf)
	y, errY := tlog.ParseLeaf(b.Leaf)
	if errX != nil || errY != nil || x.Seq == y.Seq {
		return 0
	}
	if x.Seq < y.Seq {
		return -1
	}
	return 1
}

// trailRuns holds the events of each item against each other: one item has one
// tag, and events with numbers in a row name each other.
func (v *verifier) trailRuns(list []TrailEvent) {
	byTag, tagOf := map[tlog.Hash][]tlog.Opening{}, map[string]tlog.Hash{}
	before := len(v.report.Failed())
	for i, e := range list {
		leaf, err := tlog.ParseLeaf(e.Opening.Leaf)
		item, shown := e.Opening.Get("item")
		if err != nil || !shown {
			continue // named by checkOpening, or withheld
		}
		if tag, known := tagOf[item]; known && tag != leaf.Tag {
			v.add("items", trailName(i), Failed, "Two events say that they are of item %s, and their leaves say that they are of two.", item)
		}
		tagOf[item] = leaf.Tag
		byTag[leaf.Tag] = append(byTag[leaf.Tag], e.Opening)
	}
	if len(byTag) < len(tagOf) {
		v.add("items", "", Failed, "Events of different items have leaves of one item.")
	}
	for _, run := range byTag {
		v.trailRun(run)
	}
	if len(v.report.Failed()) == before {
		v.add("items", "", Proven, "The events of %d items fit together: those with numbers in a row follow each other.", len(byTag))
	}
}

func (v *verifier) trailRun(run []tlog.Opening) {
	slices.SortStableFunc(run, compareSeq)
	for i := 1; i < len(run); i++ {
		before, errB := tlog.ParseLeaf(run[i-1].Leaf)
		leaf, errL := tlog.ParseLeaf(run[i].Leaf)
		if errB != nil || errL != nil {
			continue
		}
		item, _ := run[i].Get("item")
		switch {
		case leaf.Seq == before.Seq:
			v.add("items", item, Failed, "Two events have the number %d in the history of this item.", leaf.Seq)
		case leaf.Seq == before.Seq+1 && leaf.Prev != tlog.LeafHash(run[i-1].Leaf):
			v.add("items", item, Failed, "Event %d of this item does not follow the event before it.", leaf.Seq)
		}
	}
}
