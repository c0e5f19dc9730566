// A stand-in for the server, for work on the pages and for the browser tests:
//
//   node dev/mock.mjs [--port 8080]
//
// It serves dist/ the way embed.go does and answers the API with made-up
// recordings. Sign in as patel (may do everything), officer (recordings only)
// or empty (no recordings), password "custos". POST /mock/… makes things
// happen: arrive?n=3, hide?id=…, fail?path=/api/docks&status=503, expire, reset.
import { randomBytes } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { card, docks, historyOf, recording, recordings, system } from './mock-data.mjs';
import { Keeping, Refusal } from './mock-keeping.mjs';
import { logKey } from './mock-ledger.mjs';
import { peopleRoutes } from './mock-people.mjs';
import { makeMedia, perSecond, posters, sheet } from './mock-media.mjs';

const web = fileURLToPath(new URL('..', import.meta.url));
const dist = join(web, 'dist');
const media = makeMedia();
const pictures = posters(media);
const port = Number(process.argv[process.argv.indexOf('--port') + 1] || 8080);

let list = recordings(pictures);
const keeping = new Keeping(list);
let arrived = 10_000;
const sessions = new Map();
const consultations = new Map();
const looks = new Map();
const failures = new Map();
const streams = new Set();
let step = 0;

const everything = { people: true, cases: true, addCases: true, recordings: true, docks: true, system: true, log: true, auditBasic: true, holds: true };
const people = {
  patel: { id: 'p1', name: 'Insp. R. Patel', number: '7731', role: 'supervisor', roleName: 'Supervisor', can: everything },
  officer: { id: 'p3', name: 'PC Adeyemi', number: '4711', role: 'officer', roleName: 'Officer', can: { recordings: true, docks: false, system: false, log: false } },
  empty: { id: 'p4', name: 'PC Llewellyn', number: '4801', role: 'officer', roleName: 'Officer', can: everything },
};

const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml', '.jpg': 'image/jpeg', '.mp4': 'video/mp4', '.m4a': 'audio/mp4' };
const titles = { 400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 409: 'Conflict', 422: 'Unprocessable Entity', 503: 'Service Unavailable' };

function json(res, value, status = 200) {
  const body = JSON.stringify(value);
  res.writeHead(status, { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json', 'Cache-Control': 'no-store' });
  res.end(body);
}

function sendFile(req, res, file, type) {
  const { size } = statSync(file);
  const m = /^bytes=(\d*)-(\d*)$/.exec(req.headers.range ?? '');
  const from = m ? (m[1] ? Number(m[1]) : size - Number(m[2])) : 0;
  const to = m && m[1] && m[2] ? Math.min(size - 1, Number(m[2])) : size - 1;
  const head = { 'Content-Type': type, 'Content-Length': to - from + 1, 'Accept-Ranges': 'bytes', 'Cache-Control': 'private, no-store', 'Cross-Origin-Resource-Policy': 'same-origin' };
  if (m) head['Content-Range'] = `bytes ${from}-${to}/${size}`;
  res.writeHead(m ? 206 : 200, head);
  createReadStream(file, { start: from, end: to }).pipe(res);
}

function emit(name, data) {
  for (const s of streams) s.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}

const body = async (req) => {
  let text = '';
  for await (const chunk of req) text += chunk;
  return text ? JSON.parse(text) : {};
};
const find = (id) => {
  const r = list.find((x) => x.id === id);
  if (!r) throw new Refusal(404, 'not_found', 'There is no such recording, or none that you may know of.');
  return r;
};

function seen(c) {
  return {
    id: c.id, expiresAt: new Date(Date.now() + 15 * 60_000).toISOString(), now: new Date().toISOString(), watermark: `${c.me.name} · ${c.me.number}`,
    segments: c.recording.segments.map((s) => {
      const state = s.media.state;
      const made = c.proxies.get(s.number) ?? '';
      const picture = state === 'playable' || made === 'ready';
      const base = `/media/${c.id}/${s.number}`;
      return {
        number: s.number, durationMs: s.media.durationMs ?? 0, type: state === 'audio' ? 'audio/mp4' : 'video/mp4', state, why: s.media.why ?? '', proxyState: made,
        source: state === 'playable' || state === 'audio' ? `${base}/master` : made === 'ready' ? `${base}/proxy` : '',
        trickplay: picture ? { url: `${base}/trickplay`, ...sheet } : null,
        waveform: picture || state === 'audio' ? { url: `${base}/waveform`, perSecond } : null,
      };
    }),
  };
}

function endConsultation(c, watchedMs) {
  if (!consultations.delete(c.id)) return;
  looks.get(c.recording.id)?.push({ id: c.id, phase: 'outcome', at: Date.now(), purpose: c.purpose, fields: [['ended', 'closed'], ['open_ms', String(Date.now() - c.at)], ['watched_ms', String(watchedMs ?? 0)], ['bytes', '8211003']] });
}

const routes = [
  ['POST', /^\/api\/session$/, async ({ req, res }) => {
    const { name, password } = await body(req);
    const person = people[name];
    if (!person || password !== 'custos') throw new Refusal(401, 'unauthenticated', 'The name or the password is not right.');
    const token = randomBytes(16).toString('hex');
    const me = { ...person, classification: 'OFFICIAL-SENSITIVE', force: 'Thornshire Police', login: name };
    sessions.set(token, me);
    res.setHeader('Set-Cookie', `custos=${token}; Path=/; HttpOnly; SameSite=Strict`);
    json(res, me);
  }],
  ['GET', /^\/api\/session\/ways$/, ({ res }) => json(res, { passkeyHost: 'localhost', url: 'http://localhost' })],
  ['DELETE', /^\/api\/session$/, ({ res, token }) => { sessions.delete(token); res.writeHead(204).end(); }],
  ['GET', /^\/api\/session$/, ({ res, me }) => json(res, { me: me ?? null })],
  ['GET', /^\/api\/recordings$/, ({ res, url, me }) => {
    const q = (n) => url.searchParams.get(n) ?? '';
    let items = me.login === 'empty' ? [] : list;
    if (q('officer')) items = items.filter((r) => r.officer === q('officer'));
    if (q('device')) items = items.filter((r) => r.device === q('device'));
    if (q('from')) items = items.filter((r) => r.startedAt >= q('from').replace('Z', '.000000Z'));
    if (q('to')) items = items.filter((r) => r.startedAt < q('to').replace('Z', '.000000Z'));
    const at = q('cursor') ? items.findIndex((r) => r.id === q('cursor')) + 1 : 0;
    const page = items.slice(at, at + Number(q('limit') || 60));
    json(res, { items: page.map(card), next: at + page.length < items.length ? page.at(-1).id : '' });
  }],
  ['GET', /^\/api\/recordings\/days$/, ({ res, me }) => {
    const days = new Map();
    const london = new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/London', year: 'numeric', month: '2-digit', day: '2-digit' });
    for (const r of me.login === 'empty' ? [] : list) {
      const d = london.format(new Date(r.startedAt));
      days.set(d, (days.get(d) ?? 0) + 1);
    }
    json(res, { days: [...days].map(([day, count]) => ({ day, count })) });
  }],
  ['GET', /^\/api\/recordings\/([0-9a-z]{26})$/, ({ res, m, me, token }) => {
    const { picture, ...r } = find(m[1]);
    // An officer watches own footage and does not see who else did.
    if (me.role === 'officer') Object.assign(r, { can: { consult: r.can.consult, export: false, trail: false, combine: false, restrict: false, assign: false }, lastViewed: null });
    json(res, { ...r, kept: keeping.kept(r, me, token) });
  }],
  ['GET', /^\/api\/recordings\/([0-9a-z]{26})\/poster$/, ({ req, res, m }) => sendFile(req, res, join(media, find(m[1]).picture), 'image/jpeg')],
  ['GET', /^\/api\/recordings\/([0-9a-z]{26})\/history$/, ({ res, m }) => json(res, historyOf(find(m[1]), looks.get(m[1]) ?? []))],
  ['POST', /^\/api\/recordings\/([0-9a-z]{26})\/consultations$/, async ({ req, res, m, me, token }) => {
    const r = find(m[1]);
    const { purpose: given } = await body(req);
    if (!r.can.consult) throw new Refusal(403, 'denied', 'Your role may not watch this recording.');
    const purpose = keeping.purposeFor(r, me, token, given);
    const c = { id: randomBytes(13).toString('hex'), at: Date.now(), recording: r, purpose, me, proxies: new Map() };
    consultations.set(c.id, c);
    looks.set(r.id, [...(looks.get(r.id) ?? []), { id: c.id, phase: 'intent', at: c.at, purpose }]);
    json(res, seen(c), 201);
  }],
  ['GET', /^\/api\/purposes$/, ({ res }) => json(res, { purposes: keeping.purposes })],
  ['GET', /^\/api\/hold-requests$/, ({ res, url, me }) => json(res, keeping.page(me.login === 'empty' ? null : url.searchParams.get('before') ?? ''))],
  ['POST', /^\/api\/recordings\/([0-9a-z]{26})\/(restriction|owner|cases)$/, async ({ req, res, m, me }) => {
    keeping.change(m[2], find(m[1]), me, await body(req));
    emit('recordings', { id: m[1] });
    res.writeHead(204).end();
  }],
  ['GET', /^\/api\/consultations\/(\w+)$/, ({ res, m }) => {
    const c = consultations.get(m[1]);
    if (!c) throw new Refusal(404, 'not_found', 'This viewing has ended.');
    json(res, seen(c));
  }],
  ['POST', /^\/api\/consultations\/(\w+)\/end$/, async ({ req, res, m }) => {
    const c = consultations.get(m[1]);
    if (c) endConsultation(c, (await body(req)).watchedMs);
    res.writeHead(204).end();
  }],
  ['POST', /^\/api\/consultations\/(\w+)\/proxies\/(\d+)$/, ({ res, m }) => {
    const c = consultations.get(m[1]);
    if (!c) throw new Refusal(404, 'not_found', 'This viewing has ended.');
    c.proxies.set(Number(m[2]), 'making');
    setTimeout(() => {
      c.proxies.set(Number(m[2]), 'ready');
      emit('work', { recording: c.recording.id, kind: 'proxy', state: 'done' });
    }, 4000);
    res.writeHead(202).end();
  }],
  ['GET', /^\/media\/(\w+)\/(\d+)\/(master|proxy|trickplay|waveform)$/, ({ req, res, m }) => {
    const c = consultations.get(m[1]);
    if (!c) throw new Refusal(404, 'not_found', 'This viewing has ended.');
    const n = Number(m[2]) % 2 === 0 ? 2 : 1;
    if (m[3] === 'trickplay') sendFile(req, res, join(media, `trickplay${n}.jpg`), 'image/jpeg');
    else if (m[3] === 'waveform') sendFile(req, res, join(media, `waveform${n}`), 'application/octet-stream');
    else if (c.recording.state === 'audio') sendFile(req, res, join(media, 'audio.m4a'), 'audio/mp4');
    else sendFile(req, res, join(media, `segment${n}.mp4`), 'video/mp4');
  }],
  ['GET', /^\/api\/docks$/, ({ res, me }) => json(res, { docks: me.login === 'empty' ? [] : docks(step) })],
  ...peopleRoutes({ json, body, Refusal }),
  ['GET', /^\/api\/system$/, ({ res }) => json(res, system(list, logKey))],
  ['GET', /^\/log\/checkpoint$/, ({ res }) => { res.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' }); res.end('mock\n'); }],
  ['GET', /^\/api\/events$/, ({ req, res }) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    res.write(':\n\n');
    streams.add(res);
    req.on('close', () => streams.delete(res));
  }],
];

const controls = {
  arrive(q) {
    for (let i = 0; i < Number(q.get('n') ?? 1); i++) {
      const r = recording(arrived++ * 3, Math.floor(Date.now() / 1000) * 1000 - i * 1000, pictures);
      list = [r, ...list];
      emit('recordings', { id: r.id });
    }
  },
  fail: (q) => void failures.set(q.get('path'), { status: Number(q.get('status')), code: q.get('code') ?? 'unavailable' }),
  hide(q) {
    list = list.filter((r) => r.id !== q.get('id'));
    emit('recordings', { id: q.get('id') });
  },
  expire: () => sessions.clear(),
  end: () => consultations.clear(),
  reset() {
    failures.clear();
    keeping.forget();
  },
};

function servePage(req, res, path) {
  const file = normalize(join(dist, path));
  const headers = { 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
  if (path !== '/' && extname(path) && file.startsWith(dist) && existsSync(file)) {
    res.writeHead(200, { ...headers, 'Content-Type': types[extname(path)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(res);
    return;
  }
  const nonce = randomBytes(16).toString('base64');
  const policy = readFileSync(join(web, 'csp.txt'), 'utf8').trim().split('\n').join('; ').replaceAll('{nonce}', nonce);
  const known = /^\/(|sign-in|enrol|account|docks|system|holds|units|(recordings|people|cases)(\/[^/]+)?)$/.test(path);
  res.writeHead(known ? 200 : 404, { ...headers, 'Content-Type': types['.html'], 'Content-Security-Policy': policy, 'Cache-Control': 'no-store' });
  res.end(readFileSync(join(dist, 'index.html'), 'utf8').replaceAll('{nonce}', nonce));
}

async function answer(req, res) {
  const url = new URL(req.url, 'http://mock');
  const path = url.pathname;
  const control = /^\/mock\/(\w*)$/.exec(path);
  if (control) {
    controls[control[1]]?.(url.searchParams);
    res.writeHead(204).end();
    return;
  }
  if (!/^\/(api|media|log)\//.test(path)) {
    servePage(req, res, path);
    return;
  }
  const failure = failures.get(path);
  if (failure) throw new Refusal(failure.status, failure.code, 'Custos cannot do this just now. What is stored is safe. Try again in a minute.');
  const token = /(?:^|; )custos=(\w+)/.exec(req.headers.cookie ?? '')?.[1] ?? '';
  const me = sessions.get(token);
  const open = path === '/api/session' || path === '/api/session/ways' || path.startsWith('/log/');
  if (!me && !open) throw new Refusal(401, 'unauthenticated', 'Sign in first.');
  for (const [method, pattern, handle] of routes) {
    const m = req.method === method && pattern.exec(path);
    if (m) {
      await handle({ req, res, url, m, me, token });
      return;
    }
  }
  throw new Refusal(404, 'not_found', 'There is no such thing here.');
}

const server = createServer((req, res) => {
  answer(req, res).catch((e) => {
    if (!(e instanceof Refusal)) console.error(e);
    const status = e.status ?? 500;
    json(res, { type: 'about:blank', title: titles[status] ?? 'Error', status, detail: e.message, code: e.code ?? 'internal', reference: randomBytes(4).toString('hex') }, status);
  });
});
setInterval(() => {
  step++;
  emit('docks', docks(step)[0]);
}, 1000).unref();
server.listen(port, '127.0.0.1', () => console.log(`mock server on http://127.0.0.1:${port}`));
