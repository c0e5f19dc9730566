-- +goose Up

-- What the rule looks at (evidence.Placing). Owner and unit are as of the
-- recording's start and do not move with people.
ALTER TABLE recordings ADD COLUMN owner TEXT NOT NULL DEFAULT '';   -- account, '' = nobody's
ALTER TABLE recordings ADD COLUMN unit TEXT NOT NULL DEFAULT '';    -- '' = none
ALTER TABLE recordings ADD COLUMN class BIGINT NOT NULL DEFAULT 0;  -- evidence.Class
CREATE INDEX recordings_by_owner ON recordings (owner, started_at, id);
CREATE INDEX recordings_by_unit ON recordings (unit, started_at, id);

-- The start stands here again so that a list of one case, or of what one
-- person is listed for, reads one index in its order.
CREATE TABLE recording_cases (
	recording  TEXT NOT NULL REFERENCES recordings (id),
	case_id    TEXT NOT NULL,
	started_at BIGINT NOT NULL,
	PRIMARY KEY (recording, case_id)
);
CREATE INDEX recording_cases_by_case ON recording_cases (case_id, started_at, recording);

CREATE TABLE recording_listed (
	recording  TEXT NOT NULL REFERENCES recordings (id),
	person     TEXT NOT NULL,
	until      BIGINT NOT NULL,       -- microseconds; 0 = no end
	started_at BIGINT NOT NULL,
	PRIMARY KEY (recording, person)
);
CREATE INDEX recording_listed_by_person ON recording_listed (person, started_at, recording);
