package e2e

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"custos/database/databasetest"
)

// The same house on PostgreSQL.
func TestTheSameOnPostgreSQL(t *testing.T) {
	t.Parallel()
	f := newShift(t, fmt.Sprintf("database = %q", databasetest.PostgresURL(t)))
	var system struct{ Database struct{ Engine string } }
	f.s.SignIn("administrator").JSON(http.MethodGet, "/api/system", nil, http.StatusOK, &system)
	if system.Database.Engine != "postgres" {
		t.Fatalf("the service runs on %s", system.Database.Engine)
	}
	f.tell(t, []part{
		{"cameras are emptied of what is in the vault", camerasEmptied},
		{"every wiped file has a receipt that checks", receiptsCheck},
		{"the catalogue shows what came", catalogueShows},
		{"everybody sees what is theirs", everybodySeesTheirs},
		{"bytes are those of the camera", bytesAreThoseOfTheCamera},
		{"the history checks out", historyChecksOut},
		{"the published log is whole", logIsWhole},
		{"a court verifies", func(t *testing.T, f *shift) {
			dir := filepath.Join(t.TempDir(), "bundle")
			export(t, f.s, dir, f.prepared(t, f.s.SignIn("supervisor"))["K-0417 100000"].ID)
			if exit, r := verdict(t, f.s, "--log-key", f.s.LogKey(), dir); exit != 0 {
				t.Errorf("exit %d: %+v", exit, r.Failed())
			}
		}},
		{"fsck finds nothing wrong", fsckFindsNothing},
	})
	t.Run("backup and restore", func(t *testing.T) {
		for _, tool := range []string{"pg_dump", "pg_restore"} {
			if _, err := exec.LookPath(tool); err != nil {
				missing(t, tool)
			}
		}
		dir := t.TempDir()
		backup, keys, to := filepath.Join(dir, "backup"), filepath.Join(dir, "keys"), filepath.Join(dir, "new")
		f.s.Run("admin", "backup", backup, "--keys", keys)
		f.s.Stop()
		url := databasetest.PostgresURL(t)
		cmd := exec.Command(filepath.Join(f.s.Bin, "custos"), "admin", "restore", "--from", backup, "--keys", keys, "--dir", to, "--database", url)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "every byte was read and agrees") {
			t.Fatalf("restore: %v\n%s", err, out)
		}
		s := f.s.At(to).For(t)
		s.Start()
		who := s.SignIn("supervisor")
		f.plays(t, who)
		f.put(t, f.central, filepath.Join(f.central.Cameras, "bay-1"), "K-0417", "4711", "200000", 1, sound(t, 9, 100_000))
		f.central.For(t).Empty(time.Minute)
		f.plays(t, who)
		proven(t, history(t, s.SignIn("auditor"), cards(t, who)[0].ID), s.LogKey())
		clean(t, s)
	})
}
