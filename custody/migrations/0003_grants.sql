-- +goose Up
-- The emergency access that allows a look; it ends with that.
ALTER TABLE custody_consultations ADD COLUMN grant_id TEXT NOT NULL DEFAULT '';
ALTER TABLE custody_consultations ADD COLUMN grant_until BIGINT NOT NULL DEFAULT 0;
CREATE INDEX custody_consultations_grant ON custody_consultations (grant_id) WHERE ended = 0 AND grant_id <> '';
