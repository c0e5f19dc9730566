-- +goose Up
-- What may not be disposed of before somebody looked into it: footage watched
-- for a complaint, misconduct, subject access or freedom of information. Rows
-- stay; a decision closes them.
CREATE TABLE custody_hold_requests (
    id           TEXT PRIMARY KEY,
    recording    TEXT NOT NULL,
    purpose      TEXT NOT NULL,      -- code
    reference    TEXT NOT NULL,
    person       TEXT NOT NULL,      -- account
    name         TEXT NOT NULL,      -- as it was
    at           BIGINT NOT NULL,
    consultation TEXT NOT NULL,
    closed       BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX custody_hold_requests_recording ON custody_hold_requests (recording, closed);
CREATE INDEX custody_hold_requests_open ON custody_hold_requests (closed, id);
CREATE INDEX custody_consultations_session ON custody_consultations (session, recording, opened);
