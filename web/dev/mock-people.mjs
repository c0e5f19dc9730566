// What the mock server tells of people, units and cases, and what can be done
// to them. Changes last until the mock ends.
const since = '2026-03-02T08:00:00Z';
const id = (kind, n) => `${kind}${String(n).padStart(26 - kind.length, '0')}`;

const units = [
  { id: id('u', 1), code: 'TP', name: 'Thornshire Police', parent: '' },
  { id: id('u', 2), code: 'RESP-A', name: 'Response A', parent: id('u', 1) },
  { id: id('u', 3), code: 'RESP-B', name: 'Response B', parent: id('u', 1) },
  { id: id('u', 4), code: 'OLD', name: 'Mounted Section', parent: id('u', 1), closedAt: '2026-05-01T12:00:00Z' },
].map((u) => ({ ...u, createdAt: since }));

const roles = [['administrator', 'Administrator', true], ['investigator', 'Investigator', false], ['officer', 'Officer', false], ['supervisor', 'Supervisor', false]].map(([role, name, approval]) => ({ role, name, approval }));
const people = ['Adeyemi', 'Llewellyn', 'Okafor', 'Whitfield'].concat(Array.from({ length: 130 }, (_, i) => `Grove ${i + 1}`)).map((name, i) => ({
  id: id('p', i + 1), login: name.toLowerCase().replace(' ', '.'), name: `PC ${name}`, number: i === 2 ? '' : String(4711 + i), role: 'officer', roleName: 'Officer', disabled: i === 3,
  activeAt: since, createdAt: since, unit: i % 5 === 4 ? '' : id('u', 2 + (i % 2)), lead: i === 0, cameras: i === 0 ? [{ id: id('h', 1), kind: 'camera', thing: 'K-0417', person: id('p', 1), from: since }] : [],
})).sort((a, b) => (a.login < b.login ? -1 : 1));

let cases = [
  { id: id('c', 2), number: 'INC-77', kind: 'incident', title: '', known: false, manage: false },
  { id: id('c', 1), number: '42AB/8812/26', kind: 'case', title: 'Burglary in Mill Lane', known: true, manage: true },
].map((c) => ({ ...c, openedAt: since, openedBy: c.known ? id('p', 3) : '', members: c.known ? [{ id: id('m', 1), case: c.id, number: c.number, person: id('p', 3), name: 'PC Okafor', role: 'Entered it', from: since }] : [] }));

const card = ({ cameras, createdAt, ...p }) => p;
const detail = (p) => {
  const u = units.find((x) => x.id === p.unit);
  return { ...p, postings: u ? [{ id: id('o', 1), person: p.id, unit: u.id, lead: p.lead, from: since, code: u.code, name: u.name }] : [], numbers: p.number ? [{ id: id('n', 1), kind: 'number', thing: p.number, person: p.id }] : [] };
};

const preview = {
  digest: 'ab'.repeat(32), counts: { new: 1, changed: 1, unchanged: 1, refused: 1 }, absent: [{ login: 'okafor', name: 'PC Okafor' }],
  lines: [
    { line: 2, login: 'adeyemi', name: 'PC Adeyemi', verdict: 'changed', changes: [{ column: 'unit', before: 'RESP-A', after: 'RESP-B (lead)' }], remarks: [{ column: 'role', reason: 'Needs approval and is not done: the role stays officer. Ask for the role supervisor in Approvals.' }] },
    { line: 3, login: 'khan', name: 'PC Khan', verdict: 'new', changes: [{ column: 'name', before: '', after: 'PC Khan' }, { column: 'role', before: '', after: 'officer' }], remarks: [] },
    { line: 4, login: 'llewellyn', name: 'PC Llewellyn', verdict: 'unchanged', changes: [], remarks: [] },
    { line: 5, login: 'elm', name: '', verdict: 'refused', changes: [], remarks: [{ column: 'name', reason: 'Somebody new needs a name.' }] },
  ],
};

/** The routes, for mock.mjs: its json, body and Refusal are handed in. */
export const peopleRoutes = ({ json, body, Refusal }) => {
  const done = (res) => res.writeHead(204).end();
  const one = (list, key) => {
    const x = list.find((y) => y.id === key);
    if (!x) throw new Refusal(404, 'not_found', 'There is no such thing.');
    return x;
  };
  const words = (url) => (url.searchParams.get('text') ?? '').toLowerCase();
  return [
    ['GET', /^\/api\/people$/, ({ res, url }) => {
      const q = (n) => url.searchParams.get(n) ?? '';
      const fit = people.filter((p) => (!q('unit') || p.unit === q('unit')) && (!q('role') || p.role === q('role')) && (!q('state') || p.disabled === (q('state') === 'closed')) && `${p.login} ${p.name} ${p.number}`.toLowerCase().includes(words(url)));
      json(res, { people: fit.filter((p) => p.login > q('after')).slice(0, 100).map(card), total: fit.length, roles });
    }],
    ['GET', /^\/api\/people\/(\w{26})\/credentials$/, ({ res }) => json(res, { password: true, passkeys: [], recoveryLeft: 0, recoveryUsed: 0, secondMissing: false })],
    ['GET', /^\/api\/people\/(\w{26})\/sessions$/, ({ res }) => json(res, { sessions: [] })],
    ['GET', /^\/api\/people\/(\w{26})$/, ({ res, m }) => json(res, detail(one(people, m[1])))],
    ['POST', /^\/api\/people\/(\w{26})\/(postings|cameras)$/, async ({ req, res, m }) => {
      const p = one(people, m[1]);
      const b = await body(req);
      if (b.camera === 'K-0417') throw new Refusal(409, 'conflict', 'That camera is with somebody in that time. Nothing was changed; end that first, or begin later.');
      if (b.camera) p.cameras = [{ id: id('h', 9), kind: 'camera', thing: b.camera, person: p.id, from: since }, ...p.cameras];
      else Object.assign(p, { unit: b.unit, lead: b.lead });
      done(res);
    }],
    ['POST', /^\/api\/people-(preview|import)$/, ({ res }) => json(res, preview)],
    ['GET', /^\/api\/units$/, ({ res }) => json(res, { units: units.map((u) => ({ ...u, people: people.filter((p) => p.unit === u.id).length, leads: people.filter((p) => p.unit === u.id && p.lead).map((p) => p.name) })) })],
    ['POST', /^\/api\/units$/, async ({ req, res }) => {
      const u = { id: id('u', units.length + 1), createdAt: since, ...(await body(req)) };
      units.push(u);
      json(res, { id: u.id });
    }],
    ['GET', /^\/api\/cases$/, ({ res, url }) => json(res, { cases: cases.filter((c) => `${c.number} ${c.title}`.toLowerCase().includes(words(url))), next: '' })],
    ['POST', /^\/api\/cases$/, async ({ req, res }) => {
      const c = { id: id('c', cases.length + 1), openedAt: since, openedBy: 'p1', known: true, manage: true, members: [], ...(await body(req)) };
      cases = [c, ...cases];
      json(res, { id: c.id });
    }],
    ['GET', /^\/api\/cases\/(\w{26})$/, ({ res, m }) => json(res, { ...one(cases, m[1]), by: 'PC Okafor' })],
    ['POST', /^\/api\/cases\/(\w{26})\/members$/, async ({ req, res, m }) => {
      const c = one(cases, m[1]);
      const b = await body(req);
      c.members.unshift({ id: id('m', c.members.length + 2), case: c.id, number: c.number, from: since, name: one(people, b.person).name, ...b });
      done(res);
    }],
    ['GET', /^\/api\/case-candidates$/, ({ res, url }) => json(res, { people: people.filter((p) => !p.disabled && p.name.toLowerCase().includes(words(url))).slice(0, 20).map(({ id: key, name, number }) => ({ id: key, name, number })) })],
  ];
};
