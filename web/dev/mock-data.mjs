// What the mock server tells of: recordings of every state, docks, a system.
import { createHash } from 'node:crypto';
import { history } from './mock-ledger.mjs';

const digits = '0123456789abcdefghjkmnpqrstvwxyz';
const hour = 3_600_000;
const hex = (s) => createHash('sha256').update(s).digest('hex');
const text = (t) => new Date(t).toISOString().replace('Z', '000Z');

function id(at, n) {
  const random = createHash('sha256').update('id' + n).digest();
  let s = '';
  let ms = at;
  for (let i = 0; i < 10; i++) { s = digits[ms % 32] + s; ms = Math.floor(ms / 32); }
  for (let i = 0; i < 16; i++) s += digits[random[i] % 32];
  return s;
}

const names = { 4700: 'PC R. Shah', 4711: 'PC T. Adeyemi', 4712: 'PC J. Ellis', 4720: 'PC M. Doyle', 4733: 'PC S. Khan', 4801: 'PC A. Novak', 4815: 'PC L. Whitfield' };
export const cases = [
  { id: id(1_700_000_000_000, 'case'), number: 'AP/1042/26', kind: 'case' },
  { id: id(1_700_000_000_000, 'incident'), number: 'AP-INC-3317', kind: 'incident' },
];
/** Whoever has an account here, by collar number or sign-in name. */
export const person = (text) => {
  const number = { patel: '7731', officer: '4711' }[text] ?? text;
  const name = { ...names, 7731: 'Insp. R. Patel', 9004: 'DCI M. Hughes' }[number];
  return name ? { id: id(1_700_000_000_000, 'person' + number), name, number } : undefined;
};
export const purposes = [
  { code: 'review', name: 'Evidence review', reference: 'either', label: 'Case or incident number', hold: false },
  { code: 'case', name: 'Case preparation', reference: 'case', label: 'Case number', hold: false },
  { code: 'supervision', name: 'Supervision sample', reference: 'text', label: 'Sample or review number', hold: false },
  { code: 'complaint', name: 'Complaint', reference: 'text', label: 'Complaint number', hold: true },
  { code: 'technical', name: 'Technical check', reference: 'text', label: 'Service desk number', hold: false },
  { code: 'training', name: 'Training', reference: 'none', label: '', hold: false },
];

const officers = ['4700', '4711', '4712', '4720', '4733', '4801', '4815', ''];
const categories = ['', 'stop_and_search', 'domestic_abuse', 'traffic', 'public_order', 'use_of_force', 'arrest'];
const whys = {
  none: 'The file is a maker’s own format (“.bwx”) that no player here can read.',
  proxy: 'The camera wrote HEVC video, which this browser does not play.',
};
export const segmentMs = 39_000;

/** Recording number n; the first few show every state, the rest are ordinary. */
export function recording(n, startedAt, posters) {
  const states = { 2: 'pending', 4: 'none', 6: 'proxy', 8: 'audio' };
  const state = states[n] ?? (n > 20 && n % 41 === 0 ? 'none' : 'playable');
  const rid = id(startedAt, n);
  const device = `AB3-X60A${1200 + (n % 17)}`;
  const officer = officers[n % officers.length];
  const count = n === 0 ? 4 : n % 9 === 5 ? 2 : 1;
  const offset = n % 5 === 3 ? null : 3200 - (n % 7) * 900;
  const segments = [];
  const gaps = [];
  let at = startedAt;
  for (let k = 1; k <= count; k++) {
    if (k === 2) { at += 12_400; gaps.push({ after: 1, lengthMs: 12_400 }); }
    if (k === 3) { at -= 4000; gaps.push({ after: 2, lengthMs: -4000 }); }
    if (k === 4) { at += 1_800_000; gaps.push({ after: 3, lengthMs: 1_800_000, missing: [n + 4, n + 5] }); }
    const s = n === 0 && k === 4 ? 'proxy' : state;
    const known = s !== 'pending' && s !== 'none';
    segments.push({
      recording: rid, number: k, fileName: s === 'none' ? `MEDIA/${n}_${k}.bwx` : `DCIM/${device}_${text(at).slice(0, 19).replace(/[-:T]/g, '')}_${k}.${s === 'audio' ? 'm4a' : 'mp4'}`,
      sequence: n + k, sha256: hex(rid + k), length: 41_233_118 + n * 1313 + k,
      clock: { deviceStarted: text(at + (offset ?? 0)), zone: 'Europe/London', ...(offset === null ? {} : { offsetMs: offset }), source: n % 2 ? 'name' : 'sidecar', trusted: text(at) },
      media: {
        state: s, ...(whys[s] ? { why: whys[s] } : {}),
        ...(known ? { type: s === 'audio' ? 'audio/mp4' : 'video/mp4', format: 'mov,mp4', audio: 'aac', durationMs: segmentMs } : {}),
        ...(known && s !== 'audio' ? { video: s === 'proxy' ? 'hevc' : 'h264', width: 768, height: 576, frameRate: 10 } : {}),
      },
    });
    at += segmentMs;
  }
  const created = startedAt + 7 * hour;
  const poster = state === 'playable' || (state === 'proxy' && n % 2 === 0) ? `/api/recordings/${rid}/poster?segment=1` : '';
  const tool = 'ffmpeg 5.1.6';
  const copies = state === 'playable' ? [
    { segment: 1, kind: 'poster', type: 'image/jpeg', length: 31_200, sha256: hex('p' + rid), tool, info: '', madeAt: text(created + 4000) },
    { segment: 1, kind: 'trickplay', type: 'image/jpeg', length: 188_311, sha256: hex('t' + rid), tool, info: 'columns=5 rows=4 every_ms=2000', madeAt: text(created + 6000) },
    { segment: 1, kind: 'waveform', type: 'application/octet-stream', length: 780, sha256: hex('w' + rid), tool, info: 'per_second=20', madeAt: text(created + 7000) },
  ] : [];
  const work = state === 'pending' ? [{ id: 'w1', kind: 'prepare', state: 'running', tries: 1, message: '', at: text(created) }]
    : state === 'none' ? [{ id: 'w2', kind: 'prepare', state: 'failed', tries: 3, message: 'There is no picture in this file that could be shown.', at: text(created) }] : [];
  return {
    id: rid, device, officer, category: categories[n % categories.length], group: `g${n}`, startedAt: text(startedAt), createdAt: text(created),
    durationMs: state === 'pending' || state === 'none' ? 0 : segmentMs * count, segmentCount: count, segments, bytes: segments.reduce((b, s) => b + s.length, 0),
    state, why: whys[state] ?? '', poster,
    arrivals: segments.map((s) => ({ id: id(created, 'a' + n + s.number), segment: s.number, device, fileName: s.fileName, dock: `HQ-${1 + (n % 4)}`, dockedAt: text(created - 300_000), at: text(created) })),
    gaps, copies, work, can: { consult: n !== 10, export: n % 2 === 0, trail: true, combine: true, restrict: true, assign: true },
    kept: {
      ...(officer && { owner: person(officer) }), class: n === 12 ? 'restricted' : n === 14 ? 'confidential' : 'normal', cases: n % 7 === 3 ? [cases[0]] : n === 12 ? [...cases] : [],
      listed: n === 12 ? [{ person: person('9004'), until: text(startedAt + 90 * 24 * hour) }] : [],
    },
    lastViewed: n % 3 === 1 ? null : { by: 'Sgt Okafor 4702', at: text(Date.now() - ((n % 50) + 1) * 40 * 60_000) },
    picture: posters.length ? posters[n % posters.length] : '',
  };
}

/** Recordings over two years, newest first. */
export function recordings(posters, now = Date.now()) {
  const list = [];
  let at = now - 9 * 60_000;
  for (let n = 0; n < 640; n++) {
    list.push(recording(n, Math.floor(at / 1000) * 1000, posters));
    at -= (n % 11 === 10 ? 31 : n % 5 === 4 ? 9 : 1) * hour * (n > 300 ? 3.1 : 0.7) + n * 1000;
  }
  return list;
}

export const card = ({ segments, segmentCount, group, arrivals, gaps, copies, work, can, kept, lastViewed, picture, ...c }) => ({ ...c, segments: segmentCount });

/** A history with everything that can happen to a recording. */
export function historyOf(r, looks) {
  const t0 = Date.parse(r.createdAt);
  const events = [];
  let n = 0;
  const add = (verb, phase, at, actor, purpose, fields) => {
    const common = [
      ['event', id(at, 'e' + r.id + n++)], ['item', r.id], ['verb', verb], ['phase', phase], ['at', text(at)],
      ['actor_kind', actor.kind], ['actor_id', actor.id], ['actor_name', actor.name], ['actor_number', actor.number], ['actor_role', actor.role],
      ['address', actor.address, true], ['session', actor.session], ['purpose', purpose?.code], ['reference', purpose?.reference], ['note', purpose?.note],
    ];
    events.push([...common, ...fields].filter(([, v]) => v));
  };
  const dock = { kind: 'dock', id: 'dock1', name: 'HQ-1', address: '10.4.0.7' };
  const system = { kind: 'system', id: 'work', name: 'Custos work' };
  const patel = { kind: 'person', id: 'p1', name: 'Insp. R. Patel', number: '7731', role: 'supervisor', address: '10.4.2.19', session: 's1' };
  const okafor = { kind: 'person', id: 'p2', name: 'Sgt Okafor', number: '4702', role: 'officer', address: '10.4.2.20', session: 's2' };
  for (const s of r.segments) {
    add('collect', 'outcome', t0 + s.number * 900, dock, null, [
      ['recording', r.id], ['segment', String(s.number)], ['device', r.device], ['file_name', s.fileName], ['sha256', s.sha256], ['length', String(s.length)],
      ['store', 'main'], ['read_back_at', text(t0 + s.number * 900)], ['officer', r.officer], ['clock_offset_ms', String(s.clock.offsetMs ?? '')],
    ]);
  }
  add('derive', 'intent', t0 + 5000, system, null, [['what', 'poster'], ['segment', '1'], ['master_sha256', r.segments[0].sha256]]);
  add('derive', 'outcome', t0 + 7000, system, null, [['what', 'poster'], ['segment', '1'], ['master_sha256', r.segments[0].sha256], ['found', r.state], ['poster_sha256', 'a1'.repeat(32)], ['poster_tool', 'ffmpeg 5.1.6'], ['waveform_sha256', 'b2'.repeat(32)], ['waveform_tool', 'ffmpeg 5.1.6']]);
  for (let i = 0; i < 7; i++) add('consult', 'intent', t0 + hour + i * 700_000, i % 2 ? patel : okafor, null, [['what', 'poster in a list']]);
  add('consult', 'refused', t0 + 3 * hour, okafor, { code: 'complaint' }, [['reason', 'Watching for a complaint needs its number.']]);
  add('consult', 'intent', t0 + 4 * hour, patel, { code: 'supervision', reference: 'SS-26-118' }, [['consultation', 'c1']]);
  add('consult', 'outcome', t0 + 4 * hour + 131_000, patel, { code: 'supervision', reference: 'SS-26-118' }, [['consultation', 'c1'], ['ended', 'closed'], ['open_ms', '131000'], ['bytes', '18233411'], ['watched_ms', '97000']]);
  for (let i = 0; i < 4; i++) add('consult', 'intent', t0 + 5 * hour + i * 60_000, patel, null, [['what', 'poster in a list']]);
  if (r.can.export) {
    add('disclose', 'intent', t0 + 6 * hour, patel, { code: 'case', reference: '42AB/8812/26' }, [['bundle', 'b1'], ['recipient', 'Crown Prosecution Service, Leeds']]);
    add('disclose', 'outcome', t0 + 6 * hour + 9000, patel, { code: 'case', reference: '42AB/8812/26' }, [['bundle', 'b1'], ['recipient', 'Crown Prosecution Service, Leeds']]);
  }
  for (const l of looks) add('consult', l.phase, l.at, patel, l.purpose, [['consultation', l.id], ...(l.fields ?? [])]);
  return history(r.id, events, looks.length ? 1 : 0);
}

/** Hold requests enough for a second page, newest first. */
export const holdRequests = (list) => Array.from({ length: 64 }, (_, i) => {
  const at = Date.parse(list[0].startedAt) - (i + 2) * 19 * hour;
  const [purpose, reference] = [['complaint', `CO/${180 - i}/26`], ['misconduct', `PSD-26-${90 - i}`], ['foi', `FOI ${2400 - i}`]][i % 3];
  return { id: id(at, 'hold' + i), recording: list[12 + i * 3].id, purpose, reference, name: i % 2 ? 'Insp. R. Patel' : 'DCI M. Hughes', at: text(at) };
});

/** Docks at a moment; step counts seconds, so that progress moves. */
export function docks(step, now = Date.now()) {
  const base = { version: '0.3.1', enrolledAt: '2026-09-01T09:00:00Z', at: text(now), lastSeen: text(now), online: true };
  const total = 2_400_000_000;
  const sent = Math.min(total, (step % 120) * 21_000_000);
  const camera = (c) => ({ profile: 'axon-style', files: 0, done: 0, wiped: 0, leftOver: 0, bytes: 0, sent: 0, rate: 0, ...c });
  return [
    {
      ...base, id: 'd1', dock: 'd1', name: 'HQ-1 Briefing room', cameras: [
        camera({ device: 'AB3-X60A1201', officer: '4711', state: 'uploading', files: 9, done: 3, wiped: 3, bytes: total, sent, rate: 21_000_000, current: [{ name: 'DCIM/AB3-X60A1201_20261121214000_4.mp4', state: 'uploading', length: 400_000_000, sent: (step % 19) * 21_000_000 }, { name: 'DCIM/AB3-X60A1201_20261121215500_5.mp4', state: 'hashing', length: 400_000_000, sent: 0 }] }),
        camera({ device: 'AB3-X60A1204', officer: '4720', state: 'ready', files: 6, done: 6, wiped: 6, bytes: 1_800_000_000, sent: 1_800_000_000 }),
        camera({ device: 'AB3-X60A1209', state: 'reading', files: 4, bytes: 900_000_000, leftOver: 2, current: [{ name: 'DCIM/0004.mp4', state: 'hashing', length: 230_000_000, sent: 0 }] }),
      ],
    },
    {
      ...base, id: 'd2', dock: 'd2', name: 'HQ-2 Custody suite', cameras: [
        camera({ device: 'AB3-X60A1211', officer: '4733', state: 'problem', files: 5, done: 2, wiped: 2, bytes: 1_100_000_000, sent: 420_000_000, message: 'One file cannot be read from the camera. Nothing was deleted. Take the camera to the service desk and do not use it.', current: [{ name: 'DCIM/0003.mp4', state: 'problem', length: 310_000_000, sent: 0, message: 'The camera gave an input/output error.' }] }),
        camera({ device: 'AB3-X60A1212', officer: '4801', state: 'waiting', files: 2, bytes: 300_000_000, message: 'The server has no room just now. The footage stays on the camera; the upload goes on by itself.' }),
      ],
    },
    { ...base, id: 'd3', dock: 'd3', name: 'Halifax 1', cameras: [] },
    { ...base, id: 'd4', dock: 'd4', name: 'Wakefield 1', online: false, lastSeen: text(now - 5 * hour), at: text(now - 5 * hour), cameras: [camera({ device: 'AB3-X60A1216', officer: '4815', state: 'uploading', files: 3, done: 1, wiped: 1, bytes: 600_000_000, sent: 240_000_000 })] },
  ];
}

/** Three witnesses, one of them away, and an authority. */
function outside(now) {
  const never = '0001-01-01T00:00:00Z';
  const witness = (name, keyName, algorithm, more) => ({ name, keyName, algorithm, size: 184_213, at: text(now - 1800), since: never, trouble: '', ...more });
  return {
    size: 184_213, at: text(now - 1500), since: never,
    witnesses: [
      witness('court', 'witness.court.example/custos', 'Ed25519'),
      witness('inspectorate', 'inspectorate.example/witness', 'ML-DSA-44'),
      witness('university', 'logs.university.example/w1', 'Ed25519', { size: 183_902, at: text(now - 41 * 60_000), since: text(now - 40 * 60_000), trouble: 'It does not answer.' }),
    ],
    authorities: [{ name: 'tsa.example', size: 184_020, at: text(now - 22 * 60_000), late: false, trouble: '' }],
  };
}

export function system(list, logKey, now = Date.now()) {
  return {
    version: '0.3.0', startedAt: text(now - 53 * hour),
    stores: [
      { name: 'main', engine: 'Folder on this server', place: '/srv/custos/objects', bytesFree: 5_400_000_000_000, bytesTotal: 16_000_000_000_000, objects: 9211, bytes: 10_300_000_000_000, state: 'ok', message: '' },
      { name: 'second', engine: 'Folder on this server', place: '/mnt/second/custos', bytesFree: 1_300_000_000_000, bytesTotal: 12_000_000_000_000, objects: 9180, bytes: 10_290_000_000_000, state: 'ok', message: '' },
    ],
    ledger: { events: 184_213, size: 184_213, checkpointSize: 184_213, checkpointAt: text(now - 2000), origin: 'mock.custos.invalid/log', logKey, state: 'ok', message: '', witnessed: true },
    witness: outside(now),
    work: {
      waiting: 3, running: 1, failed: 1, done: 27_402, recent: [
        { id: 'j1', kind: 'prepare', recording: list[2]?.id ?? '', state: 'running', tries: 1, message: '', at: text(now - 4000) },
        { id: 'j2', kind: 'prepare', recording: list[4]?.id ?? '', state: 'failed', tries: 3, message: 'The file is a maker’s own format that no player here can read.', at: text(now - 180_000) },
        { id: 'j3', kind: 'proxy', recording: list[6]?.id ?? '', state: 'waiting', tries: 0, message: '', at: text(now - 9000) },
        { id: 'j4', kind: 'prepare', recording: list[0]?.id ?? '', state: 'done', tries: 1, message: '', at: text(now - 400_000) },
      ],
    },
    database: { engine: 'SQLite', bytes: 412_000_000 }, uploads: { open: 2, bytes: 640_000_000 }, approvals: { open: 1, glass: 0, reviews: 0, overdue: 0 }, passwordAlone: 0,
  };
}
