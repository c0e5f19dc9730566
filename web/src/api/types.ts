// The answers of the server, one type each. Times are RFC 3339 in UTC, lengths
// of time whole milliseconds, sizes bytes.

export interface Me {
  id: string;
  name: string;
  number: string;
  role: string;
  roleName: string;
  classification: string;
  force: string;
  /** What this person may do. The UI shows exactly that. */
  can: { recordings: boolean; docks: boolean; system: boolean; log: boolean };
}

/** How far a master has come on its way to the screen; see evidence.MediaState. */
export type MediaState = 'pending' | 'playable' | 'proxy' | 'audio' | 'none';

interface RecordingHead {
  id: string;
  device: string;
  officer: string;
  category: string;
  startedAt: string;
  createdAt: string;
  /** 0 = not known yet */
  durationMs: number;
  bytes: number;
  state: MediaState;
  why: string;
  /** URL, or empty when there is none (yet) */
  poster: string;
}

export interface Card extends RecordingHead {
  segments: number;
}

export interface RecordingsPage {
  items: Card[];
  /** cursor of the next page; empty on the last */
  next: string;
}

export interface Days {
  days: { day: string; count: number }[];
}

export interface Clock {
  deviceStarted: string;
  zone?: string;
  offsetMs?: number | null;
  source: string;
  trusted: string;
}

export interface Media {
  state: MediaState;
  why?: string;
  type?: string;
  format?: string;
  video?: string;
  audio?: string;
  width?: number;
  height?: number;
  frameRate?: number;
  durationMs?: number;
}

export interface Segment {
  number: number;
  fileName: string;
  sequence?: number;
  sha256: string;
  length: number;
  clock: Clock;
  media: Media;
}

export interface Arrival {
  id: string;
  segment: number;
  device: string;
  fileName: string;
  dock: string;
  dockedAt: string;
  at: string;
}

/** A hole between two segments, or an overlap where lengthMs is negative. */
export interface Gap {
  after: number;
  lengthMs: number;
  missing?: number[];
}

export interface WorkingCopy {
  segment: number;
  kind: string;
  type: string;
  length: number;
  sha256: string;
  tool: string;
  info?: string;
  madeAt: string;
}

export type WorkState = 'waiting' | 'running' | 'failed' | 'done';

export interface Detail extends RecordingHead {
  segmentCount: number;
  group?: string;
  segments: Segment[];
  arrivals: Arrival[] | null;
  gaps: Gap[] | null;
  copies: WorkingCopy[] | null;
  work: { id: string; kind: string; state: WorkState; tries: number; message: string; at: string }[] | null;
  /** trail: read who did what to it */
  can: { consult: boolean; export: boolean; trail: boolean };
  /** null: nobody, or not for this person to know */
  lastViewed: { by: string; at: string } | null;
}

export interface Purpose {
  code: string;
  reference: string;
  note: string;
}

export interface TrickplaySheet {
  url: string;
  columns: number;
  rows: number;
  everyMs: number;
  tileWidth: number;
  tileHeight: number;
  count: number;
}

export interface PlayableSegment {
  number: number;
  durationMs: number;
  /** URL that answers range requests; empty when a browser cannot play this segment (yet) */
  source: string;
  type: string;
  state: MediaState;
  why: string;
  trickplay: TrickplaySheet | null;
  waveform: { url: string; perSecond: number } | null;
  proxyState: '' | 'making' | 'failed' | 'ready';
}

export interface Consultation {
  id: string;
  expiresAt: string;
  watermark: string;
  segments: PlayableSegment[];
}

export type OpenedField = { name: string; value: string; salt: string } | { name: string; mac: string };

export interface Opening {
  /** place in the log; -1 = not in the log yet */
  index: number;
  leaf: string;
  fields: OpenedField[];
}

export interface History {
  recording: string;
  itemKey: string;
  events: Opening[];
  proofs: Record<string, string[]>;
  checkpoint: string;
  logKey: string;
  pending: number;
  witnessed: boolean;
}

export type CameraState = 'reading' | 'uploading' | 'waiting' | 'ready' | 'problem' | 'gone';

export interface FileStatus {
  name: string;
  state: string;
  length: number;
  sent: number;
  message?: string;
}

export interface CameraStatus {
  device: string;
  officer?: string;
  profile: string;
  state: CameraState;
  message?: string;
  files: number;
  done: number;
  wiped: number;
  leftOver: number;
  bytes: number;
  sent: number;
  rate: number;
  current?: FileStatus[];
}

export interface DockStatus {
  dock: string;
  name: string;
  version: string;
  at: string;
  message?: string;
  cameras: CameraStatus[] | null;
}

export interface Dock extends DockStatus {
  id: string;
  lastSeen: string;
  online: boolean;
  enrolledAt: string;
}

export interface Store {
  name: string;
  engine: string;
  place: string;
  bytesFree: number;
  bytesTotal: number;
  objects: number;
  bytes: number;
  state: string;
  message: string;
}

export interface Job {
  id: string;
  kind: string;
  recording: string;
  state: WorkState;
  tries: number;
  message: string;
  at: string;
}

export interface System {
  version: string;
  startedAt: string;
  stores: Store[] | null;
  ledger: {
    /** recorded, whether or not in the log yet */
    events: number;
    /** entries in the log */
    size: number;
    checkpointSize: number;
    checkpointAt: string;
    origin: string;
    logKey: string;
    state: string;
    message: string;
    witnessed: boolean;
  };
  work: { waiting: number; running: number; failed: number; done: number; recent: Job[] | null };
  database: { engine: string; bytes: number };
  uploads: { open: number; bytes: number };
}
