package torture

import (
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the driver, for a query that is put together carelessly
)

// careless is a service with the faults that attackers look for: it builds SQL
// from what is sent, repeats it as HTML, and gives out files that nobody meant.
func careless(t *testing.T) http.Handler {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "careless.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // a scratch database
	if _, err := db.Exec("CREATE TABLE recordings (id TEXT, officer TEXT); INSERT INTO recordings VALUES ('1', '4711'), ('2', '4702')"); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/recordings", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<html><body><p>Camera %s</p>", r.FormValue("device"))
		rows, err := db.Query("SELECT id FROM recordings WHERE officer = '" + r.FormValue("officer") + "'")
		if err != nil {
			fmt.Fprintln(w, "SQL error:", err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if rows.Scan(&id) == nil {
				fmt.Fprintf(w, "<p>Recording %s was made by the officer that you asked for</p>", id)
			}
		}
		if rows.Err() != nil {
			fmt.Fprintln(w, "SQL error:", rows.Err())
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		switch path := strings.TrimPrefix(r.URL.Path, "/"); path {
		case "", "recordings", "docks", "system", "sign-in", "healthz", "readyz", ".git/config":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<html><body><form action="/api/recordings"><input name="officer" value="4711"><input name="device" value="K"><input type="submit"></form></body></html>`)
		default:
			http.NotFound(w, r)
		}
	})
	return mux
}
