-- +goose Up

-- One row for each upload ever opened; rows are never deleted, so that a dock
-- can ask for a receipt again. How many bytes have come in is not here: custody
-- knows, and two answers could differ.
CREATE TABLE uploads (
    id         TEXT PRIMARY KEY,
    dock       TEXT NOT NULL,             -- ID of the actor who opened it
    actor      TEXT NOT NULL,             -- JSON evidence.Actor, as it was at opening
    capture    TEXT NOT NULL,             -- JSON evidence.Capture, checked
    metadata   TEXT NOT NULL,             -- Upload-Metadata as sent
    concat     TEXT NOT NULL,             -- '', 'partial', or 'final;…' as sent
    length     BIGINT NOT NULL,           -- bytes
    state      TEXT NOT NULL,             -- open, joining, complete, collecting, collected, refused, abandoned
    holding    INTEGER NOT NULL,          -- 1 while custody may have an incoming object for it
    expires_at BIGINT NOT NULL,           -- open uploads and unused parts end then
    due_at     BIGINT NOT NULL,           -- nobody works on it before then: a lease, or a pause after a failure
    tries      BIGINT NOT NULL,
    code       TEXT NOT NULL,             -- why it was refused, or why the last try failed
    message    TEXT NOT NULL,
    recording  TEXT NOT NULL,             -- once collected
    segment    INTEGER NOT NULL,
    receipt    ${bytes},                  -- once somebody fetched it
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX uploads_due ON uploads (state, due_at);
CREATE INDEX uploads_dock ON uploads (dock, state);

-- What a final upload is made of, in order. One part may stand in several.
CREATE TABLE upload_parts (
    final    TEXT NOT NULL REFERENCES uploads (id),
    position INTEGER NOT NULL,
    part     TEXT NOT NULL REFERENCES uploads (id),
    PRIMARY KEY (final, position)
);
CREATE INDEX upload_parts_part ON upload_parts (part);
