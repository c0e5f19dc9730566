-- +goose Up
-- What each witness signed last, by its verifier key.
CREATE TABLE witness_signed (
    witness TEXT PRIMARY KEY,
    size    BIGINT NOT NULL,
    at      BIGINT NOT NULL
);
-- The newest checkpoint that enough witnesses have signed: one row, id 1.
CREATE TABLE witness_cosigned (
    id         BIGINT PRIMARY KEY,
    size       BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    checkpoint TEXT NOT NULL
);
-- Timestamps: what was stamped, verbatim, and the authority's answer.
CREATE TABLE witness_stamps (
    authority  TEXT NOT NULL,
    size       BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    checkpoint TEXT NOT NULL,
    response   ${bytes} NOT NULL,
    PRIMARY KEY (authority, at)
);
