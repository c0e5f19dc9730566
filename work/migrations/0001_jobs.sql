-- +goose Up
CREATE TABLE work_jobs (
	id         TEXT PRIMARY KEY,
	kind       TEXT NOT NULL,
	job_key    TEXT NOT NULL,    -- '' = none
	subject    TEXT NOT NULL,    -- '' = none
	payload    ${bytes} NOT NULL, -- JSON, or nothing
	state      TEXT NOT NULL,    -- waiting, running, failed, done
	run_at     BIGINT NOT NULL,  -- not before; as it was enqueued
	due_at     BIGINT NOT NULL,  -- waiting: the next try; running: when the lease runs out
	claim      BIGINT NOT NULL,  -- counts leases for ever: whoever holds an old one changes nothing
	tries      INTEGER NOT NULL, -- begun
	max_tries  INTEGER NOT NULL,
	message    TEXT NOT NULL,    -- of the last try that failed
	changed_at BIGINT NOT NULL   -- of state
);
CREATE UNIQUE INDEX work_jobs_key ON work_jobs (kind, job_key) WHERE job_key <> '' AND state IN ('waiting', 'running');
CREATE INDEX work_jobs_due ON work_jobs (kind, due_at, id) WHERE state IN ('waiting', 'running');
CREATE INDEX work_jobs_about ON work_jobs (subject, id) WHERE subject <> '';
CREATE INDEX work_jobs_changed ON work_jobs (changed_at, id);
CREATE INDEX work_jobs_state ON work_jobs (state, changed_at);
