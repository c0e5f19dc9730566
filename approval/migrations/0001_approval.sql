-- +goose Up

-- Requests for acts that need two people.
CREATE TABLE approvals (
	id           TEXT PRIMARY KEY,
	kind         TEXT NOT NULL,   -- role.grant, dock.revoke, …
	subject      TEXT NOT NULL,   -- what it is about: an account, a dock
	subject_name TEXT NOT NULL,   -- as people knew it when it was asked for
	params       TEXT NOT NULL,   -- JSON, by kind
	was          TEXT NOT NULL,   -- the value when it was asked for
	wanted       TEXT NOT NULL,   -- the value asked for
	reason       TEXT NOT NULL,
	requester    TEXT NOT NULL,   -- account
	asked_by     TEXT NOT NULL,   -- JSON: the actor as they were
	asked_at     BIGINT NOT NULL, -- microseconds since 1970 UTC, as all times
	expires_at   BIGINT NOT NULL,
	state        TEXT NOT NULL,   -- open, done, refused, withdrawn, expired, failed
	decided_by   TEXT NOT NULL DEFAULT '', -- JSON: the actor as they were
	decided_at   BIGINT NOT NULL DEFAULT 0,
	note         TEXT NOT NULL DEFAULT '', -- why it was refused or withdrawn
	failure      TEXT NOT NULL DEFAULT '', -- why carrying it out failed
	failed_at    BIGINT NOT NULL DEFAULT 0,
	concerned    TEXT NOT NULL    -- the account it is about, which may not approve it; '' = none
);
CREATE UNIQUE INDEX approvals_open_about ON approvals (kind, subject) WHERE state = 'open';
CREATE INDEX approvals_open ON approvals (expires_at) WHERE state = 'open';
CREATE INDEX approvals_by_requester ON approvals (requester, id);

-- Emergency access: opened alone, seen by others at once, reviewed afterwards.
CREATE TABLE break_glass (
	id          TEXT PRIMARY KEY,
	person      TEXT NOT NULL,
	opened_by   TEXT NOT NULL,   -- JSON: the actor as they were
	reason      TEXT NOT NULL,
	reference   TEXT NOT NULL,   -- case or incident number, '' = none
	opened_at   BIGINT NOT NULL,
	until_at    BIGINT NOT NULL, -- ends then, whatever else happens
	ended_at    BIGINT NOT NULL DEFAULT 0, -- 0 = its end is not recorded yet
	ended_by    TEXT NOT NULL DEFAULT '',  -- JSON
	due_at      BIGINT NOT NULL, -- of the review
	reviewed_at BIGINT NOT NULL DEFAULT 0,
	reviewed_by TEXT NOT NULL DEFAULT '',  -- JSON
	outcome     TEXT NOT NULL DEFAULT '',  -- justified, not_justified
	note        TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX break_glass_open ON break_glass (person) WHERE ended_at = 0;
CREATE INDEX break_glass_unreviewed ON break_glass (due_at) WHERE reviewed_at = 0;
CREATE INDEX break_glass_by_person ON break_glass (person, id);
