-- +goose Up
-- What the trail is searched by: one row an event, written with it. Each index
-- ends in (kind, at, event), so that a search is a few runs of one index, each
-- in the order that is shown. kind is verb.phase; reference is folded.
CREATE TABLE ledger_trail (
    event     TEXT PRIMARY KEY,
    at        BIGINT NOT NULL,
    kind      TEXT NOT NULL,
    item      TEXT NOT NULL,
    actor     TEXT NOT NULL,
    reference TEXT NOT NULL,
    purpose   TEXT NOT NULL
);
CREATE INDEX ledger_trail_kind ON ledger_trail (kind, at, event);
CREATE INDEX ledger_trail_item ON ledger_trail (item, kind, at, event);
CREATE INDEX ledger_trail_actor ON ledger_trail (actor, kind, at, event);
CREATE INDEX ledger_trail_reference ON ledger_trail (reference, kind, at, event) WHERE reference <> '';
CREATE INDEX ledger_trail_purpose ON ledger_trail (purpose, kind, at, event) WHERE purpose <> '';
-- Whoever acted, once for every name, number and role that they acted under.
CREATE TABLE ledger_actors (
    actor      TEXT NOT NULL,
    actor_kind TEXT NOT NULL,
    name       TEXT NOT NULL,
    number     TEXT NOT NULL,
    role       TEXT NOT NULL,
    PRIMARY KEY (actor, actor_kind, name, number, role)
);
-- How far the events that were there before this table are listed in it: all
-- up to and with this one; done = 1 when there are no more.
CREATE TABLE ledger_trail_state (
    id    BIGINT PRIMARY KEY,
    event TEXT NOT NULL,
    done  BIGINT NOT NULL
);
INSERT INTO ledger_trail_state (id, event, done) VALUES (1, '', 0);
DROP INDEX ledger_events_at;
DROP INDEX ledger_events_verb;
DROP INDEX ledger_events_actor;
