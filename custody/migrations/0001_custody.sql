-- +goose Up
-- What became of an upload: makes Collect idempotent and receipts repeatable.
CREATE TABLE custody_collected (
    upload       TEXT PRIMARY KEY,
    recording    TEXT NOT NULL,
    segment      INTEGER NOT NULL,
    known        INTEGER NOT NULL,  -- 1: the vault had these bytes already
    event        TEXT NOT NULL,     -- the outcome in the ledger
    item_seq     BIGINT NOT NULL,
    device       TEXT NOT NULL,     -- as this arrival gave them
    file_name    TEXT NOT NULL,
    read_back_at BIGINT NOT NULL,
    receipt      ${bytes}           -- signed, once the log covers the event
);

-- Looks at a recording that are open, or ended and kept for the trail's sake.
CREATE TABLE custody_consultations (
    id        TEXT PRIMARY KEY,
    recording TEXT NOT NULL,
    actor     TEXT NOT NULL,        -- JSON, as at the time
    session   TEXT NOT NULL,
    purpose   TEXT NOT NULL,        -- JSON
    opened    BIGINT NOT NULL,
    expires   BIGINT NOT NULL,
    ended     BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX custody_consultations_open ON custody_consultations (expires) WHERE ended = 0;
CREATE INDEX custody_consultations_recording ON custody_consultations (recording, opened);

-- Posters shown in lists: recorded once for a sign-in session and recording.
CREATE TABLE custody_glances (
    session   TEXT NOT NULL,
    recording TEXT NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (session, recording)
);
CREATE INDEX custody_glances_at ON custody_glances (at);
