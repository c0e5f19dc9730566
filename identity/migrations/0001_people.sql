-- +goose Up

-- IF NOT EXISTS: package access made these tables before identity had a room
-- of its own.

CREATE TABLE IF NOT EXISTS people (
	id          TEXT PRIMARY KEY,
	login       TEXT NOT NULL UNIQUE, -- lower case
	name        TEXT NOT NULL,
	number      TEXT NOT NULL,        -- collar number, '' = none
	role        TEXT NOT NULL,
	password    TEXT NOT NULL,        -- argon2id with its parameters
	disabled_at BIGINT NOT NULL,      -- microseconds since 1970 UTC; 0 = may sign in
	created_at  BIGINT NOT NULL,
	active_at   BIGINT NOT NULL       -- last signed in, made, enabled or given a password
);

-- Whose footage is one's own is decided by this number, so no two people who
-- may sign in share one.
CREATE UNIQUE INDEX IF NOT EXISTS people_by_number ON people (number) WHERE number <> '' AND disabled_at = 0;

-- Tokens and dock keys are 256 random bits, so a plain SHA-256 hides them.
CREATE TABLE IF NOT EXISTS sign_in_sessions (
	id         TEXT PRIMARY KEY,
	token      ${bytes} NOT NULL UNIQUE, -- SHA-256
	person     TEXT NOT NULL REFERENCES people (id),
	address    TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	seen_at    BIGINT NOT NULL          -- to the minute
);
CREATE INDEX IF NOT EXISTS sign_in_sessions_by_person ON sign_in_sessions (person, id);
CREATE INDEX IF NOT EXISTS sign_in_sessions_by_time ON sign_in_sessions (created_at);

-- Sign-ins begun and not (yet) succeeded. The name that was typed is not kept:
-- people type passwords into the wrong box.
CREATE TABLE IF NOT EXISTS sign_in_failures (
	id      TEXT PRIMARY KEY,
	person  TEXT NOT NULL, -- '' = no account has the name that was typed
	address TEXT NOT NULL,
	closed  BIGINT NOT NULL, -- 1 = the account was closed by then: no password was looked at
	at      BIGINT NOT NULL
);
CREATE INDEX IF NOT EXISTS sign_in_failures_by_person ON sign_in_failures (person, at);
CREATE INDEX IF NOT EXISTS sign_in_failures_by_time ON sign_in_failures (at);

CREATE TABLE IF NOT EXISTS docks (
	id          TEXT PRIMARY KEY,
	name        TEXT NOT NULL,
	key         ${bytes} NOT NULL UNIQUE, -- SHA-256
	enrolled_at BIGINT NOT NULL,
	revoked_at  BIGINT NOT NULL,          -- 0 = its key is good
	seen_at     BIGINT NOT NULL           -- to the minute; 0 = never
);
CREATE UNIQUE INDEX IF NOT EXISTS docks_by_name ON docks (name) WHERE revoked_at = 0;
