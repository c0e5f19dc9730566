-- +goose Up

-- An enrolling session may do nothing but set up how its person signs in.
ALTER TABLE sign_in_sessions ADD COLUMN enrolling BIGINT NOT NULL DEFAULT 0;

CREATE TABLE passkeys (
	id         TEXT PRIMARY KEY,
	person     TEXT NOT NULL REFERENCES people (id),
	credential ${bytes} NOT NULL UNIQUE, -- the authenticator's own name for it
	record     TEXT NOT NULL,            -- public key, counter and flags, as JSON
	name       TEXT NOT NULL,            -- as the person calls it
	created_at BIGINT NOT NULL,
	used_at    BIGINT NOT NULL           -- 0 = never
);
CREATE INDEX passkeys_by_person ON passkeys (person, id);

-- The secret that a code app shares with the service, sealed with a key that
-- is not in the database.
CREATE TABLE totps (
	person       TEXT PRIMARY KEY REFERENCES people (id),
	secret       ${bytes} NOT NULL,
	step         BIGINT NOT NULL,        -- the last one whose code was used
	created_at   BIGINT NOT NULL,
	confirmed_at BIGINT NOT NULL         -- 0 = no code of it was shown yet: it counts for nothing
);

CREATE TABLE recovery_codes (
	person  TEXT NOT NULL REFERENCES people (id),
	code    ${bytes} NOT NULL,           -- HMAC with a key that is not in the database
	used_at BIGINT NOT NULL,             -- 0 = not yet
	PRIMARY KEY (person, code)
);

CREATE TABLE enrolment_links (
	secret     ${bytes} PRIMARY KEY,     -- SHA-256
	person     TEXT NOT NULL REFERENCES people (id),
	expires_at BIGINT NOT NULL
);

-- Challenges that were answered, until they are too old anyway.
CREATE TABLE used_challenges (
	challenge  ${bytes} PRIMARY KEY,
	expires_at BIGINT NOT NULL
);
