-- +goose Up
-- Several writers at once: the sequencer gives events their index. ord is drawn
-- while the item's row is locked, so it ascends within an item.
CREATE TABLE ledger_outbox (
    ord   ${serial},
    event TEXT NOT NULL UNIQUE,
    leaf  ${bytes} NOT NULL
);
