-- +goose Up
-- The rule that was recorded last, so that a change of it is an event.
CREATE TABLE custody_rule (
    id     INTEGER PRIMARY KEY,     -- 1
    digest TEXT NOT NULL
);
