import type { Shown } from './main';
import { collections, filesOf, type Bag, type File_, type Recording } from './bag';
import { h, icon } from './dom';
import { valueOf, type Check, type EventReport, type Opening, type State } from '../src/index';
import { duration, known, plain, size, stateWord, time, what, who, why } from './words';

/** State in a word and a shape, never by colour alone. */
const badge = (state: State, text = stateWord[state]) => h('span', { class: `badge ${state}` }, icon(state), text);

export function header(bag: Bag): HTMLElement {
  const m = bag.metadata;
  return h('header', {},
    h('div', { class: 'brand' }, icon('proven'), h('h1', {}, 'Evidence bundle'), h('code', {}, plain(m.bundle))),
    h('dl', { class: 'line' },
      ...pair('From', plain(m.force)), ...pair('For', plain(m.recipient)), ...pair('Made', time(m.madeAt)),
      ...(m.purpose.reference ? pair('Reference', plain(m.purpose.reference)) : [])),
    themeButton());
}

const pair = (name: string, value: Node | string) => [h('div', {}, h('dt', {}, name), h('dd', {}, value))];

function themeButton(): HTMLElement {
  const dark = () => (document.documentElement.dataset.theme ?? (matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark')) === 'dark';
  const button = h('button', { type: 'button', class: 'quiet' });
  const draw = () => button.replaceChildren(icon(dark() ? 'sun' : 'moon'), dark() ? 'Light' : 'Dark');
  button.addEventListener('click', () => {
    document.documentElement.dataset.theme = dark() ? 'light' : 'dark';
    draw();
  });
  draw();
  return button;
}

/** Every check of the bundle, the media's instead of the descriptions' where they have been read. */
function allChecks(s: Shown): Check[] {
  const seen = new Set<string>();
  return [...[...s.reports.values()].flatMap((r) => r.checks), ...s.media.values()].filter((c) => {
    // Key, checkpoint and witness are the same for all recordings.
    const id = `${c.name} ${c.subject} ${c.says}`;
    return !seen.has(id) && seen.add(id);
  });
}

/** What it all comes to, and what is left to do. */
export function verdict(s: Shown, choose: (files: File[]) => void): HTMLElement {
  const checks = allChecks(s);
  const wrong = checks.filter((c) => c.state === 'failed');
  const files = s.bag.metadata.files ?? [];
  const unread = files.filter((f) => s.media.get(f.path)?.state !== 'proven');
  const keyed = checks.some((c) => c.name === 'key' && c.state === 'proven');
  const state: State = wrong.length ? 'failed' : keyed && !unread.length ? 'proven' : 'not_proven';
  const says = !s.reports.size
    ? 'Checking …'
    : { failed: 'Something is wrong with this bundle', proven: 'Everything holds', not_proven: 'Everything fits together; not all of it is confirmed yet' }[state];
  return h('section', { class: `verdict ${state}`, 'aria-label': 'Result' },
    h('div', { class: 'says' }, icon(state), h('h2', {}, says)),
    state === 'proven' && h('p', {}, 'These are the bytes that came off the camera, and the record of what was done with them is the one in the log whose key you gave.'),
    wrong.length > 0 && h('ul', {}, wrong.map((c) => h('li', {}, h('strong', {}, plain(c.subject || c.name)), ' ', plain(c.says)))),
    wrong.length > 0 && h('p', {}, 'Keep the bundle as it is, and ask the force for a new copy.'),
    h('ul', { class: 'todo' },
      unread.length > 0 && h('li', {}, badge('not_proven', 'To do'), ` The files themselves: ${files.length - unread.length} of ${files.length} read. `, folderButton(s, choose), s.notThis && ' That is not the folder of this bundle: none of its files is there.'),
      !keyed && !wrong.some((c) => c.name === 'key') && h('li', {}, badge('not_proven', 'To do'), ' The key of the log: compare it with the force by telephone, ', h('a', { href: '#key' }, 'see below'), '.'),
      checks.filter((c) => c.name === 'witness').map((c) => h('li', {}, badge('not_proven'), ` ${plain(c.says)}`)),
      h('li', {}, badge('not_proven'), ' Times are the force’s word. Timestamps of outside authorities, where the bundle has any, are files for custos-verify and OpenSSL: see README.txt.')),
    h('p', { class: 'fine' }, 'This page is part of the bundle. Somebody who changed the bundle could have changed the page: for certainty use custos-verify, which you get elsewhere.'));
}

function folderButton(s: Shown, choose: (files: File[]) => void): HTMLElement {
  const input = h('input', { type: 'file', webkitdirectory: true, multiple: true, id: 'folder', class: 'hidden', tabindex: -1, 'aria-label': 'The folder of this bundle' });
  input.addEventListener('change', () => input.files?.length && choose([...input.files]));
  const bar = h('progress', { id: 'hashing', max: 1, value: 0, hidden: !s.hashing, 'aria-label': 'Reading the files' });
  return h('span', { class: 'act' },
    h('button', { type: 'button', disabled: !!s.hashing, click: () => input.click() }, icon('folder'), s.hashing ? 'Reading the files …' : 'Choose this bundle’s folder'),
    input, bar);
}

export function recordingsList(s: Shown, select: (recording: string, segment: number) => void): HTMLElement {
  return h('ol', { class: 'recordings' }, (s.bag.metadata.recordings ?? []).map((r) => {
    const state = s.reports.get(r.id)?.state ?? 'not_proven';
    return h('li', {}, h('button', { type: 'button', 'aria-current': r.id === s.recording ? 'true' : undefined, click: () => select(r.id, filesOf(s.bag, r.id)[0]?.segment ?? 1) },
      h('span', { class: 'when' }, time(r.startedAt)),
      h('span', {}, `Camera ${plain(r.device)}`, r.officer ? `, officer ${plain(r.officer)}` : ''),
      badge(state === 'proven' ? 'proven' : state, state === 'failed' ? 'Something is wrong' : state === 'proven' ? 'History proven' : 'History fits together')));
  }));
}

export function keyBox(s: Shown, pin: (line: string) => void): HTMLElement {
  const report = [...s.reports.values()][0];
  const input = h('textarea', { id: 'pin', rows: 3, spellcheck: 'false', autocomplete: 'off' });
  input.value = s.pinned;
  return h('section', { class: 'panel key', id: 'key' },
    h('h2', {}, 'The key of the log'),
    h('p', {}, 'It came with the bundle, so whoever made the bundle chose it. Ask the force, on a number that you did not take from here, for the fingerprint of their log key:'),
    h('p', { class: 'fingerprint' }, h('code', {}, report?.fingerprint ?? '')),
    h('label', { for: 'pin' }, 'Or enter the key that the force gave you'),
    input,
    h('button', { type: 'button', click: () => pin(input.value) }, 'Check with this key'));
}

export function recordingView(s: Shown, select: (recording: string, segment: number) => void): HTMLElement {
  const r = s.bag.metadata.recordings?.find((x) => x.id === s.recording);
  if (!r) return h('p', {}, 'The bundle has no recording.');
  const files = filesOf(s.bag, r.id);
  const file = files.find((f) => f.segment === s.segment);
  return h('div', { class: 'recording' },
    h('div', { class: 'watch' },
      file ? player(file, r) : h('p', {}, 'This recording has no file in the bundle.'),
      files.length > 1 && h('div', { class: 'segments', role: 'group', 'aria-label': 'Segments' }, files.map((f) =>
        h('button', { type: 'button', 'aria-pressed': String(f.segment === s.segment), click: () => select(r.id, f.segment) }, `Segment ${f.segment}`))),
      file && facts(s, r, file)),
    events(s, r));
}

function player(f: File_, r: Recording): HTMLElement {
  if (f.sealed) return h('p', { class: 'noplay' }, 'This file is sealed for its receiver and cannot be played here. README.txt says how to decrypt it.');
  const path = f.path.split('/').map(encodeURIComponent).join('/');
  const type = r.segments?.find((x) => x.number === f.segment)?.media?.type ?? '';
  const audio = type.startsWith('audio/') || /\.(wav|mp3|m4a|aac|flac|opus)$/i.test(f.path);
  const e = h(audio ? 'audio' : 'video', { controls: true, preload: 'metadata', src: path, 'aria-label': `Segment ${f.segment}` });
  const box = h('div', { class: 'player' }, e);
  e.addEventListener('error', () => box.replaceChildren(h('p', { class: 'noplay' }, 'This browser cannot play the file. It is a native file of the camera; another player may open it: ', h('a', { href: path }, f.path), '.')));
  return box;
}

function facts(s: Shown, r: Recording, f: File_): HTMLElement {
  const segment = r.segments?.find((x) => x.number === f.segment);
  const clock = segment?.clock;
  const h1 = s.bag.histories.find((x) => x.recording === r.id);
  const came = h1 && collections(h1, f.segment)[0];
  const media = s.media.get(f.path);
  const rows: [string, Node | string][] = [
    ['File on the camera', plain(f.fileName)],
    ['Recorded', [time(known(clock?.trusted) ? clock.trusted : r.startedAt), duration(segment?.media?.durationMs)].filter(Boolean).join(', ')],
    ['By the camera’s clock', [time(clock?.deviceStarted), clock?.zone && plain(clock.zone), clock?.offsetMs !== undefined && `${clock.offsetMs} ms off`].filter(Boolean).join(', ')],
    ['Camera, officer', `${plain(r.device)}${r.officer ? `, ${plain(r.officer)}` : ''}`],
    ['Taken in', time(came && valueOf(came, 'at'))],
    ['Length', size(f.length)],
    ['SHA-256', h('code', {}, plain(f.sha256))],
    ['The file here', media ? h('span', {}, badge(media.state), ` ${plain(media.says)}`) : h('span', {}, badge('not_proven', 'Not read yet'), ' Choose the folder above to have it read.')],
  ];
  const gap = r.gaps?.find((g) => g.after === f.segment);
  if (gap) rows.push([gap.lengthMs < 0 ? 'Overlap' : 'Gap', `${Math.abs(gap.lengthMs) / 1000} s ${gap.lengthMs < 0 ? 'with' : 'before'} the next segment`]);
  return h('dl', { class: 'facts panel' }, rows.map(([k, v]) => h('div', {}, h('dt', {}, k), h('dd', {}, v))));
}

function events(s: Shown, r: Recording): HTMLElement {
  const history = s.bag.histories.find((x) => x.recording === r.id);
  const report = s.reports.get(r.id);
  return h('section', { class: 'panel custody', 'aria-label': 'Custody' },
    h('h2', {}, 'Chain of custody'),
    h('p', { class: 'fine' }, 'Everything that the system did with this recording, from the camera to this bundle.'),
    h('ol', { class: 'events' }, (history?.events ?? []).map((o, i) => event(o, report?.events[i]))),
    h('h3', {}, 'What was checked'),
    h('ul', { class: 'checks' }, (report?.checks ?? []).map((c) => h('li', {}, badge(c.state), h('span', {}, plain(c.says))))));
}

function event(o: Opening, r: EventReport | undefined): HTMLElement {
  return h('li', {},
    h('div', { class: 'event' },
      h('div', { class: 'row' }, h('span', { class: 'when' }, time(valueOf(o, 'at'))), r && badge(r.state, { proven: 'In the log', failed: 'Wrong', not_proven: 'Waiting' }[r.state])),
      h('strong', {}, what(o)),
      h('span', {}, `by ${who(o)}`),
      why(o) && h('span', { class: 'why' }, why(o))),
    h('details', {},
      h('summary', {}, 'All particulars'),
      h('p', { class: 'fine' }, r?.says ?? ''),
      h('dl', {}, o.fields.map((f) => h('div', {}, h('dt', {}, plain(f.name)), h('dd', {}, f.value === undefined ? h('em', {}, 'withheld') : plain(f.value)))))));
}
