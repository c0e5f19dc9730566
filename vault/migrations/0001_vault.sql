-- +goose Up

-- Uploads that were not kept yet. docs/formats/keystore.md describes the columns.
CREATE TABLE vault_uploads (
	id         TEXT PRIMARY KEY,
	name       TEXT NOT NULL UNIQUE, -- in the store
	other      TEXT NOT NULL,        -- a second name in the store, to be removed; '' = none
	store      TEXT NOT NULL,
	format     TEXT NOT NULL,        -- of the sealed object
	bucket     TEXT NOT NULL,
	prefix     ${bytes} NOT NULL,
	state      TEXT NOT NULL,        -- receiving, finishing, finished, abandoned
	version    BIGINT NOT NULL,
	length     BIGINT NOT NULL,      -- of the plaintext, bytes; -1 = not known yet
	chunks     BIGINT NOT NULL,
	midstate   ${bytes} NOT NULL,
	pending    ${bytes} NOT NULL,
	tail       ${bytes} NOT NULL,
	digest     ${bytes} NOT NULL,    -- once finished
	begun_at   BIGINT NOT NULL,      -- microseconds since 1970 UTC
	updated_at BIGINT NOT NULL
);

-- Objects that custody has taken responsibility for.
CREATE TABLE vault_objects (
	id            TEXT PRIMARY KEY,
	name          TEXT NOT NULL UNIQUE, -- in the store
	store         TEXT NOT NULL,
	format        TEXT NOT NULL,
	bucket        TEXT NOT NULL,
	prefix        ${bytes} NOT NULL,
	length        BIGINT NOT NULL,      -- of the plaintext, bytes
	sealed_length BIGINT NOT NULL,      -- of the payload in the store, bytes
	digest        ${bytes} NOT NULL,
	kept_at       BIGINT NOT NULL
);
CREATE INDEX vault_objects_by_bucket ON vault_objects (bucket, id);
