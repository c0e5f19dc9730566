package witness_test

import (
	"context"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"custos/database"
	"custos/database/databasetest"
	"custos/timestamp"
	"custos/timestamp/timestamptest"
	"custos/witness"
)

// authority is one whose answers the keeper trusts.
func authority(t *testing.T, name string, a *timestamptest.Authority) witness.Authority {
	t.Helper()
	roots, err := timestamp.ParseRoots(a.Roots)
	if err != nil {
		t.Fatal(err)
	}
	return witness.Authority{Name: name, URL: "http://" + name + "/tsr", Roots: roots}
}

func TestTimestampsOfCheckpoints(t *testing.T) {
	one, two := timestamptest.New(t, timestamptest.RSA), timestamptest.New(t, timestamptest.ECDSA)
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		log := newLog()
		log.add(4)
		cfg := witness.Config{
			DB: db, Log: log, Client: &http.Client{Transport: hosts{"one.example": one, "two.example": two}},
			Authorities: []witness.Authority{authority(t, "one.example", one), authority(t, "two.example", two)},
		}
		k, err := witness.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- k.Run(ctx) }()
		stamped := func() bool {
			for _, a := range k.Status().Authorities {
				if a.Size != 4 {
					return false
				}
			}
			return true
		}
		for !stamped() { // OpenSSL keeps real time
			if t.Context().Err() != nil {
				t.Fatalf("%+v", k.Status())
			}
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		kept := 0
		err = k.Kept(t.Context(), func(s witness.Stamp, checkpoint []byte) error {
			kept++
			dir := t.TempDir()
			data, response := filepath.Join(dir, "c"), filepath.Join(dir, "c.tsr")
			if err := os.WriteFile(data, checkpoint, 0o600); err != nil {
				return err
			}
			if err := os.WriteFile(response, s.Response, 0o600); err != nil {
				return err
			}
			return timestamptest.Verify(data, response, map[string]string{"one.example": one.RootsFile, "two.example": two.RootsFile}[s.Authority])
		})
		if err != nil || kept != 2 {
			t.Errorf("%d timestamps were kept: %v", kept, err)
		}
		if k, err = witness.Open(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		if st := k.Status(); st.Authorities[0].Size != 4 || st.Authorities[1].At.IsZero() || st.Authorities[0].Late {
			t.Errorf("after a start: %+v", st)
		}
	})
}

// What is no good timestamp is none, and which authority failed how is said.
func TestAuthoritiesThatFail(t *testing.T) {
	good, stranger := timestamptest.New(t, timestamptest.ECDSA), timestamptest.New(t, timestamptest.ECDSA)
	replayed := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		q, err := timestamp.Request([32]byte{}, big.NewInt(1))
		if err == nil {
			q, err = good.Reply(q)
		}
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(q)
	})
	off := func() time.Time { return time.Now().Add(time.Hour) }
	for _, c := range []struct {
		says    string
		handler http.Handler
		now     func() time.Time
	}{
		{"", good, nil},
		{"an authority that is trusted", stranger, nil},
		{"another digest", replayed, nil},
		{"status 404", http.NotFoundHandler(), nil},
		{"does not answer", nil, nil},
		{"clock", good, off},
	} {
		h := hosts{"tsa.example": c.handler}
		if c.handler == nil {
			h = hosts{}
		}
		k, err := witness.Open(t.Context(), witness.Config{
			DB: databasetest.SQLite(t), Log: newLog(), Now: c.now, Client: &http.Client{Transport: h},
			Authorities: []witness.Authority{authority(t, "tsa.example", good)},
		})
		if err != nil {
			t.Fatal(err)
		}
		stamps, missing := k.Stamps(t.Context(), []byte("a checkpoint"))
		switch {
		case c.says == "" && (len(stamps) != 1 || len(missing) > 0):
			t.Errorf("%v, %q", stamps, missing)
		case c.says != "" && (len(stamps) > 0 || len(missing) != 1 || !strings.Contains(missing[0], c.says) || !strings.Contains(missing[0], "tsa.example")):
			t.Errorf("%s: %v, %q", c.says, stamps, missing)
		}
	}
}
