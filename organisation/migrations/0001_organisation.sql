-- +goose Up

-- One row that every change locks first: what may not overlap is checked by
-- reading, and two changes that read at the same time would both pass.
CREATE TABLE organisation_turn (
	id BIGINT PRIMARY KEY
);
INSERT INTO organisation_turn (id) VALUES (1);

-- Times are microseconds since 1970 UTC. from_at 0 = since ever, until_at 0 =
-- open; intervals are half-open. Rows are ended, never deleted.

CREATE TABLE units (
	id         TEXT PRIMARY KEY,
	name       TEXT NOT NULL,
	code       TEXT NOT NULL UNIQUE, -- upper case, never used again
	parent     TEXT NOT NULL,        -- '' = the top
	created_at BIGINT NOT NULL,
	closed_at  BIGINT NOT NULL       -- 0 = open
);
CREATE INDEX units_by_parent ON units (parent);

CREATE TABLE postings (
	id       TEXT PRIMARY KEY,
	person   TEXT NOT NULL,
	unit     TEXT NOT NULL REFERENCES units (id),
	lead     BIGINT NOT NULL, -- 1 = leads the unit
	from_at  BIGINT NOT NULL,
	until_at BIGINT NOT NULL
);
CREATE INDEX postings_by_person ON postings (person, from_at);
CREATE INDEX postings_by_unit ON postings (unit, from_at);

-- Who holds a collar number or a camera. A thing is with one person at a time.
CREATE TABLE holdings (
	id       TEXT PRIMARY KEY,
	kind     TEXT NOT NULL, -- number, camera
	thing    TEXT NOT NULL, -- the number; the camera's serial number as its recordings have it
	person   TEXT NOT NULL,
	from_at  BIGINT NOT NULL,
	until_at BIGINT NOT NULL
);
CREATE INDEX holdings_by_thing ON holdings (kind, thing, from_at);
CREATE INDEX holdings_by_person ON holdings (person, from_at);

CREATE TABLE cases (
	id        TEXT PRIMARY KEY,
	number    TEXT NOT NULL UNIQUE, -- upper case
	kind      TEXT NOT NULL,        -- case, incident
	title     TEXT NOT NULL,
	opened_at BIGINT NOT NULL,
	opened_by TEXT NOT NULL,
	closed_at BIGINT NOT NULL,      -- 0 = open
	closed_by TEXT NOT NULL
);

CREATE TABLE case_members (
	id       TEXT PRIMARY KEY,
	case_id  TEXT NOT NULL REFERENCES cases (id),
	person   TEXT NOT NULL,
	role     TEXT NOT NULL, -- what they do in the case, in words
	from_at  BIGINT NOT NULL,
	until_at BIGINT NOT NULL
);
CREATE INDEX case_members_by_case ON case_members (case_id, person, from_at);
CREATE INDEX case_members_by_person ON case_members (person, from_at);
