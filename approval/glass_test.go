package approval_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"custos/access"
	"custos/approval"
	"custos/custody/custodytest"
	"custos/evidence"
)

const danger = "a child is missing, last seen in Mill Lane"

// grant tells the rule what emergency access there is, as the service does.
func (h *house) grant(who string) {
	h.t.Helper()
	grants, err := h.room.Grants(h.t.Context(), h.id(who))
	must(h.t, err)
	s := h.Standing[h.id(who)]
	s.Grants = nil
	for _, g := range grants {
		s.Grants = append(s.Grants, access.Grant{ID: g.ID, Until: g.Until})
	}
	h.Standing[h.id(who)] = s
	h.Access.Changed()
}

// restricted is a recording that the supervisor may not know of.
func (h *house) restricted() evidence.ID {
	h.t.Helper()
	data := bytes.Repeat([]byte("footage"), 10_000)
	capture := custodytest.Capture(data, "CAM-9", "nine.mp4")
	capture.Officer = ""
	id, _ := h.CollectAs(data, capture)
	return id
}

// Emergency access works at once, marks every look, and ends at its time, in
// the middle of a viewing.
func TestBreakGlassEndsByItself(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, rec := t.Context(), h.restricted()
		by := h.actors["supervisor"]
		purpose := evidence.Purpose{Code: "supervision", Reference: "INC/77/26"}
		if _, err := h.Custody.Consult(ctx, by, rec, purpose); evidence.CodeOf(err) != evidence.Denied {
			t.Fatalf("without it: %v", err)
		}
		if _, err := h.room.Break(ctx, h.actors["officer"], danger, ""); evidence.CodeOf(err) != evidence.Denied {
			t.Errorf("an officer takes it: %v", err)
		}
		e, err := h.room.Break(ctx, by, danger, "INC/77/26")
		must(t, err)
		h.grant("supervisor")
		if len(h.told) != 1 || h.told[0].ID != e.ID || !h.told[0].EndedAt.IsZero() {
			t.Errorf("told were %v", h.told)
		}
		h.Clock.Move(10 * time.Minute)
		k, err := h.Custody.Consult(ctx, by, rec, purpose)
		must(t, err)
		if k.Grant != e.ID || !k.Expires.Equal(e.Until) {
			t.Errorf("the viewing is %+v", k)
		}
		content, err := h.Custody.Master(ctx, by, k.ID, 1)
		must(t, err)
		defer func() { must(t, content.Close()) }()
		var b [7]byte
		_, err = content.ReadAt(b[:], 0)
		must(t, err)
		h.Clock.Move(5*time.Minute + time.Microsecond)
		if _, err := content.ReadAt(b[:], 7); evidence.CodeOf(err) != evidence.NotFound {
			t.Errorf("it is read on: %v", err)
		}
		if _, err := h.Custody.Consult(ctx, by, rec, purpose); evidence.CodeOf(err) != evidence.Denied {
			t.Errorf("after its time: %v", err)
		}
		must(t, h.room.EndExpired(ctx))
		for phase, n := range map[evidence.Phase]int{evidence.Intent: 1, evidence.Outcome: 1} {
			marked := 0
			for _, x := range h.Events(rec) {
				if x.Get("verb") == string(evidence.Consult) && x.Get("phase") == string(phase) && x.Get("break_glass") == string(e.ID) {
					marked++
				}
			}
			if marked != n {
				t.Errorf("%d looks are marked as %s", marked, phase)
			}
		}
		trail := h.trail(e.ID)
		if len(trail["emergency access opened"]) != 1 || len(trail["emergency access ended"]) != 1 {
			t.Fatalf("on record is %v", trail)
		}
		if x := trail["emergency access ended"][0]; x.Get("ended") != evidence.FormatTime(e.Until) || x.Get("taken_by_name") != "The supervisor" || x.Get("actor_kind") != "system" {
			t.Errorf("the end is %v", x)
		}
		must(t, h.room.EndExpired(ctx))
		if len(h.trail(e.ID)["emergency access ended"]) != 1 {
			t.Error("it ended twice")
		}
		if _, err := h.room.Break(ctx, by, danger, ""); err != nil {
			t.Errorf("it cannot be taken again: %v", err)
		}
	})
}

func TestBreakGlassEndedByHand(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx, rec := t.Context(), h.restricted()
		for _, who := range []string{"supervisor", "auditor"} {
			by := h.actors["supervisor"]
			e, err := h.room.Break(ctx, by, danger, "")
			must(t, err)
			h.grant("supervisor")
			k, err := h.Custody.Consult(ctx, by, rec, evidence.Purpose{Code: "supervision", Reference: "INC/77/26"})
			must(t, err)
			content, err := h.Custody.Master(ctx, by, k.ID, 1)
			must(t, err)
			if _, err := h.room.End(ctx, h.actors["investigator"], e.ID); evidence.CodeOf(err) != evidence.NotFound {
				t.Errorf("somebody else ends it: %v", err)
			}
			h.Clock.Move(time.Minute)
			ended, err := h.room.End(ctx, h.actors[who], e.ID)
			must(t, err)
			if !ended.EndedAt.Equal(h.Clock.Now()) || ended.EndedBy.Name != "The "+who {
				t.Errorf("it ended %+v", ended)
			}
			if _, err := content.ReadAt(make([]byte, 7), 0); err == nil {
				t.Error("it is read on")
			}
			must(t, content.Close())
			if grants, err := h.room.Grants(ctx, h.id("supervisor")); err != nil || len(grants) != 0 {
				t.Errorf("%v %v", grants, err)
			}
			if again, err := h.room.End(ctx, h.actors[who], e.ID); err != nil || !again.EndedAt.Equal(ended.EndedAt) {
				t.Errorf("ending twice: %v", err)
			}
			if n := h.Count(rec, evidence.Consult, evidence.Outcome); who == "supervisor" && n != 1 {
				t.Errorf("%d viewings ended", n)
			}
		}
	})
}

func TestWhoMayReview(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		e, err := h.room.Break(ctx, h.actors["investigator"], danger, "")
		must(t, err)
		h.reports[[2]string{"auditor", "investigator"}] = true
		review := func(who string) error {
			_, err := h.room.Review(ctx, h.actors[who], e.ID, approval.Justified, "the child was found by it")
			return err
		}
		code(t, review("professional_standards"), evidence.Conflict) // it is still open
		h.Clock.Move(15 * time.Minute)
		code(t, review("investigator"), evidence.Denied)
		code(t, review("supervisor"), evidence.NotFound)
		if err := review("auditor"); evidence.CodeOf(err) != evidence.Denied || !strings.Contains(err.Error(), "report to") {
			t.Errorf("who reports to them reviews it: %v", err)
		}
		if _, err := h.room.Review(ctx, h.actors["professional_standards"], e.ID, "fine", "the child was found by it"); evidence.CodeOf(err) != evidence.Invalid {
			t.Errorf("any word is an outcome: %v", err)
		}
		h.Clock.Move(24*time.Hour - 15*time.Minute - time.Microsecond)
		if c, err := h.room.Counts(ctx); err != nil || c.Reviews != 1 || c.Overdue != 0 {
			t.Errorf("%+v %v", c, err)
		}
		h.Clock.Move(time.Microsecond)
		if c, err := h.room.Counts(ctx); err != nil || c.Overdue != 1 || c.Opened != 1 || c.Glass != 0 {
			t.Errorf("%+v %v", c, err)
		}
		must(t, review("professional_standards"))
		code(t, review("data_protection_officer"), evidence.Conflict)
		if c, err := h.room.Counts(ctx); err != nil || c.Reviews != 0 || c.Overdue != 0 {
			t.Errorf("%+v %v", c, err)
		}
		x := h.trail(e.ID)["emergency access reviewed"]
		if last := x[len(x)-1]; last.Get("outcome") != "justified" || last.Get("actor_name") != "The professional_standards" || last.Get("taken_by_name") != "The investigator" {
			t.Errorf("the review is %v", last)
		}
	})
}
