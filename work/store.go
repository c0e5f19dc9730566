package work

import (
	"context"
	"fmt"
	"strings"
	"time"

	"custos/database"
	"custos/evidence"
)

// lease is a claimed job. Whoever holds it may change the job as long as
// nobody claimed the job after it.
type lease struct {
	job   Job
	claim int64
	until time.Time // by our clock; renewed
}

func insert(ctx context.Context, tx *database.Tx, j Job, now time.Time) (bool, error) {
	payload := []byte(j.Payload)
	if payload == nil {
		payload = []byte{}
	}
	n, err := tx.Exec(ctx, `INSERT INTO work_jobs
		(id, kind, job_key, subject, payload, state, run_at, due_at, claim, tries, max_tries, message, changed_at)
		VALUES (?, ?, ?, ?, ?, 'waiting', ?, ?, 0, 0, ?, '', ?) ON CONFLICT DO NOTHING`,
		j.ID, j.Kind, j.Key, j.Subject, payload, database.Micros(j.RunAt), database.Micros(j.RunAt), j.MaxTries, database.Micros(now))
	if err != nil {
		return false, fmt.Errorf("enqueue %s: %w", j.Kind, err)
	}
	return n == 1, nil
}

// nextDue is when the first job of each kind is due; kinds without one are absent.
func (q *Queue) nextDue(ctx context.Context, kinds []string) (map[string]time.Time, error) {
	due := map[string]time.Time{}
	err := q.db.Read(ctx, func(tx *database.Tx) error {
		for _, kind := range kinds { // one look into the index each, however many jobs wait
			var at *int64
			if err := tx.QueryRow(ctx, `SELECT min(due_at) FROM work_jobs
				WHERE kind = ? AND state IN ('waiting', 'running')`, kind).Scan(&at); err != nil {
				return err
			}
			if at != nil {
				due[kind] = time.UnixMicro(*at)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for jobs: %w", err)
	}
	return due, nil
}

// claim leases up to n due jobs of a kind: those waiting, and those whose lease
// ran out. Every claim begins a try, so that a job which kills its server is
// not run for ever.
func (q *Queue) claim(ctx context.Context, kind string, n int) (leases []lease, err error) {
	now := q.opt.Now()
	until := now.Add(q.opt.Lease)
	err = q.db.Write(ctx, func(tx *database.Tx) error {
		leases = nil
		skip := ""
		if tx.Engine() == database.Postgres {
			skip = " FOR UPDATE SKIP LOCKED"
		}
		rows, err := tx.Query(ctx, `WITH due AS MATERIALIZED (
				SELECT id FROM work_jobs WHERE kind = ? AND state IN ('waiting', 'running') AND due_at <= ?
				ORDER BY due_at, id LIMIT ?`+skip+`)
			UPDATE work_jobs SET state = 'running', due_at = ?, claim = claim + 1, tries = tries + 1, changed_at = ?
			WHERE id IN (SELECT id FROM due)
			RETURNING id, kind, job_key, subject, payload, run_at, max_tries, tries, claim`,
			kind, database.Micros(now), n, database.Micros(until), database.Micros(now))
		if err != nil {
			return err
		}
		defer rows.Close() // its errors are in rows.Err
		for rows.Next() {
			l := lease{until: until}
			var runAt int64
			if err := rows.Scan(&l.job.ID, &l.job.Kind, &l.job.Key, &l.job.Subject, &l.job.Payload, &runAt,
				&l.job.MaxTries, &l.job.Try, &l.claim); err != nil {
				return err
			}
			l.job.RunAt = database.Time(runAt)
			leases = append(leases, l)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("claim jobs: %w", err)
	}
	return leases, nil
}

// renew makes the lease last from now; false if another worker has the job.
func (q *Queue) renew(ctx context.Context, l *lease) (bool, error) {
	until := q.opt.Now().Add(q.opt.Lease)
	held, err := q.update(ctx, l, "due_at = ?", database.Micros(until))
	if held {
		l.until = until
	}
	return held, err
}

// ending is what becomes of a job after a try.
type ending struct {
	state   State
	due     time.Time // the next try, if waiting
	tries   int       // that count
	message string
}

// end gives the lease up; false if another worker has the job.
func (q *Queue) end(ctx context.Context, l *lease, e ending) (bool, error) {
	return q.update(ctx, l, "state = ?, due_at = ?, tries = ?, message = ?, changed_at = ?",
		e.state, database.Micros(e.due), e.tries, e.message, database.Micros(q.opt.Now()))
}

func (q *Queue) update(ctx context.Context, l *lease, set string, args ...any) (held bool, err error) {
	err = q.db.Write(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, "UPDATE work_jobs SET "+set+" WHERE id = ? AND claim = ? AND state = 'running'",
			append(args[:len(args):len(args)], l.job.ID, l.claim)...)
		held = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("update job %s: %w", l.job.ID, err)
	}
	return held, nil
}

// prune forgets jobs done long ago.
func (q *Queue) prune(ctx context.Context) error {
	err := q.db.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM work_jobs WHERE state = 'done' AND changed_at < ?",
			database.Micros(q.opt.Now().Add(-q.opt.Keep)))
		return err
	})
	if err != nil {
		return fmt.Errorf("forget jobs done long ago: %w", err)
	}
	return nil
}

// Counts is how many jobs are in each state; done ones as long as they are kept.
type Counts struct {
	Waiting int `json:"waiting"`
	Running int `json:"running"`
	Failed  int `json:"failed"`
	Done    int `json:"done"`
}

// Counts counts the jobs of all kinds.
func (q *Queue) Counts(ctx context.Context) (Counts, error) {
	var c Counts
	err := q.db.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, "SELECT state, count(*) FROM work_jobs GROUP BY state")
		if err != nil {
			return err
		}
		defer rows.Close() // its errors are in rows.Err
		for rows.Next() {
			var s State
			var n int
			if err := rows.Scan(&s, &n); err != nil {
				return err
			}
			if to := map[State]*int{Waiting: &c.Waiting, Running: &c.Running, Failed: &c.Failed, Done: &c.Done}[s]; to != nil {
				*to = n
			}
		}
		return rows.Err()
	})
	if err != nil {
		return Counts{}, fmt.Errorf("count jobs: %w", err)
	}
	return c, nil
}

// Status is how a job stands.
type Status struct {
	ID      evidence.ID `json:"id"`
	Kind    string      `json:"kind"`
	Subject string      `json:"subject,omitempty"`
	Key     string      `json:"key,omitempty"`
	State   State       `json:"state"`
	Tries   int         `json:"tries"`             // begun
	Message string      `json:"message,omitempty"` // of the last try that failed; empty once done
	At      time.Time   `json:"at"`                // since when it is in this state, UTC
	Due     time.Time   `json:"due,omitzero"`      // waiting: not tried before; running: until when it is leased, UTC
}

// Recent is the jobs that changed last, the latest first, 1 to 1000 of them.
func (q *Queue) Recent(ctx context.Context, limit int) ([]Status, error) {
	return q.statuses(ctx, "ORDER BY changed_at DESC, id DESC LIMIT ?", min(max(limit, 1), 1000))
}

// About is the jobs about a subject, in the order they were enqueued.
func (q *Queue) About(ctx context.Context, subject string) ([]Status, error) {
	return q.statuses(ctx, "WHERE subject = ? AND subject <> '' ORDER BY id", subject)
}

func (q *Queue) statuses(ctx context.Context, which string, arg any) (out []Status, err error) {
	err = q.db.Read(ctx, func(tx *database.Tx) error {
		rows, err := tx.Query(ctx, "SELECT id, kind, subject, job_key, state, tries, message, changed_at, due_at FROM work_jobs "+which, arg)
		if err != nil {
			return err
		}
		defer rows.Close() // its errors are in rows.Err
		for rows.Next() {
			var s Status
			var at, due int64
			if err := rows.Scan(&s.ID, &s.Kind, &s.Subject, &s.Key, &s.State, &s.Tries, &s.Message, &at, &due); err != nil {
				return err
			}
			s.At, s.Due = database.Time(at), database.Time(due)
			out = append(out, s)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	return out, nil
}

// Retry makes a failed job wait again, with all its tries, and wakes the
// workers. It fails with NotFound where there is no such job, and with Conflict
// where it has not failed or another job took its key since.
func (q *Queue) Retry(ctx context.Context, id evidence.ID) error {
	now := database.Micros(q.opt.Now())
	err := q.db.Write(ctx, func(tx *database.Tx) error {
		n, err := tx.Exec(ctx, "UPDATE work_jobs SET state = 'waiting', due_at = ?, tries = 0, changed_at = ? WHERE id = ? AND state = 'failed'", now, now, id)
		if err != nil {
			return err
		}
		tx.AfterCommit(q.look)
		if n == 1 {
			return nil
		}
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM work_jobs WHERE id = ?", id).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			return evidence.Errorf(evidence.NotFound, "there is no such job")
		}
		return evidence.Errorf(evidence.Conflict, "only a job that has failed can be tried again")
	})
	if database.IsDuplicate(err) {
		return evidence.Wrap(evidence.Conflict, err, "another job does the same already")
	}
	if err != nil {
		return fmt.Errorf("retry job: %w", err)
	}
	return nil
}

// maxMessage is how much of an error is kept, in bytes.
const maxMessage = 1000

// message is err as it can be stored and shown.
func message(err error) string {
	s := strings.ToValidUTF8(strings.ReplaceAll(err.Error(), "\x00", ""), "?")
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + " …"
	}
	return s
}
