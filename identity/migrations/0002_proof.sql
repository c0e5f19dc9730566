-- +goose Up

-- How the person of a session last proved who they are, and when. A session
-- begun before there were these columns is not fresh.
ALTER TABLE sign_in_sessions ADD COLUMN method TEXT NOT NULL DEFAULT 'password';
ALTER TABLE sign_in_sessions ADD COLUMN proven_at BIGINT NOT NULL DEFAULT 0; -- microseconds since 1970 UTC
