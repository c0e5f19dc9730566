package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"custos/access"
	"custos/approval"
	"custos/cases"
	"custos/custody"
	"custos/custody/custodytest"
	"custos/database"
	"custos/database/databasetest"
	"custos/evidence"
	"custos/httpapi"
	"custos/identity"
	"custos/ingest"
	"custos/oversight"
	"custos/playback"
	"custos/staff"
	"custos/work"
)

const password = "long and dull passphrase"

// house is a whole server in this process, with people and a dock.
type house struct {
	*custodytest.World
	t       *testing.T
	door    *httpapi.Server
	handler http.Handler
	log     *logged
	cookies map[string]string      // by who
	ids     map[string]evidence.ID // of people, by collar number
	dockKey string
	own     evidence.ID // recording of officer 4711
	leads   evidence.ID // everybody else reports to this person; "" = nobody to anybody
	other   evidence.ID // of officer 9999
}

// logged is a log that can be read while it is written.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newHouse opens a server with somebody of each role, or of all roles.
func newHouse(t *testing.T, roles ...access.Role) *house {
	t.Helper()
	return newHouseWith(t, nil, roles...)
}

// newHouseWith is newHouse with a configuration that change has changed.
func newHouseWith(t *testing.T, change func(*httpapi.Config), roles ...access.Role) *house {
	t.Helper()
	db := databasetest.SQLite(t)
	w := custodytest.New(t, db)
	h := &house{World: w, t: t, log: &logged{}, cookies: map[string]string{}, ids: map[string]evidence.ID{}}
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	queue, err := work.Open(t.Context(), db, work.Options{Now: w.Clock.Now})
	must(t, err)
	player := playback.New(playback.Config{DB: db, Custody: w.Custody, Catalogue: w.Catalogue, Queue: queue, Logger: log})
	in, err := ingest.Open(t.Context(), ingest.Config{
		DB: db, Custody: w.Custody, Log: log,
		Actor: func(r *http.Request) (evidence.Actor, error) { return h.door.DockActor(r) },
		Problem: func(w http.ResponseWriter, r *http.Request, status int, err error) {
			h.door.UploadProblem(w, r, status, err)
		},
	})
	must(t, err)
	trail := oversight.NewTrail(oversight.TrailConfig{DB: db, Ledger: w.Ledger, Access: w.Access, Visible: w.Custody.Visible,
		LogKey: w.Log.VKey, Force: "Thornshire Police", Classification: "OFFICIAL", Now: w.Clock.Now})
	room, err := approval.Open(t.Context(), approval.Config{
		DB: db, Custody: w.Custody, Access: w.Access, Identity: w.Identity, Now: w.Clock.Now, Logger: log,
		ReportsTo: func(_ context.Context, a, b evidence.ID, _ time.Time) (bool, error) {
			return h.leads != "" && h.leads == b && a != b, nil
		},
		Changed: func() { h.door.ApprovalsChanged() },
		Glass:   func(e approval.Emergency) { h.door.GlassChanged(e) },
	}, approval.RoleGrant(w.Identity, w.Access), approval.DockRevoke(w.Identity))
	must(t, err)
	people := staff.New(staff.Config{DB: db, Identity: w.Identity, Organisation: w.Organisation, Custody: w.Custody, Access: w.Access, Zone: time.UTC, Now: w.Clock.Now})
	register := cases.New(cases.Config{Identity: w.Identity, Organisation: w.Organisation, Custody: w.Custody, Access: w.Access, Now: w.Clock.Now})
	cfg := httpapi.Config{
		Organisation: w.Organisation, Staff: people, Cases: register,
		Trail: trail, Approvals: room, DB: db, Access: w.Access, Identity: w.Identity, Catalogue: w.Catalogue, Custody: w.Custody, Ingest: in, Docks: ingest.NewDocks(nil), Playback: player,
		Oversight: oversight.New(w.Ledger, nil, w.Log.VKey), Queue: queue, Force: "Thornshire Police", Classification: "OFFICIAL", Version: "test",
		ReceiptKey: w.ReceiptKey, LogKey: w.Log.VKey, Now: w.Clock.Now, Logger: log, Metrics: prometheus.NewRegistry(),
		UI: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the pages") }),
	}
	if change != nil {
		change(&cfg)
	}
	h.door = httpapi.New(cfg)
	t.Cleanup(h.door.Close)
	h.handler = h.door.Handler()
	if len(roles) == 0 {
		roles = w.Access.Roles()
	}
	h.people(roles)
	w.Holder = func(_, officer string) custody.Holder {
		return custody.Holder{Person: h.ids[officer], Unit: custodytest.UnitA, How: "number"}
	}
	if id, ok := h.ids["the supervisor's"]; ok {
		w.Standing[id] = access.Standing{Units: []evidence.ID{custodytest.UnitA}}
	}
	capture := custodytest.Capture([]byte("own"), "CAM-1", "own.mp4")
	h.own, _ = w.CollectAs([]byte("own"), capture)
	capture = custodytest.Capture([]byte("other"), "CAM-2", "other.mp4")
	capture.Officer = "9999"
	h.other, _ = w.CollectAs([]byte("other"), capture)
	return h
}

// people makes an account of each role, signed in, and a dock.
func (h *house) people(roles []access.Role) {
	h.t.Helper()
	ctx := h.t.Context()
	must(h.t, h.DB.Write(ctx, func(tx *database.Tx) (err error) {
		for i, role := range roles {
			number := fmt.Sprint(5000 + i)
			if role == access.Officer {
				number = "4711"
			}
			id := evidence.NewID(h.Clock.Now(), bytes.NewReader(fmt.Appendf(nil, "%-10d", i)))
			h.ids[number] = id
			if role == access.Supervisor {
				h.ids["the supervisor's"] = id
			}
			if err := h.Identity.AddPerson(ctx, tx, identity.Person{ID: id, Login: string(role), Name: "The " + string(role), Number: number, Role: role}, password); err != nil {
				return err
			}
		}
		_, h.dockKey, err = h.Identity.AddDock(ctx, tx, "front desk")
		return err
	}))
	for _, role := range roles {
		in, err := h.Identity.SignIn(ctx, identity.Proof{Login: string(role), Password: password, Address: "192.0.2.1"})
		must(h.t, err)
		h.cookies[string(role)] = in.Token
	}
}

// ask sends a request as somebody: a role, "dock", or "" for nobody.
func (h *house) ask(who, method, path, body string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if strings.HasPrefix(path, "/files/") {
		r.Header.Set("Tus-Resumable", "1.0.0")
	}
	if who != "dock" { // a page in a browser asks
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Sec-Fetch-Mode", "cors")
		r.Header.Set("Sec-Fetch-Dest", "empty")
	}
	switch who {
	case "":
	case "dock":
		r.Header.Set("Authorization", "Bearer "+h.dockKey)
	default:
		r.AddCookie(&http.Cookie{Name: "custos", Value: h.cookies[who]})
	}
	return h.do(r)
}

func (h *house) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

// problem checks that an answer is a problem as every one must be, and gives it.
func (h *house) problem(w *httptest.ResponseRecorder, status int, code evidence.Code) httpapi.Problem {
	h.t.Helper()
	var p httpapi.Problem
	if w.Code != status || w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("Cache-Control") != "no-store" {
		h.t.Fatalf("got %d %v: %s", w.Code, w.Header(), w.Body)
	}
	dec := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
	dec.DisallowUnknownFields()
	must(h.t, dec.Decode(&p))
	if p.Status != status || p.Code != string(code) || p.Type != "about:blank" || p.Title == "" || p.Detail == "" {
		h.t.Errorf("the problem is %+v, want %d %s", p, status, code)
	}
	if _, err := evidence.ParseID(p.Reference); err != nil || !strings.Contains(h.log.String(), "reference="+p.Reference) {
		h.t.Errorf("reference %q of %d %s finds nothing in the log", p.Reference, status, code)
	}
	return p
}

// decode reads an answer that succeeded.
func decode(t testing.TB, w *httptest.ResponseRecorder, into any) {
	t.Helper()
	if w.Code/100 != 2 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	must(t, json.Unmarshal(w.Body.Bytes(), into))
}

// poster gives a recording a poster.
func (h *house) poster(id evidence.ID) {
	h.t.Helper()
	must(h.t, h.Custody.Derive(h.t.Context(), evidence.Server("test"), id, 1, "prepare", func(context.Context, evidence.Segment, *custody.Content) (custody.Derived, error) {
		return custody.Derived{
			Media:  &evidence.Media{State: evidence.MediaPlayable, Type: "video/mp4", Duration: evidence.Duration(time.Second.Milliseconds())},
			Copies: []custody.NewCopy{{Kind: evidence.Poster, Type: "image/jpeg", Tool: "test", Data: custody.InMemory([]byte("poster"))}},
		}, nil
	}))
}
