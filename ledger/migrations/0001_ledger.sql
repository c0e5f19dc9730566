-- +goose Up
CREATE TABLE ledger_items (
    item     TEXT PRIMARY KEY,
    item_key ${bytes} NOT NULL,
    next_seq BIGINT NOT NULL,
    prev     ${bytes} NOT NULL
);
CREATE TABLE ledger_events (
    id        TEXT PRIMARY KEY,
    item      TEXT NOT NULL,
    item_seq  BIGINT NOT NULL,
    verb      TEXT NOT NULL,
    actor_id  TEXT NOT NULL,
    at        BIGINT NOT NULL,
    leaf      ${bytes} NOT NULL,
    event_key ${bytes} NOT NULL,
    fields    ${bytes} NOT NULL,
    UNIQUE (item, item_seq)
);
CREATE INDEX ledger_events_at ON ledger_events (at, id);
CREATE INDEX ledger_events_verb ON ledger_events (verb, at, id);
CREATE INDEX ledger_events_actor ON ledger_events (actor_id, at, id);
CREATE TABLE ledger_leaves (
    idx   BIGINT PRIMARY KEY,
    event TEXT NOT NULL UNIQUE,
    leaf  ${bytes} NOT NULL
);
CREATE TABLE ledger_tiles (
    level  BIGINT NOT NULL,
    idx    BIGINT NOT NULL,
    hashes ${bytes} NOT NULL,
    PRIMARY KEY (level, idx)
);
CREATE TABLE ledger_head (
    id        BIGINT PRIMARY KEY,
    size      BIGINT NOT NULL,
    root      TEXT NOT NULL,
    published BIGINT NOT NULL
);
INSERT INTO ledger_head (id, size, root, published) VALUES (1, 0, '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=', 0);
