-- +goose Up

-- One row is one card of the list: what segments and working copies add up to
-- is kept here, in the transaction that changes them, so that a page of the
-- list reads one table in the order of one index.
CREATE TABLE recordings (
	id             TEXT PRIMARY KEY,  -- ascends with ingest
	device         TEXT NOT NULL,
	officer        TEXT NOT NULL,     -- collar number, '' = not known
	category       TEXT NOT NULL,     -- '' = uncategorised
	take           TEXT NOT NULL,     -- the capture's group, '' = none
	started_at     BIGINT NOT NULL,   -- trusted time of the earliest segment, microseconds since 1970 UTC
	created_at     BIGINT NOT NULL,   -- first arrival here, microseconds
	segments       BIGINT NOT NULL,
	bytes          BIGINT NOT NULL,   -- of all masters
	duration_ms    BIGINT NOT NULL,
	state          TEXT NOT NULL,
	why            TEXT NOT NULL,
	poster_segment BIGINT NOT NULL    -- 0 = no poster
);
CREATE INDEX recordings_by_time ON recordings (started_at, id);
CREATE INDEX recordings_by_officer ON recordings (officer, started_at, id);
CREATE INDEX recordings_by_device ON recordings (device, started_at, id);
CREATE UNIQUE INDEX recordings_by_take ON recordings (device, take) WHERE take <> '';

CREATE TABLE segments (
	recording      TEXT NOT NULL REFERENCES recordings (id),
	number         BIGINT NOT NULL,   -- order of arrival, from 1; never changes: it is in receipts
	object         TEXT NOT NULL UNIQUE,
	file_name      TEXT NOT NULL,
	sequence       BIGINT NOT NULL,   -- the camera's own, 0 = none
	digest         ${bytes} NOT NULL, -- SHA-256 of the plaintext
	length         BIGINT NOT NULL,   -- bytes
	device_started BIGINT NOT NULL,   -- microseconds; 0 = not known
	zone           TEXT NOT NULL,
	offset_ms      BIGINT,            -- NULL = not measured
	clock_source   TEXT NOT NULL,
	trusted        BIGINT NOT NULL,   -- microseconds; 0 = not known
	state          TEXT NOT NULL,
	why            TEXT NOT NULL,
	media_type     TEXT NOT NULL,
	format         TEXT NOT NULL,
	video          TEXT NOT NULL,
	audio          TEXT NOT NULL,
	width          BIGINT NOT NULL,
	height         BIGINT NOT NULL,
	frame_rate     ${float} NOT NULL,
	duration_ms    BIGINT NOT NULL,
	PRIMARY KEY (recording, number),
	UNIQUE (digest, length)
);

CREATE TABLE arrivals (
	id        TEXT PRIMARY KEY,
	recording TEXT NOT NULL,
	segment   BIGINT NOT NULL,
	device    TEXT NOT NULL,
	file_name TEXT NOT NULL,
	dock      TEXT NOT NULL,
	docked_at BIGINT NOT NULL,        -- microseconds
	at        BIGINT NOT NULL,        -- microseconds
	FOREIGN KEY (recording, segment) REFERENCES segments (recording, number)
);
CREATE INDEX arrivals_by_recording ON arrivals (recording, id);

CREATE TABLE working_copies (
	recording  TEXT NOT NULL,
	segment    BIGINT NOT NULL,
	kind       TEXT NOT NULL,
	object     TEXT NOT NULL UNIQUE,
	media_type TEXT NOT NULL,
	length     BIGINT NOT NULL,
	digest     ${bytes} NOT NULL,
	tool       TEXT NOT NULL,
	info       TEXT NOT NULL,
	made_at    BIGINT NOT NULL,       -- microseconds
	PRIMARY KEY (recording, segment, kind),
	FOREIGN KEY (recording, segment) REFERENCES segments (recording, number)
);
