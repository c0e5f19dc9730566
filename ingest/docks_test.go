package ingest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"custos/evidence"
)

func TestDocksPassOnTheNewestAndShowNothingHostile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDocks(nil)
		ctx, stop := context.WithCancel(t.Context())
		fast, slow := d.Subscribe(ctx), d.Subscribe(ctx)
		actor := evidence.Actor{Kind: evidence.Dock, ID: "d1", Name: "Front desk"}
		status := evidence.DockStatus{
			Dock: "d2", Name: "somebody else", Message: "a\x1b[2J\u202e" + strings.Repeat("é", 500),
			Cameras: []evidence.CameraStatus{{Device: "X\n8", Current: []evidence.FileStatus{{Name: "a\x00b"}}}},
		}
		for i := range 200 {
			status.Version = fmt.Sprint(i)
			if err := d.Put(actor, status); err != nil {
				t.Fatal(err)
			}
			if got := <-fast; got.Version != fmt.Sprint(i) || got.Dock != "d1" || got.Name != "Front desk" {
				t.Fatalf("heard %+v", got)
			}
		}
		if status.Cameras[0].Device != "X\n8" {
			t.Error("the caller's status was changed")
		}
		time.Sleep(time.Minute)
		all := d.All()
		if len(all) != 1 || !all[0].LastSeen.Equal(time.Now().Add(-time.Minute)) {
			t.Fatalf("all are %+v", all)
		}
		if c := all[0].Cameras[0]; c.Device != "X_8" || c.Current[0].Name != "a_b" || !isText(all[0].Message) || len(all[0].Message) > 310 {
			t.Errorf("shown %+v, %q", c, all[0].Message)
		}
		stop()
		synctest.Wait()
		heard, last := 0, ""
		for st := range slow {
			heard, last = heard+1, st.Version
		}
		if heard != subscription || last != "199" {
			t.Errorf("the slow one heard %d, the last %s", heard, last)
		}
		if _, ok := <-fast; ok {
			t.Error("the channel is still open")
		}
		if err := d.Put(actor, status); err != nil { // with nobody listening
			t.Fatal(err)
		}
	})
}

func TestDocksRefuseTooMuchAndNonDocks(t *testing.T) {
	d := NewDocks(nil)
	dock := evidence.Actor{Kind: evidence.Dock, ID: "d1"}
	many := evidence.DockStatus{Cameras: make([]evidence.CameraStatus, maxCameras+1)}
	deep := evidence.DockStatus{Cameras: []evidence.CameraStatus{{Current: make([]evidence.FileStatus, maxCurrent+1)}}}
	for _, st := range []evidence.DockStatus{many, deep} {
		if err := d.Put(dock, st); evidence.CodeOf(err) != evidence.Invalid {
			t.Errorf("got %v", err)
		}
	}
	if err := d.Put(evidence.Actor{Kind: evidence.Person, ID: "p"}, evidence.DockStatus{}); evidence.CodeOf(err) != evidence.Denied {
		t.Errorf("got %v", err)
	}
	if len(d.All()) != 0 {
		t.Error("something was kept")
	}
}
