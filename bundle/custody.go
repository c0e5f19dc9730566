package bundle

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"custos/evidence"
	"custos/tlog"
)

// custody is what the checks of history need, and what they leave for others.
type custody struct {
	pinned         note.Verifier    // nil = none
	key            note.Verifier    // the pinned one, else the bag's; nil = none that can be read
	checkpointText []byte           // custody/checkpoint
	checkpoint     *tlog.Checkpoint // nil = cannot be read; signed or not
	histories      []History        // with Proofs, as far as they could be read
	proofs         int              // how many were looked for
}

// pin reads the keys that the caller trusts.
func (c *custody) pin(opt Options) error {
	if opt.ReceiptKey != "" {
		if _, err := note.NewVerifier(strings.TrimSpace(opt.ReceiptKey)); err != nil {
			return evidence.Wrap(evidence.Invalid, err, "The receipt key that you gave cannot be read.")
		}
	}
	if opt.LogKey == "" {
		return nil
	}
	key, err := note.NewVerifier(strings.TrimSpace(opt.LogKey))
	if err != nil {
		return evidence.Wrap(evidence.Invalid, err, "The log key that you gave cannot be read. It is one line: a name, a plus sign, eight digits, a plus sign, and the key.")
	}
	c.pinned, c.key = key, key
	return nil
}

func (v *verifier) checkCustody() {
	v.checkLogKey()
	v.checkReceiptKey()
	v.checkCheckpoint()
	v.checkNewer()
	if v.readJSON("metadata", metadataFile, &v.metadata) {
		m := v.metadata
		v.report.Bundle, v.report.Force, v.report.Recipient, v.report.MadeAt = m.Bundle, m.Force, m.Recipient, m.MadeAt
	}
	var all events
	if !v.readJSON("openings", eventsFile, &all) {
		return
	}
	for _, h := range all.Histories {
		v.checkHistory(&h)
		v.custody.histories = append(v.custody.histories, h)
	}
	v.checkSpareProofs()
	v.checkMetadata()
}

func (v *verifier) checkSpareProofs() {
	used := map[string]bool{}
	for n := range v.custody.proofs {
		used[proofPath(n+1)] = true
	}
	for _, name := range v.tags.paths() {
		if strings.HasPrefix(name, proofFolder) && !used[name] {
			v.add("bag", name, Failed, "The proof belongs to no event in the bundle.")
		}
	}
}

func (v *verifier) checkLogKey() {
	b, ok := v.read("key", logKeyFile, maxText)
	if !ok {
		return
	}
	line := strings.TrimSuffix(string(b), "\n")
	key, err := note.NewVerifier(line)
	if err != nil {
		v.add("key", logKeyFile, Failed, "The log key in the bundle cannot be read.")
		return
	}
	v.report.LogKey, v.report.Fingerprint = line, Fingerprint(line)
	switch {
	case v.inPolicy(line):
		v.custody.key = key
		v.add("key", logKeyFile, Proven, "The log key is one of those in the witness policy that you gave.")
	case v.custody.pinned == nil:
		v.custody.key = key
		v.add("key", logKeyFile, NotProven, "The log key came with the bundle, so whoever made the bundle chose it. Compare its fingerprint with the force by telephone.")
	case line != strings.TrimSpace(v.opt.LogKey):
		v.add("key", logKeyFile, Failed, "The log key in the bundle is not the one that you gave. Somebody else made this bundle, or the key that you have is of another time or force.")
	default:
		v.add("key", logKeyFile, Proven, "The log key is the one that you gave.")
	}
}

func (v *verifier) checkReceiptKey() {
	if _, ok := v.found[receiptKeyFile]; !ok || v.opt.ReceiptKey == "" {
		return
	}
	b, ok := v.read("receipt_key", receiptKeyFile, maxText)
	switch {
	case !ok:
	case strings.TrimSuffix(string(b), "\n") != strings.TrimSpace(v.opt.ReceiptKey):
		v.add("receipt_key", receiptKeyFile, Failed, "The receipt key in the bundle is not the one that you gave.")
	default:
		v.add("receipt_key", receiptKeyFile, Proven, "The receipt key is the one that you gave.")
	}
}

func (v *verifier) checkCheckpoint() {
	b, ok := v.read("checkpoint", checkpointFile, maxText)
	if !ok {
		return
	}
	v.custody.checkpointText = b
	c, err := tlog.ParseCheckpoint(b)
	if err != nil {
		v.add("checkpoint", checkpointFile, Failed, "The checkpoint cannot be read.")
		return
	}
	v.custody.checkpoint = &c
	v.report.Checkpoint = &CheckpointInReport{c.Origin, c.Size, c.Root.String()}
	if v.custody.key == nil {
		v.add("checkpoint", checkpointFile, Failed, "There is no key to check the checkpoint's signature with.")
		return
	}
	if _, err := tlog.OpenCheckpoint(b, v.custody.key.Name(), v.custody.key); err != nil {
		v.add("checkpoint", checkpointFile, Failed, "%s", evidence.MessageOf(err))
		return
	}
	v.add("checkpoint", checkpointFile, Proven, "The log %s signed that it has %d entries with this root.", c.Origin, c.Size)
}

// checkNewer holds the bag's checkpoint against one that the caller has from
// elsewhere. Two of one size with two roots are the proof of a forked log.
func (v *verifier) checkNewer() {
	if v.opt.Newer == nil || v.custody.key == nil || v.custody.checkpoint == nil {
		return
	}
	mine := v.custody.checkpoint
	c, err := tlog.OpenCheckpoint(v.opt.Newer, v.custody.key.Name(), v.custody.key)
	switch {
	case err != nil:
		v.add("newer", "", Failed, "The other checkpoint that you gave is not of this log, or not signed by its key.")
	case c.Size == mine.Size && c.Root != mine.Root:
		v.add("newer", "", Failed, "The log was forked: at %d entries it has one root in the bundle and another in the checkpoint that you gave. Keep both: together they prove it.", c.Size)
	case c.Size == mine.Size:
		v.add("newer", "", Proven, "The checkpoint that you gave is the one in the bundle.")
	case c.Size < mine.Size:
		v.add("newer", "", NotProven, "The checkpoint that you gave is older (%d entries) than the one in the bundle (%d).", c.Size, mine.Size)
	default:
		v.add("newer", "", NotProven, "The bundle's checkpoint (%d entries) is older than the one that you gave (%d). Things may have happened to the recordings since. That one log has both, only the log itself can show.", mine.Size, c.Size)
	}
}

// checkHistory checks the history of one recording by itself and against the
// log, and fills in its proofs.
func (v *verifier) checkHistory(h *History) {
	id := string(h.Recording)
	v.report.Recordings = append(v.report.Recordings, RecordingReport{Recording: h.Recording, Events: len(h.Events)})
	v.group("openings", id, func() {
		for i, e := range h.Events {
			v.checkOpening(eventName(h, i), e)
		}
	}, "What is shown of each of %d events is what was recorded.", len(h.Events))
	if len(h.ItemKey) != tlog.KeySize {
		v.add("chain", id, Failed, "The key that ties the history to the recording is missing.")
	} else if err := tlog.CheckChain(tlog.ItemTag(h.ItemKey, id), h.Events); err != nil {
		v.add("chain", id, Failed, "%s", evidence.MessageOf(err))
	} else {
		v.add("chain", id, Proven, "The history of %d events is complete from its beginning and in order.", len(h.Events))
	}
	v.checkInclusion(h)
	v.checkComplete(h)
	v.checkMasters(h)
}

func eventName(h *History, i int) string { return fmt.Sprintf("%s event %d", h.Recording, i+1) }

func (v *verifier) checkOpening(subject string, e tlog.Opening) {
	if err := e.Check(); err != nil {
		v.add("openings", subject, Failed, "The event was altered: %s.", evidence.MessageOf(err))
		return
	}
	_, verb := e.Get("verb")
	_, phase := e.Get("phase")
	if !verb || !phase {
		v.add("openings", subject, Failed, "The event does not show what was done.")
	}
}

func (v *verifier) checkInclusion(h *History) {
	h.Proofs = map[int64][]tlog.Hash{}
	v.group("inclusion", string(h.Recording), func() {
		for i, e := range h.Events {
			v.custody.proofs++
			v.checkProof(h, eventName(h, i), e)
		}
	}, "Each of %d events stands in the log where it says.", len(h.Events))
}

func (v *verifier) checkProof(h *History, subject string, e tlog.Opening) {
	b, ok := v.read("inclusion", proofPath(v.custody.proofs), maxText)
	if !ok {
		return
	}
	p, err := tlog.ParseProof(b)
	if err != nil {
		v.add("inclusion", subject, Failed, "The proof cannot be read.")
		return
	}
	h.Proofs[e.Index] = append([]tlog.Hash{}, p.Path...)
	c := v.custody.checkpoint
	switch {
	case c == nil: // named by checkCheckpoint
	case !bytes.Equal(p.Checkpoint, v.custody.checkpointText):
		v.add("inclusion", subject, Failed, "The proof leads to another checkpoint than the bundle's.")
	case p.Index != e.Index || e.Index < 0:
		v.add("inclusion", subject, Failed, "The proof is for another place in the log.")
	case e.Index >= c.Size:
		v.add("inclusion", subject, Failed, "The checkpoint is older than the event: it cannot have been made for this bundle.")
	case c.CheckInclusion(p.Path, p.Index, tlog.LeafHash(e.Leaf)) != nil:
		v.add("inclusion", subject, Failed, "The log has something else at the place where the event should be.")
	}
}
